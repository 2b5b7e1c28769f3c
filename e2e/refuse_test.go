package e2e_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"belay/e2e/rig"
)

func TestBreakingIsRefusedUntilAccepted(t *testing.T) {
	s := stand(t, rig.Options{})
	before := s.Look(t)
	r := s.Belay(t, "upgrade", "DIR", "--to", "1.3.0", "--yes", "--progress", "json")
	refused(t, s, before, r, 5)
	if !strings.Contains(r.Said(), "LEDGER_EXPORT_DIR") || !strings.Contains(r.Said(), "--accept-breaking") {
		t.Errorf("the flag is not listed, or the way on is not named:\n%s", r.Said())
	}
}

func TestTargetMissing(t *testing.T) {
	s := stand(t, rig.Options{})
	before := s.Look(t)
	for _, to := range []string{"9.9.9", "1.3.1", "sideways"} { // 1.3.1 has notes, and no image
		r := s.Upgrade(t, to)
		refused(t, s, before, r, 2, 5)
		if !strings.Contains(r.Said(), to) {
			t.Errorf("the message does not name %s:\n%s", to, r.Said())
		}
	}
}

func TestNothingChangesWithoutYes(t *testing.T) {
	s := stand(t, rig.Options{})
	before := s.Look(t)
	refused(t, s, before, s.Belay(t, "upgrade", "DIR", "--to", "1.2.4"), 2, 5)
	refused(t, s, before, s.Belay(t, "rollback", "DIR"), 1, 2, 5)
}

// Commands that only look: valid JSON where promised, and no trace on the stack.
func TestLookingChangesNothing(t *testing.T) {
	s := stand(t, rig.Options{})
	before := s.Look(t)
	for _, c := range []struct {
		args []string
		exit int
		says string
	}{
		{[]string{"plan", "DIR", "--to", "1.3.0", "--json"}, 0, "1.3.0"},
		{[]string{"check", "DIR", "--json"}, 6, "1.2.4"},
		{[]string{"notes", "DIR", "--to", "1.3.0", "--json"}, 0, "LEDGER_EXPORT_DIR"},
		{[]string{"status", "DIR", "--json"}, 0, "1.2.3"},
		{[]string{"history", "DIR", "--json"}, 0, ""},
		{[]string{"plan", "DIR", "--to", "1.3.0"}, 0, "compose.yaml"},
		{[]string{"doctor", "DIR"}, 0, ""},
	} {
		r := s.Belay(t, c.args...)
		if r.Exit != c.exit || !strings.Contains(r.Stdout, c.says) {
			t.Errorf("%v: exit %d, want %d and %q\n%s", c.args, r.Exit, c.exit, c.says, r.Said())
		}
		if c.args[len(c.args)-1] == "--json" && !json.Valid([]byte(r.Stdout)) {
			t.Errorf("%v: not JSON:\n%s", c.args, r.Stdout)
		}
	}
	untouched(t, s, before)
}

// The restore point does not fit: a file system of 1 MiB.
func TestNoSpaceForTheBackup(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounting a small file system needs root")
	}
	s := stand(t, rig.Options{})
	before := s.Look(t)
	small := s.Path("..") + "/small"
	if err := os.Mkdir(small, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", small, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("cannot mount a small file system here: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(small, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	r := s.Upgrade(t, "1.2.4", "--backup-dir", small)
	refused(t, s, before, r, 1, 5)
	if !strings.Contains(strings.ToLower(r.Said()), "space") && !strings.Contains(r.Said(), "free") {
		t.Errorf("the message does not say that there is no room:\n%s", r.Said())
	}
}

// The database lets nobody in whom belay could ask: no dump, no count, no upgrade.
func TestDatabaseRefusesTheLogin(t *testing.T) {
	s := stand(t, rig.Options{})
	before := s.Look(t)
	const hba = "/var/lib/postgresql/data/pg_hba.conf"
	in := func(script string) { s.Compose(t, "exec", "-T", "db", "sh", "-ec", script) }
	reload := "kill -HUP 1"
	in("cp -p " + hba + " " + hba + ".real && printf 'local all all reject\\nhost all all samehost reject\\nhost all all all scram-sha-256\\n' > " + hba + " && " + reload)
	await(t, s, "the database refuses the login", func() bool {
		return strings.Contains(s.Compose(t, "exec", "-T", "db", "sh", "-c", "psql -wU ledger -c 'SELECT 1' 2>&1 || true"), "reject")
	})

	r := s.Upgrade(t, "1.2.4")

	in("mv " + hba + ".real " + hba + " && " + reload)
	await(t, s, "the database lets us in again", func() bool {
		return strings.Contains(s.Compose(t, "exec", "-T", "db", "sh", "-c", "psql -wU ledger -c 'SELECT 1' 2>&1 || true"), "1 row")
	})
	refused(t, s, before, r, 1, 5)
}

func TestBadInputNamesThePlace(t *testing.T) {
	s := stand(t, rig.Options{})
	before, env := s.Look(t), read(t, s, ".env")
	if err := os.WriteFile(s.Path("compose.override.yaml"), []byte("services:\n  app:\n    image: [\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := s.Upgrade(t, "1.2.4")
	if err := os.Remove(s.Path("compose.override.yaml")); err != nil {
		t.Fatal(err)
	}
	if r.Exit != 2 || !strings.Contains(r.Said(), "compose.override.yaml:") {
		t.Errorf("invalid YAML: exit %d\n%s", r.Exit, r.Said())
	}

	if err := os.WriteFile(s.Path(".env"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r = s.Upgrade(t, "1.2.4")
	if err := os.WriteFile(s.Path(".env"), []byte(env), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(s.Path(".env"), 0o640); err != nil {
		t.Fatal(err)
	}
	if r.Exit != 2 || !strings.Contains(r.Said(), "DB_PASSWORD") {
		t.Errorf("an unset variable: exit %d\n%s", r.Exit, r.Said())
	}
	untouched(t, s, before)
}
