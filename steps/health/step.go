package health

import (
	"context"
	"fmt"

	"belay/steps"
)

type step struct {
	gate *Gate
	plan *steps.Plan
}

// New makes the step that waits at the gate.
func New(g *Gate, p *steps.Plan) steps.Step { return &step{g, p} }

func (s *step) ID() steps.ID  { return steps.Health }
func (s *step) Title() string { return "check health" }

func (s *step) Do(ctx context.Context, r *steps.Reporter) error {
	signals, err := s.gate.Wait(ctx, r)
	if err != nil {
		return err
	}
	r.Fact("summary", fmt.Sprintf("%s, no restart in %s", steps.Plural(len(signals), "signal"), steps.Lasted(s.gate.Window)))
	return nil
}

// Observe never claims done: health is a matter of now.
func (s *step) Observe(context.Context) (steps.Observation, error) { return steps.NotDone, nil }

func (s *step) Undo(context.Context, *steps.Reporter) error { return nil }
