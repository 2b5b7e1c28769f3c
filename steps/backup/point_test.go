package backup_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"belay/steps"
	"belay/steps/backup"
	"belay/steps/backup/backuptest"
)

func TestDamageIsRefusedByName(t *testing.T) {
	t.Parallel()
	w := backuptest.NewWorld(t)
	p := mustRun(t, w)
	var files []string
	for _, a := range p.Artefacts {
		files = append(files, a.File)
	}
	for _, c := range p.Config {
		files = append(files, c.File)
	}
	check := func(t *testing.T, file string) {
		t.Helper()
		q, err := backup.Open(p.Dir)
		if err == nil {
			err = q.Check(context.Background())
		}
		var damaged *backup.DamagedError
		if !errors.As(err, &damaged) || damaged.File != file {
			t.Errorf("%s: got %v", file, err)
		}
	}
	for _, file := range files {
		whole, err := os.ReadFile(p.Path(file))
		if err != nil {
			t.Fatal(err)
		}
		put := func(b []byte) {
			if err := os.WriteFile(p.Path(file), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		flipped := bytes.Clone(whole)
		flipped[len(flipped)/2] ^= 1
		put(flipped)
		check(t, file)
		put(whole[:len(whole)-1])
		check(t, file)
		if err := os.Remove(p.Path(file)); err != nil {
			t.Fatal(err)
		}
		check(t, file)
		put(whole)
	}
	a, _ := p.Volume(w.Plan.Stores[0].Data)
	b, _ := p.Volume(w.Plan.Stores[1].Data)
	swap(t, p.Path(a.File), p.Path(b.File))
	check(t, a.File)
	swap(t, p.Path(a.File), p.Path(b.File))
	if err := p.Check(context.Background()); err != nil {
		t.Errorf("whole again, but %v", err)
	}
}

func swap(t *testing.T, a, b string) {
	t.Helper()
	if err := errors.Join(os.Rename(a, a+".x"), os.Rename(b, a), os.Rename(a+".x", b)); err != nil {
		t.Fatal(err)
	}
}

func TestEveryFlippedBitOfTheManifestIsRefused(t *testing.T) {
	t.Parallel()
	w := backuptest.NewWorld(t)
	p := mustRun(t, w)
	path := filepath.Join(p.Dir, "manifest.json")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(whole)-1; i += 5 { // the last is a line end
		bad := bytes.Clone(whole)
		bad[i] ^= 1 << (i % 7)
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if q, err := backup.Open(p.Dir); err == nil {
			t.Fatalf("byte %d (%q → %q) was not noticed: %+v", i, whole[i], bad[i], q)
		}
	}
	for _, n := range []int{0, 1, len(whole) / 2, len(whole) - 2} {
		if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := backup.Open(p.Dir); err == nil {
			t.Errorf("cut to %d bytes, not noticed", n)
		}
	}
	newer := bytes.Replace(whole, []byte(`"format":1`), []byte(`"format":2`), 1)
	if err := os.WriteFile(path, newer, 0o600); err != nil {
		t.Fatal(err)
	}
	var n *backup.NewerError
	if _, err := backup.Open(p.Dir); !errors.As(err, &n) || n.Format != 2 {
		t.Errorf("a newer format: %v", err)
	}
}

func TestAnotherRunsRestorePointIsRefused(t *testing.T) {
	t.Parallel()
	w := backuptest.NewWorld(t)
	p := mustRun(t, w)
	for _, spoil := range []func(*steps.Plan){
		func(q *steps.Plan) { q.Run = "01JD0000000000000000000001" },
		func(q *steps.Plan) { q.Project = "other" },
		func(q *steps.Plan) { q.Engine = "OTHER" },
	} {
		q := *w.Plan
		spoil(&q)
		if p.Belongs(&q) == nil {
			t.Errorf("accepted for %s %s %s", q.Run, q.Project, q.Engine)
		}
	}
}
