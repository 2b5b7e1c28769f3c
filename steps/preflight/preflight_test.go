package preflight_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"belay/dockerx"
	"belay/dockerx/compose"
	"belay/steps"
	"belay/steps/preflight"
)

// host is what the checks look at, as it stands when nothing is in the way.
type host struct {
	info    dockerx.EngineInfo
	cs      []dockerx.Container
	free    int64
	err     map[string]error
	asked   []string
	changed string // text of the compose file, "" as planned
	plan    steps.Plan
}

func newHost(t *testing.T) *host {
	t.Helper()
	path := filepath.Join(t.TempDir(), "compose.yaml")
	return &host{
		info: dockerx.EngineInfo{ID: "E", Name: "hall"}, free: 1_100_000_000, err: map[string]error{},
		cs: []dockerx.Container{
			{ID: "a", Service: "app", ImageID: "sha256:one", State: dockerx.Running},
			{ID: "o", Service: "app", ImageID: "sha256:zero", OneOff: true},
		},
		plan: steps.Plan{
			Engine: "E", BackupDir: "/srv/points", Budget: steps.Budget{Backup: 1_000_000_000},
			Group: []steps.Target{{Service: "app", OldImage: "sha256:one"}, {Service: "fresh"}},
			Edits: []compose.Edit{{Path: path, Line: 7, Old: []byte("old"), New: []byte("new")}},
			Databases: []steps.Database{
				{Kind: "sqlite", Service: "app", Path: "app.db"},
				{Kind: "postgres", Service: "db", Name: "shop", User: "anna", Dumpable: true},
			},
		},
	}
}

func (h *host) Info(context.Context) (dockerx.EngineInfo, error) { return h.info, h.err["info"] }

func (h *host) Containers(context.Context, string) ([]dockerx.Container, error) {
	return h.cs, h.err["list"]
}

func (h *host) do(t *testing.T, r *steps.Reporter) error {
	t.Helper()
	text := "old"
	if h.changed != "" {
		text = h.changed
	}
	if err := os.WriteFile(h.plan.Edits[0].Path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d := preflight.Deps{
		Engine: h,
		Free: func() (int64, int64, error) {
			h.asked = append(h.asked, "free")
			return h.free, 2 * h.free, h.err["free"]
		},
		Login: func(_ context.Context, db steps.Database) error {
			h.asked = append(h.asked, "login "+db.Service)
			return h.err["login"]
		},
	}
	return preflight.New(d, &h.plan).Do(t.Context(), r)
}

func TestNothingInTheWay(t *testing.T) {
	h := newHost(t)
	h.plan.Warnings = []string{"mind the gap"}
	var warned []string
	facts := map[string]string{}
	r := steps.NewReporter(steps.Preflight, func(e steps.Event) { warned = append(warned, e.Text) }, func(k, v string) { facts[k] = v })
	if err := h.do(t, r); err != nil {
		t.Fatal(err)
	}
	if want := []string{"free", "login db"}; !slices.Equal(h.asked, want) {
		t.Errorf("asked %q", h.asked)
	}
	if !slices.Equal(warned, h.plan.Warnings) || facts["summary"] == "" {
		t.Errorf("warned %q, facts %v", warned, facts)
	}
}

func TestRefusals(t *testing.T) {
	denied := errors.New("psql ended with 2: password authentication failed")
	for name, c := range map[string]struct {
		change func(h *host)
		says   []string
		next   string
		cause  error
	}{
		"engine gone":            {func(h *host) { h.err["info"] = dockerx.ErrUnreachable }, []string{"does not answer"}, "belay doctor", dockerx.ErrUnreachable},
		"engine gone in between": {func(h *host) { h.err["list"] = dockerx.ErrUnreachable }, []string{"does not answer"}, "belay doctor", dockerx.ErrUnreachable},
		"another engine":         {func(h *host) { h.info.ID = "F" }, []string{"hall", "another"}, "belay plan", nil},
		"file edited":            {func(h *host) { h.changed = "mine" }, []string{"compose.yaml:7", "edited"}, "belay plan", nil},
		"file edited as planned": {func(h *host) { h.changed = "new" }, []string{"compose.yaml:7", "edited"}, "belay plan", nil},
		"another image":          {func(h *host) { h.cs[0].ImageID = "sha256:two" }, []string{"app", "another image"}, "belay plan", nil},
		"container gone":         {func(h *host) { h.cs = h.cs[1:] }, []string{"app", "gone"}, "belay status", nil},
		"no room": {
			func(h *host) { h.free = 1_099_999_999 },
			[]string{"needs up to 1.1 GB", "/srv/points has 1.1 GB free"},
			"belay upgrade --backup-dir DIR", dockerx.ErrNoSpace,
		},
		"far too little room": {
			func(h *host) { h.free = 20_000_000 },
			[]string{"needs up to 1.1 GB", "/srv/points has 20 MB free"},
			"belay upgrade --backup-dir DIR", dockerx.ErrNoSpace,
		},
		"no such place":  {func(h *host) { h.err["free"] = os.ErrPermission }, []string{"/srv/points", "cannot be written"}, "belay upgrade --backup-dir DIR", os.ErrPermission},
		"login refused":  {func(h *host) { h.err["login"] = denied }, []string{`"shop"`, "db", `"anna"`, "password authentication failed"}, "belay doctor", denied},
		"login's own no": {func(h *host) { h.err["login"] = &steps.RefusedError{Msg: "Not today.", Next: "belay wait"} }, []string{"Not today."}, "belay wait", nil},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t)
			c.change(h)
			facts := map[string]string{}
			err := h.do(t, steps.NewReporter(steps.Preflight, nil, func(k, v string) { facts[k] = v }))
			var refused *steps.RefusedError
			if !errors.As(err, &refused) {
				t.Fatalf("no refusal: %v", err)
			}
			if refused.Exit() != steps.ExitRefused || refused.Next != c.next || len(facts) != 0 {
				t.Errorf("exit %d, next %q, facts %v", refused.Exit(), refused.Next, facts)
			}
			for _, s := range c.says {
				if !strings.Contains(refused.Msg, s) {
					t.Errorf("%q does not say %q", refused.Msg, s)
				}
			}
			if !strings.HasSuffix(refused.Msg, ".") || strings.HasSuffix(refused.Msg, "..") || strings.Contains(refused.Msg, "\n") {
				t.Errorf("no sentence: %q", refused.Msg)
			}
			if c.cause != nil && !errors.Is(err, c.cause) {
				t.Errorf("the cause is lost: %v", err)
			}
		})
	}
}

// What a program says of itself may end in a full stop and go over lines.
func TestLoginRefusalStaysOneSentence(t *testing.T) {
	h := newHost(t)
	h.err["login"] = fmt.Errorf("psql ended with 2: %s", "no entry for host.\nDETAIL: none.\n")
	err := h.do(t, steps.NewReporter(steps.Preflight, nil, nil))
	if want := `The database "shop" in db does not let belay in as "anna": psql ended with 2: no entry for host.`; err == nil || err.Error() != want {
		t.Errorf("%q", err)
	}
}

func TestWithoutBackupNeitherRoomNorLoginMatter(t *testing.T) {
	h := newHost(t)
	h.plan.NoBackup = "I accept data loss"
	h.free, h.err["login"] = 0, errors.New("no")
	if err := h.do(t, steps.NewReporter(steps.Preflight, nil, nil)); err != nil || len(h.asked) != 0 {
		t.Errorf("%v, asked %q", err, h.asked)
	}
}

func TestUnknownSizeIsNoReasonToRefuse(t *testing.T) {
	h := newHost(t)
	h.plan.Budget.Backup, h.free = -1, 0
	if err := h.do(t, steps.NewReporter(steps.Preflight, nil, nil)); err != nil {
		t.Error(err)
	}
}

// It only read: there is nothing to do again and nothing to take back.
func TestLooksOnly(t *testing.T) {
	h := newHost(t)
	s := preflight.New(preflight.Deps{Engine: h}, &h.plan)
	if o, err := s.Observe(t.Context()); err != nil || o != steps.Done {
		t.Errorf("%s %v", o, err)
	}
	if err := s.Undo(t.Context(), steps.NewReporter(steps.Preflight, nil, nil)); err != nil || len(h.asked) != 0 {
		t.Errorf("%v %q", err, h.asked)
	}
}
