package compose

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// mirror is the project once more beneath a private directory: links to the true
// files, except for those that are tried out with other bytes. Loading it is how a
// change is proven before anything is written.
type mirror struct {
	root  string
	l     layout
	paths []string // every file that takes part, as compose opens it
	real  map[string]string
	yaml  map[string][]byte // the compose files among them
	inner *strings.Replacer // leads absolute paths into the mirror
}

func newMirror(b *book, l layout, model *types.Project) (*mirror, error) {
	m := &mirror{l: l, real: map[string]string{}, yaml: map[string][]byte{}}
	root, err := os.MkdirTemp(tempDir(l.shell), "belay-proof-")
	if err != nil {
		return nil, fmt.Errorf("make a directory to prove edits in: %w", err)
	}
	if m.root, err = filepath.EvalSymlinks(root); err != nil {
		return nil, errors.Join(err, os.RemoveAll(root))
	}
	for path, src := range b.sources {
		m.add(path)
		m.yaml[path] = src.data
	}
	for _, g := range b.groups {
		for s := g.scope; s != nil; s = s.parent {
			for _, f := range s.files {
				m.add(f.path)
			}
		}
		if err := os.MkdirAll(filepath.Join(m.root, g.dir), 0o700); err != nil {
			return nil, errors.Join(err, m.close())
		}
	}
	for _, s := range model.AllServices() {
		for _, f := range s.EnvFiles {
			m.add(f.Path)
		}
		for _, f := range s.LabelFiles {
			m.add(f)
		}
	}
	m.lead(b)
	return m, nil
}

// lead prepares the way for compose files that name others by absolute paths:
// in the mirror they name the mirrored ones. A snapshot takes the root out again.
func (m *mirror) lead(b *book) {
	names := slices.Clone(m.paths)
	for _, g := range b.groups[1:] {
		names = append(names, g.dir)
	}
	// The longest first: one name may be the beginning of another.
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	var pairs []string
	for _, name := range slices.Compact(names) {
		pairs = append(pairs, name, filepath.Join(m.root, name))
	}
	m.inner = strings.NewReplacer(pairs...)
}

// tempDir prefers the user's own memory-backed directory: .env files hold secrets.
func tempDir(shell map[string]string) string {
	dir := shell["XDG_RUNTIME_DIR"]
	if info, err := os.Stat(dir); filepath.IsAbs(dir) && err == nil && info.IsDir() {
		return dir
	}
	return ""
}

func (m *mirror) add(path string) {
	if _, ok := m.real[path]; ok || !filepath.IsAbs(path) {
		return
	}
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return // an optional env file that is not there
	}
	m.real[path] = target
	m.paths = append(m.paths, path)
}

func (m *mirror) close() error { return os.RemoveAll(m.root) }

// resolve loads the project with other bytes in some files, by their real paths.
func (m *mirror) resolve(ctx context.Context, changed map[string][]byte) (*snapshot, error) {
	for _, path := range m.paths {
		if err := m.put(path, changed); err != nil {
			return nil, fmt.Errorf("lay out the project to prove an edit: %w", err)
		}
	}
	model, err := m.l.under(m.root).resolve(ctx)
	if err != nil {
		return nil, err
	}
	if err := m.inside(model, changed); err != nil {
		return nil, err
	}
	return takeSnapshot(model, m.root)
}

func (m *mirror) put(path string, changed map[string][]byte) error {
	at := filepath.Join(m.root, path)
	if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
		return err
	}
	if err := os.Remove(at); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	data, ok := changed[m.real[path]]
	if yaml, is := m.yaml[path]; is {
		if !ok {
			data = yaml
		}
		led := m.inner.Replace(string(data))
		ok = ok || led != string(data)
		data = []byte(led)
	}
	if ok {
		return os.WriteFile(at, data, 0o600)
	}
	return os.Symlink(m.real[path], at)
}

// inside refuses a proof that looked past the mirror: an env file whose absolute
// path comes from a variable is read from its true place, without the change.
func (m *mirror) inside(model *types.Project, changed map[string][]byte) error {
	for name, s := range model.AllServices() {
		read := slices.Clone(s.LabelFiles)
		for _, f := range s.EnvFiles {
			read = append(read, f.Path)
		}
		for _, path := range read {
			if strings.HasPrefix(path, m.root+string(filepath.Separator)) {
				continue
			}
			if target, err := filepath.EvalSymlinks(path); err == nil && changed[target] != nil {
				return failAt(Place{File: path}, nil, "service %q names this env file by an absolute path, so the effect of a change cannot be proven", name)
			}
		}
	}
	return nil
}

// snapshot is a resolved model in a form that can be compared.
type snapshot struct {
	services map[string]types.ServiceConfig
	json     map[string]string // by service
	rest     string            // everything that is not a service
}

func takeSnapshot(model *types.Project, root string) (*snapshot, error) {
	s := &snapshot{services: model.AllServices(), json: map[string]string{}}
	for name, c := range s.services {
		text, err := json.Marshal(c)
		if err != nil {
			return nil, fmt.Errorf("compare service %q: %w", name, err)
		}
		s.json[name] = unmirrored(string(text), root)
	}
	rest := *model
	rest.Services, rest.DisabledServices = nil, nil
	text, err := json.Marshal(rest)
	if err != nil {
		return nil, fmt.Errorf("compare the project: %w", err)
	}
	s.rest = unmirrored(string(text), root)
	return s, nil
}

func unmirrored(text, root string) string {
	if root == "" {
		return text
	}
	return strings.ReplaceAll(text, root, "")
}
