package canary

import (
	"path"
	"slices"
	"strings"

	"belay/dockerx"
	"belay/steps"
)

// The kinds of databases that can be counted.
const (
	Postgres = "postgres"
	SQLite   = "sqlite"
)

// Served says whether a database is a server of its own, not a file of the app.
func Served(db steps.Database) bool { return db.Kind != SQLite }

// ServerStore says whether a store is the data directory of a database server.
func ServerStore(dbs []steps.Database, d dockerx.Data) bool {
	return slices.ContainsFunc(dbs, func(db steps.Database) bool { return Served(db) && db.Store == d })
}

// SQLitePaths are the SQLite files that are known in a store.
func SQLitePaths(dbs []steps.Database, d dockerx.Data) []string {
	var paths []string
	for _, db := range dbs {
		if db.Kind == SQLite && db.Store == d {
			paths = append(paths, db.Path)
		}
	}
	return paths
}

// Running finds the running container of a service. One-off containers do not count.
func Running(all []dockerx.Container, service string) (dockerx.Container, bool) {
	i := slices.IndexFunc(all, func(c dockerx.Container) bool {
		return c.Service == service && !c.OneOff && c.State == dockerx.Running
	})
	if i < 0 {
		return dockerx.Container{}, false
	}
	return all[i], true
}

// Label names a database for people: "postgres tymeslot" or "sqlite db/app.sqlite".
func Label(db steps.Database) string {
	switch {
	case db.Kind == SQLite:
		return db.Kind + " " + db.Path
	case db.Name != "":
		return db.Kind + " " + db.Name
	default:
		return db.Kind + " of " + db.Service
	}
}

func describe(db steps.Database) Database {
	return Database{Kind: db.Kind, Service: db.Service, Name: db.Name, Store: db.Store, Path: db.Path}
}

func uncounted(db steps.Database) Database {
	d := describe(db)
	d.Note = "belay does not count what is inside " + db.Kind
	return d
}

func clean(p string) string { return strings.TrimPrefix(path.Clean("/"+p), "/") }
