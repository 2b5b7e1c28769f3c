// Package preflight looks, before anything changes, whether the plan can be
// carried out here and now. It only reads.
package preflight

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"belay/dockerx"
	"belay/dockerx/compose"
	"belay/steps"
)

// Engine is what the checks look at.
type Engine interface {
	Info(ctx context.Context) (dockerx.EngineInfo, error)
	Containers(ctx context.Context, project string) ([]dockerx.Container, error)
}

// Deps is what the step works with.
type Deps struct {
	Engine Engine
	// Free says how much room there is where the restore point goes.
	Free func() (free, total int64, err error)
	// Login tries to read one row from a database.
	Login func(ctx context.Context, db steps.Database) error
}

type preflight struct {
	Deps
	plan *steps.Plan
}

// New makes the step.
func New(d Deps, p *steps.Plan) steps.Step { return &preflight{d, p} }

func (s *preflight) ID() steps.ID  { return steps.Preflight }
func (s *preflight) Title() string { return "look around first" }

func (s *preflight) Do(ctx context.Context, r *steps.Reporter) error {
	for _, check := range []func(context.Context) error{s.engine, s.files, s.containers, s.room, s.databases} {
		if err := check(ctx); err != nil {
			return err
		}
	}
	for _, w := range s.plan.Warnings {
		r.Warn(w)
	}
	r.Fact("summary", "nothing in the way")
	return nil
}

// Observe calls it done: what it found held when the steps behind it ran.
func (s *preflight) Observe(context.Context) (steps.Observation, error) { return steps.Done, nil }

func (s *preflight) Undo(context.Context, *steps.Reporter) error { return nil }

func (s *preflight) engine(ctx context.Context) error {
	info, err := s.Engine.Info(ctx)
	if err != nil {
		return silent(err)
	}
	if info.ID != s.plan.Engine {
		return &steps.RefusedError{Msg: fmt.Sprintf("This is engine %s; the plan was made for another one.", info.Name), Next: "belay plan"}
	}
	return nil
}

func silent(err error) error {
	return &steps.RefusedError{Msg: "The engine does not answer.", Next: "belay doctor", Err: err}
}

// files refuses when somebody edited what the plan would edit.
func (s *preflight) files(context.Context) error {
	for _, e := range s.plan.Edits {
		state, err := e.State()
		if err != nil {
			return fmt.Errorf("look at %s: %w", e.Path, err)
		}
		if state != compose.EditOld {
			return &steps.RefusedError{Msg: fmt.Sprintf("%s:%d was edited since the plan was made.", e.Path, e.Line), Next: "belay plan"}
		}
	}
	return nil
}

// containers refuses when the stack is not the one that was planned for.
func (s *preflight) containers(ctx context.Context) error {
	all, err := s.Engine.Containers(ctx, s.plan.Project)
	if err != nil {
		return silent(err)
	}
	for _, t := range s.plan.Group {
		n := 0
		for _, c := range all {
			if c.Service != t.Service || c.OneOff {
				continue
			}
			n++
			if t.OldImage != "" && c.ImageID != t.OldImage {
				return &steps.RefusedError{Msg: fmt.Sprintf("%s was recreated from another image since the plan was made.", t.Service), Next: "belay plan"}
			}
		}
		if n == 0 && t.OldImage != "" {
			return &steps.RefusedError{Msg: fmt.Sprintf("The container of %s is gone since the plan was made.", t.Service), Next: "belay status"}
		}
	}
	return nil
}

// room wants place for the copy and a tenth more.
func (s *preflight) room(context.Context) error {
	if s.plan.NoBackup != "" || s.plan.Budget.Backup < 0 {
		return nil
	}
	free, _, err := s.Free()
	if err != nil {
		return &steps.RefusedError{Msg: fmt.Sprintf("The restore point cannot be written to %s.", s.plan.BackupDir), Next: "belay upgrade --backup-dir DIR", Err: err}
	}
	need := s.plan.Budget.Backup + s.plan.Budget.Backup/10 // as if nothing could be compressed
	if free < need {
		return &steps.RefusedError{
			Msg:  fmt.Sprintf("The restore point needs up to %s, and %s has %s free.", steps.Size(need), s.plan.BackupDir, steps.Size(free)),
			Next: "belay upgrade --backup-dir DIR", Err: dockerx.ErrNoSpace,
		}
	}
	return nil
}

func (s *preflight) databases(ctx context.Context) error {
	if s.plan.NoBackup != "" || s.Login == nil {
		return nil
	}
	for _, db := range s.plan.Databases {
		if !db.Dumpable {
			continue
		}
		if err := s.Login(ctx, db); err != nil {
			var refused *steps.RefusedError
			if errors.As(err, &refused) {
				return err
			}
			why, _, _ := strings.Cut(err.Error(), "\n")
			return &steps.RefusedError{
				Msg:  fmt.Sprintf("The database %q in %s does not let belay in as %q: %s.", db.Name, db.Service, db.User, strings.TrimRight(why, ". ")),
				Next: "belay doctor", Err: err,
			}
		}
	}
	return nil
}
