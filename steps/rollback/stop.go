package rollback

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"belay/dockerx"
	"belay/dockerx/compose"
	"belay/steps"
	"belay/steps/backup"
	"belay/steps/canary"
)

// stopTime is what a container may take to end when the compose file says
// nothing, and what a database gets at least: it must not be killed.
const (
	stopTime         = 10 * time.Second
	databaseStopTime = time.Minute
)

// stop first sees that there is a way back at all, and only then stops anything:
// a damaged restore point must cost no downtime.
func (w *way) stop(ctx context.Context, r *steps.Reporter) error {
	if err := w.lookAhead(ctx, r); err != nil {
		return err
	}
	if err := w.noWaking(ctx); err != nil {
		return err
	}
	model, err := w.Model(ctx)
	for _, svc := range w.plan.Stop {
		if err != nil {
			break
		}
		r.Progress(0, 0, "", "stopping "+svc)
		err = w.Compose.Stop(ctx, model, []string{svc}, w.grace(model, svc), func(string) {})
	}
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		r.Warn(fmt.Sprintf("Compose could not stop everything (%v); belay stops the containers itself.", err))
	}
	return w.stopRest(ctx)
}

// grace is how long a service may take to end.
func (w *way) grace(model *compose.Project, svc string) time.Duration {
	d := stopTime
	for _, m := range model.Services {
		if m.Name == svc && m.StopGrace > 0 {
			d = m.StopGrace
		}
	}
	if slices.Contains(w.databaseServices(), svc) {
		d = max(d, databaseStopTime)
	}
	return d
}

// lookAhead finds whatever would stop the way back later.
func (w *way) lookAhead(ctx context.Context, r *steps.Reporter) error {
	p, err := w.point()
	if err != nil {
		return err
	}
	total := p.Size()
	err = p.CheckProgress(ctx, func(n int64) { r.Progress(n, total, steps.Bytes, "checking the restore point") })
	if err != nil {
		return err
	}
	if err := w.covered(p); err != nil {
		return err
	}
	if err := w.foreign(p); err != nil {
		return err
	}
	for _, t := range w.plan.Group {
		if _, err := w.oldImage(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// covered sees that the restore point holds every store of the plan.
func (w *way) covered(p *backup.RestorePoint) error {
	if p.Skipped != "" {
		return nil
	}
	for _, st := range w.plan.Stores {
		if _, ok := p.Volume(st.Data); !ok {
			return fmt.Errorf("the restore point in %s holds no copy of %s", p.Dir, st.Data)
		}
	}
	return nil
}

// noWaking takes restart policies off, so that nothing comes back by itself. What
// they were before the upgrade is on disk since its stop.
func (w *way) noWaking(ctx context.Context) error {
	all, err := w.ours(ctx)
	if err != nil {
		return err
	}
	for _, c := range all {
		if c.RestartPolicy == "" || c.RestartPolicy == "no" {
			continue
		}
		if err := w.Engine.SetRestart(ctx, c.ID, "no"); err != nil && !errors.Is(err, dockerx.ErrNotFound) {
			return fmt.Errorf("take the restart policy off %s: %w", c.Name, err)
		}
	}
	return nil
}

// stopRest stops what compose does not see: one-off containers, and those that
// an interrupted recreate left under a name of its own.
func (w *way) stopRest(ctx context.Context) error {
	all, err := w.ours(ctx)
	if err != nil {
		return err
	}
	for _, c := range all {
		if alive(c) {
			if err := w.Engine.StopContainer(ctx, c.ID, max(c.StopTimeout, databaseStopTime)); err != nil && !errors.Is(err, dockerx.ErrNotFound) {
				return fmt.Errorf("stop %s: %w", c.Name, err)
			}
		}
	}
	if all, err = w.ours(ctx); err != nil {
		return err
	}
	for _, c := range all {
		if alive(c) {
			return fmt.Errorf("%s is still %s after it was told to stop", c.Name, c.State)
		}
	}
	return nil
}

// verify looks again now that nothing of ours runs: the restore point is still
// whole in size, and no stranger works on the data.
func (w *way) verify(ctx context.Context, r *steps.Reporter) error {
	p, err := w.point()
	if err != nil {
		return err
	}
	if p.Skipped != "" {
		r.Warn("There is no copy of the data: no backup was made, on your word. Image and configuration go back, the data stays as it is.")
		r.Fact("summary", "configuration only")
		return nil
	}
	if err := w.covered(p); err != nil {
		return err
	}
	if err := backup.Quiet(ctx, w.Engine, w.plan.Stores); err != nil {
		return fmt.Errorf("the data cannot be put back: %w", err)
	}
	r.Fact("summary", p.Proof)
	return nil
}

// ours are the containers of the services that the upgrade stopped or moved, in
// the order in which they stop; one-off ones as well.
func (w *way) ours(ctx context.Context) ([]dockerx.Container, error) {
	all, err := w.Engine.Containers(ctx, w.plan.Project)
	if err != nil {
		return nil, fmt.Errorf("list containers: %w", err)
	}
	var out []dockerx.Container
	for _, svc := range w.services() {
		for _, c := range all {
			if c.Service == svc {
				out = append(out, c)
			}
		}
	}
	return out, nil
}

// services are those of the plan, in stop order.
func (w *way) services() []string {
	out := slices.Clone(w.plan.Stop)
	for _, t := range slices.Backward(w.plan.Group) {
		if !slices.Contains(out, t.Service) {
			out = append([]string{t.Service}, out...)
		}
	}
	return out
}

func alive(c dockerx.Container) bool {
	return c.State == dockerx.Running || c.State == dockerx.Restarting || c.State == dockerx.Paused
}

// databaseServices are those with a database server, each once.
func (w *way) databaseServices() []string {
	var out []string
	for _, db := range w.plan.Databases {
		if canary.Served(db) && !slices.Contains(out, db.Service) {
			out = append(out, db.Service)
		}
	}
	return out
}

func (w *way) target(service string) (steps.Target, bool) {
	i := slices.IndexFunc(w.plan.Group, func(t steps.Target) bool { return t.Service == service })
	if i < 0 {
		return steps.Target{}, false
	}
	return w.plan.Group[i], true
}

func list(items []string) string { return strings.Join(items, ", ") }
