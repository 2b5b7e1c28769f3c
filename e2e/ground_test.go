package e2e_test

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"belay/e2e/rig"
)

// The scenarios prove nothing if the app does not behave as they believe, or if
// the comparison cannot see a difference. Here the app is upgraded by hand.
func TestTheGroundIsAsTheScenariosBelieve(t *testing.T) {
	s := stand(t, rig.Options{Grace: "1s"})
	if status, body := s.Get(t, "/healthz"); status != http.StatusOK || !strings.Contains(body, `"version":"1.2.3"`) {
		t.Fatalf("%d %s", status, body)
	}
	before := s.Look(t)
	same(t, before, s.Look(t))
	if !strings.HasPrefix(before.Rows["entries"], "100000 rows") {
		t.Fatal(before.Rows)
	}

	byHand(t, s, "1.2.3", "1.2.4")
	await(t, s, "1.2.4 serves", func() bool { return serves(t, s, "1.2.4") })
	patch := s.Look(t)
	same(t, before, patch, "schema", "rows", "data")
	differs(t, before, patch, "files", "images", "alive")

	byHand(t, s, "1.2.4", "1.3.0")
	await(t, s, "1.3.0 serves", func() bool { return serves(t, s, "1.3.0") })
	minor := s.Look(t)
	same(t, before, minor, "data")
	differs(t, before, minor, "schema", "rows")

	byHand(t, s, "1.3.0", "1.4.0")
	await(t, s, "1.4.0 fails again and again", func() bool {
		return strings.Count(s.Compose(t, "logs", "app"), "42P07") >= 2
	})
	failed := s.Look(t)
	differs(t, minor, failed, "schema", "rows")
	if !strings.HasPrefix(failed.Rows["entries"], "90000 rows") {
		t.Fatal(failed.Rows)
	}

	byHand(t, s, "1.4.0", "1.5.0")
	await(t, s, "1.5.0 is up and sick", func() bool {
		status, _ := s.Get(t, "/healthz")
		return status == http.StatusServiceUnavailable && strings.Contains(s.Compose(t, "ps", "app"), "unhealthy")
	})

	byHand(t, s, "1.5.0", "2.0.0")
	await(t, s, "2.0.0 asks for its variable", func() bool {
		return strings.Contains(s.Compose(t, "logs", "app"), "LEDGER_SIGNING_KEY is missing")
	})
}

// byHand is what people do without belay.
func byHand(t *testing.T, s *rig.Stack, from, to string) {
	t.Helper()
	file := s.Path("compose.yaml")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	edited := strings.Replace(string(b), "ledger:"+from, "ledger:"+to, 1)
	if err := os.WriteFile(file, []byte(edited), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Compose(t, "up", "--detach", "--quiet-pull")
}

func serves(t *testing.T, s *rig.Stack, version string) bool {
	t.Helper()
	status, body := s.Get(t, "/healthz")
	return status == http.StatusOK && strings.Contains(body, `"version":"`+version+`"`)
}

// await polls a condition; a minute is far more than anything here takes.
func await(t *testing.T, s *rig.Stack, what string, cond func() bool) {
	t.Helper()
	limit := time.NewTimer(time.Minute)
	defer limit.Stop()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatalf("never: %s\n%s", what, s.Compose(t, "logs", "--tail=30"))
		}
	}
}

// differs fails the test when one of the parts is as it was.
func differs(t *testing.T, before, after rig.State, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if len(rig.Diff(before, after, p)) == 0 {
			t.Errorf("the comparison sees no difference in %s", p)
		}
	}
}
