package tree

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// database makes an SQLite file with 5 users and 2 notes and leaves the
// connection open, so that a -wal stays beside it.
func database(t *testing.T, path, mode string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath())
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	for _, q := range []string{
		"PRAGMA journal_mode=" + mode,
		"CREATE TABLE users(name)", "INSERT INTO users VALUES (1),(2),(3),(4),(5)",
		`CREATE TABLE "odd ""name` + "\n" + `"(x INTEGER PRIMARY KEY AUTOINCREMENT)`, `INSERT INTO "odd ""name` + "\n" + `" DEFAULT VALUES`,
		"CREATE VIRTUAL TABLE search USING fts5(x)", "CREATE VIEW v AS SELECT * FROM users",
	} {
		if _, err := db.ExecContext(t.Context(), q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
	return db
}

func TestSQLiteRowsAreCountedWithoutChangingAnything(t *testing.T) {
	for _, mode := range []string{"WAL", "DELETE"} {
		t.Run(mode, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.Mkdir(filepath.Join(dir, "50% #1?"), 0o755); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("50% #1?", "app.db")
			database(t, filepath.Join(dir, path), mode)
			before, err := Scan(t.Context(), dir, nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Scan(t.Context(), dir, []string{path})
			if err != nil {
				t.Fatal(err)
			}
			after, err := Scan(t.Context(), dir, nil)
			if err != nil {
				t.Fatal(err)
			}
			if before.Digest != after.Digest || got.Digest != before.Digest {
				t.Error("counting changed the tree")
			}
			one := got.SQLite[0]
			if one.Error != "" || one.Path != path || one.Tables["users"] != 5 || one.Tables["odd \"name\n"] != 1 {
				t.Errorf("%+v", one)
			}
			if _, ok := one.Tables["v"]; ok {
				t.Error("a view was counted")
			}
		})
	}
}

func TestSQLiteProblemsAreSaid(t *testing.T) {
	dir := t.TempDir()
	database(t, filepath.Join(dir, "good.db"), "DELETE")
	raw, err := os.ReadFile(filepath.Join(dir, "good.db"))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"text.db": []byte("this is not a database, but a long enough text to be looked at, and again, and again, and again"),
		"cut.db":  raw[:len(raw)/2],
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "out.db")); err != nil {
		t.Fatal(err)
	}
	paths := []string{"text.db", "cut.db", "none.db", ".", "out.db", "../" + filepath.Base(dir) + "/good.db", "good.db"}
	got, err := Scan(t.Context(), dir, paths)
	if err != nil {
		t.Fatal(err)
	}
	for i, one := range got.SQLite {
		if last := i == len(paths)-1; (one.Error == "") != last {
			t.Errorf("%s: %q", one.Path, one.Error)
		}
	}
}

func TestMainSpeaksItsProtocol(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(from, "big"), make([]byte, 9<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	var archive, said, none bytes.Buffer
	if code := Main([]string{"save", from}, nil, &archive, &said); code != 0 {
		t.Fatal(code, said.String())
	}
	lines := strings.Split(strings.TrimSpace(said.String()), "\n")
	var sum Summary
	text, ok := strings.CutPrefix(lines[len(lines)-1], SummaryPrefix)
	if !ok || json.Unmarshal([]byte(text), &sum) != nil || sum.Files != 1 {
		t.Errorf("last line %q", lines[len(lines)-1])
	}
	if !strings.HasPrefix(lines[0], ProgressPrefix) {
		t.Errorf("first line %q", lines[0])
	}
	for _, args := range [][]string{{"load", to}, {"verify"}, {"scan", to}} {
		said.Reset()
		if code := Main(args, bytes.NewReader(archive.Bytes()), &none, &said); code != 0 || !strings.Contains(said.String(), sum.Digest) {
			t.Errorf("%v: %d %s", args, code, said.String())
		}
	}
	for want, args := range map[int][]string{1: {"save", filepath.Join(from, "none")}, 2: {"save"}} {
		said.Reset()
		if code := Main(args, nil, io.Discard, &said); code != want || said.Len() == 0 {
			t.Errorf("%v: %d %q", args, code, said.String())
		}
	}
	if code := Main(nil, nil, &none, &said); code != 2 {
		t.Error(code)
	}
	if none.Len() != 0 {
		t.Errorf("stdout: %q", none.String())
	}
}
