// Package pull brings the target images to the engine while the old version
// serves, and holds the old ones under belay's own tag. It must not know how an
// image is used.
package pull

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"belay/dockerx"
	"belay/steps"
)

// Engine is what pulling and holding needs.
type Engine interface {
	Image(ctx context.Context, ref string) (dockerx.Image, error)
	Pull(ctx context.Context, ref string, on func(dockerx.PullProgress)) error
	TagImage(ctx context.Context, id, ref string) error
	UntagImage(ctx context.Context, ref string) error
}

type pull struct {
	engine Engine
	plan   *steps.Plan
}

// New makes the step that pulls every image of the plan.
func New(e Engine, p *steps.Plan) steps.Step { return &pull{e, p} }

func (s *pull) ID() steps.ID  { return steps.Pull }
func (s *pull) Title() string { return "pull " + s.plan.To }

func (s *pull) Do(ctx context.Context, r *steps.Reporter) error {
	var total int64
	for _, t := range s.targets() {
		if here, err := s.here(ctx, t); err != nil {
			return err
		} else if here {
			continue
		}
		b := newBar(r, t.NewRef)
		if err := s.engine.Pull(ctx, t.NewRef, b.on); err != nil {
			return fmt.Errorf("pull %s: %w", t.NewRef, err)
		}
		here, err := s.here(ctx, t)
		if err != nil {
			return err
		}
		if !here {
			return &steps.RefusedError{
				Msg:  fmt.Sprintf("The tag %s was moved in the registry between the plan and the pull; what came is not what was planned.", t.NewRef),
				Next: "belay plan",
			}
		}
		total += b.bytes()
	}
	if total == 0 {
		r.Fact("summary", "here already")
		return nil
	}
	r.Fact("summary", steps.Size(total))
	return nil
}

func (s *pull) Observe(ctx context.Context) (steps.Observation, error) {
	for _, t := range s.targets() {
		here, err := s.here(ctx, t)
		if err != nil {
			return steps.Unclear, err
		}
		if !here {
			return steps.NotDone, nil
		}
	}
	return steps.Done, nil
}

// Undo leaves the image: it costs nothing but space and may be wanted again.
func (s *pull) Undo(context.Context, *steps.Reporter) error { return nil }

// targets are the plan's targets, one for each reference.
func (s *pull) targets() []steps.Target {
	var out []steps.Target
	for _, t := range s.plan.Group {
		if !slices.ContainsFunc(out, func(o steps.Target) bool { return o.NewRef == t.NewRef }) {
			out = append(out, t)
		}
	}
	return out
}

// here says whether the very image of the plan is local. An image without a
// planned digest (loaded from a file, or no registry) counts by its tag.
func (s *pull) here(ctx context.Context, t steps.Target) (bool, error) {
	img, err := s.engine.Image(ctx, t.NewRef)
	if errors.Is(err, dockerx.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for %s: %w", t.NewRef, err)
	}
	if t.Digest == "" {
		return true, nil
	}
	return slices.ContainsFunc(img.Digests, func(d string) bool { return strings.HasSuffix(d, "@"+t.Digest) }), nil
}
