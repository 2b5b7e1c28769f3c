package rig

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// ImageID is the ID that the engine gave to an image of the registry, "" when it
// was never pulled.
func (s *Stack) ImageID(t testing.TB, ref string) string {
	t.Helper()
	out, err := output(t.Context(), "docker", "image", "inspect", "--format={{.Id}}", s.World.Registry+"/"+ref)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// Holds are the tags by which belay keeps the stack's old images.
func (s *Stack) Holds(t testing.TB) []string {
	t.Helper()
	return s.list(t, "image", "ls", "--format={{.Repository}}:{{.Tag}}", "--filter=reference=belay-hold/"+s.Project+"-*")
}

// Leftovers are the containers that a run made and left behind.
func (s *Stack) Leftovers(t testing.TB, run string) []string {
	t.Helper()
	return s.list(t, "ps", "--all", "--format={{.Names}}", "--filter=label=belay.run="+run)
}

// Kept finds where a run keeps the data that a rollback put aside: a volume of
// the run, or a file or directory below one of the given directories.
func (s *Stack) Kept(t testing.TB, run string, dirs ...string) []string {
	t.Helper()
	kept := s.list(t, "volume", "ls", "--quiet", "--filter=label=belay.run="+run)
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			if err == nil && (strings.Contains(filepath.Base(path), "failed") || strings.Contains(filepath.Base(path), "kept")) {
				kept = append(kept, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return kept
}

// Audit looks through belay's own directories: nothing there may be read by
// others, and no record of a run may hold the database's password.
func (s *Stack) Audit(t testing.TB) {
	t.Helper()
	err := filepath.WalkDir(s.state, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == s.state {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 && info.Mode()&fs.ModeSymlink == 0 {
			t.Errorf("others may read %s (%s)", path, info.Mode())
		}
		if base := filepath.Base(path); base != "journal" && base != "events.jsonl" && base != "plan.json" {
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if bytes.Contains(b, []byte(s.Secret)) {
			t.Errorf("%s holds the database's password", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (s *Stack) list(t testing.TB, args ...string) []string {
	t.Helper()
	out, err := output(t.Context(), append([]string{"docker"}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}
