package start_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"belay/dockerx"
	"belay/dockerx/compose"
	"belay/steps"
	"belay/steps/drain"
	"belay/steps/start"
)

// stack is an engine and a compose in one, with the history of what was asked.
type stack struct {
	cs     []dockerx.Container
	images map[string]string // ref → image ID
	up     func(s *stack)    // what `up` makes of the containers
	did    []string
	err    map[string]error
}

// newStack is an app with a worker on version 1, a database and a proxy beside
// them, whose `up` recreates the app and the worker from version 2.
func newStack() *stack {
	return &stack{
		images: map[string]string{"r/app:2": "sha256:two", "r/worker:2": "sha256:two-w"},
		err:    map[string]error{},
		up:     func(s *stack) { s.recreate("app", "sha256:two"); s.recreate("worker", "sha256:two-w") },
		cs: []dockerx.Container{
			{ID: "a", Name: "p-app-1", Service: "app", State: dockerx.Running, RestartPolicy: "always", ImageID: "sha256:one", ConfigHash: "one"},
			{ID: "w", Name: "p-worker-1", Service: "worker", State: dockerx.Running, RestartPolicy: "always", ImageID: "sha256:one-w", ConfigHash: "one-w"},
			{ID: "x", Name: "p-proxy-1", Service: "proxy", State: dockerx.Running, RestartPolicy: "on-failure"},
			{ID: "s", Name: "p-spare-1", Service: "spare", State: dockerx.Exited, RestartPolicy: "always"},
			{ID: "d", Name: "p-db-1", Service: "db", State: dockerx.Running, RestartPolicy: "unless-stopped"},
		},
	}
}

func (s *stack) plan() *steps.Plan {
	return &steps.Plan{
		Project: "p", From: "1", To: "2", Stop: []string{"app", "worker", "proxy", "spare", "db"},
		Group: []steps.Target{
			{Service: "app", OldImage: "sha256:one", OldHash: "one", NewRef: "r/app:2"},
			{Service: "worker", OldImage: "sha256:one-w", OldHash: "one-w", NewRef: "r/worker:2"},
		},
		Databases: []steps.Database{
			{Kind: "postgres", Service: "db", Name: "one"},
			{Kind: "postgres", Service: "db", Name: "two"},
			{Kind: "sqlite", Service: "app"},
		},
	}
}

// stopped is the stack as the stop step leaves it, with that step's record in dir.
func (s *stack) stopped(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	d := drain.Deps{Engine: s, Compose: s, Model: &compose.Project{}, Dir: dir}
	if err := drain.New(d, s.plan()).Do(t.Context(), steps.NewReporter(steps.Stop, nil, nil)); err != nil {
		t.Fatal(err)
	}
	s.did = nil
	return dir
}

func (s *stack) deps(dir string) start.Deps {
	return start.Deps{Engine: s, Compose: s, Dir: dir, Model: func(context.Context) (*compose.Project, error) {
		return &compose.Project{Name: "edited"}, s.err["model"]
	}}
}

func (s *stack) do(t *testing.T) error {
	t.Helper()
	dir := s.stopped(t)
	return start.New(s.deps(dir), s.plan()).Do(t.Context(), steps.NewReporter(steps.Start, nil, nil))
}

func (s *stack) find(service string) *dockerx.Container {
	return &s.cs[slices.IndexFunc(s.cs, func(c dockerx.Container) bool { return c.Service == service })]
}

func (s *stack) recreate(service, image string) {
	c := s.find(service)
	c.ID, c.State, c.RestartPolicy = c.ID+"2", dockerx.Running, "always"
	c.ImageID, c.ConfigHash = image, image
}

func (s *stack) names() []string {
	var out []string
	for _, c := range s.cs {
		out = append(out, c.Name)
	}
	return out
}

func (s *stack) change(id string, f func(c *dockerx.Container)) {
	for i := range s.cs {
		if s.cs[i].ID == id {
			f(&s.cs[i])
		}
	}
}

func (s *stack) Containers(context.Context, string) ([]dockerx.Container, error) {
	return slices.Clone(s.cs), s.err["list"]
}

func (s *stack) Image(_ context.Context, ref string) (dockerx.Image, error) {
	id, ok := s.images[ref]
	if !ok {
		return dockerx.Image{}, dockerx.ErrNotFound
	}
	return dockerx.Image{ID: id}, nil
}

func (s *stack) SetRestart(_ context.Context, id, policy string) error {
	s.did = append(s.did, "policy "+id+" "+policy)
	s.change(id, func(c *dockerx.Container) { c.RestartPolicy = policy })
	return nil
}

func (s *stack) StartContainer(_ context.Context, id string) error {
	s.did = append(s.did, "start "+id)
	s.change(id, func(c *dockerx.Container) { c.State = dockerx.Running })
	return s.err["start "+id]
}

func (s *stack) RenameContainer(_ context.Context, id, name string) error {
	if slices.Contains(s.names(), name) {
		return errors.New("the name is in use")
	}
	s.did = append(s.did, "rename "+id+" "+name)
	s.change(id, func(c *dockerx.Container) { c.Name = name })
	return s.err["rename"]
}

func (s *stack) Stop(_ context.Context, _ *compose.Project, services []string, _ time.Duration, _ func(string)) error {
	s.find(services[0]).State = dockerx.Exited
	return nil
}

func (s *stack) Up(_ context.Context, p *compose.Project, spec compose.UpSpec, on func(string)) error {
	words := append([]string{"up", p.Name}, spec.Services...)
	if spec.NoDeps {
		words = append(words, "alone")
	}
	s.did = append(s.did, strings.Join(words, " "))
	on("Container p-app-1 Started")
	if s.err["up"] == nil {
		s.up(s)
	}
	return s.err["up"]
}

func TestDatabasesWakeFirstThenTheAppThenTheOthers(t *testing.T) {
	s := newStack()
	dir := s.stopped(t)
	var said []string
	r := steps.NewReporter(steps.Start, func(e steps.Event) { said = append(said, e.Text) }, nil)
	if err := start.New(s.deps(dir), s.plan()).Do(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"policy d unless-stopped", "start d", "up edited app worker alone",
		"policy s always", "policy x on-failure", "start x",
	}
	if !slices.Equal(s.did, want) {
		t.Errorf("did %q", s.did)
	}
	if !slices.Contains(said, "Container p-app-1 Started") {
		t.Errorf("what compose says is lost: %q", said)
	}
	if got := s.find("spare").State; got != dockerx.Exited {
		t.Errorf("what stood still before is %s", got)
	}
}

// After a crash the step runs again, over containers that are there already.
func TestDoingItAgainStartsNothingTwice(t *testing.T) {
	s := newStack()
	dir := s.stopped(t)
	step := start.New(s.deps(dir), s.plan())
	r := steps.NewReporter(steps.Start, nil, nil)
	if err := step.Do(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	s.did, s.up = nil, func(*stack) {}
	if err := step.Do(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if want := []string{"up edited app worker alone"}; !slices.Equal(s.did, want) {
		t.Errorf("did %q", s.did)
	}
}

// A member of the group that is at the target already keeps its container, which
// `up` only starts: it would not come back after the host's next restart.
func TestMemberThatWasThereAlreadyGetsItsPolicyBack(t *testing.T) {
	s := newStack()
	s.images["r/worker:2"] = "sha256:one-w"
	s.up = func(s *stack) { s.recreate("app", "sha256:two"); s.find("worker").State = dockerx.Running }
	if err := s.do(t); err != nil {
		t.Fatal(err)
	}
	if got := s.find("worker").RestartPolicy; got != "always" {
		t.Errorf("the worker's restart policy is %q", got)
	}
	if slices.Contains(s.did, "start w") || slices.ContainsFunc(s.did, func(d string) bool { return strings.HasPrefix(d, "policy a2") }) {
		t.Errorf("did %q", s.did)
	}
}

func TestDatabaseInsideTheGroupComesUpWithIt(t *testing.T) {
	s := newStack()
	p := s.plan()
	p.Group = append(p.Group, steps.Target{Service: "db", NewRef: "r/app:2"})
	if err := start.WakeDatabases(t.Context(), s.deps(s.stopped(t)), p); err != nil || len(s.did) != 0 {
		t.Errorf("%v %q", err, s.did)
	}
}

func TestHalfMadeContainersGetTheirName(t *testing.T) {
	const half = "0123456789ab_"
	for name, c := range map[string]struct {
		project string
		names   []string
		want    []string
	}{
		"free":                       {"p", []string{half + "p-app-1"}, []string{"p-app-1"}},
		"taken":                      {"p", []string{half + "p-app-1", "p-app-1"}, []string{half + "p-app-1", "p-app-1"}},
		"taken by the first of two":  {"p", []string{half + "p-app-1", "ba9876543210_p-app-1"}, []string{"p-app-1", "ba9876543210_p-app-1"}},
		"eleven digits":              {"p", []string{"0123456789a_app"}, []string{"0123456789a_app"}},
		"no hex":                     {"p", []string{"0123456789xy_app"}, []string{"0123456789xy_app"}},
		"nothing behind":             {"p", []string{half}, []string{half}},
		"project of 12 digits":       {"0123456789ab", []string{half + "app_1"}, []string{half + "app_1"}},
		"half made in such a one":    {"0123456789ab", []string{"ba9876543210_" + half + "app_1"}, []string{half + "app_1"}},
		"such a one without a digit": {"p", []string{"my_p-app-1"}, []string{"my_p-app-1"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStack()
			s.up = func(s *stack) {
				s.cs = nil
				for i, n := range c.names {
					s.cs = append(s.cs, dockerx.Container{ID: string(rune('1' + i)), Name: n, Service: "app", State: dockerx.Running, ImageID: "sha256:two"})
				}
			}
			dir := s.stopped(t)
			p := s.plan()
			p.Project, p.Group = c.project, p.Group[:1]
			if err := start.New(s.deps(dir), p).Do(t.Context(), steps.NewReporter(steps.Start, nil, nil)); err != nil {
				t.Fatal(err)
			}
			if got := s.names(); !slices.Equal(got, c.want) {
				t.Errorf("names %q, want %q", got, c.want)
			}
		})
	}
}

func TestUpThatDoesNotBringThePlannedImageIsAnError(t *testing.T) {
	for name, up := range map[string]func(s *stack){
		"another image": func(s *stack) { s.recreate("app", "sha256:two"); s.recreate("worker", "sha256:three") },
		"old image":     func(*stack) {},
		"only created": func(s *stack) {
			s.recreate("app", "sha256:two")
			s.recreate("worker", "sha256:two-w")
			s.find("worker").State = dockerx.Created
		},
		"gone": func(s *stack) { s.cs = nil },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStack()
			s.up = up
			if err := s.do(t); err == nil || !strings.Contains(err.Error(), "planned image") {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestFailuresStopWhereTheyHappen(t *testing.T) {
	for fails, c := range map[string]struct {
		last string // the last thing done
		says string
	}{
		"model":   {"", "broken"},
		"start d": {"start d", "start db"},
		"up":      {"up edited app worker alone", "start 2"},
		"rename":  {"rename a2 p-app-1", "rename 0123456789ab_p-app-1"},
		"start x": {"start x", "start proxy"},
	} {
		t.Run(fails, func(t *testing.T) {
			s := newStack()
			broken := errors.New("broken")
			s.err[fails] = broken
			if fails == "rename" {
				s.find("app").Name = "0123456789ab_p-app-1"
			}
			err := s.do(t)
			if !errors.Is(err, broken) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v", err)
			}
			if len(s.did) == 0 && c.last != "" || len(s.did) > 0 && s.did[len(s.did)-1] != c.last {
				t.Errorf("did %q", s.did)
			}
		})
	}
}

func TestObserve(t *testing.T) {
	for name, c := range map[string]struct {
		change func(s *stack)
		want   steps.Observation
		fails  bool
	}{
		"before":          {func(*stack) {}, steps.NotDone, false},
		"one of two":      {func(s *stack) { s.recreate("app", "sha256:two") }, steps.Partial, false},
		"both":            {func(s *stack) { s.up(s) }, steps.Done, false},
		"both, one ended": {func(s *stack) { s.up(s); s.find("worker").State = dockerx.Exited }, steps.Done, false},
		"only created":    {func(s *stack) { s.up(s); s.find("worker").State = dockerx.Created }, steps.Partial, false},
		"only a one-off":  {func(s *stack) { s.up(s); s.find("worker").OneOff = true }, steps.Partial, false},
		"another service": {func(s *stack) { s.find("proxy").ImageID = "sha256:two" }, steps.NotDone, false},
		"no answer":       {func(s *stack) { s.err["list"] = dockerx.ErrUnreachable }, steps.Unclear, true},
		"no image":        {func(s *stack) { delete(s.images, "r/worker:2") }, steps.Unclear, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStack()
			c.change(s)
			o, err := start.New(s.deps(t.TempDir()), s.plan()).Observe(t.Context())
			if o != c.want || (err != nil) != c.fails || len(s.did) != 0 {
				t.Errorf("observed %q (%v), want %q; did %q", o, err, c.want, s.did)
			}
		})
	}
}

func TestUndoIsLeftToTheRollback(t *testing.T) {
	s := newStack()
	if err := start.New(s.deps(t.TempDir()), s.plan()).Undo(t.Context(), steps.NewReporter(steps.Start, nil, nil)); err != nil || len(s.did) != 0 {
		t.Errorf("%v %q", err, s.did)
	}
}
