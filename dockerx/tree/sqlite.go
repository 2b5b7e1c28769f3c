package tree

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// countTables checks one SQLite file and counts the rows of its tables. The file
// is never changed: a database with a log beside it (which opening would play
// back) is copied to a temporary directory first.
func countTables(ctx context.Context, root, path string) SQLite {
	out := SQLite{Path: path, Tables: map[string]int64{}}
	if err := readTables(ctx, root, path, out.Tables); err != nil {
		out.Error = err.Error()
	}
	return out
}

func readTables(ctx context.Context, rootPath, path string, tables map[string]int64) error {
	root, err := os.OpenRoot(rootPath)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	info, err := root.Stat(path) // refuses what leads out of the tree
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("there is no such file")
	}
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("not a file")
	}
	file, options := filepath.Join(rootPath, path), "?mode=ro&immutable=1"
	if hasLog(root, path) {
		tmp, err := os.MkdirTemp("", "belay-sqlite-")
		if err != nil {
			return fmt.Errorf("room for a copy: %w", err)
		}
		defer func() { _ = os.RemoveAll(tmp) }()
		for _, suffix := range []string{"", "-wal", "-journal"} {
			if err := copyOut(ctx, root, path+suffix, filepath.Join(tmp, "db"+suffix)); err != nil {
				return fmt.Errorf("copy it to look at: %w", err)
			}
		}
		file, options = filepath.Join(tmp, "db"), ""
	}
	absolute, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: absolute}).EscapedPath()+options)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	return query(ctx, db, tables)
}

func query(ctx context.Context, db *sql.DB, tables map[string]int64) error {
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&verdict); err != nil {
		return fmt.Errorf("integrity check: %w", err)
	}
	if verdict != "ok" {
		return fmt.Errorf("integrity check: %s", verdict)
	}
	// The rows of virtual tables live in ordinary tables beside them.
	rows, err := db.QueryContext(ctx, `SELECT name FROM sqlite_master
		WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name`)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return err
		}
		names = append(names, name)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for _, name := range names {
		var n int64
		quoted := `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
		if err := db.QueryRowContext(ctx, "SELECT count(*) FROM "+quoted).Scan(&n); err != nil {
			return fmt.Errorf("count rows of %q: %w", name, err)
		}
		tables[name] = n
	}
	return nil
}

func hasLog(root *os.Root, path string) bool {
	for _, suffix := range []string{"-wal", "-shm", "-journal"} {
		if _, err := root.Lstat(path + suffix); err == nil {
			return true
		}
	}
	return false
}

// copyOut copies one file; a file that is not there is no error.
func copyOut(ctx context.Context, root *os.Root, from, to string) error {
	in, err := root.OpenFile(from, os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, contextReader{ctx, in})
	return errors.Join(err, out.Close())
}

type contextReader struct {
	ctx context.Context //nolint:containedctx // lives for one copy
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
