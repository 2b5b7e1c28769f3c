package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"belay/e2e/rig"
)

// The migration of 1.4.0 commits a dropped column and deleted rows, then fails,
// and the container starts again and again. Everything comes back.
func TestFailedMigrationIsRolledBack(t *testing.T) {
	s := stand(t, rig.Options{})
	before := s.Look(t)
	r := s.Upgrade(t, "1.4.0")
	rolledBack(t, s, before, r)
	if !strings.Contains(r.Said(), "42P07") {
		t.Error("the migration's own error was not shown")
	}

	// The stack is in use again, and a second try is as safe as the first.
	s.Do(t, http.MethodPost, "/entries", "life goes on")
	after := s.Look(t)
	r = s.Upgrade(t, "1.2.4")
	if r.Exit != 0 {
		t.Fatalf("exit %d\n%s", r.Exit, r.Said())
	}
	same(t, after, s.Look(t), "schema", "rows", "data")
}

func TestUpButSick(t *testing.T) {
	s := stand(t, rig.Options{Grace: "2s"})
	before := s.Look(t)
	rolledBack(t, s, before, s.Upgrade(t, "1.5.0"))
}

// The container has no healthcheck; only the probe that the user wrote down
// finds out that 1.5.0 does not work.
func TestUpButSickByTheUsersOwnProbe(t *testing.T) {
	s := stand(t, rig.Options{
		Grace: "1h",
		Recipe: "name: Ledger\nmatch: {images: [\"*/ledger\"]}\n" +
			"health:\n  - {service: app, http: /healthz, status: 200, json: {status: ok}, version: version, every: 1s}\n",
	})
	before := s.Look(t)
	rolledBack(t, s, before, s.Upgrade(t, "1.5.0"))
}

// Without its variable 2.0.0 does not start. Whether belay sees that before the
// switch or after it, the old version serves in the end.
func TestMajorWithoutTheVariableItAsksFor(t *testing.T) {
	s := stand(t, rig.Options{Grace: "2s"})
	before := s.Look(t)
	r := s.Upgrade(t, "2.0.0")
	if r.Exit == 5 {
		untouched(t, s, before)
		return
	}
	rolledBack(t, s, before, r)
}

// A user who wants to look first keeps the failed state, and goes back later.
func TestKeepOnFailureThenRollBack(t *testing.T) {
	s := stand(t, rig.Options{})
	before := s.Look(t)
	r := s.Upgrade(t, "1.4.0", "--on-failure", "keep")
	o := r.Outcome(t)
	if r.Exit != 4 || o.Outcome != "needs_operator" {
		t.Fatalf("exit %d, %+v\n%s", r.Exit, o, r.Said())
	}
	if !strings.Contains(r.Said(), "belay rollback") {
		t.Error("the way back is not named")
	}
	failed := s.Look(t)
	differs(t, before, failed, "files", "images", "schema", "rows")
	s.Audit(t)

	// status names the way back as well; another upgrade is refused until then.
	if st := s.Belay(t, "status", "DIR", "--json"); !strings.Contains(st.Stdout, "rollback") {
		t.Errorf("status does not name the way back:\n%s", st.Said())
	}

	back := s.Belay(t, "rollback", "DIR", "--yes", "--progress", "json")
	if back.Exit != 0 && back.Exit != 3 {
		t.Fatalf("exit %d\n%s", back.Exit, back.Said())
	}
	isOld(t, s, before)
	kept(t, s, o)
}
