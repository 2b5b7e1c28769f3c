package local_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"belay/dockerx/compose"
	"belay/dockerx/local"
	"belay/dockerx/local/demoapp"
)

const (
	repo     = "demo.belay.example/tidepool"
	patience = 30 * time.Second
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == local.Command {
		os.Exit(local.Main(os.Args[2:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
	}
	if len(os.Args) > 2 && os.Args[1] == hostCommand {
		os.Exit(host(os.Args[2], os.Args[3]))
	}
	os.Exit(m.Run())
}

// image is a version of the demo application that is quick enough for tests.
func image(version string, here bool, extra ...string) local.ImageSpec {
	return local.ImageSpec{
		Repo: repo, Tag: version, Size: 60 << 20, Local: here,
		Labels: map[string]string{"org.opencontainers.image.version": version},
		Env: append([]string{
			demoapp.EnvVersion + "=" + version, demoapp.EnvPace + "=1ms", demoapp.EnvNotes + "=200",
		}, extra...),
	}
}

func options(dir string, images ...local.ImageSpec) local.Options {
	return local.Options{
		Dir: dir, Images: images, PullRate: -1, Backoff: 10 * time.Millisecond,
		Probe: local.Probe{Every: 20 * time.Millisecond, Grace: patience, Retries: 2},
	}
}

func open(t *testing.T, o local.Options) *local.Engine {
	t.Helper()
	e, err := local.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// project writes a compose project with one service and returns how to load it
// at a version.
func project(t *testing.T, more string) func(version string) *compose.Project {
	t.Helper()
	dir := t.TempDir()
	const text = `name: pool
services:
  app:
    image: %s:${TAG}
    restart: unless-stopped
    volumes: ["data:/data"]
    ports: ["127.0.0.1:%d:8080"]
    healthcheck: {test: ["CMD", "tidepool", "check"]}
%s
volumes: {data: {}}
`
	file := filepath.Join(dir, "compose.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, text, repo, freePort(t), more), 0o600); err != nil {
		t.Fatal(err)
	}
	return func(version string) *compose.Project {
		t.Helper()
		p, err := compose.Load(t.Context(), compose.Options{Dir: dir, Environ: []string{"TAG=" + version}})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatal("waited too long for " + what)
		}
	}
}
