package dockerx

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"belay/dockerx/tree"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/volume"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == helperCommand {
		os.Exit(tree.Main(os.Args[2:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// real connects to this machine's engine or skips the test.
func real(t *testing.T) *Engine {
	t.Helper()
	e, err := Connect(t.Context(), ConnectOptions{Environ: os.Environ(), Timeout: 5 * time.Second})
	if err != nil {
		if os.Getenv("BELAY_E2E") == "require" {
			t.Fatalf("an engine is required: %v", err)
		}
		t.Skipf("needs a Docker engine: %v", err)
	}
	run := "test-" + token(t)
	e = e.ForRun(run)
	t.Cleanup(func() {
		if err := e.RemoveHelper(context.Background()); err != nil {
			t.Error(err)
		}
		_ = e.Close()
	})
	return e
}

func token(t *testing.T) string {
	t.Helper()
	b := make([]byte, 6)
	if _, err := rand.Read(b); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(b)
}

// appBinary builds the program that test containers run.
var appBinary = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "belay-app-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	out := filepath.Join(dir, "app")
	cmd := exec.Command("go", "build", "-o", out, "./testdata/app")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		return nil, errors.Join(err, errors.New(string(said)))
	}
	return os.ReadFile(out)
})

// appImage imports that program as an image of its own and returns its ID.
func appImage(t *testing.T, e *Engine, changes ...string) string {
	t.Helper()
	app, err := appBinary()
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	_ = w.WriteHeader(&tar.Header{Name: "app", Mode: 0o755, Size: int64(len(app))})
	_, _ = w.Write(app)
	_ = w.WriteHeader(&tar.Header{Name: "mark", Mode: 0o644, Size: 12})
	_, _ = w.Write([]byte(token(t))) // an ID of its own
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	ref := "belay-test:" + token(t)
	answer, err := e.api.ImageImport(t.Context(), image.ImportSource{Source: &buf, SourceName: "-"}, ref,
		image.ImportOptions{Changes: append([]string{`ENTRYPOINT ["/app"]`, `CMD ["serve"]`}, changes...)})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, answer)
	_ = answer.Close()
	i, err := e.Image(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := e.api.ImageRemove(context.Background(), i.ID, image.RemoveOptions{Force: true}); err != nil && !isNotFound(wrap(err, "")) {
			t.Error(err)
		}
	})
	return i.ID
}

// appContainer starts a container as compose would have made it.
func appContainer(t *testing.T, e *Engine, imageID string, change func(*container.Config, *container.HostConfig)) string {
	t.Helper()
	config := &container.Config{Image: imageID, Labels: map[string]string{}}
	host := &container.HostConfig{NetworkMode: "none"}
	if change != nil {
		change(config, host)
	}
	c, err := e.api.ContainerCreate(t.Context(), config, host, nil, nil, "belay-test-"+token(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		err := e.api.ContainerRemove(context.Background(), c.ID, container.RemoveOptions{Force: true, RemoveVolumes: true})
		if err != nil && !isNotFound(wrap(err, "")) {
			t.Error(err)
		}
	})
	if err := e.StartContainer(t.Context(), c.ID); err != nil {
		t.Fatal(err)
	}
	return c.ID
}

// appVolume makes a volume that does not belong to belay.
func appVolume(t *testing.T, e *Engine) string {
	t.Helper()
	name := "belay-test-" + token(t)
	if _, err := e.api.VolumeCreate(t.Context(), volume.CreateOptions{Name: name}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.api.VolumeRemove(context.Background(), name, false); err != nil && !isNotFound(wrap(err, "")) {
			t.Error(err)
		}
	})
	return name
}
