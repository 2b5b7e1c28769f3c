package upgrade_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"belay/dockerx/compose"
	"belay/dockerx/local"
	"belay/dockerx/local/demo"
	"belay/dockerx/tree"
	"belay/releases"
	"belay/releases/github"
	"belay/steps"
	"belay/steps/journal"
	"belay/steps/upgrade"
)

// The embedded engine starts this very program for its services.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case local.Command:
			os.Exit(local.Main(os.Args[2:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
		case "__tree":
			os.Exit(tree.Main(os.Args[2:], os.Stdin, os.Stdout, os.Stderr))
		}
	}
	os.Exit(m.Run())
}

// forge serves the demo's own notes; the real client is tested elsewhere.
type forge []demo.Release

func (f forge) List(context.Context, string) (github.Listing, error) {
	var out github.Listing
	for _, r := range f {
		out.Releases = append(out.Releases, releases.Release{Tag: r.Tag, Name: r.Name, Body: r.Body, URL: r.URL, Published: r.Published, Prerelease: r.Prerelease})
	}
	return out, nil
}

type rig struct {
	t     *testing.T
	stack *demo.Stack
	s     *upgrade.Session
	state string
	calm  time.Duration // of the health gate
}

func newRig(t *testing.T, fail string) *rig {
	t.Helper()
	dir := t.TempDir()
	stack, err := demo.Make(t.Context(), filepath.Join(dir, "stack"), demo.Options{Fail: fail, Fast: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stack.Close(); err != nil {
			t.Error(err)
		}
	})
	r := &rig{t: t, stack: stack, state: filepath.Join(dir, "state"), calm: 300 * time.Millisecond}
	if fail == "crash" {
		r.calm = 6 * time.Second // it crashes four seconds after it was ready
	}
	r.s = r.session()
	return r
}

// session is what a new start of belay has: nothing but what is on disk.
func (r *rig) session() *upgrade.Session {
	store, err := journal.OpenStore(r.state)
	if err != nil {
		r.t.Fatal(err)
	}
	return upgrade.NewSession(upgrade.Deps{
		Engine: r.stack.Engine, Compose: r.stack.Engine, Registry: r.stack.Engine, Forge: forge(r.stack.Releases),
		Store: store, HTTP: &http.Client{}, Load: compose.Options{Dir: r.stack.Project},
		Now: time.Now, After: time.After, Command: "belay", Version: "test",
		Free:   func(string) (int64, int64, error) { return 1 << 40, 1 << 41, nil },
		Timing: upgrade.Timing{Window: r.calm, Limit: 2 * time.Second, Tick: 50 * time.Millisecond},
	})
}

func (r *rig) plan(to string) *steps.Plan {
	r.t.Helper()
	p, err := r.s.Plan(r.t.Context(), upgrade.Wish{To: to})
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

func (r *rig) run(to string, policy steps.Policy) steps.Outcome {
	r.t.Helper()
	run, err := r.s.Upgrade(r.t.Context(), r.plan(to), policy)
	if err != nil {
		r.t.Fatal(err)
	}
	return r.finish(run)
}

func (r *rig) finish(run *steps.Run) steps.Outcome {
	r.t.Helper()
	select {
	case <-run.Done():
	case <-time.After(2 * time.Minute):
		r.t.Fatal("the run does not end")
	}
	if r.t.Failed() || run.Outcome().Exit != 0 {
		for _, e := range run.Stream().Drain().States {
			r.t.Logf("%-16s %-8s %s %s", e.Step, e.Kind, e.Title, e.Text)
		}
	}
	return run.Outcome()
}

// seen is what a user sees of the stack: files, version and notes.
func (r *rig) seen() string {
	r.t.Helper()
	var b bytes.Buffer
	for _, name := range []string{"compose.yaml", ".env"} {
		data, err := os.ReadFile(filepath.Join(r.stack.Project, name))
		if err != nil {
			r.t.Fatal(err)
		}
		b.Write(data)
	}
	for _, path := range []string{"/health", "/api/notes?limit=100000"} {
		req, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, r.stack.URL+path, nil)
		if err != nil {
			r.t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			r.t.Fatal(err)
		}
		_, _ = b.ReadFrom(resp.Body)
		_ = resp.Body.Close()
	}
	return b.String()
}

func (r *rig) version() string {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, r.stack.URL+"/health", nil)
	if err != nil {
		r.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var doc struct {
		Version string `json:"version"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&doc); err != nil {
		r.t.Fatal(err)
	}
	return doc.Version
}

func TestChoicesNotesAndPlan(t *testing.T) {
	r := newRig(t, "")
	before := r.seen()
	st, err := r.s.Inspect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if st.Version.Text != demo.Installed || len(st.Databases) != 1 || len(st.Stores) == 0 {
		t.Errorf("%+v", st)
	}
	c, err := r.s.Choices(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, x := range c.Rows {
		rows = append(rows, fmt.Sprintf("%s %s %d", x.Level, x.Version, x.Crossed))
	}
	if got := strings.Join(rows, ", "); got != "patch 1.2.5 2, minor 1.3.0 3, major 2.0.0 4" || c.Default != "1.2.5" {
		t.Errorf("rows %s, default %s", got, c.Default)
	}
	report, err := r.s.Notes(t.Context(), "1.3.0")
	if err != nil {
		t.Fatal(err)
	}
	breaking := report.Breaking()
	if report.Have != 3 || report.Of != 3 || len(breaking) == 0 || len(breaking[0].Concerns) == 0 || breaking[0].Concerns[0].Line == 0 {
		t.Errorf("%d of %d, %+v", report.Have, report.Of, breaking)
	}
	p := r.plan("v1.3.0")
	if len(p.Edits) != 1 || !strings.Contains(p.Edits[0].After, "1.3.0") || p.Group[0].Digest == "" || p.Budget.Backup <= 0 {
		t.Errorf("%+v", p)
	}
	if r.seen() != before {
		t.Error("looking changed something")
	}
}

func TestUpgradeAndBackByHand(t *testing.T) {
	r := newRig(t, "")
	before := r.seen()
	if o := r.run("1.3.0", steps.AutoRollback); o.Result != steps.Upgraded || o.Exit != 0 {
		t.Fatalf("%+v", o)
	}
	if v := r.version(); v != "1.3.0" {
		t.Fatalf("runs %s", v)
	}
	if _, err := r.s.Plan(t.Context(), upgrade.Wish{To: "1.3.0"}); err == nil {
		t.Error("a plan to the installed version")
	}
	r.s = r.session()
	past, err := r.s.History(t.Context())
	if err != nil || len(past) != 1 || !past[0].Restores || past[0].Proof == "" {
		t.Fatalf("%+v %v", past, err)
	}
	run, err := r.s.Rollback(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if o := r.finish(run); o.Result != steps.RolledBack || o.Exit != steps.ExitOK {
		t.Fatalf("%+v", o)
	}
	if after := r.seen(); after != before {
		t.Error("not as before")
	}
	if _, err := r.s.Rollback(t.Context(), ""); err == nil {
		t.Error("a second rollback of the same run")
	}
}

// Whatever goes wrong behind the switch, files, version and every note are as before.
func TestFailedUpgradesComeBack(t *testing.T) {
	for _, fail := range demo.Failures() {
		t.Run(fail, func(t *testing.T) {
			r := newRig(t, fail)
			before := r.seen()
			o := r.run("1.3.0", steps.AutoRollback)
			if o.Result != steps.RolledBack || o.Exit != steps.ExitRolled || len(o.Proof) == 0 {
				t.Fatalf("%+v", o)
			}
			if after := r.seen(); after != before {
				t.Error("not as before")
			}
			failed, err := filepath.Glob(filepath.Join(filepath.Dir(o.Backup), "failed", "*"))
			if err != nil || len(failed) == 0 {
				t.Errorf("the failed state is not kept: %v %v", failed, err)
			}
		})
	}
}

func TestKeptFailureGoesBackLater(t *testing.T) {
	r := newRig(t, "health")
	before := r.seen()
	o := r.run("1.3.0", steps.AutoKeep)
	if o.Result != steps.NeedsOperator || o.Exit != steps.ExitOperator || o.Next != "belay rollback" {
		t.Fatalf("%+v", o)
	}
	r.s = r.session()
	open, err := r.s.Interrupted(t.Context())
	if err != nil || open == nil || open.Advice != "rollback" || len(open.Truth) == 0 {
		t.Fatalf("%+v %v", open, err)
	}
	if _, err := r.s.Upgrade(t.Context(), r.plan("2.0.0"), steps.AutoRollback); err == nil {
		t.Error("a second run while one is open")
	}
	run, err := r.s.Rollback(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if o := r.finish(run); o.Result != steps.RolledBack || o.Exit != steps.ExitOK {
		t.Fatalf("%+v", o)
	}
	if r.seen() != before {
		t.Error("not as before")
	}
}

func TestRefusals(t *testing.T) {
	r := newRig(t, "")
	before := r.seen()
	for _, to := range []string{"9.9.9", "latest", "1.2.2", "-rf"} {
		if _, err := r.s.Plan(t.Context(), upgrade.Wish{To: to}); err == nil {
			t.Errorf("a plan to %q", to)
		}
	}
	env := filepath.Join(r.stack.Project, ".env")
	p := r.plan("1.3.0")
	data, err := os.ReadFile(env)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(env, append(data, "# edited meanwhile\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	run, err := r.s.Upgrade(t.Context(), p, steps.AutoRollback)
	if err != nil {
		t.Fatal(err)
	}
	if o := r.finish(run); o.Exit != steps.ExitRefused {
		t.Errorf("%+v", o)
	}
	if err := os.WriteFile(env, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if r.seen() != before {
		t.Error("a refusal changed something")
	}
}

// A required stop in the recipe is named; what a recipe asks for and belay does
// not do is refused, not skipped.
func TestRecipeRulesOfTheWay(t *testing.T) {
	r := newRig(t, "")
	path := filepath.Join(r.stack.Project, "belay.yaml")
	known, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for extra, says := range map[string]string{
		"route: [{via: \"1.2.5\", before: \"1.3.0\"}]\n": "1.2.5",
		"hooks: {before_stop: [rclone, sync]}\n":         "hooks",
		"group: [app, nobody]\n":                         "nobody",
	} {
		if err := os.WriteFile(path, append(known[:len(known):len(known)], extra...), 0o600); err != nil {
			t.Fatal(err)
		}
		r.s = r.session()
		if _, err := r.s.Plan(t.Context(), upgrade.Wish{To: "1.3.0"}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", extra, err)
		}
		if _, err := r.s.Plan(t.Context(), upgrade.Wish{To: "1.2.5"}); says == "1.2.5" && err != nil {
			t.Errorf("the stop itself: %v", err)
		}
	}
}
