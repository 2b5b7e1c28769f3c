package e2e_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"belay/e2e/rig"
)

func TestPatch(t *testing.T) {
	s := stand(t, rig.Options{})
	before, compose := s.Look(t), read(t, s, "compose.yaml")
	r := s.Belay(t, "upgrade", "DIR", "--to", "1.2.4", "--yes", "--progress", "json") // nothing to accept
	after := upgraded(t, s, before, r, "1.2.4", "ledger:1.2.4")
	same(t, before, after, "schema", "rows")
	edited(t, s, "compose.yaml", compose, "ledger:1.2.3", "ledger:1.2.4")

	var steps []string
	for _, e := range r.Events(t) {
		if e.Kind == "done" {
			steps = append(steps, e.Step)
		}
		if e.Kind != "outcome" && (e.Run == "" || e.Time.IsZero()) {
			t.Errorf("an event without run or time: %+v", e)
		}
	}
	for i, step := range []string{"backup", "prove", "pin", "start", "health"} {
		at := slices.Index(steps, step)
		if at < 0 || (i > 0 && at < slices.Index(steps, []string{"backup", "prove", "pin", "start", "health"}[i-1])) {
			t.Errorf("%s is not where it belongs in %v", step, steps)
		}
	}
}

func TestMinorWithAMigration(t *testing.T) {
	s := stand(t, rig.Options{})
	before, compose := s.Look(t), read(t, s, "compose.yaml")
	const entries = `SELECT count(*) || ' ' || md5(string_agg(concat_ws('|', id, account_id, amount, %s, memo, booked), ',' ORDER BY id)) FROM entries`
	rows := s.SQL(t, strings.Replace(entries, "%s", "category", 1))

	r := s.Upgrade(t, "1.3.0")
	after := upgraded(t, s, before, r, "1.3.0", "ledger:1.3.0")
	edited(t, s, "compose.yaml", compose, "ledger:1.2.3", "ledger:1.3.0")
	if got := s.SQL(t, strings.Replace(entries, "%s", "kind", 1)); got != rows {
		t.Errorf("entries were %s and are %s", rows, got)
	}
	differs(t, before, after, "schema")
	if !slices.ContainsFunc(r.Events(t), func(e rig.Event) bool {
		return e.Kind == "log" && e.Service == "app" && strings.Contains(e.Text, "AddEntryKind")
	}) {
		t.Error("the migration's log lines were not shown")
	}
	history(t, s, r.Outcome(t).Run)

	// The way back stays open, and says what is lost by being used.
	s.Do(t, http.MethodPost, "/entries", "written by 1.3.0")
	back := s.Belay(t, "rollback", "DIR", "--yes", "--progress", "json")
	if back.Exit != 0 && back.Exit != 3 {
		t.Fatalf("exit %d\n%s", back.Exit, back.Said())
	}
	isOld(t, s, before)
}

// history checks what status and history say after a run, and that they change nothing.
func history(t *testing.T, s *rig.Stack, run string) {
	t.Helper()
	stands := s.Look(t)
	r := s.Belay(t, "history", "DIR", "--json")
	var past any
	if err := json.Unmarshal([]byte(r.Stdout), &past); err != nil || r.Exit != 0 {
		t.Errorf("history --json: exit %d, %v\n%s", r.Exit, err, r.Said())
	}
	if !strings.Contains(r.Stdout, run) || !strings.Contains(r.Stdout, "upgraded") {
		t.Errorf("history does not know run %s:\n%s", run, r.Stdout)
	}
	r = s.Belay(t, "status", "DIR", "--json")
	if r.Exit != 0 || !json.Valid([]byte(r.Stdout)) || !strings.Contains(r.Stdout, "1.3.0") {
		t.Errorf("status --json: exit %d\n%s", r.Exit, r.Said())
	}
	untouched(t, s, stands)
}

// A migration that moves is left alone, even when the container's healthcheck has
// long given up on it.
func TestAMovingMigrationOutlivesItsHealthcheck(t *testing.T) {
	s := stand(t, rig.Options{Grace: "1s"})
	before := s.Look(t)
	upgraded(t, s, before, s.Upgrade(t, "1.3.0"), "1.3.0", "ledger:1.3.0")
}

func TestTagsWithAV(t *testing.T) {
	s := stand(t, rig.Options{Image: "ledger-v:v1.2.3"})
	before, compose := s.Look(t), read(t, s, "compose.yaml")
	after := upgraded(t, s, before, s.Upgrade(t, "1.2.4"), "1.2.4", "ledger-v:v1.2.4")
	same(t, before, after, "schema", "rows")
	edited(t, s, "compose.yaml", compose, "ledger-v:v1.2.3", "ledger-v:v1.2.4")
}

func TestTagsWithASuffix(t *testing.T) {
	s := stand(t, rig.Options{Image: "ledger:1.2.3-slim"})
	before, compose := s.Look(t), read(t, s, "compose.yaml")
	after := upgraded(t, s, before, s.Upgrade(t, "v1.2.4"), "1.2.4", "ledger:1.2.4-slim")
	same(t, before, after, "schema", "rows")
	edited(t, s, "compose.yaml", compose, "ledger:1.2.3-slim", "ledger:1.2.4-slim")
}

// The version of a moving tag is what the image says of itself.
func TestLatestInTheComposeFile(t *testing.T) {
	s := stand(t, rig.Options{Image: "moving:latest"})
	before, compose := s.Look(t), read(t, s, "compose.yaml")
	after := upgraded(t, s, before, s.Upgrade(t, "1.2.4"), "1.2.4", "moving:1.2.4")
	same(t, before, after, "schema", "rows")
	edited(t, s, "compose.yaml", compose, "moving:latest", "moving:1.2.4")
}

// The last of two assignments counts; quotes, comment and line ends stay.
func TestVersionInTheEnvFile(t *testing.T) {
	const lines = "# LEDGER_TAG=1.2.3 is a comment\r\nLEDGER_TAG=1.0.0\r\nexport LEDGER_TAG=\"1.2.3\"   # counts\r\n"
	s := stand(t, rig.Options{Image: "ledger:${LEDGER_TAG:-1.1.0}", Env: lines})
	before, env := s.Look(t), read(t, s, ".env")
	after := upgraded(t, s, before, s.Upgrade(t, "1.2.4"), "1.2.4", "ledger:1.2.4")
	same(t, before, after, "schema", "rows")
	edited(t, s, ".env", env, `"1.2.3"`, `"1.2.4"`)
	if before.Files[s.Path("compose.yaml")] != after.Files[s.Path("compose.yaml")] {
		t.Error("compose.yaml was touched")
	}
}

func TestMajorWithTheVariableItAsksFor(t *testing.T) {
	s := stand(t, rig.Options{Env: "LEDGER_SIGNING_KEY=c2lnbmVk\n"})
	before := s.Look(t)
	upgraded(t, s, before, s.Upgrade(t, "2.0.0"), "2.0.0", "ledger:2.0.0")
}

func TestNothingToDo(t *testing.T) {
	s := stand(t, rig.Options{})
	before := s.Look(t)
	r := s.Upgrade(t, "1.2.3")
	if o := r.Outcome(t); r.Exit != 0 || o.Outcome != "nothing_to_do" {
		t.Errorf("exit %d, %+v", r.Exit, o)
	}
	untouched(t, s, before)
}
