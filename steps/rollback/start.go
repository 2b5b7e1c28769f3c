package rollback

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
	"belay/steps/canary"
	"belay/steps/drain"
)

// start brings the old version up by its image ID: databases first, counted
// before the app can write to them, then the app.
func (w *way) start(ctx context.Context, r *steps.Reporter) error {
	for _, t := range w.plan.Group {
		if err := w.retag(ctx, t); err != nil {
			return err
		}
	}
	model, err := w.Model(ctx)
	if err != nil {
		return err
	}
	if err := w.startDatabases(ctx, r, model); err != nil {
		return err
	}
	if err := w.countQuiet(ctx, r); err != nil {
		return err
	}
	if err := w.startApp(ctx, r, model); err != nil {
		return err
	}
	if err := w.repairNames(ctx); err != nil {
		return err
	}
	if err := drain.Wake(ctx, w.Engine, w.dir, w.plan.Project, slices.Backward(w.services())); err != nil {
		return err
	}
	if err := w.waitOld(ctx); err != nil {
		return err
	}
	for _, t := range w.plan.Group {
		r.Signal(steps.Signal{
			Name: "image", Subject: t.Service, Verdict: steps.Pass, Evidence: short(t.OldImage) + " the same as before",
		})
	}
	return nil
}

// oldImage finds the image of before, by its ID or by belay's own tag on it.
func (w *way) oldImage(ctx context.Context, t steps.Target) (dockerx.Image, error) {
	for _, ref := range []string{t.OldImage, t.Hold, t.OldRef} {
		if ref == "" {
			continue
		}
		img, err := w.Engine.Image(ctx, ref)
		if errors.Is(err, dockerx.ErrNotFound) {
			continue
		}
		if err != nil {
			return dockerx.Image{}, fmt.Errorf("look for the old image of %s: %w", t.Service, err)
		}
		if img.ID == t.OldImage {
			return img, nil
		}
	}
	return dockerx.Image{}, fmt.Errorf("the old image of %s (%s, %s) is not on this host any more: pull it first",
		t.Service, t.OldRef, short(t.OldImage))
}

// retag puts the tag that the configuration names back on the old image, when a
// pull moved it. A reference by digest cannot have moved.
func (w *way) retag(ctx context.Context, t steps.Target) error {
	img, err := w.oldImage(ctx, t)
	if err != nil {
		return err
	}
	if strings.Contains(t.OldRef, "@") {
		return nil
	}
	now, err := w.Engine.Image(ctx, t.OldRef)
	if err == nil && now.ID == t.OldImage {
		return nil
	}
	if err != nil && !errors.Is(err, dockerx.ErrNotFound) {
		return fmt.Errorf("look at %s: %w", t.OldRef, err)
	}
	if err := w.Engine.TagImage(ctx, img.ID, t.OldRef); err != nil {
		return fmt.Errorf("put %s back on the old image: %w", t.OldRef, err)
	}
	return nil
}

// startDatabases starts the servers: with the container they had when they did
// not move, so that nothing is made anew that need not be.
func (w *way) startDatabases(ctx context.Context, r *steps.Reporter, model *compose.Project) error {
	var still, moved []string
	for _, svc := range w.databaseServices() {
		if _, ok := w.target(svc); ok {
			moved = append(moved, svc)
		} else {
			still = append(still, svc)
		}
	}
	if err := drain.Wake(ctx, w.Engine, w.dir, w.plan.Project, slices.All(still)); err != nil {
		return err
	}
	all, err := w.ours(ctx)
	if err != nil {
		return err
	}
	for _, svc := range still {
		if _, ok := canary.Running(all, svc); !ok {
			moved = append(moved, svc)
		}
	}
	return w.up(ctx, r, model, moved)
}

// countQuiet waits for the servers and counts while the app is still down.
func (w *way) countQuiet(ctx context.Context, r *steps.Reporter) error {
	p, err := w.point()
	if err != nil || p.Skipped != "" {
		return err
	}
	for _, db := range w.plan.Databases {
		if db.Kind != canary.Postgres {
			continue
		}
		r.Progress(0, 0, "", "waiting for "+canary.Label(db))
		if err := w.waitOpen(ctx, db); err != nil {
			return err
		}
	}
	r.Progress(0, 0, steps.Rows, "counting tables and rows")
	rows, err := canary.TakeDatabases(ctx, w.Engine, w.plan.Project, w.plan.Databases, w.Now())
	if err != nil {
		return err
	}
	rec, err := w.recall()
	if err != nil {
		return err
	}
	if rec.After == nil {
		return errors.New("the data was not put back yet")
	}
	files := canary.Canary{Format: canary.Format, Taken: rec.After.Taken, Stores: rec.After.Stores}
	files.Databases = rec.After.Only(func(d canary.Database) bool { return d.Kind == canary.SQLite }).Databases
	after := canary.Join(files, rows)
	rec.After = &after
	return w.remember(rec)
}

// startApp starts the rest of the group in the reverse of the stop order. A
// one-shot has to end well before what comes after it.
func (w *way) startApp(ctx context.Context, r *steps.Reporter, model *compose.Project) error {
	var batch []string
	for _, svc := range slices.Backward(w.services()) {
		t, ok := w.target(svc)
		if !ok || slices.Contains(w.databaseServices(), svc) {
			continue
		}
		batch = append(batch, svc)
		if !t.OneShot {
			continue
		}
		if err := w.up(ctx, r, model, batch); err != nil {
			return err
		}
		if err := w.waitEnd(ctx, t); err != nil {
			return err
		}
		batch = nil
	}
	return w.up(ctx, r, model, batch)
}

func (w *way) up(ctx context.Context, r *steps.Reporter, model *compose.Project, services []string) error {
	if len(services) == 0 {
		return nil
	}
	spec := compose.UpSpec{Services: services, NoDeps: true}
	if err := w.Compose.Up(ctx, model, spec, func(line string) { r.Progress(0, 0, "", line) }); err != nil {
		return fmt.Errorf("start %s: %w", list(services), err)
	}
	return nil
}

var halfMade = regexp.MustCompile(`^[0-9a-f]{12}_(.+)$`)

// repairNames gives containers the names that an `up` killed halfway owes them.
func (w *way) repairNames(ctx context.Context) error {
	all, err := w.ours(ctx)
	if err != nil {
		return err
	}
	taken := map[string]bool{}
	for _, c := range all {
		taken[c.Name] = true
	}
	for _, c := range all {
		m := halfMade.FindStringSubmatch(c.Name)
		if m == nil || taken[m[1]] {
			continue
		}
		if err := w.Engine.RenameContainer(ctx, c.ID, m[1]); err != nil {
			return fmt.Errorf("rename %s: %w", c.Name, err)
		}
		taken[m[1]] = true
	}
	return nil
}

func short(id string) string {
	if len(id) > len("sha256:")+12 {
		return id[:len("sha256:")+12]
	}
	return id
}
