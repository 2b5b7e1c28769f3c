// Package pin writes the new version into the file that holds it. It must not
// know how the place was found; the edits of the plan are proven already.
package pin

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"belay/dockerx/compose"
	"belay/steps"
)

type pin struct {
	plan  *steps.Plan
	alien map[string]bool // files that Do found changed and never wrote to
}

// New makes the step that applies the plan's edits.
func New(p *steps.Plan) steps.Step { return &pin{plan: p} }

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

// Do looks at all files before it writes to the first: a change of somebody
// else's then leaves every file as it is.
func (s *pin) Do(_ context.Context, r *steps.Reporter) error {
	if err := s.look(); err != nil {
		return err
	}
	for _, e := range s.plan.Edits {
		if err := e.Apply(); err != nil {
			return fmt.Errorf("edit %s: %w", e.Path, err)
		}
	}
	var places []string
	for _, e := range s.plan.Edits {
		places = append(places, fmt.Sprintf("%s:%d", filepath.Base(e.Path), e.Line))
	}
	if len(places) > 0 {
		r.Fact("summary", strings.Join(places, ", "))
	}
	return nil
}

func (s *pin) look() error {
	s.alien = map[string]bool{}
	var errs []error
	for _, e := range s.plan.Edits {
		state, err := e.State()
		if err != nil {
			return fmt.Errorf("look at %s: %w", e.Path, err)
		}
		if state == compose.EditForeign {
			s.alien[e.Path] = true
			errs = append(errs, fmt.Errorf("edit %s: %w", e.Path, compose.ErrForeign))
		}
	}
	return errors.Join(errs...)
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

// Undo puts the old bytes back, in every file it can. A file that Do refused to
// touch needs nothing, and must not keep what was stopped from starting again.
func (s *pin) Undo(_ context.Context, r *steps.Reporter) error {
	var errs []error
	for _, e := range slices.Backward(s.plan.Edits) {
		if s.alien[e.Path] {
			r.Warn(fmt.Sprintf("%s was changed by somebody else; belay leaves it as it is.", e.Path))
			continue
		}
		if err := e.Revert(); err != nil {
			errs = append(errs, fmt.Errorf("put %s back: %w", e.Path, err))
		}
	}
	return errors.Join(errs...)
}
