package drain_test

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
)

// stack is an engine and a compose in one, with the history of what was asked.
type stack struct {
	cs  []dockerx.Container
	did []string
	err map[string]error
}

func newStack() *stack {
	return &stack{err: map[string]error{}, cs: []dockerx.Container{
		{ID: "a", Service: "app", State: dockerx.Running, RestartPolicy: "always"},
		{ID: "w", Service: "worker", State: dockerx.Exited, RestartPolicy: "unless-stopped"},
		{ID: "d", Service: "db", State: dockerx.Running, RestartPolicy: "unless-stopped"},
		{ID: "x", Service: "proxy", State: dockerx.Running, RestartPolicy: "always"},
	}}
}

func (s *stack) Containers(context.Context, string) ([]dockerx.Container, error) {
	return slices.Clone(s.cs), s.err["list"]
}

func (s *stack) SetRestart(_ context.Context, id, policy string) error {
	s.did = append(s.did, "policy "+id+" "+policy)
	for i := range s.cs {
		if s.cs[i].ID == id {
			s.cs[i].RestartPolicy = policy
		}
	}
	return s.err["policy"]
}

func (s *stack) StartContainer(_ context.Context, id string) error {
	s.did = append(s.did, "start "+id)
	for i := range s.cs {
		if s.cs[i].ID == id {
			s.cs[i].State = dockerx.Running
		}
	}
	return s.err["start"]
}

func (s *stack) Stop(_ context.Context, _ *compose.Project, services []string, timeout time.Duration, _ func(string)) error {
	s.did = append(s.did, "stop "+strings.Join(services, " ")+" "+timeout.String())
	for i := range s.cs {
		if slices.Contains(services, s.cs[i].Service) {
			s.cs[i].State = dockerx.Exited
		}
	}
	return s.err["stop "+services[0]]
}

func (s *stack) step(t *testing.T, dir string) steps.Step {
	t.Helper()
	d := drain.Deps{
		Engine: s, Compose: s, Dir: dir,
		Model:   &compose.Project{Services: []compose.Service{{Name: "app", StopGrace: 45 * time.Second}}},
		Between: func(context.Context, *steps.Reporter) error { s.did = append(s.did, "count"); return s.err["count"] },
	}
	return drain.New(d, &steps.Plan{
		Project: "p", From: "1.2.3", Stop: []string{"app", "worker", "db"},
		Group:     []steps.Target{{Service: "app"}, {Service: "worker"}},
		Databases: []steps.Database{{Kind: "postgres", Service: "db"}},
	})
}

func TestAppStopsFirstDatabaseLastAndNothingWakes(t *testing.T) {
	s := newStack()
	step := s.step(t, t.TempDir())
	if err := step.Do(t.Context(), steps.NewReporter(steps.Stop, nil, nil)); err != nil {
		t.Fatal(err)
	}
	want := []string{"policy a no", "policy w no", "policy d no", "stop app 45s", "stop worker 10s", "count", "stop db 1m0s"}
	if !slices.Equal(s.did, want) {
		t.Errorf("did %v", s.did)
	}
	if o, _ := step.Observe(t.Context()); o != steps.Done {
		t.Errorf("observed %s", o)
	}
	if s.cs[3].State != dockerx.Running {
		t.Error("a service outside the plan was touched")
	}
}

// Undo brings back what ran, as it ran: databases first, policies restored, and
// what stood still before stands still again. Also when the stop was cut short
// and tried again.
func TestUndoWakesWhatRan(t *testing.T) {
	s := newStack()
	dir := t.TempDir()
	s.err["stop db"] = errors.New("cut short")
	if err := s.step(t, dir).Do(t.Context(), steps.NewReporter(steps.Stop, nil, nil)); err == nil {
		t.Fatal("the error is lost")
	}
	delete(s.err, "stop db")
	step := s.step(t, dir)
	if err := step.Do(t.Context(), steps.NewReporter(steps.Stop, nil, nil)); err != nil {
		t.Fatal(err)
	}
	s.did = nil
	if err := step.Undo(t.Context(), steps.NewReporter(steps.Stop, nil, nil)); err != nil {
		t.Fatal(err)
	}
	want := []string{"policy d unless-stopped", "start d", "policy w unless-stopped", "policy a always", "start a"}
	if !slices.Equal(s.did, want) {
		t.Errorf("did %v", s.did)
	}
	if o, _ := step.Observe(t.Context()); o != steps.Partial {
		t.Errorf("observed %s", o)
	}
}

func TestUndoOfNothingDoesNothing(t *testing.T) {
	s := newStack()
	if err := s.step(t, t.TempDir()).Undo(t.Context(), steps.NewReporter(steps.Stop, nil, nil)); err != nil || len(s.did) != 0 {
		t.Errorf("%v %v", err, s.did)
	}
}

func TestFailedCountStopsBeforeTheDatabase(t *testing.T) {
	s := newStack()
	s.err["count"] = errors.New("login refused")
	err := s.step(t, t.TempDir()).Do(t.Context(), steps.NewReporter(steps.Stop, nil, nil))
	if err == nil || s.cs[2].State != dockerx.Running {
		t.Errorf("%v, db %s", err, s.cs[2].State)
	}
}
