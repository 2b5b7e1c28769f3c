package rollback

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"belay/dockerx/compose"
	"belay/steps"
	"belay/steps/backup"
)

// config puts the bytes back that the upgrade changed. A file that somebody else
// changed since is never written over.
func (w *way) config(_ context.Context, r *steps.Reporter) error {
	p, err := w.point()
	if err != nil {
		return err
	}
	if err := w.foreign(p); err != nil {
		return err
	}
	for _, e := range slices.Backward(w.plan.Edits) {
		back, err := w.original(e)
		if err != nil {
			return err
		}
		if back {
			continue
		}
		if err := e.Revert(); err != nil {
			return fmt.Errorf("put %s back: %w", e.Path, err)
		}
	}
	for _, c := range p.Config {
		ok, err := asCaptured(c)
		if err != nil {
			return fmt.Errorf("look at %s: %w", c.Path, err)
		}
		if !ok {
			if w.edited(c.Path) {
				return fmt.Errorf("%s is not byte for byte what it was; its original is %s", c.Path, p.Path(c.File))
			}
			r.Warn(fmt.Sprintf("%s was changed since the upgrade began, not by belay; it stays. Its original is %s.", c.Path, p.Path(c.File)))
		}
	}
	if paths := w.paths(); len(paths) > 0 {
		r.Signal(steps.Signal{
			Name: "config", Subject: list(bases(paths)), Verdict: steps.Pass, Evidence: "byte for byte as before",
		})
	}
	r.Fact("summary", steps.Plural(len(w.paths()), "file")+" byte for byte")
	return nil
}

// foreign refuses when a file holds neither the bytes before nor those after an
// edit, and shows where it differs: places and names, never values.
func (w *way) foreign(p *backup.RestorePoint) error {
	for _, path := range w.paths() {
		data, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
		known := false
		var last compose.Edit
		for _, e := range w.plan.Edits {
			if e.Path == path {
				known = known || bytes.Equal(data, e.Old) || bytes.Equal(data, e.New)
				last = e
			}
		}
		if known {
			continue
		}
		return fmt.Errorf("%s was changed by somebody else since belay edited it (%s); belay does not write over that. "+
			"Its original is %s: put back by hand what you need, then run the rollback again",
			path, differs(last.New, data), w.captured(p, path))
	}
	return nil
}

// original says whether an edit's file is at the start of all its edits already.
func (w *way) original(e compose.Edit) (bool, error) {
	data, err := os.ReadFile(e.Path)
	if err != nil {
		return false, fmt.Errorf("read %s: %w", e.Path, err)
	}
	i := slices.IndexFunc(w.plan.Edits, func(o compose.Edit) bool { return o.Path == e.Path })
	return bytes.Equal(data, w.plan.Edits[i].Old), nil
}

// paths are the edited files, each once.
func (w *way) paths() []string {
	var out []string
	for _, e := range w.plan.Edits {
		if !slices.Contains(out, e.Path) {
			out = append(out, e.Path)
		}
	}
	return out
}

// edited says whether belay itself changed a file; links are looked through.
func (w *way) edited(path string) bool {
	return slices.ContainsFunc(w.paths(), func(p string) bool { return real(p) == path || p == path })
}

func (w *way) captured(p *backup.RestorePoint, path string) string {
	for _, c := range p.Config {
		if c.Path == path || c.Path == real(path) {
			return p.Path(c.File)
		}
	}
	return filepath.Join(p.Dir, "config")
}

func real(path string) string {
	if r, err := filepath.EvalSymlinks(path); err == nil {
		return r
	}
	return path
}

func asCaptured(c backup.Config) (bool, error) {
	data, err := os.ReadFile(c.Path)
	if err != nil {
		return false, err
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]) == c.SHA256, nil
}

// differs names the first line that is not as belay left it, by number and by
// the name before "=" or ":". The rest of it may be a secret.
func differs(want, have []byte) string {
	a, b := bytes.Split(want, []byte("\n")), bytes.Split(have, []byte("\n"))
	for i := range max(len(a), len(b)) {
		switch {
		case i >= len(b):
			return fmt.Sprintf("it ends before line %d", i+1)
		case i >= len(a):
			return fmt.Sprintf("line %d is new", i+1)
		case bytes.Equal(a[i], b[i]):
		case name(b[i]) != "":
			return fmt.Sprintf("first in line %d, %s", i+1, name(b[i]))
		default:
			return fmt.Sprintf("first in line %d", i+1)
		}
	}
	return "in its line ends"
}

func name(line []byte) string {
	end := bytes.IndexAny(line, "=:")
	if end < 0 {
		return ""
	}
	n := bytes.TrimSpace(line[:end])
	for _, c := range n {
		if c != '_' && c != '-' && c != '.' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return ""
		}
	}
	return string(n)
}
