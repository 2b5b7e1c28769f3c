package backup_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"belay/dockerx"
	"belay/steps"
	"belay/steps/backup"
	"belay/steps/backup/backuptest"
)

type told struct {
	facts map[string]string
	warns []string
}

func (t *told) reporter(id steps.ID) *steps.Reporter {
	t.facts = map[string]string{}
	return steps.NewReporter(id, func(e steps.Event) {
		if e.Kind == steps.KindWarn {
			t.warns = append(t.warns, e.Text)
		}
	}, func(k, v string) { t.facts[k] = v })
}

func deps(w *backuptest.World) backup.Deps {
	return backup.Deps{Engine: w.Engine, Verify: backuptest.Verify, Now: backuptest.Clock(), After: backuptest.AtOnce}
}

// run goes through the four steps, the databases going down before the copy.
func run(t *testing.T, w *backuptest.World, d backup.Deps) (*told, error) {
	t.Helper()
	ctx := context.Background()
	said := &told{}
	capture, dump, copies, prove := backup.New(d, w.Plan, w.Dir)
	for _, s := range []steps.Step{capture, dump} {
		if err := s.Do(ctx, said.reporter(s.ID())); err != nil {
			return said, err
		}
	}
	if err := backup.Count(ctx, d, w.Plan, w.Dir, said.reporter(steps.Stop)); err != nil {
		return said, err
	}
	w.State("db", dockerx.Exited)
	for _, s := range []steps.Step{copies, prove} {
		if err := s.Do(ctx, said.reporter(s.ID())); err != nil {
			return said, err
		}
	}
	return said, nil
}

func mustRun(t *testing.T, w *backuptest.World) *backup.RestorePoint {
	t.Helper()
	if _, err := run(t, w, deps(w)); err != nil {
		t.Fatal(err)
	}
	p, err := backup.Open(w.Plan.BackupDir)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestRestorePointHoldsEverything(t *testing.T) {
	t.Parallel()
	w := backuptest.NewWorld(t)
	said, err := run(t, w, deps(w))
	if err != nil {
		t.Fatal(err)
	}
	p, err := backup.Open(w.Plan.BackupDir)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(p.Belongs(w.Plan), p.Check(context.Background())); err != nil {
		t.Fatal(err)
	}
	if got, want := said.facts["summary"], "3 tables, 100,010 rows, 2 files match"; got != want {
		t.Errorf("summary %q, want %q", got, want)
	}
	for _, st := range w.Plan.Stores {
		if _, ok := p.Volume(st.Data); !ok {
			t.Errorf("no copy of %s", st.Data)
		}
	}
	if len(p.Config) != 1 || p.Config[0].Mode.Perm() != 0o640 {
		t.Fatalf("config %+v", p.Config)
	}
	kept, err := os.ReadFile(p.Path(p.Config[0].File))
	if err != nil || !bytes.Equal(kept, w.Plan.Edits[0].Old) {
		t.Errorf("captured %q, %v", kept, err)
	}
	if n := len(w.Engine.Boxes); n != 2 {
		t.Errorf("%d containers are left, want the project's 2", n)
	}
	if n := len(w.Engine.Stores); n != 2 {
		t.Errorf("%d volumes are left, want the project's 2", n)
	}
}

func TestRestorePointIsPrivateAndHoldsNoSecretsInInspect(t *testing.T) {
	t.Parallel()
	w := backuptest.NewWorld(t)
	p := mustRun(t, w)
	err := filepath.WalkDir(p.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		if d.IsDir() || strings.HasPrefix(d.Name(), "00-") { // the captured .env itself
			return nil
		}
		b, err := os.ReadFile(path)
		for _, secret := range []string{"appsecret", "dbsecret", "imagesecret", "volumesecret", "labelsecret", "envsecret"} {
			if bytes.Contains(b, []byte(secret)) {
				t.Errorf("%s holds %s", path, secret)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// full is a disk that is full after so many bytes.
type full struct {
	backup.File
	left int
}

func (f *full) Write(b []byte) (int, error) {
	if len(b) > f.left {
		n, _ := f.File.Write(b[:f.left])
		f.left = 0
		return n, syscall.ENOSPC
	}
	f.left -= len(b)
	return f.File.Write(b)
}

func TestEveryFailureEndsTheRunWithoutARestorePoint(t *testing.T) {
	t.Parallel()
	broken := errors.New("told to fail")
	for name, c := range map[string]struct {
		spoil func(*backuptest.World, *backup.Deps)
		want  string
	}{
		"dump exits badly":    {func(w *backuptest.World, _ *backup.Deps) { w.Engine.Exit["pg_dump"] = 1 }, "pg_dump ended with 1"},
		"dump is cut off":     {func(w *backuptest.World, _ *backup.Deps) { w.Engine.Dump = "PGDMP half" }, "cannot be read back"},
		"dump is no dump":     {func(w *backuptest.World, _ *backup.Deps) { w.Engine.Dump = "-- plain" }, "is not a dump"},
		"database is missing": {func(w *backuptest.World, _ *backup.Deps) { w.Engine.Exit["psql"] = 2 }, "psql ended with 2"},
		"database is down":    {func(w *backuptest.World, _ *backup.Deps) { w.State("db", dockerx.Exited) }, "not running"},
		"app still writes":    {func(w *backuptest.World, _ *backup.Deps) { w.State("app", dockerx.Running) }, "in use by shop-app-1"},
		"store cannot be read": {func(w *backuptest.World, _ *backup.Deps) {
			w.Engine.Fail["SaveTree shop_files"] = broken
		}, "copy volume shop_files: told to fail"},
		"archive is cut off": {func(w *backuptest.World, _ *backup.Deps) { w.Engine.Cut = 40 }, "cannot be read back"},
		"disk is full": {func(_ *backuptest.World, d *backup.Deps) {
			d.Create = func(path string) (backup.File, error) {
				f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
				return &full{File: f, left: 10}, err
			}
		}, "no space left"},
		"config is gone":   {func(w *backuptest.World, _ *backup.Deps) { _ = os.Remove(w.Env) }, ".env"},
		"scratch fails":    {func(w *backuptest.World, _ *backup.Deps) { w.Engine.Fail["RunScratch"] = broken }, "told to fail"},
		"unpacking fails":  {func(w *backuptest.World, _ *backup.Deps) { w.Engine.Fail["LoadTree"] = broken }, "told to fail"},
		"inspect fails":    {func(w *backuptest.World, _ *backup.Deps) { w.Engine.Fail["Containers"] = broken }, "told to fail"},
		"sqlite is not in": {func(w *backuptest.World, _ *backup.Deps) { w.Plan.Databases[1].Path = "gone.sqlite" }, "no file gone.sqlite"},
	} {
		t.Run(name, func(t *testing.T) {
			w := backuptest.NewWorld(t)
			d := deps(w)
			c.spoil(w, &d)
			_, err := run(t, w, d)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			if _, err := backup.Open(w.Plan.BackupDir); !errors.Is(err, backup.ErrNone) {
				t.Errorf("a restore point stands: %v", err)
			}
			_, dump, copies, prove := backup.New(d, w.Plan, w.Dir)
			for _, s := range []steps.Step{prove, copies, dump} {
				if err := s.Undo(context.Background(), (&told{}).reporter(s.ID())); err != nil {
					t.Errorf("undo %s: %v", s.ID(), err)
				}
			}
			_ = filepath.WalkDir(w.Plan.BackupDir, func(path string, _ fs.DirEntry, _ error) error {
				if strings.HasSuffix(path, ".part") {
					t.Errorf("%s is left", path)
				}
				return nil
			})
			if len(w.Engine.Stores) != 2 || len(w.Engine.Boxes) != 2 {
				t.Errorf("scratch objects are left: %v", w.Engine.Stores)
			}
		})
	}
}

func TestACopyThatCountsOtherwiseFails(t *testing.T) {
	t.Parallel()
	w := backuptest.NewWorld(t)
	w.Engine.Hook = func(call string) {
		if call == "RunScratch belay-scratch-"+strings.ToLower(w.Plan.Run)+"-1" {
			for d, files := range w.Engine.Stores {
				if strings.HasPrefix(d.Name, "belay-scratch") {
					files[backuptest.DatabaseFile] = `{"orders":99998,"users":7}`
				}
			}
		}
	}
	_, err := run(t, w, deps(w))
	if err == nil || !strings.Contains(err.Error(), "orders: 100,000 rows before, 99,998 now") {
		t.Fatalf("got %v", err)
	}
}

func TestADatabaseThatDoesNotOpenFailsWithItsLastWords(t *testing.T) {
	t.Parallel()
	w := backuptest.NewWorld(t)
	w.Engine.Hook = func(call string) {
		if !strings.HasPrefix(call, "Exec psql") {
			return
		}
		for i := range w.Engine.Boxes {
			if w.Engine.Boxes[i].Labels[dockerx.LabelRun] != "" {
				w.Engine.Boxes[i].State = dockerx.Exited
			}
		}
	}
	_, err := run(t, w, deps(w))
	if err == nil || !strings.Contains(err.Error(), "does not open") || !strings.Contains(err.Error(), "last words") {
		t.Fatalf("got %v", err)
	}
}

// After the switch the stores hold other data: nothing may write over the copy.
func TestASealedRestorePointIsNeverWrittenAgain(t *testing.T) {
	t.Parallel()
	w := backuptest.NewWorld(t)
	p := mustRun(t, w)
	before, err := os.ReadFile(filepath.Join(p.Dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	w.Engine.Stores[w.Plan.Stores[0].Data][backuptest.DatabaseFile] = `{"orders":1}`
	if err := os.WriteFile(w.Env, w.Plan.Edits[0].New, 0o600); err != nil {
		t.Fatal(err)
	}
	capture, dump, copies, prove := backup.New(deps(w), w.Plan, w.Dir)
	for _, s := range []steps.Step{capture, dump, copies, prove} {
		if o, err := s.Observe(context.Background()); o != steps.Done || err != nil {
			t.Errorf("%s is %s, %v", s.ID(), o, err)
		}
		if err := s.Do(context.Background(), (&told{}).reporter(s.ID())); err != nil {
			t.Errorf("%s: %v", s.ID(), err)
		}
	}
	after, err := os.ReadFile(filepath.Join(p.Dir, "manifest.json"))
	if err != nil || !bytes.Equal(before, after) {
		t.Error("the manifest was written again")
	}
	if err := p.Check(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestStepsRunAgainAfterACrashAnywhere(t *testing.T) {
	t.Parallel()
	count := 0
	w := backuptest.NewWorld(t)
	w.Engine.Hook = func(string) { count++ }
	mustRun(t, w)
	for at := range count {
		w := backuptest.NewWorld(t)
		n := 0
		w.Engine.Hook = func(string) {
			if n++; n == at+1 {
				panic("killed")
			}
		}
		killed := func() (killed bool) {
			defer func() { killed = recover() != nil }()
			_, _ = run(t, w, deps(w))
			return false
		}()
		if !killed {
			continue
		}
		w.Engine.Hook = nil
		w.State("db", dockerx.Running) // the engine goes on from the first step whose effect does not stand
		p := mustRun(t, w)
		if err := p.Check(context.Background()); err != nil {
			t.Fatalf("killed at call %d: %v", at, err)
		}
		if len(w.Engine.Stores) != 2 {
			t.Errorf("killed at call %d: scratch volumes are left", at)
		}
	}
}

func TestSkippedBackupSaysSo(t *testing.T) {
	t.Parallel()
	w := backuptest.NewWorld(t)
	w.Plan.NoBackup = "I accept data loss"
	p := mustRun(t, w)
	if p.Skipped != w.Plan.NoBackup {
		t.Errorf("skipped %q", p.Skipped)
	}
	if _, ok := p.Volume(w.Plan.Stores[0].Data); ok {
		t.Error("there is a copy nonetheless")
	}
	if len(p.Config) != 1 {
		t.Error("the configuration is captured all the same")
	}
}

func TestCaptureAfterTheEditKeepsTheBytesBeforeIt(t *testing.T) {
	t.Parallel()
	w := backuptest.NewWorld(t)
	if err := os.WriteFile(w.Env, w.Plan.Edits[0].New, 0o600); err != nil {
		t.Fatal(err)
	}
	p := mustRun(t, w)
	kept, err := os.ReadFile(p.Path(p.Config[0].File))
	if err != nil || !bytes.Equal(kept, w.Plan.Edits[0].Old) {
		t.Errorf("captured %q, %v", kept, err)
	}
}

// After a crash somebody may start the app by hand: what it wrote is not in the
// copy, so the copy must not pass for what is there.
func TestACopyOlderThanTheLastStartDoesNotCount(t *testing.T) {
	t.Parallel()
	w := backuptest.NewWorld(t)
	d := deps(w)
	ctx := context.Background()
	said := &told{}
	capture, dump, copies, prove := backup.New(d, w.Plan, w.Dir)
	for _, s := range []steps.Step{capture, dump} {
		if err := s.Do(ctx, said.reporter(s.ID())); err != nil {
			t.Fatal(err)
		}
	}
	w.State("db", dockerx.Exited)
	if err := copies.Do(ctx, said.reporter(copies.ID())); err != nil {
		t.Fatal(err)
	}
	if o, err := copies.Observe(ctx); o != steps.Done || err != nil {
		t.Fatalf("fresh, but %s, %v", o, err)
	}
	w.Engine.With(func() { w.Engine.Boxes[0].StartedAt = d.Now().Add(time.Hour) })
	if o, _ := copies.Observe(ctx); o == steps.Done {
		t.Error("the copy counts as done")
	}
	if err := prove.Do(ctx, said.reporter(prove.ID())); err == nil || !strings.Contains(err.Error(), "shop-app-1 was started since") {
		t.Errorf("got %v", err)
	}
}

func TestADatabaseThatWasDownIsCountedInTheCopyAlone(t *testing.T) {
	t.Parallel()
	w := backuptest.NewWorld(t)
	w.Plan.Databases[0].Dumpable = false
	w.State("db", dockerx.Exited)
	said, err := run(t, w, deps(w))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := said.facts["summary"], "3 tables, 100,010 rows, 2 files are in the copy"; got != want {
		t.Errorf("summary %q, want %q", got, want)
	}
	if len(said.warns) == 0 {
		t.Error("nobody is told")
	}
}
