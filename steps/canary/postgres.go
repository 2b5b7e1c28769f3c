package canary

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"belay/dockerx"
	"belay/steps"
)

//go:embed postgres.sql
var script string

// maxAnswer bounds what a server may answer: a schema of 100,000 parts fits.
const maxAnswer = 64 << 20

// Execer runs one command in a container.
type Execer interface {
	Exec(ctx context.Context, container string, spec dockerx.ExecSpec) (dockerx.ExecResult, error)
}

// Count counts one PostgreSQL database through the server in box: every user
// table exactly, in one snapshot, and the schema.
func Count(ctx context.Context, e Execer, box dockerx.Container, db steps.Database) (Database, error) {
	out, err := Script(ctx, e, box, db, script)
	if err != nil {
		return Database{}, fmt.Errorf("count the rows of %s: %w", Label(db), err)
	}
	d, err := parse(out)
	if err != nil {
		return Database{}, fmt.Errorf("count the rows of %s: %w", Label(db), err)
	}
	found := describe(db)
	found.Tables, found.Parts, found.Schema = d.Tables, d.Parts, d.Schema
	return found, nil
}

// Script runs SQL through psql inside the container, in the database's own
// name, and gives what it printed: one line per row, no header, fields separated
// by a tab. The first error ends it.
func Script(ctx context.Context, e Execer, box dockerx.Container, db steps.Database, sql string) ([]byte, error) {
	out := &limited{max: maxAnswer}
	user, name := Login(db)
	res, err := e.Exec(ctx, box.ID, dockerx.ExecSpec{
		Argv:   []string{"psql", "-X", "-w", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-U", user, "-d", name},
		Env:    Env(box, db, "belay"),
		Stdin:  strings.NewReader(sql),
		Stdout: out,
	})
	if err != nil {
		return nil, fmt.Errorf("run psql: %w", err)
	}
	if res.Exit != 0 {
		return nil, fmt.Errorf("psql ended with %d: %s", res.Exit, Told(res.Stderr))
	}
	return out.Bytes(), nil
}

// Login is the user and the database name to log in with.
func Login(db steps.Database) (user, name string) {
	user, name = db.User, db.Name
	if user == "" {
		user = "postgres"
	}
	if name == "" {
		name = user
	}
	return user, name
}

// Env is the environment for PostgreSQL's own programs inside box. The password
// comes from the container itself and goes through the API, never an argument.
func Env(box dockerx.Container, db steps.Database, app string) []string {
	env := []string{"PGAPPNAME=" + app, "PGCONNECT_TIMEOUT=10"}
	if p := box.Env[db.PassEnv]; db.PassEnv != "" && p != "" {
		env = append(env, "PGPASSWORD="+p)
	}
	return env
}

// Told is the last thing a program said before it failed, in one line.
func Told(stderr []byte) string {
	lines := strings.FieldsFunc(string(stderr), func(r rune) bool { return r == '\n' || r == '\r' })
	if len(lines) == 0 {
		return "it said nothing"
	}
	said := strings.Join(lines[max(0, len(lines)-3):], "; ")
	if len(said) > 600 {
		said = said[len(said)-600:]
	}
	return strings.ToValidUTF8(said, "?")
}

// parse reads the lines of the script: JSON arrays, the last one ["end"], so that
// an answer that was cut off is not taken for a small database.
func parse(out []byte) (Database, error) {
	var d Database
	dec := json.NewDecoder(bytes.NewReader(out))
	for {
		var row []json.RawMessage
		if err := dec.Decode(&row); errors.Is(err, io.EOF) {
			return Database{}, errors.New("the server's answer was cut off")
		} else if err != nil {
			return Database{}, fmt.Errorf("the server's answer makes no sense: %w", err)
		}
		text := make([]string, len(row))
		for i, f := range row {
			if err := json.Unmarshal(f, &text[i]); err != nil {
				return Database{}, fmt.Errorf("the server's answer makes no sense: %w", err)
			}
		}
		switch {
		case len(text) == 1 && text[0] == "end":
			return d.sorted(), nil
		case len(text) == 3 && text[0] == "rows":
			var rows int64
			if _, err := fmt.Sscanf(text[2], "%d", &rows); err != nil {
				return Database{}, fmt.Errorf("%q is no number of rows: %w", text[2], err)
			}
			d.Tables = append(d.Tables, Table{Name: text[1], Rows: rows})
		case len(text) == 5 && text[0] == "part":
			d.Parts = append(d.Parts, Part{Kind: text[1], On: text[2], Name: text[3], Def: text[4]})
		default:
			return Database{}, fmt.Errorf("the server's answer makes no sense: %q", text)
		}
	}
}

func (d Database) sorted() Database {
	slices.SortFunc(d.Tables, func(a, b Table) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(d.Parts, func(a, b Part) int { return strings.Compare(a.key(), b.key()) })
	sum := sha256.New()
	for _, p := range d.Parts {
		fmt.Fprintf(sum, "%q %q\n", p.key(), p.Def)
	}
	d.Schema = hex.EncodeToString(sum.Sum(nil))
	return d
}

func (p Part) key() string { return p.Kind + "\x00" + p.On + "\x00" + p.Name }

// limited collects at most max bytes and fails beyond them.
type limited struct {
	bytes.Buffer
	max int
}

func (l *limited) Write(p []byte) (int, error) {
	if l.Len()+len(p) > l.max {
		return 0, fmt.Errorf("the answer is longer than %d bytes", l.max)
	}
	return l.Buffer.Write(p)
}
