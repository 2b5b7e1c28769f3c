package rollback_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"belay/dockerx"
	"belay/dockerx/compose"
	"belay/dockerx/tree"
	"belay/steps"
	"belay/steps/backup"
	"belay/steps/canary"
	"belay/steps/drain"
	"belay/steps/rollback"
)

// pgImage is built by e2e/images/build from Debian's packages.
const pgImage = "belay-e2e/postgres:15"

// TestMain lets the volume helper be made from this program.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "__tree" {
		os.Exit(tree.Main(os.Args[2:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// yard is a real compose project with a real PostgreSQL.
type yard struct {
	engine  *dockerx.Engine
	compose *compose.CLI
	plan    *steps.Plan
	db      steps.Database
	env     string
	dir     string
}

func missing(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("BELAY_E2E") == "require" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

func newYard(t *testing.T) *yard {
	t.Helper()
	ctx := t.Context()
	e, err := dockerx.Connect(ctx, dockerx.ConnectOptions{Environ: os.Environ(), Timeout: 5 * time.Second})
	if err != nil {
		missing(t, "needs a Docker engine: %v", err)
	}
	run := strings.ToUpper(token(t)) + "00000000000000"
	e = e.ForRun(run)
	cli, err := compose.FindCLI(ctx, os.Environ())
	if err != nil {
		missing(t, "needs docker compose: %v", err)
	}
	img, err := e.Image(ctx, pgImage)
	if err != nil {
		missing(t, "needs the image %s: %v", pgImage, err)
	}
	y := &yard{engine: e, compose: cli, dir: t.TempDir()}
	project := "belayroll" + token(t)
	home := t.TempDir()
	y.env = filepath.Join(home, ".env")
	old := []byte("TAG=15\nPGPASS=hidden\n")
	put(t, y.env, old)
	put(t, filepath.Join(home, "compose.yaml"), []byte(`name: `+project+`
services:
  db:
    image: belay-e2e/postgres:${TAG}
    restart: always
    stop_grace_period: 60s
    environment: {POSTGRES_USER: shop, POSTGRES_DB: shop, POSTGRES_PASSWORD: "${PGPASS}"}
    volumes: ["data:/var/lib/postgresql/data"]
volumes: {data: {}}
`))
	pg := dockerx.Data{Kind: dockerx.VolumeData, Name: project + "_data"}
	y.db = steps.Database{
		Kind: "postgres", Service: "db", Name: "shop", User: "shop", PassEnv: "POSTGRES_PASSWORD", Version: "15",
		Store: pg, Target: "/var/lib/postgresql/data", Dumpable: true,
	}
	y.plan = &steps.Plan{
		Format: steps.PlanVersion, Run: run, Project: project, Dir: home, Engine: "E", From: "15", To: "16", Made: time.Now(),
		Group:     []steps.Target{{Service: "db", OldRef: pgImage, OldImage: img.ID}},
		Stop:      []string{"db"},
		Databases: []steps.Database{y.db},
		Stores:    []steps.Store{{Data: pg, Services: []string{"db"}, Target: y.db.Target, Bytes: -1}},
		Edits:     []compose.Edit{{Path: y.env, Line: 1, Before: "TAG=15", After: "TAG=16", Old: old, New: bytes.Replace(old, []byte("15"), []byte("16"), 1)}},
		Config:    []string{y.env, filepath.Join(home, "compose.yaml")},
		BackupDir: filepath.Join(y.dir, "backup"),
	}
	t.Cleanup(func() {
		// The test made this project; belay itself never calls down.
		out, err := exec.Command("docker", "compose", "-p", project, "--project-directory", home, "down", "-v", "-t", "1").CombinedOutput()
		if err != nil {
			t.Logf("down: %v\n%s", err, out)
		}
		_ = e.RemoveHelper(context.Background())
		_ = e.Close()
	})
	p, err := y.model(ctx)
	must(t, err)
	must(t, cli.Up(ctx, p, compose.UpSpec{}, func(string) {}))
	y.sql(t, "SELECT 1;")
	return y
}

func token(t *testing.T) string {
	t.Helper()
	b := make([]byte, 6)
	_, err := rand.Read(b)
	must(t, err)
	return hex.EncodeToString(b)
}

func (y *yard) model(ctx context.Context) (*compose.Project, error) {
	return compose.Load(ctx, compose.Options{Dir: y.plan.Dir, Environ: os.Environ()})
}

// sql runs statements in the project's database, waiting until it answers.
func (y *yard) sql(t *testing.T, sql string) {
	t.Helper()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	deadline := time.Now().Add(2 * time.Minute)
	for {
		all, err := y.engine.Containers(t.Context(), y.plan.Project)
		must(t, err)
		if box, ok := canary.Running(all, "db"); ok {
			if _, err = canary.Script(t.Context(), y.engine, box, y.db, sql); err == nil {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("the database does not answer: %v", err)
		}
		<-tick.C
	}
}

func (y *yard) quiet(id steps.ID) *steps.Reporter { return steps.NewReporter(id, nil, nil) }

// A real PostgreSQL is dumped, copied, proven, migrated, broken and put back: to
// the last row, column and byte.
func TestPostgresGoesThereAndBack(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	ctx := t.Context()
	y.sql(t, `CREATE TABLE orders (id serial PRIMARY KEY, email text NOT NULL, note text DEFAULT 'x');
INSERT INTO orders (email) SELECT 'u' || g || '@example.org' FROM generate_series(1, 20000) g;
CREATE INDEX orders_email ON orders (email); CREATE TYPE mood AS ENUM ('up', 'down');
CREATE SCHEMA "odd one"; CREATE TABLE "odd one"."ta;b'le" (a int); INSERT INTO "odd one"."ta;b'le" VALUES (1), (2);
CREATE VIEW v AS SELECT count(*) FROM orders;`)
	points := backup.Deps{Engine: y.engine, Verify: tree.Verify, Now: time.Now, After: time.After}
	capture, dump, copies, prove := backup.New(points, y.plan, y.dir)
	p, err := y.model(ctx)
	must(t, err)
	must(t, capture.Do(ctx, y.quiet("")))
	must(t, dump.Do(ctx, y.quiet("")))
	must(t, backup.Count(ctx, points, y.plan, y.dir, y.quiet(""))) // the only service is the database
	must(t, drain.New(drain.Deps{Engine: y.engine, Compose: y.compose, Model: p, Dir: y.dir}, y.plan).Do(ctx, y.quiet("")))
	must(t, copies.Do(ctx, y.quiet("")))
	must(t, prove.Do(ctx, y.quiet("")))
	point, err := backup.Open(y.plan.BackupDir)
	must(t, err)
	must(t, point.Check(ctx))
	if got, want := point.Proof, "2 tables, 20,002 rows match"; got != want {
		t.Errorf("proof %q, want %q", got, want)
	}
	y.noScratch(t)

	// The new version: a migration that loses rows and a column, then dies.
	must(t, drain.Wake(ctx, y.engine, y.dir, y.plan.Project, func(yield func(int, string) bool) { yield(0, "db") }))
	y.sql(t, `DELETE FROM orders WHERE id < 3; ALTER TABLE orders DROP COLUMN note; CREATE TABLE slots (a int);`)
	must(t, y.plan.Edits[0].Apply())

	d := rollback.Deps{
		Engine: y.engine, Compose: y.compose, Model: y.model, Verify: tree.Verify, Now: time.Now, After: time.After,
		Gate: func(context.Context, *steps.Reporter) ([]steps.Signal, error) { return nil, nil },
	}
	for _, s := range rollback.New(d, y.plan, y.dir) {
		if err := s.Do(ctx, y.quiet(s.ID())); err != nil {
			t.Fatalf("%s: %v", s.ID(), err)
		}
	}
	b, err := os.ReadFile(y.env)
	if err != nil || !bytes.Equal(b, y.plan.Edits[0].Old) {
		t.Errorf("the configuration is %q, %v", b, err)
	}
	all, err := y.engine.Containers(ctx, y.plan.Project)
	must(t, err)
	box, ok := canary.Running(all, "db")
	if !ok || box.ImageID != y.plan.Group[0].OldImage || box.RestartPolicy != "always" {
		t.Errorf("the database's container is %v %s %q", ok, box.ImageID, box.RestartPolicy)
	}
	now, err := canary.TakeDatabases(ctx, y.engine, y.plan.Project, y.plan.Databases, time.Now())
	must(t, err)
	if diff := canary.Diff(point.Canary, now); len(diff) > 0 {
		t.Errorf("not as before: %q", diff)
	}
	if _, err := os.Stat(filepath.Join(y.dir, "failed", y.db.Store.Name+".tree.zst")); err != nil {
		t.Errorf("the failed data is not kept: %v", err)
	}
	y.noScratch(t)
}

// A dump is a file that pg_restore takes: the proof that it is portable.
func TestPostgresDumpThatIsCutOffIsNoticed(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	y.sql(t, `CREATE TABLE a AS SELECT g, md5(g::text) FROM generate_series(1, 200000) g;`)
	cut := &cutter{Engine: y.engine, at: 100_000}
	_, dump, _, _ := backup.New(backup.Deps{Engine: cut, Verify: tree.Verify, Now: time.Now, After: time.After}, y.plan, y.dir)
	must(t, os.MkdirAll(filepath.Join(y.plan.BackupDir, "dumps"), 0o700))
	err := dump.Do(t.Context(), y.quiet(""))
	if err == nil || !strings.Contains(err.Error(), "cannot be read back") {
		t.Fatalf("got %v", err)
	}
	if o, _ := dump.Observe(t.Context()); o == steps.Done {
		t.Error("the dump counts as done")
	}
}

// A copy that lost a file of the database must not pass for one that opens.
func TestPostgresCopyThatDoesNotOpenFails(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	ctx := t.Context()
	y.sql(t, `CREATE TABLE a AS SELECT g FROM generate_series(1, 1000) g;`)
	points := backup.Deps{
		Engine: &spoiler{Engine: y.engine}, Verify: tree.Verify, Now: time.Now, After: time.After, OpenWithin: 30 * time.Second,
	}
	capture, dump, copies, prove := backup.New(points, y.plan, y.dir)
	p, err := y.model(ctx)
	must(t, err)
	must(t, capture.Do(ctx, y.quiet("")))
	must(t, dump.Do(ctx, y.quiet("")))
	must(t, backup.Count(ctx, points, y.plan, y.dir, y.quiet("")))
	must(t, drain.New(drain.Deps{Engine: y.engine, Compose: y.compose, Model: p, Dir: y.dir}, y.plan).Do(ctx, y.quiet("")))
	must(t, copies.Do(ctx, y.quiet("")))
	err = prove.Do(ctx, y.quiet(""))
	if err == nil || !strings.Contains(err.Error(), "does not open") {
		t.Fatalf("got %v", err)
	}
	t.Log(err)
	y.noScratch(t)
}

func (y *yard) noScratch(t *testing.T) {
	t.Helper()
	volumes, err := y.engine.Volumes(t.Context())
	must(t, err)
	for _, v := range volumes {
		if v.Labels[dockerx.LabelRun] == y.plan.Run {
			t.Errorf("scratch volume %s is left", v.Name)
		}
	}
	if _, err := y.engine.Container(t.Context(), "belay-scratch-"+strings.ToLower(y.plan.Run)+"-1"); err == nil {
		t.Error("the scratch container is left")
	}
}

// cutter loses the end of what pg_dump writes, as a broken connection would if
// nobody looked at the exit code.
type cutter struct {
	*dockerx.Engine
	at int
}

func (c *cutter) Exec(ctx context.Context, id string, spec dockerx.ExecSpec) (dockerx.ExecResult, error) {
	if spec.Argv[0] != "pg_dump" {
		return c.Engine.Exec(ctx, id, spec)
	}
	var whole bytes.Buffer
	out := spec.Stdout
	spec.Stdout = &whole
	res, err := c.Engine.Exec(ctx, id, spec)
	_, _ = out.Write(whole.Bytes()[:c.at])
	return res, err
}

// spoiler starts the scratch container on an image of the right name whose data
// cannot be opened: without its mounts PGDATA has another version.
type spoiler struct{ *dockerx.Engine }

func (s *spoiler) RunScratch(ctx context.Context, spec dockerx.ScratchSpec) (string, error) {
	spec.Env = append(spec.Env, "PGDATA=/proc/belay-nowhere")
	return s.Engine.RunScratch(ctx, spec)
}
