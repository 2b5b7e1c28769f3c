package rig

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
)

// Database is the image every stack's database runs; e2e/images/build makes it.
const Database = "belay-e2e/postgres:15"

// World is what all scenarios share: belay, a registry that holds every version
// of the app, and a forge that publishes their notes.
type World struct {
	Registry string // host:port, plain HTTP
	Forge    *Forge

	dir    string
	server *httptest.Server
	belay  func() (path string, err error) // built when first asked for
}

// Need skips the test when there is no engine, and fails it instead when
// BELAY_E2E=require says that there must be one.
func Need(t testing.TB) {
	t.Helper()
	err := engine(t.Context())
	switch {
	case err == nil:
	case required():
		t.Fatalf("BELAY_E2E=require, and there is no engine to use: %v", err)
	default:
		t.Skipf("no engine to use: %v", err)
	}
}

// NewWorld builds the images and starts the servers. Close ends it.
func NewWorld(ctx context.Context) (*World, error) {
	if err := database(ctx); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "belay-e2e-")
	if err != nil {
		return nil, err
	}
	w := &World{Forge: NewForge(), dir: dir}
	w.belay = sync.OnceValues(func() (string, error) {
		file := filepath.Join(dir, "belay")
		return file, build(context.WithoutCancel(ctx), file, "belay", "")
	})
	if err := w.open(ctx); err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

// Close ends the servers and removes what NewWorld made, the images that the
// engine pulled from this registry included.
func (w *World) Close() {
	ctx := context.Background()
	if w.server != nil {
		out, err := output(ctx, "docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}")
		for ref := range strings.Lines(string(out)) {
			if err == nil && strings.HasPrefix(ref, w.Registry+"/") {
				_, _ = output(ctx, "docker", "image", "rm", strings.TrimSpace(ref)) // still used: left
			}
		}
		w.server.Close()
	}
	w.Forge.Close()
	_ = os.RemoveAll(w.dir)
}

func (w *World) open(ctx context.Context) error {
	images, err := buildApp(ctx, w.dir)
	if err != nil {
		return err
	}
	// The engine takes every address of 127.0.0.0/8 for a registry without TLS.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	w.Registry = l.Addr().String()
	w.server = &httptest.Server{
		Listener: l,
		Config:   &http.Server{Handler: registry.New(registry.Logger(quiet())), ReadHeaderTimeout: headerTimeout},
	}
	w.server.Start()
	return publish(ctx, w.Registry, images)
}

// engine says why there is no engine or compose to use.
func engine(ctx context.Context) error {
	for _, argv := range [][]string{
		{"docker", "version", "--format", "{{.Server.Version}}"},
		{"docker", "compose", "version", "--short"},
	} {
		if _, err := output(ctx, argv...); err != nil {
			return err
		}
	}
	if required() {
		return nil
	}
	if _, err := output(ctx, "docker", "image", "inspect", Database); err != nil {
		return fmt.Errorf("%s is not built: run `make e2e`", Database)
	}
	return nil
}

// database makes sure that the database's image stands.
func database(ctx context.Context) error {
	if _, err := output(ctx, "docker", "image", "inspect", Database); err == nil {
		return nil
	}
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	_, err = output(ctx, filepath.Join(root, "e2e", "images", "build"))
	return err
}

func required() bool { return os.Getenv("BELAY_E2E") == "require" }

func moduleRoot(ctx context.Context) (string, error) {
	out, err := output(ctx, "go", "env", "GOMOD")
	if err != nil {
		return "", err
	}
	mod := strings.TrimSpace(string(out))
	if filepath.Base(mod) != "go.mod" {
		return "", errors.New("not inside the module")
	}
	return filepath.Dir(mod), nil
}

// output runs a command to its end; the error holds what it said.
func output(ctx context.Context, argv ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	out, err := cmd.Output()
	if err == nil {
		return out, nil
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return out, fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, strings.TrimSpace(string(exit.Stderr)))
	}
	return out, fmt.Errorf("%s: %w", argv[0], err)
}
