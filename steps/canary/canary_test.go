package canary_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"belay/dockerx"
	"belay/dockerx/tree"
	"belay/steps"
	"belay/steps/canary"
)

func TestDiffInWords(t *testing.T) {
	t.Parallel()
	base := func() canary.Canary {
		return canary.Canary{
			Databases: []canary.Database{{
				Kind: "postgres", Service: "db", Name: "shop", Schema: "a",
				Tables: []canary.Table{{Name: "public.orders", Rows: 100000}, {Name: "public.users", Rows: 7}},
				Parts: []canary.Part{
					{Kind: "table", Name: "public.orders"},
					{Kind: "column", On: "public.users", Name: "email", Def: "text not null"},
				},
			}},
			Stores: []canary.Store{{Data: dockerx.Data{Kind: dockerx.VolumeData, Name: "files"}, Files: 2113, Bytes: 5000, Digest: "x"}},
		}
	}
	for name, c := range map[string]struct {
		change func(*canary.Canary)
		want   []string
	}{
		"nothing":      {func(*canary.Canary) {}, nil},
		"rows":         {func(c *canary.Canary) { c.Databases[0].Tables[0].Rows = 99998 }, []string{"orders: 100,000 rows before, 99,998 now"}},
		"table gone":   {func(c *canary.Canary) { c.Databases[0].Tables = c.Databases[0].Tables[:1] }, []string{"table users is gone, it had 7 rows"}},
		"column gone":  {func(c *canary.Canary) { d := &c.Databases[0]; d.Parts, d.Schema = d.Parts[:1], "b" }, []string{"column email of users is gone"}},
		"column other": {func(c *canary.Canary) { d := &c.Databases[0]; d.Parts[1].Def, d.Schema = "text", "b" }, []string{`column email of users was "text not null", is now "text"`}},
		"column new": {func(c *canary.Canary) {
			d := &c.Databases[0]
			d.Parts, d.Schema = append(d.Parts, canary.Part{Kind: "column", On: "public.users", Name: "age"}), "b"
		}, []string{"column age of users is new"}},
		"hash alone":    {func(c *canary.Canary) { c.Databases[0].Schema = "b" }, []string{"the schema of postgres shop is not the same"}},
		"database gone": {func(c *canary.Canary) { c.Databases = nil }, []string{"postgres shop of db is gone"}},
		"files":         {func(c *canary.Canary) { c.Stores[0].Files = 2112 }, []string{"volume files: 2,113 files of 5,000 bytes before, 2,112 of 5,000 bytes now"}},
		"content":       {func(c *canary.Canary) { c.Stores[0].Digest = "y" }, []string{"volume files: as many files and bytes as before, but not the same ones"}},
		"store gone":    {func(c *canary.Canary) { c.Stores = nil }, []string{"volume files is gone"}},
	} {
		t.Run(name, func(t *testing.T) {
			now := base()
			c.change(&now)
			if got := canary.Diff(base(), now); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if canary.Equal(base(), now) != (c.want == nil) {
				t.Error("Equal disagrees with Diff")
			}
			if (len(canary.Diff(now, base())) == 0) != (c.want == nil) {
				t.Error("the other way round is silent")
			}
		})
	}
	if got, want := base().Words(), "2 tables, 100,007 rows, 2,113 files"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := (canary.Canary{}).Words(), "nothing that belay can count"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// server answers psql with a fixed text.
type server struct {
	answer string
	exit   int
	err    error
	spec   dockerx.ExecSpec
	boxes  []dockerx.Container
	sum    tree.Summary
}

func (s *server) Containers(context.Context, string) ([]dockerx.Container, error) {
	return s.boxes, nil
}

func (s *server) Exec(_ context.Context, _ string, spec dockerx.ExecSpec) (dockerx.ExecResult, error) {
	s.spec = spec
	if _, err := io.WriteString(spec.Stdout, s.answer); err != nil {
		return dockerx.ExecResult{}, err
	}
	return dockerx.ExecResult{Exit: s.exit, Stderr: []byte("psql: error: password authentication failed\n")}, s.err
}

func (s *server) ScanTree(context.Context, dockerx.Data, []string) (tree.Summary, error) {
	return s.sum, nil
}

var (
	shop = steps.Database{Kind: "postgres", Service: "db", Name: "shop", User: "shop", PassEnv: "POSTGRES_PASSWORD"}
	box  = dockerx.Container{ID: "1", Service: "db", State: dockerx.Running, Env: map[string]string{"POSTGRES_PASSWORD": "hidden"}}
)

func TestThePasswordNeverBecomesAnArgument(t *testing.T) {
	t.Parallel()
	s := &server{answer: `["end"]`}
	if _, err := canary.Count(context.Background(), s, box, shop); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(strings.Join(s.spec.Argv, " "), "hidden") {
		t.Errorf("argv %q", s.spec.Argv)
	}
	if !slices.Contains(s.spec.Env, "PGPASSWORD=hidden") {
		t.Errorf("env %q", s.spec.Env)
	}
	if !slices.Contains(s.spec.Argv, "-w") {
		t.Error("psql may ask for a password and wait for ever")
	}
}

func TestAnswersThatMustNotCount(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]*server{
		"cut off":     {answer: `["rows","public.a","1"]`},
		"empty":       {},
		"nonsense":    {answer: `hello`},
		"no number":   {answer: `["rows","public.a","many"]["end"]`},
		"other shape": {answer: `["rows","public.a"]["end"]`},
		"exit":        {answer: `["end"]`, exit: 2},
		"engine":      {answer: `["end"]`, err: errors.New("gone")},
	} {
		t.Run(name, func(t *testing.T) {
			if d, err := canary.Count(context.Background(), s, box, shop); err == nil {
				t.Errorf("counted %+v", d)
			}
		})
	}
}

func TestTakeCountsServersAndFiles(t *testing.T) {
	t.Parallel()
	files := dockerx.Data{Kind: dockerx.VolumeData, Name: "files"}
	pg := dockerx.Data{Kind: dockerx.VolumeData, Name: "pg"}
	db := shop
	db.Store = pg
	s := &server{
		answer: `["rows","public.a","3"]` + "\n" + `["part","column","public.a","x","text"]` + "\n" + `["end"]`,
		boxes:  []dockerx.Container{box},
		sum: tree.Summary{Files: 5, Bytes: 50, Digest: "d", SQLite: []tree.SQLite{
			{Path: "./db/app.sqlite", Tables: map[string]int64{"t": 4}},
		}},
	}
	dbs := []steps.Database{db, {Kind: "sqlite", Service: "app", Store: files, Path: "db/app.sqlite"}}
	c, err := canary.Take(context.Background(), s, "shop", dbs, []steps.Store{{Data: pg}, {Data: files}}, time.Unix(1, 0))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.Words(), "2 tables, 7 rows, 5 files"; got != want {
		t.Errorf("%q, want %q: the files of a database server do not count", got, want)
	}
	s.sum.SQLite[0].Error = "malformed"
	if _, err := canary.TakeFiles(context.Background(), s, dbs, []steps.Store{{Data: files}}, time.Unix(1, 0)); err == nil {
		t.Error("a damaged SQLite file was counted")
	}
	s.boxes = nil
	if _, err := canary.TakeDatabases(context.Background(), s, "shop", dbs, time.Unix(1, 0)); err == nil {
		t.Error("a server that is down was counted")
	}
}
