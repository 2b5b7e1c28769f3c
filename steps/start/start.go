// Package start brings the new version up: databases first, then the app. It is
// the point of no return. It must not judge whether the app works; watch and
// health do.
package start

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"belay/dockerx"
	"belay/dockerx/compose"
	"belay/steps"
	"belay/steps/drain"
)

// Engine is what starting needs.
type Engine interface {
	drain.Engine
	Image(ctx context.Context, ref string) (dockerx.Image, error)
	RenameContainer(ctx context.Context, id, name string) error
}

// Composer brings services up.
type Composer interface {
	Up(ctx context.Context, p *compose.Project, spec compose.UpSpec, on func(line string)) error
}

// Deps is what the step works with. Model loads the project anew, since its
// files have changed.
type Deps struct {
	Engine  Engine
	Compose Composer
	Model   func(ctx context.Context) (*compose.Project, error)
	Dir     string // the run's directory
}

type start struct {
	Deps
	plan *steps.Plan
}

// New makes the step that starts the target version.
func New(d Deps, p *steps.Plan) steps.Step { return &start{d, p} }

func (s *start) ID() steps.ID  { return steps.Start }
func (s *start) Title() string { return "start " + s.plan.To }

func (s *start) Do(ctx context.Context, r *steps.Reporter) error {
	model, err := s.Model(ctx)
	if err != nil {
		return err
	}
	if err := WakeDatabases(ctx, s.Deps, s.plan); err != nil {
		return err
	}
	spec := compose.UpSpec{Services: s.group(), NoDeps: true}
	if err := s.Compose.Up(ctx, model, spec, func(line string) { r.Progress(0, 0, "", line) }); err != nil {
		return fmt.Errorf("start %s: %w", s.plan.To, err)
	}
	if err := s.repairNames(ctx); err != nil {
		return err
	}
	stayed, err := s.stayed(ctx)
	if err != nil {
		return err
	}
	if err := drain.Wake(ctx, s.Engine, s.Dir, s.plan.Project, slices.Backward(stayed)); err != nil {
		return err
	}
	o, err := s.Observe(ctx)
	if err != nil {
		return err
	}
	if o != steps.Done {
		return errors.New("the containers that came up are not of the planned image")
	}
	return nil
}

// WakeDatabases starts what the app needs before it comes up, with the container
// it had, since its configuration did not change. A migration that runs before
// the start needs it too.
func WakeDatabases(ctx context.Context, d Deps, p *steps.Plan) error {
	var dbs []string
	for _, db := range p.Databases {
		if !slices.Contains(dbs, db.Service) && !inGroup(p, db.Service) {
			dbs = append(dbs, db.Service)
		}
	}
	return drain.Wake(ctx, d.Engine, d.Dir, p.Project, slices.All(dbs))
}

// Observe looks for containers made from the target images, whatever their state.
func (s *start) Observe(ctx context.Context) (steps.Observation, error) {
	containers, err := s.Engine.Containers(ctx, s.plan.Project)
	if err != nil {
		return steps.Unclear, fmt.Errorf("list containers: %w", err)
	}
	moved := 0
	for _, t := range s.plan.Group {
		img, err := s.Engine.Image(ctx, t.NewRef)
		if err != nil {
			return steps.Unclear, fmt.Errorf("look at %s: %w", t.NewRef, err)
		}
		if slices.ContainsFunc(containers, func(c dockerx.Container) bool {
			return c.Service == t.Service && !c.OneOff && c.ImageID == img.ID && c.State != dockerx.Created
		}) {
			moved++
		}
	}
	switch moved {
	case len(s.plan.Group):
		return steps.Done, nil
	case 0:
		return steps.NotDone, nil
	default:
		return steps.Partial, nil
	}
}

// Undo is the rollback's work.
func (s *start) Undo(context.Context, *steps.Reporter) error { return nil }

var halfMade = regexp.MustCompile(`^[0-9a-f]{12}_(.+)$`)

// repairNames gives containers their proper name when an earlier `up` was
// killed between making and renaming them; compose never does it itself (measured).
func (s *start) repairNames(ctx context.Context) error {
	containers, err := s.Engine.Containers(ctx, s.plan.Project)
	if err != nil {
		return fmt.Errorf("list containers: %w", err)
	}
	taken := map[string]bool{}
	for _, c := range containers {
		taken[c.Name] = true
	}
	for _, c := range containers {
		m := halfMade.FindStringSubmatch(c.Name)
		if m == nil || taken[m[1]] || strings.HasPrefix(c.Name, s.plan.Project+"_") {
			continue // or a project that is itself named by 12 hex digits
		}
		if err := s.Engine.RenameContainer(ctx, c.ID, m[1]); err != nil {
			return fmt.Errorf("rename %s: %w", c.Name, err)
		}
		taken[m[1]] = true
	}
	return nil
}

func (s *start) group() []string {
	var out []string
	for _, t := range s.plan.Group {
		out = append(out, t.Service)
	}
	return out
}

// stayed are the services that were stopped and still have the container they
// had, in stop order: everything outside the group, and a member of the group
// that was at the target already. Compose starts that one but leaves it with the
// restart policy the stop gave it.
func (s *start) stayed(ctx context.Context) ([]string, error) {
	containers, err := s.Engine.Containers(ctx, s.plan.Project)
	if err != nil {
		return nil, fmt.Errorf("list containers: %w", err)
	}
	moved := map[string]bool{}
	for _, t := range s.plan.Group {
		moved[t.Service] = !slices.ContainsFunc(containers, func(c dockerx.Container) bool {
			return c.Service == t.Service && !c.OneOff &&
				t.OldImage != "" && c.ImageID == t.OldImage && c.ConfigHash == t.OldHash
		})
	}
	return slices.DeleteFunc(slices.Clone(s.plan.Stop), func(svc string) bool { return moved[svc] }), nil
}

func inGroup(p *steps.Plan, svc string) bool {
	return slices.ContainsFunc(p.Group, func(t steps.Target) bool { return t.Service == svc })
}
