package dockerx_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"belay/dockerx"
	"belay/dockerx/compose"
	"belay/dockerx/contract"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

var (
	_ contract.Engine = (*dockerx.Engine)(nil)
	_ contract.Driver = (*compose.CLI)(nil)
)

// TestContract: the real engine and the user's docker compose do what the
// embedded ones do.
func TestContract(t *testing.T) {
	missing := t.Skipf
	if os.Getenv("BELAY_E2E") == "require" {
		missing = t.Fatalf
	}
	e, err := dockerx.Connect(t.Context(), dockerx.ConnectOptions{Environ: os.Environ(), Timeout: 5 * time.Second})
	if err != nil {
		missing("needs a Docker engine: %v", err)
	}
	cli, err := compose.FindCLI(t.Context(), os.Environ())
	if err != nil {
		missing("needs docker compose: %v", err)
	}
	t.Cleanup(func() {
		if err := e.RemoveHelper(context.Background()); err != nil {
			t.Error(err)
		}
		_ = e.Close()
	})
	unique := make([]byte, 4)
	if _, err := rand.Read(unique); err != nil {
		t.Fatal(err)
	}
	project := "belay-contract-" + hex.EncodeToString(unique)
	makeImages(t, project+":1.2.3", project+":1.2.4")
	dir := t.TempDir()
	at := func(file, tag string) *compose.Project {
		t.Helper()
		text := "name: " + project + "\nservices:\n  app:\n    image: " + project + ":" + tag +
			"\n    network_mode: none\n    volumes: [\"pool:/x\"]\nvolumes:\n  pool: {}\n"
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := compose.Load(t.Context(), compose.Options{Dir: dir, Files: []string{filepath.Join(dir, file)}, Environ: os.Environ()})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	p := at("compose.yaml", "1.2.3")
	t.Cleanup(func() { sweep(t, project) })
	if err := cli.Up(t.Context(), p, compose.UpSpec{}, nil); err != nil {
		t.Fatal(err)
	}
	said := contract.Command{Argv: []string{"/app", "exit", "7"}, Stdout: "to stdout\n", Stderr: "to stderr \n", Exit: 7}
	once := said
	once.Argv = []string{"exit", "7"}
	contract.Run(t, contract.Subject{
		Engine: e, Compose: cli, Project: p, Next: at("next.yaml", "1.2.4"), Service: "app", Volume: project + "_pool", Mount: "/x",
		Logged: "out: ready", Pull: published(t, project), Exec: said, Run: once,
	})
}

// published puts an image into a registry of the test's own on loopback, which
// engines take without TLS.
func published(t *testing.T, project string) string {
	t.Helper()
	server := httptest.NewServer(registry.New())
	t.Cleanup(server.Close)
	ref := strings.TrimPrefix(server.URL, "http://") + "/" + project + ":2.0.0"
	image, err := random.Image(50_000, 3)
	if err != nil {
		t.Fatal(err)
	}
	tag, err := name.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(tag, image, remote.WithContext(t.Context())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = exec.Command("docker", "image", "rm", ref).Run() })
	return ref
}

// makeImages imports the test program under names of its own.
func makeImages(t *testing.T, tags ...string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "app")
	build := exec.Command("go", "build", "-o", out, "./testdata/app")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v: %s", err, said)
	}
	app, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, tag := range tags {
		var archive bytes.Buffer
		w := tar.NewWriter(&archive)
		for name, content := range map[string][]byte{"app": app, "version": []byte(tag)} {
			if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content))}); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(content); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		load := exec.Command("docker", "import", "-c", `ENTRYPOINT ["/app"]`, "-c", `CMD ["serve"]`, "-", tag)
		load.Stdin = &archive
		if said, err := load.CombinedOutput(); err != nil {
			t.Fatalf("docker import: %v: %s", err, said)
		}
		t.Cleanup(func() { _ = exec.Command("docker", "image", "rm", tag).Run() })
	}
}

// sweep removes what the contract's project, and nothing else, left behind.
func sweep(t *testing.T, project string) {
	t.Helper()
	docker := func(args ...string) []string {
		out, err := exec.Command("docker", args...).CombinedOutput()
		if err != nil {
			t.Errorf("docker %s: %v: %s", strings.Join(args, " "), err, out)
		}
		return strings.Fields(string(out))
	}
	ours := "label=com.docker.compose.project=" + project
	for _, id := range docker("ps", "-aq", "--filter", ours) {
		docker("rm", "-f", "-v", id)
	}
	contracts := "label=" + dockerx.LabelRole + "=contract"
	for _, id := range docker("ps", "-aq", "--filter", contracts) {
		docker("rm", "-f", "-v", id)
	}
	for _, filter := range []string{ours, contracts} {
		for _, v := range docker("volume", "ls", "-q", "--filter", filter) {
			docker("volume", "rm", v)
		}
	}
	for _, id := range docker("network", "ls", "-q", "--filter", ours) {
		docker("network", "rm", id)
	}
}
