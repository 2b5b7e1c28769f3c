package rollback_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"belay/dockerx"
	"belay/dockerx/compose"
	"belay/steps"
	"belay/steps/backup"
	"belay/steps/backup/backuptest"
	"belay/steps/drain"
	"belay/steps/rollback"
)

// site is the world after a failed upgrade: backed up, edited, started, migrated.
type site struct {
	*backuptest.World
	compose *backuptest.Compose
	before  map[dockerx.Data]backuptest.Files
	signals []steps.Signal
	warns   []string
	facts   map[string]string
	gate    error
}

func failed(t *testing.T, change ...func(*steps.Plan)) *site {
	t.Helper()
	ctx := t.Context()
	w := backuptest.NewWorld(t)
	for _, c := range change {
		c(w.Plan)
	}
	s := &site{World: w, compose: &backuptest.Compose{World: w}, before: map[dockerx.Data]backuptest.Files{}}
	for d, files := range w.Engine.Stores {
		s.before[d] = maps.Clone(files)
	}
	w.State("app", dockerx.Running)
	points := backup.Deps{Engine: w.Engine, Verify: backuptest.Verify, Now: backuptest.Clock(), After: backuptest.AtOnce}
	capture, dump, copies, prove := backup.New(points, w.Plan, w.Dir)
	stop := drain.New(drain.Deps{
		Engine: w.Engine, Compose: s.compose, Model: model(t, s), Dir: w.Dir,
		Between: func(ctx context.Context, r *steps.Reporter) error { return backup.Count(ctx, points, w.Plan, w.Dir, r) },
	}, w.Plan)
	for _, step := range []steps.Step{capture, dump, stop, copies, prove} {
		if err := step.Do(ctx, s.reporter(step.ID())); err != nil {
			t.Fatalf("%s: %v", step.ID(), err)
		}
	}
	for _, e := range w.Plan.Edits {
		if err := e.Apply(); err != nil {
			t.Fatal(err)
		}
	}
	w.State("db", dockerx.Running)
	s.migrate(t)
	return s
}

func model(t *testing.T, s *site) *compose.Project {
	t.Helper()
	p, err := s.compose.Model(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// migrate starts the new version, which changes the data and dies.
func (s *site) migrate(t *testing.T) {
	t.Helper()
	s.State("app", dockerx.Restarting)
	e := s.Engine
	e.With(func() {
		for i := range e.Boxes {
			if e.Boxes[i].Service == "app" {
				e.Boxes[i].Image, e.Boxes[i].ImageID = "shop:2", backuptest.NewImage
				e.Boxes[i].RestartCount, e.Boxes[i].ExitCode, e.Boxes[i].RestartPolicy = 3, 1, "always"
			}
		}
		e.Stores[backuptest.Volume("shop_pg")][backuptest.DatabaseFile] = `{"orders":99998,"slots":1}`
		e.Stores[backuptest.Volume("shop_files")]["b.txt"] = "of the new version"
		e.Calls = nil
	})
}

func (s *site) reporter(id steps.ID) *steps.Reporter {
	s.facts = map[string]string{}
	return steps.NewReporter(id, func(e steps.Event) {
		if e.Signal != nil {
			s.signals = append(s.signals, *e.Signal)
		}
		if e.Kind == steps.KindWarn {
			s.warns = append(s.warns, e.Text)
		}
	}, func(k, v string) { s.facts[k] = v })
}

func (s *site) deps() rollback.Deps {
	return rollback.Deps{
		Engine: s.Engine, Compose: s.compose, Model: s.compose.Model, Verify: backuptest.Verify,
		Gate: func(context.Context, *steps.Reporter) ([]steps.Signal, error) {
			return []steps.Signal{{Name: "health", Subject: "app", Verdict: steps.Pass, Evidence: "200"}}, s.gate
		},
		Now: backuptest.Clock(), After: backuptest.AtOnce, Patience: 20 * time.Second,
	}
}

func (s *site) back(t *testing.T) (steps.ID, error) {
	t.Helper()
	for _, step := range rollback.New(s.deps(), s.Plan, s.Dir) {
		if err := step.Do(t.Context(), s.reporter(step.ID())); err != nil {
			return step.ID(), err
		}
	}
	return "", nil
}

// isOld checks the promise: image, configuration and data are what they were.
func (s *site) isOld(t *testing.T) {
	t.Helper()
	env, err := os.ReadFile(s.Env)
	if err != nil || !bytes.Equal(env, s.Plan.Edits[0].Old) {
		t.Errorf("the configuration is %q, %v", env, err)
	}
	if info, err := os.Stat(s.Env); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the configuration's mode is %v, %v", info.Mode(), err)
	}
	for d, files := range s.before {
		if !maps.Equal(files, s.Engine.Stores[d]) {
			t.Errorf("%s holds %v, want %v", d, s.Engine.Stores[d], files)
		}
	}
	for _, b := range s.Engine.Boxes {
		if b.State != dockerx.Running || b.RestartPolicy != "always" {
			t.Errorf("%s is %s with restart policy %q", b.Service, b.State, b.RestartPolicy)
		}
		if b.Service == "app" && b.ImageID != backuptest.OldImage {
			t.Errorf("app runs %s", b.ImageID)
		}
	}
}

func (s *site) untouched(t *testing.T) {
	t.Helper()
	for _, call := range s.Engine.Calls {
		for _, bad := range []string{"Stop", "LoadTree", "SetRestart", "TagImage", "Up"} {
			if strings.HasPrefix(call, bad) {
				t.Errorf("%s was called", call)
			}
		}
	}
}

func TestRollbackPutsEverythingBack(t *testing.T) {
	t.Parallel()
	s := failed(t)
	if id, err := s.back(t); err != nil {
		t.Fatalf("%s: %v", id, err)
	}
	s.isOld(t)
	if got, want := s.facts["summary"], "3 tables, 100,010 rows, 2 files match"; got != want {
		t.Errorf("summary %q, want %q", got, want)
	}
	var names []string
	for _, sig := range s.signals {
		if sig.Verdict != steps.Pass {
			t.Errorf("signal %+v", sig)
		}
		names = append(names, sig.Name)
	}
	if want := []string{"config", "image", "data"}; !slices.Equal(names, want) {
		t.Errorf("signals %q, want %q", names, want)
	}
	// What failed is kept, readable, and holds what the new version wrote.
	f, err := os.Open(filepath.Join(s.Dir, "failed", "shop_files.tree.zst"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	scratch := backuptest.New()
	if _, err := scratch.LoadTree(t.Context(), backuptest.Volume("x"), f, func(int64) {}); err != nil {
		t.Fatal(err)
	}
	if scratch.Stores[backuptest.Volume("x")]["b.txt"] == "" {
		t.Error("the failed data is not kept")
	}
	kept, err := os.ReadFile(filepath.Join(s.Dir, "failed", "containers.json"))
	if err != nil || bytes.Contains(kept, []byte("secret")) {
		t.Errorf("kept containers: %s, %v", kept, err)
	}
	logs, err := filepath.Glob(filepath.Join(s.Dir, "failed", "log-*.txt"))
	if err != nil || len(logs) != 2 {
		t.Errorf("kept logs %q, %v", logs, err)
	}
}

func TestTheDatabaseIsCountedBeforeTheAppCanWrite(t *testing.T) {
	t.Parallel()
	s := failed(t)
	s.compose.Start = func(service string) {
		if service == "app" { // the old version writes as soon as it runs
			s.Engine.Stores[backuptest.Volume("shop_pg")][backuptest.DatabaseFile] = `{"orders":100001,"users":7}`
		}
	}
	if id, err := s.back(t); err != nil {
		t.Fatalf("%s: %v", id, err)
	}
}

func TestADamagedRestorePointStopsNothing(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(t *testing.T, dir string, p *backup.RestorePoint){
		"flipped": func(t *testing.T, _ string, p *backup.RestorePoint) {
			path := p.Path(p.Artefacts[len(p.Artefacts)-1].File)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			b[len(b)/2] ^= 4
			put(t, path, b)
		},
		"cut": func(t *testing.T, _ string, p *backup.RestorePoint) {
			put(t, p.Path(p.Artefacts[0].File), []byte("{}"))
		},
		"missing": func(t *testing.T, _ string, p *backup.RestorePoint) { must(t, os.Remove(p.Path(p.Config[0].File))) },
		"swapped": func(t *testing.T, _ string, p *backup.RestorePoint) {
			n := len(p.Artefacts)
			a, b := p.Path(p.Artefacts[n-1].File), p.Path(p.Artefacts[n-2].File)
			must(t, errors.Join(os.Rename(a, a+"x"), os.Rename(b, a), os.Rename(a+"x", b)))
		},
		"no manifest": func(t *testing.T, dir string, _ *backup.RestorePoint) {
			must(t, os.Remove(filepath.Join(dir, "manifest.json")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := failed(t)
			p, err := backup.Open(s.Plan.BackupDir)
			if err != nil {
				t.Fatal(err)
			}
			spoil(t, p.Dir, p)
			if id, err := s.back(t); err == nil || id != steps.BackStop {
				t.Fatalf("%s: %v", id, err)
			}
			s.untouched(t)
		})
	}
}

func TestTheRestorePointOfAnotherRunStopsNothing(t *testing.T) {
	t.Parallel()
	s := failed(t)
	s.Plan.Run = "01JD0000000000000000000009"
	if id, err := s.back(t); err == nil || id != steps.BackStop {
		t.Fatalf("%s: %v", id, err)
	}
	s.untouched(t)
}

func TestAForeignFileIsNeverWrittenOver(t *testing.T) {
	t.Parallel()
	s := failed(t)
	theirs := []byte("TAG=2\nPASSWORD=theirsecret\n")
	put(t, s.Env, theirs)
	id, err := s.back(t)
	if err == nil || id != steps.BackStop || !strings.Contains(err.Error(), "line 2, PASSWORD") {
		t.Fatalf("%s: %v", id, err)
	}
	if strings.Contains(err.Error(), "theirsecret") || strings.Contains(err.Error(), "envsecret") {
		t.Errorf("a secret is in %q", err)
	}
	if b, _ := os.ReadFile(s.Env); !bytes.Equal(b, theirs) {
		t.Errorf("the file is %q", b)
	}
	s.untouched(t)
}

func TestALostOldImageStopsNothing(t *testing.T) {
	t.Parallel()
	s := failed(t)
	delete(s.Engine.Tags, "shop:1")
	if id, err := s.back(t); err == nil || id != steps.BackStop || !strings.Contains(err.Error(), "pull it first") {
		t.Fatalf("%s: %v", id, err)
	}
	s.untouched(t)
}

func TestAMovedTagGoesBackToTheOldImage(t *testing.T) {
	t.Parallel()
	s := failed(t)
	s.Engine.Tags["shop:1"] = backuptest.NewImage
	s.Engine.Tags["belay-hold/shop-app:1"] = backuptest.OldImage
	if id, err := s.back(t); err != nil {
		t.Fatalf("%s: %v", id, err)
	}
	s.isOld(t)
}

func TestAStrangerOnTheDataIsNamed(t *testing.T) {
	t.Parallel()
	s := failed(t)
	s.Engine.Boxes = append(s.Engine.Boxes, dockerx.Container{
		ID: "x", Name: "other-1", Project: "other", Service: "x", State: dockerx.Running,
		Mounts: []dockerx.Mount{{Data: backuptest.Volume("shop_pg"), Target: "/x"}},
	})
	id, err := s.back(t)
	if err == nil || id != steps.BackVerify || !strings.Contains(err.Error(), "other-1") {
		t.Fatalf("%s: %v", id, err)
	}
	for _, call := range s.Engine.Calls {
		if strings.HasPrefix(call, "LoadTree") {
			t.Error("data was written")
		}
	}
}

func TestOtherCountsAreADifference(t *testing.T) {
	t.Parallel()
	s := failed(t)
	s.Engine.Hook = func(call string) {
		if call == "StartContainer db1" {
			s.Engine.Stores[backuptest.Volume("shop_pg")][backuptest.DatabaseFile] = `{"orders":99998,"users":7}`
		}
	}
	id, err := s.back(t)
	if err == nil || id != steps.BackCanary || !strings.Contains(err.Error(), "orders: 100,000 rows before, 99,998 now") {
		t.Fatalf("%s: %v", id, err)
	}
}

func TestASickOldVersionIsSaid(t *testing.T) {
	t.Parallel()
	s := failed(t)
	s.gate = errors.New("app: 503")
	if id, err := s.back(t); err == nil || id != steps.BackHealth {
		t.Fatalf("%s: %v", id, err)
	}
}

func TestWithoutABackupTheDataStaysAndTheEndSaysSo(t *testing.T) {
	t.Parallel()
	s := failed(t, func(p *steps.Plan) { p.NoBackup = "I accept data loss" })
	after := maps.Clone(s.Engine.Stores[backuptest.Volume("shop_pg")])
	id, err := s.back(t)
	if err == nil || id != steps.BackCanary || !strings.Contains(err.Error(), "the data is not") {
		t.Fatalf("%s: %v", id, err)
	}
	if !maps.Equal(after, s.Engine.Stores[backuptest.Volume("shop_pg")]) {
		t.Error("the data was touched")
	}
	env, err := os.ReadFile(s.Env)
	if err != nil || !bytes.Equal(env, s.Plan.Edits[0].Old) {
		t.Errorf("the configuration is %q, %v", env, err)
	}
	l := rollback.Loss(t.Context(), s.deps(), s.Plan, s.Dir, "it failed", time.Time{})
	if !strings.Contains(l.Lost, "does not come back") {
		t.Errorf("lost: %q", l.Lost)
	}
}

// Killed at any call to the engine and run again, the end is the old version,
// and what the new version wrote is still kept.
func TestTheWayBackRunsAgainAfterACrashAnywhere(t *testing.T) {
	t.Parallel()
	count := 0
	s := failed(t)
	s.Engine.Hook = func(string) { count++ }
	if id, err := s.back(t); err != nil {
		t.Fatalf("%s: %v", id, err)
	}
	for at := range count {
		s := failed(t)
		n := 0
		s.Engine.Hook = func(string) {
			if n++; n == at+1 {
				panic("killed")
			}
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("was not killed at call %d", at)
				}
			}()
			_, _ = s.back(t)
		}()
		s.Engine.Hook = nil
		if id, err := s.back(t); err != nil {
			t.Fatalf("killed at call %d: %s: %v", at, id, err)
		}
		s.isOld(t)
		kept, err := os.ReadFile(filepath.Join(s.Dir, "failed", "shop_pg.tree.zst"))
		if err != nil || !bytes.Contains(kept, []byte("slots")) {
			t.Errorf("killed at call %d: the failed data is not kept: %v", at, err)
		}
	}
}

// Only what changed is written: an untouched store may be terabytes.
func TestAnUntouchedStoreIsLeftAlone(t *testing.T) {
	t.Parallel()
	s := failed(t)
	delete(s.Engine.Stores[backuptest.Volume("shop_files")], "b.txt")
	if id, err := s.back(t); err != nil {
		t.Fatalf("%s: %v", id, err)
	}
	s.isOld(t)
	if slices.Contains(s.Engine.Calls, "LoadTree shop_files") || !slices.Contains(s.Engine.Calls, "LoadTree shop_pg") {
		t.Errorf("calls %q", s.Engine.Calls)
	}
}

// A restore that is cut short leaves half a store, which must not be kept as if
// it were the failed data.
func TestHalfARestoreIsNotKept(t *testing.T) {
	t.Parallel()
	s := failed(t)
	s.Engine.Fail["LoadTree shop_files"] = errors.New("no space left")
	if id, err := s.back(t); err == nil || id != steps.BackData {
		t.Fatalf("%s: %v", id, err)
	}
	delete(s.Engine.Fail, "LoadTree shop_files")
	if id, err := s.back(t); err != nil {
		t.Fatalf("%s: %v", id, err)
	}
	s.isOld(t)
	if _, err := os.Stat(filepath.Join(s.Dir, "failed-2")); err == nil {
		t.Error("half a restore was kept")
	}
}

// What the old version wrote after a rollback is kept when the way back is gone
// a second time.
func TestASecondRollbackKeepsWhatCameBetween(t *testing.T) {
	t.Parallel()
	s := failed(t)
	if id, err := s.back(t); err != nil {
		t.Fatalf("%s: %v", id, err)
	}
	s.Engine.Stores[backuptest.Volume("shop_files")]["between.txt"] = "written since"
	if id, err := s.back(t); err != nil {
		t.Fatalf("%s: %v", id, err)
	}
	s.isOld(t)
	kept, err := os.ReadFile(filepath.Join(s.Dir, "failed-2", "shop_files.tree.zst"))
	if err != nil || !bytes.Contains(kept, []byte("between.txt")) {
		t.Errorf("not kept: %v", err)
	}
	if _, err := os.Stat(filepath.Join(s.Dir, "failed-2", "shop_pg.tree.zst")); err == nil {
		t.Error("a store that is the restore point's was kept again")
	}
}

func TestLossSaysWhatGoesAndWhatStays(t *testing.T) {
	t.Parallel()
	s := failed(t)
	switched := time.Date(2026, 11, 20, 20, 30, 0, 0, time.UTC)
	l := rollback.Loss(t.Context(), s.deps(), s.Plan, s.Dir, "the migration stopped", switched)
	all, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"the migration stopped", "image 1", ".env as it was", "3 tables, 100,010 rows, 2 files",
		"everything written since the copy at ", "2 had ", "the failed data", "app was restarted 3 times",
	} {
		if !strings.Contains(string(all), want) {
			t.Errorf("%q is not in %s", want, all)
		}
	}
	if l.Since.IsZero() || l.Served <= 0 || l.Estimated <= 0 {
		t.Errorf("since %v, served %v, estimated %v", l.Since, l.Served, l.Estimated)
	}
	if never := rollback.Loss(t.Context(), s.deps(), s.Plan, s.Dir, "x", time.Time{}); !strings.HasPrefix(never.Lost, "nothing: 2 has not run") {
		t.Errorf("never started, but lost %q", never.Lost)
	}
}

func put(t *testing.T, path string, b []byte) {
	t.Helper()
	must(t, os.WriteFile(path, b, 0o600))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
