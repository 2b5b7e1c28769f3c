package e2e_test

import (
	"os"
	"strings"
	"testing"

	"belay/e2e/rig"
)

// The service names as compose numbers their containers.
const (
	app = "app-1"
	db  = "db-1"
)

// The parts of a state that a rollback brings back: all but the moments at which
// the containers started.
func old() []string { return []string{"files", "images", "schema", "rows", "data"} }

// upgraded checks an upgrade that says it went well: the new version serves, from
// the image the registry has, and nothing changed that was not meant to.
func upgraded(t *testing.T, s *rig.Stack, before rig.State, r rig.Result, to, ref string) rig.State {
	t.Helper()
	o := r.Outcome(t)
	if r.Exit != 0 || o.Outcome != "upgraded" || o.From != "1.2.3" || o.To != to {
		t.Fatalf("exit %d, %+v\n%s", r.Exit, o, r.Said())
	}
	if !serves(t, s, to) {
		status, body := s.Get(t, "/healthz")
		t.Fatalf("%s does not serve: %d %s", to, status, body)
	}
	after := s.Look(t)
	same(t, before, after, "data")
	if want := s.ImageID(t, ref); want == "" || !strings.HasPrefix(after.Images[app], want) {
		t.Errorf("the app runs %s, and %s is %s", after.Images[app], ref, want)
	}
	if after.Images[db] != before.Images[db] || len(after.Images) != len(before.Images) {
		t.Errorf("containers were\n%v\nand are\n%v", before.Images, after.Images)
	}
	if id, _, _ := strings.Cut(before.Alive[db], " "); !strings.HasPrefix(after.Alive[db], id) {
		t.Error("the database's container was made anew")
	}
	kept(t, s, o)
	return after
}

// rolledBack checks a run that failed after the switch and says that all is as it was.
func rolledBack(t *testing.T, s *rig.Stack, before rig.State, r rig.Result) {
	t.Helper()
	o := r.Outcome(t)
	if r.Exit != 3 || o.Outcome != "rolled_back" {
		t.Fatalf("exit %d, %+v\n%s", r.Exit, o, r.Said())
	}
	isOld(t, s, before)
	kept(t, s, o)
	if len(s.Kept(t, o.Run, s.State(), o.Backup)) == 0 {
		t.Error("the failed data is nowhere to be found")
	}
}

// isOld checks that 1.2.3 serves with its own image, configuration and data.
func isOld(t *testing.T, s *rig.Stack, before rig.State) {
	t.Helper()
	same(t, before, s.Look(t), old()...)
	if !serves(t, s, "1.2.3") {
		status, body := s.Get(t, "/healthz")
		t.Errorf("1.2.3 does not serve: %d %s", status, body)
	}
}

// untouched checks that nothing happened at all: not even a restart.
func untouched(t *testing.T, s *rig.Stack, before rig.State) {
	t.Helper()
	same(t, before, s.Look(t))
	s.Audit(t)
}

// refused checks a command that ended with one of the codes and left all as it was.
func refused(t *testing.T, s *rig.Stack, before rig.State, r rig.Result, codes ...int) {
	t.Helper()
	ok := false
	for _, c := range codes {
		ok = ok || r.Exit == c
	}
	if !ok {
		t.Errorf("exit %d, want one of %v\n%s", r.Exit, codes, r.Said())
	}
	untouched(t, s, before)
}

// kept checks what must stand after every run that switched: a restore point only
// its owner can read, the old image held, no container left over.
func kept(t *testing.T, s *rig.Stack, o rig.Event) {
	t.Helper()
	info, err := os.Stat(o.Backup)
	if o.Backup == "" || err != nil {
		t.Errorf("no restore point at %q: %v", o.Backup, err)
	} else if info.Mode().Perm() != 0o700 {
		t.Errorf("the restore point is %s", info.Mode())
	}
	if len(s.Holds(t)) == 0 {
		t.Error("no tag holds the old image")
	}
	if left := s.Leftovers(t, o.Run); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	s.Audit(t)
}

// edited checks that a file differs from what it was in exactly one replacement.
func edited(t *testing.T, s *rig.Stack, name, before, from, to string) {
	t.Helper()
	got := read(t, s, name)
	if want := strings.Replace(before, from, to, 1); got != want {
		t.Errorf("%s is not what it was with %q for %q:\n%s", name, to, from, got)
	}
}

func read(t *testing.T, s *rig.Stack, name string) string {
	t.Helper()
	b, err := os.ReadFile(s.Path(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
