package pull

import (
	"context"
	"errors"
	"fmt"

	"belay/dockerx"
	"belay/steps"
)

type hold struct {
	engine Engine
	plan   *steps.Plan
}

// Hold makes the step that puts belay's own tag on every old image, so that no
// prune takes what a rollback needs.
func Hold(e Engine, p *steps.Plan) steps.Step { return &hold{e, p} }

func (s *hold) ID() steps.ID  { return steps.Hold }
func (s *hold) Title() string { return "hold " + s.plan.From }

func (s *hold) Do(ctx context.Context, r *steps.Reporter) error {
	n := 0
	for _, t := range s.plan.Group {
		if t.OldImage == "" {
			continue
		}
		if err := s.engine.TagImage(ctx, t.OldImage, t.Hold); err != nil {
			return fmt.Errorf("hold the image of %s: %w", t.Service, err)
		}
		n++
	}
	r.Fact("summary", steps.Plural(n, "image"))
	return nil
}

func (s *hold) Observe(ctx context.Context) (steps.Observation, error) {
	for _, t := range s.plan.Group {
		if t.OldImage == "" {
			continue
		}
		img, err := s.engine.Image(ctx, t.Hold)
		if errors.Is(err, dockerx.ErrNotFound) || err == nil && img.ID != t.OldImage {
			return steps.NotDone, nil
		}
		if err != nil {
			return steps.Unclear, fmt.Errorf("look for %s: %w", t.Hold, err)
		}
	}
	return steps.Done, nil
}

func (s *hold) Undo(ctx context.Context, _ *steps.Reporter) error {
	for _, t := range s.plan.Group {
		if err := s.engine.UntagImage(ctx, t.Hold); err != nil && !errors.Is(err, dockerx.ErrNotFound) {
			return fmt.Errorf("let go of the image of %s: %w", t.Service, err)
		}
	}
	return nil
}
