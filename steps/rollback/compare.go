package rollback

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"belay/steps"
	"belay/steps/canary"
)

// health asks the gate whether the old version works.
func (w *way) health(ctx context.Context, r *steps.Reporter) error {
	signals, err := w.Gate(ctx, r)
	if err != nil {
		return err
	}
	for _, s := range signals {
		if s.Verdict == steps.Fail {
			return fmt.Errorf("%s: %s", s.Subject, s.Evidence)
		}
	}
	r.Fact("summary", steps.Plural(len(signals), "signal"))
	return nil
}

// compare holds what was put back against the count of before the upgrade. Both
// were taken while nothing wrote, so they must be equal to the row.
func (w *way) compare(_ context.Context, r *steps.Reporter) error {
	p, err := w.point()
	if err != nil {
		return err
	}
	if p.Skipped != "" {
		return fmt.Errorf("image and configuration are back, the data is not: no backup was made (%q), so it stays as %s left it",
			p.Skipped, w.plan.To)
	}
	rec, err := w.recall()
	if err != nil {
		return err
	}
	if rec.After == nil || rec.Restoring {
		return errors.New("the data was not put back")
	}
	known := rec.After.Only(func(d canary.Database) bool { // one that was down before was never counted
		return slices.ContainsFunc(p.Canary.Databases, func(b canary.Database) bool {
			return b.Service == d.Service && b.Kind == d.Kind && b.Name == d.Name && b.Path == d.Path
		})
	})
	if diff := canary.Diff(p.Canary, known); len(diff) > 0 {
		for _, line := range diff {
			r.Signal(steps.Signal{Name: "data", Subject: w.plan.Project, Verdict: steps.Fail, Evidence: line})
		}
		return fmt.Errorf("what was put back is not what was there: %s", strings.Join(diff, "; "))
	}
	words := rec.After.Words()
	r.Signal(steps.Signal{Name: "data", Subject: w.plan.Project, Verdict: steps.Pass, Evidence: words + ", equal to before"})
	r.Fact("summary", words+" match")
	return nil
}
