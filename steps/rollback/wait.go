package rollback

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"belay/dockerx"
	"belay/steps"
	"belay/steps/canary"
)

// poll is how often the engine is asked while something comes up.
const poll = 250 * time.Millisecond

// waitOpen waits until a database answers a query.
func (w *way) waitOpen(ctx context.Context, db steps.Database) error {
	deadline := w.Now().Add(w.patience())
	for {
		all, err := w.ours(ctx)
		if err != nil {
			return err
		}
		asked := fmt.Errorf("service %s is not running", db.Service)
		if box, ok := canary.Running(all, db.Service); ok {
			if _, asked = canary.Script(ctx, w.Engine, box, db, "SELECT 1;"); asked == nil {
				return nil
			}
		}
		if !w.Now().Before(deadline) {
			return fmt.Errorf("%s does not answer within %s: %w", canary.Label(db), steps.Lasted(w.patience()), asked)
		}
		if err := w.pause(ctx); err != nil {
			return err
		}
	}
}

// waitEnd waits for a one-shot of the old image to end well.
func (w *way) waitEnd(ctx context.Context, t steps.Target) error {
	return w.until(ctx, t.Service+" did not end", func(all []dockerx.Container) (bool, error) {
		for _, c := range all {
			if c.Service != t.Service || c.OneOff || c.ImageID != t.OldImage || c.State != dockerx.Exited {
				continue
			}
			if c.ExitCode != 0 {
				return false, fmt.Errorf("%s ended with %d", t.Service, c.ExitCode)
			}
			return true, nil
		}
		return false, nil
	})
}

// waitOld waits until every service of the group runs the image of before. How
// well it runs is the gate's matter.
func (w *way) waitOld(ctx context.Context) error {
	for _, t := range w.plan.Group {
		err := w.until(ctx, t.Service+" does not run the old image", func(all []dockerx.Container) (bool, error) {
			return slices.ContainsFunc(all, func(c dockerx.Container) bool {
				return c.Service == t.Service && !c.OneOff && c.ImageID == t.OldImage &&
					(alive(c) || t.OneShot && c.State == dockerx.Exited)
			}), nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *way) until(ctx context.Context, otherwise string, ok func([]dockerx.Container) (bool, error)) error {
	deadline := w.Now().Add(w.patience())
	for {
		all, err := w.ours(ctx)
		if err != nil {
			return err
		}
		if done, err := ok(all); done || err != nil {
			return err
		}
		if !w.Now().Before(deadline) {
			return errors.New(otherwise + " within " + steps.Lasted(w.patience()))
		}
		if err := w.pause(ctx); err != nil {
			return err
		}
	}
}

func (w *way) pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-w.After(poll):
		return nil
	}
}
