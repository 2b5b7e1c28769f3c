// Package migrate runs a recipe's explicit migration command in the new image,
// before the new app serves. It must not know what the command does; its exit
// code is the verdict.
package migrate

import (
	"context"
	"fmt"
	"strings"

	"belay/dockerx/compose"
	"belay/steps"
)

// Composer runs one-off commands.
type Composer interface {
	Run(ctx context.Context, p *compose.Project, service string, argv []string, on func(line string)) (int, error)
}

// Waker starts the databases the command needs.
type Waker func(ctx context.Context) error

type migrate struct {
	compose Composer
	model   func(ctx context.Context) (*compose.Project, error)
	wake    Waker
	plan    *steps.Plan
}

// New makes the step. model loads the project anew, since its files have changed.
func New(c Composer, model func(ctx context.Context) (*compose.Project, error), wake Waker, p *steps.Plan) steps.Step {
	return &migrate{c, model, wake, p}
}

func (s *migrate) ID() steps.ID  { return steps.Migrate }
func (s *migrate) Title() string { return "migrate with " + s.plan.Migrate.Service }

func (s *migrate) Do(ctx context.Context, r *steps.Reporter) error {
	model, err := s.model(ctx)
	if err != nil {
		return err
	}
	if err := s.wake(ctx); err != nil {
		return err
	}
	cmd := s.plan.Migrate
	var last []string
	code, err := s.compose.Run(ctx, model, cmd.Service, cmd.Argv, func(line string) {
		r.Log(cmd.Service, line)
		if line = strings.TrimSpace(line); line == "" {
			return
		}
		if last = append(last, line); len(last) > 3 {
			last = last[1:]
		}
	})
	if err != nil {
		return fmt.Errorf("run the migration: %w", err)
	}
	if code != 0 && len(last) == 0 {
		return fmt.Errorf("the migration ended with exit code %d and said nothing", code)
	}
	if code != 0 {
		return fmt.Errorf("the migration ended with exit code %d: %s", code, strings.Join(last, " / "))
	}
	r.Fact("exit", "0")
	return nil
}

// Observe never claims done: only the exit code says so, and that is in the journal.
func (s *migrate) Observe(context.Context) (steps.Observation, error) { return steps.NotDone, nil }

// Undo is the rollback's work: what a migration did to the data only a restore takes back.
func (s *migrate) Undo(context.Context, *steps.Reporter) error { return nil }
