package compose

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// files is a project on disk: path → content. "app/" as a key makes a directory.
type files map[string]string

func (f files) lay(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "shop")
	for name, text := range f {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func load(t testing.TB, o Options) *Project {
	t.Helper()
	p, err := Load(context.Background(), o)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	return p
}

func service(t testing.TB, p *Project, name string) Service {
	t.Helper()
	s, ok := p.Service(name)
	if !ok {
		t.Fatalf("no service %q in %+v", name, p.Services)
	}
	return s
}

func content(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// at names a place as "file:line:col", the file without its directory.
func (p Place) short(dir string) string {
	return strings.TrimSuffix(strings.TrimPrefix(Place{File: strings.TrimPrefix(p.File, dir+"/"), Line: p.Line, Col: p.Col}.prefix(), "/"), ": ")
}
