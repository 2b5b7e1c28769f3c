package e2e_test

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"belay/e2e/rig"
)

// killed starts an upgrade and kills it the hard way as soon as an event fits.
func killed(t *testing.T, s *rig.Stack, to string, when func(rig.Event) bool) {
	t.Helper()
	p := s.StartBelay(t, "upgrade", "DIR", "--to", to, "--yes", "--accept-breaking", "--progress", "json")
	if !p.Until(when) {
		t.Fatalf("the moment never came\n%s", p.Wait(t).Said())
	}
	p.Kill(t)
	if r := p.Wait(t); r.Exit != -1 {
		t.Fatalf("belay ended by itself with %d before it could be killed\n%s", r.Exit, r.Said())
	}
}

// open checks that status knows the interrupted run, and that nothing else starts
// before it is ended.
func open(t *testing.T, s *rig.Stack) {
	t.Helper()
	st := s.Belay(t, "status", "DIR", "--json")
	if !strings.Contains(st.Stdout, "belay resume") && !strings.Contains(st.Stdout, "belay rollback") {
		t.Errorf("status names no way on: exit %d\n%s", st.Exit, st.Said())
	}
	if r := s.Upgrade(t, "1.2.4"); r.Exit != 5 {
		t.Errorf("a second upgrade over an open run: exit %d\n%s", r.Exit, r.Said())
	}
}

// ended checks the end of a resumed run: the old version exactly, or the new one.
func ended(t *testing.T, s *rig.Stack, before rig.State, r rig.Result, to string) {
	t.Helper()
	o := r.Outcome(t)
	switch o.Outcome {
	case "upgraded":
		if r.Exit != 0 || !serves(t, s, to) {
			t.Errorf("exit %d, and %s does not serve", r.Exit, to)
		}
	case "aborted", "rolled_back":
		if r.Exit != 0 && r.Exit != 1 && r.Exit != 3 {
			t.Errorf("exit %d, %+v", r.Exit, o)
		}
		isOld(t, s, before)
	default:
		t.Fatalf("neither old nor new: exit %d, %+v\n%s", r.Exit, o, r.Said())
	}
	if left := s.Leftovers(t, o.Run); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	s.Audit(t)
	if st := s.Belay(t, "status", "DIR", "--json"); strings.Contains(st.Stdout, "belay resume") {
		t.Errorf("the run is still open:\n%s", st.Stdout)
	}
}

func starts(step string) func(rig.Event) bool {
	return func(e rig.Event) bool { return e.Kind == "start" && e.Step == step }
}

func TestKilledDuringTheBackup(t *testing.T) {
	s := stand(t, rig.Options{})
	before := s.Look(t)
	killed(t, s, "1.3.0", starts("backup"))
	open(t, s)
	ended(t, s, before, s.Belay(t, "resume", "DIR", "--yes", "--progress", "json"), "1.3.0")
}

func TestKilledDuringTheMigration(t *testing.T) {
	s := stand(t, rig.Options{})
	before := s.Look(t)
	killed(t, s, "1.3.0", func(e rig.Event) bool {
		return e.Kind == "log" && strings.Contains(e.Text, "AddEntryKind")
	})
	open(t, s)
	ended(t, s, before, s.Belay(t, "resume", "DIR", "--yes", "--progress", "json"), "1.3.0")
}

func TestKilledDuringTheMigrationThenRolledBack(t *testing.T) {
	s := stand(t, rig.Options{})
	before := s.Look(t)
	killed(t, s, "1.3.0", starts("watch"))
	r := s.Belay(t, "rollback", "DIR", "--yes", "--progress", "json")
	if r.Exit != 0 && r.Exit != 3 {
		t.Fatalf("exit %d\n%s", r.Exit, r.Said())
	}
	isOld(t, s, before)
}

// The data has begun to go back when the power fails, as it were.
func TestKilledDuringTheRollback(t *testing.T) {
	s := stand(t, rig.Options{})
	before := s.Look(t)
	killed(t, s, "1.4.0", starts("rollback.data"))
	r := s.Belay(t, "resume", "DIR", "--yes", "--progress", "json")
	ended(t, s, before, r, "1.4.0")
	isOld(t, s, before)
}

// Ctrl-C before the switch: the old version is up, and the exit code says why.
func TestInterruptedByTheUser(t *testing.T) {
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) {
			s := stand(t, rig.Options{})
			before := s.Look(t)
			p := s.StartBelay(t, "upgrade", "DIR", "--to", "1.2.4", "--yes", "--progress", "json")
			if !p.Until(starts("backup")) {
				t.Fatalf("the backup never began\n%s", p.Wait(t).Said())
			}
			p.Signal(t, sig)
			r := p.Wait(t)
			if o := r.Outcome(t); r.Exit != 130 || o.Outcome != "aborted" {
				t.Errorf("exit %d, %+v\n%s", r.Exit, o, r.Said())
			}
			isOld(t, s, before)
		})
	}
}

// A closed connection does not end the upgrade: it goes on with nobody watching.
func TestHangUpLeavesTheUpgradeRunning(t *testing.T) {
	s := stand(t, rig.Options{})
	before := s.Look(t)
	p := s.StartBelay(t, "upgrade", "DIR", "--to", "1.2.4", "--yes", "--progress", "json")
	if !p.Until(starts("dump")) {
		t.Fatalf("the dump never began\n%s", p.Wait(t).Said())
	}
	p.Signal(t, syscall.SIGHUP)
	upgraded(t, s, before, p.Wait(t), "1.2.4", "ledger:1.2.4")
}

// Two at once: the second is refused at once and says who is at work.
func TestTwoAtOnce(t *testing.T) {
	s := stand(t, rig.Options{})
	before := s.Look(t)
	p := s.StartBelay(t, "upgrade", "DIR", "--to", "1.2.4", "--yes", "--progress", "json")
	if !p.Until(starts("pull")) {
		t.Fatalf("the pull never began\n%s", p.Wait(t).Said())
	}
	if r := s.Upgrade(t, "1.3.0"); r.Exit != 5 {
		t.Errorf("the second upgrade: exit %d\n%s", r.Exit, r.Said())
	}
	upgraded(t, s, before, p.Wait(t), "1.2.4", "ledger:1.2.4")
}
