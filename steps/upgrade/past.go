package upgrade

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"belay/dockerx"
	"belay/dockerx/compose"
	"belay/steps"
	"belay/steps/backup"
	"belay/steps/journal"
)

// History lists the runs of this project that have ended, newest first.
func (s *Session) History(ctx context.Context) ([]Past, error) {
	p, err := s.project(ctx)
	if err != nil {
		return nil, err
	}
	return s.past(p)
}

func (s *Session) past(p *journal.Project) ([]Past, error) {
	runs, err := p.Runs()
	if err != nil {
		return nil, err
	}
	var out []Past
	for _, run := range runs {
		dir := p.RunDir(run)
		plan, err := loadPlan(dir)
		if err != nil {
			continue // killed before its plan was durable: nothing happened in it
		}
		records, err := journal.Read(dir, run)
		if err != nil {
			continue
		}
		end := lastEnd(records)
		if end == nil {
			continue
		}
		one := Past{Run: run, From: plan.From, To: plan.To, When: end.Wall, Outcome: end.Facts["outcome"]}
		if point, err := backup.Open(plan.BackupDir); err == nil {
			one.Backup, one.Bytes, one.Proof = point.Dir, point.Size(), point.Proof
			one.Restores = one.Outcome == string(steps.Upgraded)
		}
		out = append(out, one)
	}
	return out, nil
}

func lastEnd(records []journal.Record) *journal.Record {
	for i := len(records) - 1; i >= 0; i-- {
		if records[i].Phase == journal.End {
			return &records[i]
		}
	}
	return nil
}

// Interrupted tells of the run that did not end, nil when there is none. While
// another belay works on it, it is no interrupted one: *journal.LockedError.
func (s *Session) Interrupted(ctx context.Context) (*Interrupted, error) {
	p, err := s.project(ctx)
	if err != nil {
		return nil, err
	}
	run, err := p.Head()
	if err != nil || run == "" {
		return nil, err
	}
	lock, err := p.Lock(journal.Owner{})
	if err != nil {
		return nil, err
	}
	defer func() { _ = lock.Unlock() }()
	plan, err := loadPlan(p.RunDir(run))
	if err != nil {
		return nil, err
	}
	records, err := journal.Read(p.RunDir(run), run)
	if err != nil {
		return nil, err
	}
	i := &Interrupted{Run: run, From: plan.From, To: plan.To, When: plan.Made}
	passed := i.follow(plan, records)
	if i.Truth, err = s.truth(ctx, plan); err != nil {
		return nil, err
	}
	i.advise(passed)
	return i, nil
}

// follow reads where the run stood: the last step begun, and whether the new
// version may have touched the data.
func (i *Interrupted) follow(plan *steps.Plan, records []journal.Record) (passed bool) {
	for _, r := range records {
		i.When = r.Wall
		if r.Phase != journal.Intent {
			continue
		}
		i.Step = title(plan, steps.ID(r.Step))
		if id := steps.ID(r.Step); id == steps.Start || id == steps.Migrate {
			passed = true
		}
	}
	return passed
}

// advise recommends the way back in both cases: it ends on a version that is
// known to work, and resume stays possible.
func (i *Interrupted) advise(passed bool) {
	i.Advice = "rollback"
	if passed {
		i.Why = fmt.Sprintf("%s was started and not found healthy; the way back is image, configuration and data.", i.To)
		return
	}
	i.Why = fmt.Sprintf("%s never ran; going back costs seconds and touches no data.", i.To)
}

func title(p *steps.Plan, id steps.ID) string {
	for _, s := range p.Steps {
		if s.ID == id {
			return s.Title
		}
	}
	return string(id)
}

// truth is what is so now, whatever the journal says.
func (s *Session) truth(ctx context.Context, p *steps.Plan) ([]string, error) {
	all, err := s.d.Engine.Containers(ctx, p.Project)
	if err != nil {
		return nil, fmt.Errorf("list containers: %w", err)
	}
	var out []string
	for _, t := range p.Group {
		i := slices.IndexFunc(all, func(c dockerx.Container) bool { return c.Service == t.Service && !c.OneOff })
		switch {
		case i < 0:
			out = append(out, t.Service+" has no container.")
		case all[i].ImageID == t.OldImage:
			out = append(out, fmt.Sprintf("%s is %s on the old image (%s).", t.Service, all[i].State, p.From))
		default:
			out = append(out, fmt.Sprintf("%s is %s on another image than before (%s).", t.Service, all[i].State, all[i].Image))
		}
	}
	for _, e := range p.Edits {
		state, err := e.State()
		if err != nil {
			return nil, fmt.Errorf("look at %s: %w", e.Path, err)
		}
		out = append(out, e.Path+" "+map[compose.EditState]string{
			compose.EditOld: "is as it was.", compose.EditNew: "names the new version.",
			compose.EditForeign: "was changed by somebody else.",
		}[state])
	}
	if point, err := backup.Open(p.BackupDir); err == nil {
		out = append(out, fmt.Sprintf("A proven restore point of %s stands (%s).", p.From, point.Proof))
	} else if errors.Is(err, backup.ErrNone) {
		out = append(out, "There is no restore point yet.")
	}
	return out, nil
}
