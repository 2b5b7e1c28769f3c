package compose

import (
	"bytes"
	"maps"
	"path/filepath"
	"slices"

	"github.com/compose-spec/compose-go/v2/dotenv"
)

// envFile is one env file that variables are taken from.
type envFile struct {
	path  string
	data  []byte
	found []assignment
}

// scope is what a group of compose files is interpolated with: the process
// environment, then env files, the outer group's first.
type scope struct {
	parent *scope
	shell  map[string]string // of the outermost scope
	files  []*envFile        // a later one wins
	values map[string]string // what the files define, expanded
}

// newScope reads the env files, in order.
func newScope(parent *scope, shell map[string]string, paths []string) (*scope, error) {
	s := &scope{parent: parent, shell: shell, values: map[string]string{}}
	for _, path := range paths {
		f, err := readEnvFile(path, Place{})
		if err != nil {
			return nil, err
		}
		values, err := dotenv.ParseWithLookup(bytes.NewReader(f.data), s.lookup)
		if err != nil {
			return nil, s.envFault(f, err)
		}
		maps.Copy(s.values, values)
		s.files = append(s.files, f)
	}
	return s, nil
}

func readEnvFile(path string, at Place) (*envFile, error) {
	data, err := readLimited(path, at)
	if err != nil {
		return nil, err
	}
	f := &envFile{path: path, data: data}
	if f.found, err = scanEnv(data); err != nil {
		return nil, envSyntaxAt(path, data, err)
	}
	return f, nil
}

// lookup gives a variable's value as compose would see it.
func (s *scope) lookup(name string) (string, bool) {
	if s.parent != nil {
		if v, ok := s.parent.lookup(name); ok {
			return v, true
		}
	} else if v, ok := s.shell[name]; ok {
		return v, true
	}
	v, ok := s.values[name]
	return v, ok
}

// origin gives the assignment that supplies a variable. It is nil with shell true
// when the process environment does, and nil with shell false when nothing does.
func (s *scope) origin(name string) (f *envFile, a assignment, shell bool) {
	if s.parent != nil {
		if _, ok := s.parent.lookup(name); ok {
			return s.parent.origin(name)
		}
	} else if _, ok := s.shell[name]; ok {
		return nil, a, true
	}
	for _, f := range slices.Backward(s.files) {
		if a, ok := lastAssignment(f.found, name); ok {
			return f, a, false
		}
	}
	return nil, a, false
}

// envMap turns KEY=VALUE strings into a map; the first of duplicates wins, as it
// does in a process.
func envMap(environ []string) map[string]string {
	m := make(map[string]string, len(environ))
	for _, kv := range environ {
		for i := 1; i < len(kv); i++ { // from 1: Windows has "=C:=…"
			if kv[i] != '=' {
				continue
			}
			if _, ok := m[kv[:i]]; !ok {
				m[kv[:i]] = kv[i+1:]
			}
			break
		}
	}
	return m
}

func absIn(dir, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(dir, path)
}
