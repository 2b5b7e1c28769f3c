package dockerx

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/image"
)

const (
	helperRepo    = "belay-tree" // of the helper image's tag
	helperLibs    = "belay-libs" // where its shared libraries are
	helperProgram = "/belay"     // its executable
	helperData    = "/data"      // where the tree is mounted
	helperCommand = "__tree"     // belay's hidden command for tree.Main
	roleTree      = "tree"       // LabelRole of helper containers
)

// helperImage makes the image that volumes are read and written with, once.
type helperImage struct {
	mu sync.Mutex
	id string
}

// helperID returns the ID of the helper image: belay's own executable and
// nothing else, so nothing has to be pulled and no shell is needed.
func (e *Engine) helperID(ctx context.Context) (string, error) {
	e.helper.mu.Lock()
	defer e.helper.mu.Unlock()
	if e.helper.id != "" {
		if _, err := e.Image(ctx, e.helper.id); err == nil {
			return e.helper.id, nil
		}
	}
	ref, program, err := e.helperRef(ctx)
	if err != nil {
		return "", err
	}
	i, err := e.Image(ctx, ref)
	if isNotFound(err) {
		if err = e.importHelper(ctx, ref, program); err == nil {
			i, err = e.Image(ctx, ref)
		}
	}
	if err != nil {
		return "", fmt.Errorf("volume helper: %w", err)
	}
	e.helper.id = i.ID
	return i.ID, nil
}

// RemoveHelper removes the volume helper's image, which belay made; it is made
// again when needed. An image that is in use, or not there, is no error.
func (e *Engine) RemoveHelper(ctx context.Context) error {
	ref, _, err := e.helperRef(ctx)
	if err != nil {
		return err
	}
	e.helper.mu.Lock()
	defer e.helper.mu.Unlock()
	e.helper.id = ""
	_, err = e.api.ImageRemove(ctx, ref, image.RemoveOptions{PruneChildren: true})
	if cerrdefs.IsNotFound(err) || cerrdefs.IsConflict(err) {
		return nil
	}
	return wrap(err, "remove image %s", ref)
}

// helperRef names the helper image after the executable it is made from.
func (e *Engine) helperRef(ctx context.Context) (ref, program string, err error) {
	program = e.executable
	if program == "" {
		if program, err = os.Executable(); err != nil {
			return "", "", fmt.Errorf("volume helper: where is this program: %w", err)
		}
	}
	info, err := e.Info(ctx)
	if err != nil {
		return "", "", err
	}
	if info.OS != runtime.GOOS || info.Arch != runtime.GOARCH {
		return "", "", fmt.Errorf("engine is %s/%s, this belay is %s/%s: use the belay for that platform: %w",
			info.OS, info.Arch, runtime.GOOS, runtime.GOARCH, ErrForeignArch)
	}
	f, err := os.Open(program)
	if err != nil {
		return "", "", fmt.Errorf("volume helper: %w", err)
	}
	defer func() { _ = f.Close() }()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", "", fmt.Errorf("volume helper: %w", err)
	}
	return helperRepo + ":" + hex.EncodeToString(sum.Sum(nil))[:24], program, nil
}

func (e *Engine) importHelper(ctx context.Context, ref, program string) error {
	read, write := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = write.CloseWithError(writeHelper(write, program))
	}()
	defer func() {
		_ = read.Close()
		<-done
	}()
	answer, err := e.api.ImageImport(ctx, image.ImportSource{Source: read, SourceName: "-"}, ref, image.ImportOptions{
		Message: "belay's volume helper",
		Changes: []string{
			`ENTRYPOINT ["` + helperProgram + `","` + helperCommand + `"]`,
			"ENV LD_LIBRARY_PATH=/" + helperLibs,
			"LABEL " + LabelRole + "=" + roleTree,
		},
	})
	if err != nil {
		return wrap(err, "import image %s", ref)
	}
	defer func() { _ = answer.Close() }()
	return wrap(readPull(answer, func(PullProgress) {}), "import image %s", ref)
}

// writeHelper writes the helper image's content: the program and, when it is
// linked dynamically (as `go run` may build it), what it is linked to.
func writeHelper(w io.Writer, program string) error {
	out := tar.NewWriter(w)
	for _, dir := range []string{"data/", "tmp/", "proc/", "sys/", "dev/", "etc/", helperLibs + "/"} {
		if err := out.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir, Mode: 0o755}); err != nil {
			return err
		}
	}
	if err := addFile(out, program, helperProgram, 0o755); err != nil {
		return err
	}
	interpreter, libs, err := linked(program)
	if err != nil {
		return fmt.Errorf("libraries of %s: %w", program, err)
	}
	if interpreter != "" {
		if err := addFile(out, interpreter, interpreter, 0o755); err != nil {
			return err
		}
	}
	for name, path := range libs {
		if err := addFile(out, path, "/"+helperLibs+"/"+name, 0o755); err != nil {
			return err
		}
	}
	return out.Close()
}

// addFile adds the file that path leads to, under name.
func addFile(out *tar.Writer, path, name string, mode int64) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	h := &tar.Header{Typeflag: tar.TypeReg, Name: strings.TrimPrefix(name, "/"), Mode: mode, Size: info.Size()}
	if err := out.WriteHeader(h); err != nil {
		return err
	}
	_, err = io.Copy(out, f)
	return err
}

// linked returns the dynamic linker of an ELF program and the libraries it
// needs, by the name they are asked for. A static program has neither.
func linked(program string) (interpreter string, libs map[string]string, err error) {
	f, err := elf.Open(program)
	if err != nil {
		return "", nil, err
	}
	defer func() { _ = f.Close() }()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			raw, err := io.ReadAll(p.Open())
			if err != nil {
				return "", nil, err
			}
			interpreter = string(bytes.TrimRight(raw, "\x00"))
		}
	}
	if interpreter == "" {
		return "", nil, nil
	}
	libs = map[string]string{}
	return interpreter, libs, collect(f, libraryDirs(interpreter), libs)
}

// collect adds the libraries that f asks for, and those that they ask for.
func collect(f *elf.File, dirs []string, libs map[string]string) error {
	names, err := f.ImportedLibraries()
	if err != nil {
		return err
	}
	for _, tag := range []elf.DynTag{elf.DT_RUNPATH, elf.DT_RPATH} {
		paths, _ := f.DynString(tag)
		for _, p := range paths {
			dirs = append(strings.Split(p, ":"), dirs...)
		}
	}
	for _, name := range names {
		if _, known := libs[name]; known {
			continue
		}
		lib, path, err := findLibrary(name, dirs, f.Machine)
		if err != nil {
			return err
		}
		libs[name] = path
		err = collect(lib, dirs, libs)
		_ = lib.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

func libraryDirs(interpreter string) []string {
	dirs := []string{filepath.Dir(interpreter)}
	for _, base := range []string{"/lib", "/usr/lib", "/usr/local/lib"} {
		many, _ := filepath.Glob(base + "/*-linux-*")
		dirs = append(append(dirs, many...), base+"64", base)
	}
	return dirs
}

func findLibrary(name string, dirs []string, machine elf.Machine) (*elf.File, string, error) {
	for _, dir := range dirs {
		path := filepath.Join(dir, name)
		f, err := elf.Open(path)
		if err != nil {
			continue
		}
		if f.Machine == machine {
			return f, path, nil
		}
		_ = f.Close() // of another architecture, side by side with ours
	}
	return nil, "", fmt.Errorf("%s is not in any library directory: %w", name, errors.ErrUnsupported)
}
