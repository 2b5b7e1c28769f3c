// Package drain stops what writes to the data, the app first and the database
// last, so that nothing wakes it again before belay says so. It must not know
// why it was stopped.
package drain

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"belay/dockerx"
	"belay/dockerx/compose"
	"belay/steps"
)

// Engine is what stopping and waking needs.
type Engine interface {
	Containers(ctx context.Context, project string) ([]dockerx.Container, error)
	SetRestart(ctx context.Context, id, policy string) error
	StartContainer(ctx context.Context, id string) error
}

// Composer stops services.
type Composer interface {
	Stop(ctx context.Context, p *compose.Project, services []string, timeout time.Duration, on func(line string)) error
}

// Deps is what the step works with. Between runs when the app is down and the
// databases are still up: the moment in which they can be counted.
type Deps struct {
	Engine  Engine
	Compose Composer
	Model   *compose.Project
	Dir     string // the run's directory
	Between func(ctx context.Context, r *steps.Reporter) error
}

type stop struct {
	Deps
	plan *steps.Plan
}

// New makes the step that stops the services of the plan in their order.
func New(d Deps, p *steps.Plan) steps.Step { return &stop{d, p} }

func (s *stop) ID() steps.ID  { return steps.Stop }
func (s *stop) Title() string { return "stop " + strings.Join(s.first(), ", ") }

func (s *stop) Do(ctx context.Context, r *steps.Reporter) error {
	containers, err := s.engineContainers(ctx)
	if err != nil {
		return err
	}
	before, err := remember(s.Dir, containers)
	if err != nil {
		return err
	}
	if err := before.sleep(ctx, s.Engine, containers); err != nil {
		return err
	}
	for i, group := range s.order() {
		if i == 1 && s.Between != nil {
			if err := s.Between(ctx, r); err != nil {
				return err
			}
		}
		for _, svc := range group {
			r.Progress(0, 0, "", "stopping "+svc)
			if err := s.Compose.Stop(ctx, s.Model, []string{svc}, s.patience(svc), func(string) {}); err != nil {
				return fmt.Errorf("stop %s: %w", svc, err)
			}
		}
	}
	return s.check(ctx, r)
}

// check sees that all of them have ended, and says so when one had to be killed.
func (s *stop) check(ctx context.Context, r *steps.Reporter) error {
	containers, err := s.engineContainers(ctx)
	if err != nil {
		return err
	}
	for _, c := range containers {
		if c.State == dockerx.Running || c.State == dockerx.Restarting || c.State == dockerx.Paused {
			return fmt.Errorf("%s is still %s after it was told to stop", c.Service, c.State)
		}
		if c.ExitCode == 137 && s.isDatabase(c.Service) {
			r.Warn(fmt.Sprintf("%s did not shut down in time and was killed; the copy is proven by opening it.", c.Service))
		}
	}
	return nil
}

func (s *stop) Observe(ctx context.Context) (steps.Observation, error) {
	containers, err := s.engineContainers(ctx)
	if err != nil {
		return steps.Unclear, err
	}
	up := 0
	for _, c := range containers {
		if c.State == dockerx.Running || c.State == dockerx.Restarting {
			up++
		}
	}
	switch {
	case up == 0:
		return steps.Done, nil
	case up < len(containers):
		return steps.Partial, nil
	default:
		return steps.NotDone, nil
	}
}

// Undo wakes what ran before, databases first.
func (s *stop) Undo(ctx context.Context, r *steps.Reporter) error {
	r.Progress(0, 0, "", "starting "+s.plan.From+" again")
	return Wake(ctx, s.Engine, s.Dir, s.plan.Project, slices.Backward(s.plan.Stop))
}

func (s *stop) engineContainers(ctx context.Context) ([]dockerx.Container, error) {
	all, err := s.Engine.Containers(ctx, s.plan.Project)
	if err != nil {
		return nil, fmt.Errorf("list containers: %w", err)
	}
	return slices.DeleteFunc(all, func(c dockerx.Container) bool {
		return c.OneOff || !slices.Contains(s.plan.Stop, c.Service)
	}), nil
}

// order splits the stop list into everything else and the databases.
func (s *stop) order() [2][]string {
	var out [2][]string
	for _, svc := range s.plan.Stop {
		if s.isDatabase(svc) {
			out[1] = append(out[1], svc)
		} else {
			out[0] = append(out[0], svc)
		}
	}
	return out
}

func (s *stop) first() []string {
	if o := s.order(); len(o[0]) > 0 {
		return o[0]
	}
	return s.plan.Stop
}

// isDatabase is about servers: an SQLite file stops with its app.
func (s *stop) isDatabase(svc string) bool {
	return slices.ContainsFunc(s.plan.Databases, func(d steps.Database) bool {
		return d.Service == svc && d.Kind != "sqlite"
	}) && !slices.ContainsFunc(s.plan.Group, func(t steps.Target) bool { return t.Service == svc })
}

// patience is how long a service may take to end: what the compose file grants,
// and never less than a minute for a database (ten seconds have killed many).
func (s *stop) patience(svc string) time.Duration {
	d := 10 * time.Second
	for _, m := range s.Model.Services {
		if m.Name == svc && m.StopGrace > 0 {
			d = m.StopGrace
		}
	}
	if s.isDatabase(svc) {
		d = max(d, time.Minute)
	}
	return d
}
