package dockerx

import (
	"context"
	"net"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/system"
)

// Info asks the engine who it is.
func (e *Engine) Info(ctx context.Context) (EngineInfo, error) {
	info, err := e.api.Info(ctx)
	if err != nil {
		return EngineInfo{}, wrap(err, "engine information")
	}
	version, err := e.api.ServerVersion(ctx)
	if err != nil {
		return EngineInfo{}, wrap(err, "engine version")
	}
	out := EngineInfo{
		ID: info.ID, Name: info.Name, Version: version.Version, APIVersion: e.api.ClientVersion(),
		OS: version.Os, Arch: version.Arch, RootDir: info.DockerRootDir, Host: e.host,
		Podman: isPodman(version),
		Rootless: slices.ContainsFunc(info.SecurityOptions, func(o string) bool {
			return o == "rootless" || strings.HasPrefix(o, "name=rootless")
		}),
	}
	out.Insecure = insecure(info)
	if out.Podman {
		// Podman invents a new ID for every answer.
		out.ID = "podman:" + info.Name + ":" + info.DockerRootDir
	}
	hostname, _ := os.Hostname()
	out.Local = isLocal(e.host, info, hostname, runtime.GOOS)
	return out, nil
}

// insecure lists the single registries of the engine's insecure-registries; its
// address ranges cover loopback, which needs no mention.
func insecure(info system.Info) []string {
	if info.RegistryConfig == nil {
		return nil
	}
	var hosts []string
	for host, index := range info.RegistryConfig.IndexConfigs {
		if index != nil && !index.Secure {
			hosts = append(hosts, host)
		}
	}
	slices.Sort(hosts)
	return hosts
}

// FreeSpace is the space left on, and the size of, the file system that holds
// images and volumes, in bytes; -1, -1 where that cannot be seen from here.
func (e *Engine) FreeSpace(ctx context.Context) (free, total int64, err error) {
	info, err := e.Info(ctx)
	if err != nil {
		return -1, -1, err
	}
	if !info.Local || info.RootDir == "" {
		return -1, -1, nil
	}
	free, total, ok := fileSystemSpace(info.RootDir)
	if !ok { // in a virtual machine, or not ours to look at
		return -1, -1, nil
	}
	return free, total, nil
}

func isPodman(v types.Version) bool {
	return slices.ContainsFunc(v.Components, func(c types.ComponentVersion) bool {
		return strings.HasPrefix(c.Name, "Podman")
	})
}

// isLocal tells whether paths and loopback ports of the engine's host are those
// of this host. A loopback TCP address may be a tunnel, so there the names must
// agree. Docker Desktop runs in a virtual machine but shares both.
func isLocal(host string, info system.Info, hostname, goos string) bool {
	u, err := url.Parse(host)
	if err != nil {
		return false
	}
	switch u.Scheme {
	case "unix":
		return goos == "linux" || strings.Contains(info.OperatingSystem, "Docker Desktop")
	case "tcp", "http", "https":
		ip := net.ParseIP(u.Hostname())
		loopback := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
		return loopback && hostname != "" && info.Name == hostname
	}
	return false
}
