package stack

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"belay/dockerx"
	"belay/steps"
)

// sqlite adds the SQLite files: those the recipe names and those that a
// service's environment names by an address.
func (f *facts) sqlite(s *Stack) {
	for i, r := range f.fit.Databases {
		if r.Kind != "sqlite" {
			continue
		}
		user := f.Recipe.FromUser("databases")
		if !user && f.usesServer(r.Service) {
			continue // the recipe knows the default; this installation has chosen otherwise
		}
		if !f.addSQLite(s, r.Service, r.Path) && user {
			f.warn("databases[%d] in belay.yaml: no volume of %s that belay can copy holds %s.", i, r.Service, r.Path)
		}
	}
	for _, name := range s.Group {
		env := f.env(name)
		for _, key := range sortedKeys(env) {
			if file := sqlitePath(env[key]); file != "" {
				f.addSQLite(s, name, file)
			}
		}
	}
}

func (f *facts) addSQLite(s *Stack, service, file string) bool {
	m, ok := covering(f.mounts(service), file)
	if !ok || m.ReadOnly || f.leave(m) != "" {
		return false
	}
	rel := below(m.Target, file)
	same := func(db steps.Database) bool { return db.Store == m.Data && db.Path == rel }
	if rel == "" || slices.ContainsFunc(s.Databases, same) {
		return rel != ""
	}
	s.Databases = append(s.Databases, steps.Database{
		Kind: "sqlite", Service: service, Store: m.Data, Path: rel, Target: m.Target, Bytes: -1,
	})
	return true
}

// usesServer says whether a service's environment names a database server.
func (f *facts) usesServer(service string) bool {
	for _, value := range f.env(service) {
		if serverURL.MatchString(value) {
			return true
		}
	}
	return false
}

// sqliteURL takes only addresses with an absolute path: four slashes are how
// such an address is written, three mean a path relative to who knows what.
var sqliteURL = regexp.MustCompile(`^sqlite3?(?:\+\w+)?://(//[^?#]+)`)

func sqlitePath(value string) string {
	m := sqliteURL.FindStringSubmatch(value)
	if m == nil {
		return ""
	}
	return path.Clean("/" + strings.TrimLeft(m[1], "/"))
}

// embedded warns of servers that live inside an app's own container: their
// files are copied with its volumes, but no dump is made of them.
func (f *facts) embedded(s *Stack) {
	for _, name := range s.Group {
		svc, _ := s.Service(name)
		if svc.Role == Database {
			continue
		}
		for _, m := range f.mounts(name) {
			kind := ""
			switch {
			case within("/var/lib/postgresql", m.Target):
				kind = "PostgreSQL"
			case within("/var/lib/mysql", m.Target):
				kind = "MySQL or MariaDB"
			}
			if kind != "" && m.Kind != dockerx.TmpfsData {
				f.warn("%s keeps %s inside its own container (%s): belay copies its files while it is stopped and makes no dump. "+
					"A new image may bring another major version of it.", name, kind, m.Target)
			}
		}
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
