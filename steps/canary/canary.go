// Package canary counts what an installation holds, so that the counts before an
// upgrade can be held against those of a copy, or of a restored installation. It
// only reads, and it must not know why it is asked: no plan, no journal.
package canary

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"belay/dockerx"
	"belay/dockerx/tree"
	"belay/steps"
)

// Format is the version of the JSON form; a newer one is refused.
const Format = 1

// Engine is what counting needs of an engine.
type Engine interface {
	Containers(ctx context.Context, project string) ([]dockerx.Container, error)
	Exec(ctx context.Context, container string, spec dockerx.ExecSpec) (dockerx.ExecResult, error)
	ScanTree(ctx context.Context, d dockerx.Data, sqlite []string) (tree.Summary, error)
}

// Canary is one count. Its zero value counted nothing.
type Canary struct {
	Format    int        `json:"format"`
	Taken     time.Time  `json:"taken"`
	Databases []Database `json:"databases,omitempty"`
	Stores    []Store    `json:"stores,omitempty"`
}

// Database is what one database held. Note says in words why nothing was counted.
type Database struct {
	Kind    string       `json:"kind"`
	Service string       `json:"service"`
	Name    string       `json:"name,omitempty"`
	Store   dockerx.Data `json:"store"`
	Path    string       `json:"path,omitempty"` // sqlite: the file inside the store
	Tables  []Table      `json:"tables,omitempty"`
	Schema  string       `json:"schema,omitempty"` // SHA-256 over Parts, hex
	Parts   []Part       `json:"parts,omitempty"`
	Note    string       `json:"note,omitempty"`
}

// Table is the exact number of rows of one table.
type Table struct {
	Name string `json:"name"` // schema.table, quoted as the server quotes it
	Rows int64  `json:"rows"`
}

// Part is one piece of a schema: a table, column, index, constraint …
type Part struct {
	Kind string `json:"kind"`
	On   string `json:"on,omitempty"` // the table it belongs to
	Name string `json:"name"`
	Def  string `json:"def,omitempty"`
}

// Store is what the files of one volume or bind mount amount to. Stores of a
// database server are not here: their files are the server's own business and
// their rows are counted instead.
type Store struct {
	dockerx.Data
	Files  int    `json:"files"`
	Bytes  int64  `json:"bytes"`
	Digest string `json:"digest,omitempty"`
}

// Take counts everything: the databases through their running servers, the files
// through the engine. For a count that holds, nothing may write meanwhile.
func Take(
	ctx context.Context, e Engine, project string, dbs []steps.Database, stores []steps.Store, now time.Time,
) (Canary, error) {
	c, err := TakeDatabases(ctx, e, project, dbs, now)
	if err != nil {
		return Canary{}, err
	}
	files, err := TakeFiles(ctx, e, dbs, stores, now)
	if err != nil {
		return Canary{}, err
	}
	return Join(c, files), nil
}

// TakeDatabases counts the databases that have a server, which must be running.
func TakeDatabases(
	ctx context.Context, e Engine, project string, dbs []steps.Database, now time.Time,
) (Canary, error) {
	c := Canary{Format: Format, Taken: now}
	if !slices.ContainsFunc(dbs, Served) {
		return c, nil
	}
	all, err := e.Containers(ctx, project)
	if err != nil {
		return Canary{}, fmt.Errorf("find the databases' containers: %w", err)
	}
	for _, db := range dbs {
		if !Served(db) {
			continue
		}
		if db.Kind != Postgres {
			c.Databases = append(c.Databases, uncounted(db))
			continue
		}
		box, ok := Running(all, db.Service)
		if !ok {
			return Canary{}, fmt.Errorf("count the rows of %s: service %s is not running", Label(db), db.Service)
		}
		d, err := Count(ctx, e, box, db)
		if err != nil {
			return Canary{}, err
		}
		c.Databases = append(c.Databases, d)
	}
	return c, nil
}

// TakeFiles counts files, bytes and the rows of SQLite databases. Nothing that
// writes to the stores may be running.
func TakeFiles(
	ctx context.Context, e Engine, dbs []steps.Database, stores []steps.Store, now time.Time,
) (Canary, error) {
	c := Canary{Format: Format, Taken: now}
	for _, s := range stores {
		paths := SQLitePaths(dbs, s.Data)
		if ServerStore(dbs, s.Data) && len(paths) == 0 {
			continue
		}
		sum, err := e.ScanTree(ctx, s.Data, paths)
		if err != nil {
			return Canary{}, fmt.Errorf("count the files of %s: %w", s.Data, err)
		}
		part, err := FromSummary(dbs, s.Data, sum)
		if err != nil {
			return Canary{}, err
		}
		c = Join(c, part)
	}
	return c, nil
}

// FromSummary is the count of one store that has been walked already. The rows of
// SQLite files are in it when the walk was asked for them.
func FromSummary(dbs []steps.Database, d dockerx.Data, sum tree.Summary) (Canary, error) {
	c := Canary{Format: Format}
	if !ServerStore(dbs, d) {
		c.Stores = []Store{{Data: d, Files: sum.Files, Bytes: sum.Bytes, Digest: sum.Digest}}
	}
	for _, db := range dbs {
		if db.Kind != SQLite || db.Store != d {
			continue
		}
		i := slices.IndexFunc(sum.SQLite, func(s tree.SQLite) bool { return clean(s.Path) == clean(db.Path) })
		if i < 0 {
			return Canary{}, fmt.Errorf("%s: there is no file %s in %s", Label(db), db.Path, d)
		}
		found := sum.SQLite[i]
		if found.Error != "" {
			return Canary{}, fmt.Errorf("%s: %s", Label(db), found.Error)
		}
		c.Databases = append(c.Databases, fromSQLite(db, found))
	}
	return c, nil
}

// Join puts two counts together; the later time stands.
func Join(a, b Canary) Canary {
	out := Canary{Format: Format, Taken: a.Taken}
	if b.Taken.After(a.Taken) {
		out.Taken = b.Taken
	}
	out.Databases = append(slices.Clone(a.Databases), b.Databases...)
	out.Stores = append(slices.Clone(a.Stores), b.Stores...)
	slices.SortFunc(out.Databases, func(x, y Database) int { return strings.Compare(x.key(), y.key()) })
	slices.SortFunc(out.Stores, func(x, y Store) int { return strings.Compare(x.String(), y.String()) })
	return out
}

// Only keeps the databases that ok names.
func (c Canary) Only(ok func(Database) bool) Canary {
	out := c
	out.Databases = nil
	for _, d := range c.Databases {
		if ok(d) {
			out.Databases = append(out.Databases, d)
		}
	}
	return out
}

func (d Database) key() string {
	return strings.Join([]string{d.Service, d.Kind, d.Name, d.Store.String(), d.Path}, "\x00")
}

func fromSQLite(db steps.Database, found tree.SQLite) Database {
	out := describe(db)
	for name, rows := range found.Tables {
		out.Tables = append(out.Tables, Table{Name: name, Rows: rows})
	}
	slices.SortFunc(out.Tables, func(x, y Table) int { return strings.Compare(x.Name, y.Name) })
	return out
}
