package rig

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// headerTimeout of the loopback servers.
const headerTimeout = 10 * time.Second

// Source is the forge repository that the app's images name.
const Source = "belay-e2e/ledger"

// Versions are all versions of the app, oldest first.
func Versions() []string { return []string{"1.2.3", "1.2.4", "1.3.0", "1.4.0", "1.5.0", "2.0.0"} }

// buildApp makes one image per version: the app's binary and its labels.
func buildApp(ctx context.Context, dir string) (map[string]v1.Image, error) {
	images := map[string]v1.Image{}
	for i, v := range Versions() {
		file := filepath.Join(dir, "ledger-"+v)
		if err := build(ctx, file, "belay/e2e/app", "-s -w -X main.version="+v); err != nil {
			return nil, err
		}
		img, err := image(file, v, time.Date(2026, time.Month(5+i), 12, 9, 0, 0, 0, time.UTC))
		if err != nil {
			return nil, err
		}
		images[v] = img
	}
	return images, nil
}

// image puts a static binary into an image with nothing else in it.
func image(file, version string, made time.Time) (v1.Image, error) {
	layer, err := layer(file)
	if err != nil {
		return nil, err
	}
	img, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		return nil, err
	}
	cf, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	cf = cf.DeepCopy()
	cf.OS, cf.Architecture, cf.Created = "linux", runtime.GOARCH, v1.Time{Time: made}
	cf.Config = v1.Config{
		Entrypoint:   []string{"/ledger"},
		ExposedPorts: map[string]struct{}{"8080/tcp": {}},
		Labels: map[string]string{
			"org.opencontainers.image.title":    "ledger",
			"org.opencontainers.image.version":  version,
			"org.opencontainers.image.source":   "https://github.com/" + Source,
			"org.opencontainers.image.revision": fmt.Sprintf("%040x", made.Unix()),
		},
	}
	return mutate.ConfigFile(img, cf)
}

func layer(file string) (v1.Layer, error) {
	binary, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	head := &tar.Header{Name: "ledger", Mode: 0o755, Size: int64(len(binary)), ModTime: time.Unix(0, 0)}
	if err := w.WriteHeader(head); err != nil {
		return nil, err
	}
	if _, err := w.Write(binary); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(b.Bytes())), nil
	})
}

// publish pushes every version the ways real projects spell them:
//
//	ledger     1.2.3, 1.2.3-slim and latest
//	ledger-v   v1.2.3
//	moving     1.2.3 and latest
//
// latest is 1.2.3 until a scenario moves it.
func publish(ctx context.Context, host string, images map[string]v1.Image) error {
	for v, img := range images {
		for _, ref := range []string{"ledger:" + v, "ledger:" + v + "-slim", "ledger-v:v" + v, "moving:" + v} {
			if err := push(ctx, host+"/"+ref, img); err != nil {
				return err
			}
		}
	}
	for _, repo := range []string{"ledger", "moving"} {
		if err := push(ctx, host+"/"+repo+":latest", images[Versions()[0]]); err != nil {
			return err
		}
	}
	return nil
}

func push(ctx context.Context, ref string, img v1.Image) error {
	tag, err := name.NewTag(ref, name.Insecure)
	if err != nil {
		return err
	}
	return remote.Write(tag, img, remote.WithContext(ctx))
}

// build compiles one static program of this module.
func build(ctx context.Context, out, pkg, ldflags string) error {
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", ldflags, "-o", out, pkg)
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", pkg, err, said)
	}
	return nil
}

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }
