package watch_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"belay/dockerx"
	"belay/steps"
	"belay/steps/watch"
)

// stage plays a starting app: its lines, its containers and its work over time.
type stage struct {
	mu    sync.Mutex
	now   time.Time
	began time.Time
	lines []string
	read  chan struct{} // closed when the lines have been delivered
	once  sync.Once
	at    func(elapsed time.Duration) dockerx.Container
	cpu   float64
}

func newStage(at func(time.Duration) dockerx.Container, lines ...string) *stage {
	t := time.Date(2026, 11, 20, 20, 0, 0, 0, time.UTC)
	return &stage{now: t, began: t, at: at, lines: lines, read: make(chan struct{})}
}

func (s *stage) elapsed() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now.Sub(s.began)
}

func (s *stage) Containers(context.Context, string) ([]dockerx.Container, error) {
	c := s.at(s.elapsed())
	c.ID, c.Service = "1", "app"
	return []dockerx.Container{c}, nil
}

func (s *stage) Logs(ctx context.Context, _ string, _ dockerx.LogSpec, on func(dockerx.LogLine)) error {
	s.once.Do(func() {
		for i, l := range s.lines {
			on(dockerx.LogLine{Service: "app", Time: s.began.Add(time.Duration(i + 1)), Text: []byte(l)})
		}
		close(s.read)
	})
	<-ctx.Done()
	return ctx.Err()
}

func (s *stage) Usage(context.Context, string) (dockerx.Usage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.now.Sub(s.began)
	return dockerx.Usage{At: s.now, CPU: time.Duration(float64(d) * s.cpu)}, nil
}

func (s *stage) run(t *testing.T, p steps.Plan) error {
	t.Helper()
	p.To, p.Project, p.Group = "1.3.0", "app", []steps.Target{{Service: "app"}}
	r := steps.NewReporter(steps.Watch, nil, nil)
	step := watch.New(watch.Deps{
		Engine: s,
		Now:    func() time.Time { s.mu.Lock(); defer s.mu.Unlock(); return s.now },
		After: func(d time.Duration) <-chan time.Time {
			<-s.read // the log has been read before time goes on
			s.mu.Lock()
			s.now = s.now.Add(d)
			s.mu.Unlock()
			c := make(chan time.Time, 1)
			c <- time.Time{}
			return c
		},
	}, &p)
	return step.Do(t.Context(), r)
}

func running(time.Duration) dockerx.Container { return dockerx.Container{State: dockerx.Running} }

func TestReadyLineEndsTheWatch(t *testing.T) {
	s := newStage(running, "Running database migrations...", "Access Endpoint at https://x")
	if err := s.run(t, steps.Plan{Ready: []string{`^Access \w+`}}); err != nil {
		t.Fatal(err)
	}
	if s.elapsed() > 2*time.Second {
		t.Errorf("took %s", s.elapsed())
	}
}

func TestFailedAndDangerLinesFail(t *testing.T) {
	for _, p := range []steps.Plan{{Failed: []string{"migrations failed"}}, {Danger: []string{"migrations failed"}}} {
		s := newStage(running, "✗ ERROR: Database migrations failed!")
		if err := s.run(t, p); err == nil || !strings.Contains(err.Error(), "migrations failed") {
			t.Errorf("%v", err)
		}
	}
}

func TestCrashNamesItsCause(t *testing.T) {
	s := newStage(func(d time.Duration) dockerx.Container {
		return dockerx.Container{State: dockerx.Restarting, RestartPolicy: "always", RestartCount: int(d / (2 * time.Second)), ExitCode: 1}
	}, "starting", `ERROR 42P07 relation "slots" already exists`, "bye")
	err := s.run(t, steps.Plan{})
	if err == nil || !strings.Contains(err.Error(), "again and again") || !strings.Contains(err.Error(), "42P07") {
		t.Fatal(err)
	}
}

func TestHealthcheckIsWaitedFor(t *testing.T) {
	s := newStage(func(d time.Duration) dockerx.Container {
		c := dockerx.Container{State: dockerx.Running, HasHealthcheck: true, Health: dockerx.Starting}
		if d > 30*time.Second {
			c.Health = dockerx.Healthy
		}
		return c
	})
	if err := s.run(t, steps.Plan{}); err != nil {
		t.Fatal(err)
	}
	if s.elapsed() < 30*time.Second {
		t.Errorf("ended after %s", s.elapsed())
	}
}

// A migration of hours is left alone while it burns processor time; one that
// hangs leads to a question, whose answer here is the default: give up.
func TestMovingMigrationIsNeverTimedOut(t *testing.T) {
	at := func(d time.Duration) dockerx.Container {
		c := dockerx.Container{State: dockerx.Running, HasHealthcheck: true, Health: dockerx.Starting}
		if d > 3*time.Hour {
			c.Health = dockerx.Healthy
		}
		return c
	}
	busy := newStage(at)
	busy.cpu = 0.4
	if err := busy.run(t, steps.Plan{}); err != nil {
		t.Errorf("working: %v", err)
	}
	hung := newStage(at)
	if err := hung.run(t, steps.Plan{}); err == nil || hung.elapsed() > 5*time.Minute {
		t.Errorf("hanging: %v after %s", err, hung.elapsed())
	}
}
