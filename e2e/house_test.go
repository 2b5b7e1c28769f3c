package e2e_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// tooLong is the length at which a file has more than one job.
const tooLong = 500

// rule forbids imports to a part of the house.
type rule struct {
	part      string   // packages below this path
	forbidden []string // paths, each with all below it
}

// house is the table that .golangci.yml holds as well: a linter that is switched
// off or misses a folder must not be the only guard.
func house() []rule {
	const charm, docker = "github.com/charmbracelet", "github.com/docker"
	return []rule{
		{"belay/releases", []string{"belay/dockerx", "belay/steps", "belay/tui", "belay/internal", charm, docker}},
		{"belay/dockerx", []string{"belay/releases", "belay/steps", "belay/tui", "belay/internal", charm}},
		{"belay/steps", []string{"belay/tui", "belay/internal", charm}},
		{"belay/tui", []string{"belay/dockerx", "belay/releases/github", "belay/internal", docker}},
		{"belay/tui/plain", []string{charm + "/bubbletea", charm + "/bubbles"}},
		{"belay/e2e", []string{"belay/dockerx", "belay/steps", "belay/releases", "belay/tui", "belay/internal"}},
	}
}

// pkg is what `go list -json` says of a package.
type pkg struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
}

func TestArrowsPointDownOnly(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-json=ImportPath,Imports,TestImports,XTestImports", "belay/...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := 0
	for d := json.NewDecoder(bytes.NewReader(out)); ; packages++ {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		for _, bad := range violations(p) {
			t.Error(bad)
		}
	}
	if packages < 10 {
		t.Errorf("only %d packages seen: the list is not the house", packages)
	}
}

func TestTheTableCatchesAnArrowThatPointsUp(t *testing.T) {
	for _, c := range []struct {
		from, to string
		bad      bool
	}{
		{"belay/tui/screen", "belay/dockerx/compose", true},
		{"belay/tui/screen", "belay/steps/upgrade", false},
		{"belay/steps/watch", "github.com/charmbracelet/lipgloss", true},
		{"belay/steps/watch", "belay/dockerx", false},
		{"belay/dockerx/local", "belay/releases/version", true},
		{"belay/releases/github", "belay/releases", false},
		{"belay/tuition", "belay/dockerx", false}, // a name that only begins alike
		{"belay/internal/cli", "belay/tui", false},
	} {
		got := len(violations(pkg{ImportPath: c.from, XTestImports: []string{c.to}})) > 0
		if got != c.bad {
			t.Errorf("%s → %s: caught %v, want %v", c.from, c.to, got, c.bad)
		}
	}
}

func TestFilesAreShortAndPackagesSayWhatTheyDo(t *testing.T) {
	said := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && d.Name() != ".."):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go"):
			return nil
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if n := bytes.Count(src, []byte("\n")); n > tooLong {
			t.Errorf("%s has %d lines, more than %d", path, n, tooLong)
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, src, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		if !strings.HasSuffix(path, "_test.go") && filepath.Base(path) != "deps.go" {
			dir := filepath.Dir(path)
			said[dir] = said[dir] || f.Doc.Text() != ""
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for dir, ok := range said {
		if !ok {
			t.Errorf("%s has no package comment", dir)
		}
	}
}

func violations(p pkg) []string {
	var out []string
	for _, r := range house() {
		if !below(p.ImportPath, r.part) {
			continue
		}
		for _, imports := range [][]string{p.Imports, p.TestImports, p.XTestImports} {
			for _, i := range imports {
				for _, f := range r.forbidden {
					if below(i, f) {
						out = append(out, fmt.Sprintf("%s imports %s: %s must not know %s", p.ImportPath, i, r.part, f))
					}
				}
			}
		}
	}
	return out
}

func below(path, part string) bool { return path == part || strings.HasPrefix(path, part+"/") }
