// Package pin writes the new version into the file that holds it. It must not
// know how the place was found; the edits of the plan are proven already.
package pin

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"belay/dockerx/compose"
	"belay/steps"
)

type pin struct{ plan *steps.Plan }

// New makes the step that applies the plan's edits.
func New(p *steps.Plan) steps.Step { return &pin{p} }

func (s *pin) ID() steps.ID { return steps.Pin }

func (s *pin) Title() string {
	var names []string
	for _, e := range s.plan.Edits {
		if n := filepath.Base(e.Path); !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	if len(names) == 0 {
		return "edit nothing"
	}
	return "edit " + strings.Join(names, ", ")
}

func (s *pin) Do(_ context.Context, r *steps.Reporter) error {
	for _, e := range s.plan.Edits {
		if err := e.Apply(); err != nil {
			return fmt.Errorf("edit %s: %w", e.Path, err)
		}
	}
	for _, e := range s.plan.Edits {
		r.Fact("summary", fmt.Sprintf("%s:%d", filepath.Base(e.Path), e.Line))
	}
	return nil
}

func (s *pin) Observe(context.Context) (steps.Observation, error) {
	applied := 0
	for _, e := range s.plan.Edits {
		state, err := e.State()
		if err != nil {
			return steps.Unclear, fmt.Errorf("look at %s: %w", e.Path, err)
		}
		switch state {
		case compose.EditNew:
			applied++
		case compose.EditForeign:
			return steps.Foreign, nil
		case compose.EditOld:
		}
	}
	switch applied {
	case len(s.plan.Edits):
		return steps.Done, nil
	case 0:
		return steps.NotDone, nil
	default:
		return steps.Partial, nil
	}
}

func (s *pin) Undo(context.Context, *steps.Reporter) error {
	for _, e := range slices.Backward(s.plan.Edits) {
		if err := e.Revert(); err != nil {
			return fmt.Errorf("put %s back: %w", e.Path, err)
		}
	}
	return nil
}
