package dockerx

import (
	"archive/tar"
	"bytes"
	"debug/elf"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
)

func TestLinked(t *testing.T) {
	app, err := appBinary()
	if err != nil {
		t.Fatal(err)
	}
	static := filepath.Join(t.TempDir(), "app")
	if err := os.WriteFile(static, app, 0o700); err != nil {
		t.Fatal(err)
	}
	if interpreter, libs, err := linked(static); err != nil || interpreter != "" || libs != nil {
		t.Errorf("static: %q %v %v", interpreter, libs, err)
	}
	dynamic, err := exec.LookPath("ls")
	if err != nil {
		t.Skip("no ls to look at")
	}
	interpreter, libs, err := linked(dynamic)
	if err != nil {
		t.Fatal(err)
	}
	f, err := elf.Open(dynamic)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	needed, err := f.ImportedLibraries()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range needed {
		if libs[name] == "" {
			t.Errorf("%s is missing in %v", name, libs)
		}
	}
	if !filepath.IsAbs(interpreter) {
		t.Errorf("interpreter %q", interpreter)
	}
	if _, _, err := linked("/etc/passwd"); err == nil {
		t.Error("a text: no error")
	}
}

func TestHelperImageHoldsWhatTheProgramNeeds(t *testing.T) {
	program, err := exec.LookPath("ls")
	if err != nil {
		t.Skip("no dynamic program at hand")
	}
	var out bytes.Buffer
	if err := writeHelper(&out, program); err != nil {
		t.Fatal(err)
	}
	var names []string
	for r := tar.NewReader(&out); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, h.Name)
	}
	interpreter, libs, err := linked(program)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"belay", "data/", "tmp/"}
	if interpreter != "" {
		want = append(want, strings.TrimPrefix(interpreter, "/"))
	}
	for name := range libs {
		want = append(want, helperLibs+"/"+name)
	}
	for _, name := range want {
		if !slices.Contains(names, name) {
			t.Errorf("%s is missing in %v", name, names)
		}
	}
}

func TestForeignEngineIsRefused(t *testing.T) {
	environ := fakeEngine(t, map[string]http.HandlerFunc{
		"GET /v1.41/info": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"ID":"x","Name":"nas"}`)) },
		"GET /v1.41/version": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"Os":"linux","Arch":"riscv128"}`))
		},
	})
	e, err := Connect(t.Context(), ConnectOptions{Environ: append(environ, "HOME="+t.TempDir())})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.Close() }()
	_, err = e.ScanTree(t.Context(), Data{VolumeData, "v"}, nil)
	if !errors.Is(err, ErrForeignArch) || !strings.Contains(err.Error(), "linux/riscv128") {
		t.Errorf("got %v", err)
	}
}

// What makes the helper harmless must be on every container it is.
func TestHelperIsConfined(t *testing.T) {
	e := real(t)
	vol := Data{VolumeData, appVolume(t, e)}
	for _, job := range []helperJob{
		{data: vol, args: []string{"scan", helperData}},
		{data: vol, args: []string{"load", helperData}, stdin: strings.NewReader(""), writes: true},
	} {
		id, err := e.createHelper(t.Context(), job)
		if err != nil {
			t.Fatal(err)
		}
		c, err := e.api.ContainerInspect(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		h := c.HostConfig
		if h.NetworkMode != "none" || !h.ReadonlyRootfs || h.Privileged || !slices.Equal(h.CapDrop, []string{"ALL"}) ||
			slices.Contains(h.CapAdd, "CAP_SYS_ADMIN") || len(h.CapAdd) != len(helperCaps()) ||
			!slices.Contains(h.SecurityOpt, "no-new-privileges") || len(h.PortBindings) != 0 || h.LogConfig.Type != "none" {
			t.Errorf("%+v", h)
		}
		if len(h.Mounts) != 1 || h.Mounts[0].ReadOnly == job.writes || c.Config.Labels[LabelRun] != e.Run || c.Config.Labels[LabelRole] != roleTree {
			t.Errorf("%+v %v", h.Mounts, c.Config.Labels)
		}
		if err := e.removeOwn(t.Context(), id); err != nil {
			t.Error(err)
		}
	}
}

// BenchmarkContainers: thirty containers must be known well under a second.
func BenchmarkContainers(b *testing.B) {
	e, err := Connect(b.Context(), ConnectOptions{Environ: os.Environ(), Timeout: 5 * time.Second})
	if err != nil {
		b.Skip(err)
	}
	defer func() { _ = e.Close() }()
	id, err := e.helperID(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = e.RemoveHelper(b.Context()) }()
	for range 30 {
		c, err := e.api.ContainerCreate(b.Context(), &container.Config{Image: id, Labels: map[string]string{labelProject: "belay-bench"}},
			&container.HostConfig{NetworkMode: "none"}, nil, nil, "")
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = e.removeOwn(b.Context(), c.ID) }()
	}
	for b.Loop() {
		if list, err := e.Containers(b.Context(), "belay-bench"); err != nil || len(list) != 30 {
			b.Fatal(len(list), err)
		}
	}
}
