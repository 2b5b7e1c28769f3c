package dockerx

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/docker/cli/cli/config"
	"github.com/docker/cli/cli/config/configfile"
	dockercontext "github.com/docker/cli/cli/context"
	"github.com/docker/cli/cli/context/docker"
	"github.com/docker/cli/cli/context/store"
)

// defaultSocket is where the docker CLI looks when nothing says otherwise.
const defaultSocket = "/var/run/docker.sock"

// address is where the engine is, and who said so.
type address struct {
	endpoint docker.Endpoint
	source   string   // "from DOCKER_HOST"; empty for the default socket
	childEnv []string // for docker programs, when they would not find it by themselves
}

// environment turns "KEY=value" into a map; the last one wins, as in a process.
func environment(environ []string) map[string]string {
	env := make(map[string]string, len(environ))
	for _, pair := range environ {
		if key, value, ok := strings.Cut(pair, "="); ok {
			env[key] = value
		}
	}
	return env
}

func configDir(env map[string]string) string {
	if dir := env["DOCKER_CONFIG"]; dir != "" {
		return dir
	}
	if home := env["HOME"]; home != "" {
		return filepath.Join(home, ".docker")
	}
	return ""
}

func loadConfig(env map[string]string) (*configfile.ConfigFile, error) {
	dir := configDir(env)
	if dir == "" {
		return configfile.New(""), nil
	}
	return config.Load(dir)
}

// resolve decides for an address without talking to it. exists tells whether a
// file is there.
func resolve(env map[string]string, cfg *configfile.ConfigFile, cfgErr error, exists func(string) bool) (address, error) {
	if host := env["DOCKER_HOST"]; host != "" {
		return fromHost(env, host, "from DOCKER_HOST")
	}
	if name := env["DOCKER_CONTEXT"]; name != "" {
		return fromContext(env, name, "DOCKER_CONTEXT", exists)
	}
	if cfgErr != nil {
		// It may hold the current context: guessing could change another engine.
		return address{}, &UnreachableError{Err: cfgErr, Sentence: fmt.Sprintf(
			"the Docker configuration cannot be read, so it is not known which engine is meant: repair %s (%v)",
			filepath.Join(configDir(env), "config.json"), cfgErr)}
	}
	if cfg.CurrentContext != "" {
		return fromContext(env, cfg.CurrentContext, filepath.Join(configDir(env), "config.json"), exists)
	}
	return fromSockets(env, exists)
}

// fromHost takes a DOCKER_HOST value with the TLS settings that belong to it.
func fromHost(env map[string]string, host, source string) (address, error) {
	if !strings.Contains(host, "://") {
		host = "tcp://" + host
	}
	a := address{source: source}
	a.endpoint.Host = host
	verify := env["DOCKER_TLS_VERIFY"] != ""
	if strings.HasPrefix(host, "unix://") || strings.HasPrefix(host, "ssh://") || !verify && env["DOCKER_TLS"] == "" {
		return a, nil
	}
	dir := env["DOCKER_CERT_PATH"]
	if dir == "" {
		dir = configDir(env)
	}
	tls, err := dockercontext.TLSDataFromFiles(filepath.Join(dir, "ca.pem"), filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	if err != nil {
		return address{}, &UnreachableError{Address: host, Err: err, Sentence: fmt.Sprintf(
			"the TLS files for the Docker engine at %s cannot be read: check DOCKER_CERT_PATH (%v)", host, err)}
	}
	a.endpoint.TLSData, a.endpoint.SkipTLSVerify = tls, !verify
	return a, nil
}

func fromContext(env map[string]string, name, source string, exists func(string) bool) (address, error) {
	if name == "default" {
		return fromSockets(env, exists)
	}
	fail := func(err error) (address, error) {
		return address{}, &UnreachableError{Err: err, Sentence: fmt.Sprintf(
			"the Docker context %q (from %s) cannot be used: see `docker context ls` and choose one with `docker context use` (%v)", name, source, err)}
	}
	contexts := store.New(filepath.Join(configDir(env), "contexts"), store.NewConfig(
		func() any { return &map[string]any{} },
		store.EndpointTypeGetter(docker.DockerEndpoint, func() any { return &docker.EndpointMeta{} }),
	))
	meta, err := contexts.GetMetadata(name)
	if err != nil {
		return fail(err)
	}
	endpoint, err := docker.EndpointFromContext(meta)
	if err != nil {
		return fail(err)
	}
	full, err := docker.WithTLSData(contexts, name, endpoint)
	if err != nil {
		return fail(err)
	}
	if full.Host == "" {
		return fromSockets(env, exists)
	}
	return address{endpoint: full, source: fmt.Sprintf("context %q", name)}, nil
}

// fromSockets takes the default socket or, where there is none, one of a
// rootless Docker or of Podman. Those a docker program would not find, so it is
// told.
func fromSockets(env map[string]string, exists func(string) bool) (address, error) {
	a := address{}
	a.endpoint.Host = "unix://" + defaultSocket
	if exists(defaultSocket) {
		return a, nil
	}
	candidates := []string{"/run/podman/podman.sock"}
	if dir := env["XDG_RUNTIME_DIR"]; dir != "" {
		candidates = []string{
			filepath.Join(dir, "docker.sock"),
			filepath.Join(dir, "podman", "podman.sock"),
			"/run/podman/podman.sock",
		}
	}
	for _, path := range candidates {
		if exists(path) {
			a.endpoint.Host = "unix://" + path
			a.source = "found because there is no " + defaultSocket
			a.childEnv = []string{"DOCKER_HOST=" + a.endpoint.Host}
			return a, nil
		}
	}
	return a, nil
}
