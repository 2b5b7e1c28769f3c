package rollback

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"belay/steps"
	"belay/steps/backup"
)

// Loss says what a rollback would bring back, what it would cost and what would
// be kept. failure is what went wrong, switched when the new version was started
// (zero: never). It only reads and never fails: what it cannot find out it says.
func Loss(ctx context.Context, d Deps, p *steps.Plan, dir, failure string, switched time.Time) steps.Loss {
	w := &way{Deps: d, plan: p, dir: dir}
	l := steps.Loss{Failure: failure, From: p.From, To: p.To, Evidence: w.evidence(ctx)}
	l.Back = append(l.Back, "image "+p.From)
	if paths := w.paths(); len(paths) > 0 {
		l.Back = append(l.Back, list(bases(paths))+" as it was")
	}
	if !switched.IsZero() {
		l.Served = max(0, d.Now().Sub(switched))
	}
	point, err := w.point()
	if err != nil {
		l.Lost = "unknown: " + err.Error()
		return l
	}
	l.Kept = []string{"the logs of " + p.To + ", in " + filepath.Join(dir, "failed")}
	if point.Skipped != "" {
		l.Lost = fmt.Sprintf("the data does not come back: no backup was made, and it stays as %s left it", p.To)
		return l
	}
	l.Since = point.Copied
	l.Back = append(l.Back, point.Canary.Words())
	l.Lost = w.lost(point, switched, l.Served)
	l.Kept = append([]string{fmt.Sprintf("the failed data (about %s), in %s", steps.Size(content(point)), filepath.Join(dir, "failed"))}, l.Kept...)
	l.Estimated = w.estimate(point)
	return l
}

func (w *way) lost(p *backup.RestorePoint, switched time.Time, served time.Duration) string {
	at := p.Copied.Local().Format("15:04:05")
	if w.Now().Sub(p.Copied) > 20*time.Hour {
		at = p.Copied.Local().Format("2 January 15:04:05")
	}
	if switched.IsZero() {
		return fmt.Sprintf("nothing: %s has not run since the copy at %s", w.plan.To, at)
	}
	return fmt.Sprintf("everything written since the copy at %s; %s had %s to write", at, w.plan.To, steps.Lasted(served))
}

// estimate takes the copy's own pace: keep and restore move as much as it did.
// Unknown stays unknown.
func (w *way) estimate(p *backup.RestorePoint) time.Duration {
	if p.CopyTime <= 0 {
		return 0
	}
	return 2*p.CopyTime + w.plan.Budget.Stop + w.plan.Budget.Start
}

// evidence is how the containers stand, the sick ones only.
func (w *way) evidence(ctx context.Context) []string {
	all, err := w.ours(ctx)
	if err != nil {
		return []string{"the engine does not say how the containers stand: " + err.Error()}
	}
	var out []string
	for _, c := range all {
		t, moved := w.target(c.Service)
		switch {
		case c.OneOff || moved && t.OneShot && c.ExitCode == 0:
		case c.OOMKilled:
			out = append(out, fmt.Sprintf("%s was killed for want of memory", c.Service))
		case c.RestartCount > 0:
			out = append(out, fmt.Sprintf("%s was restarted %s, last exit code %d", c.Service, times(c.RestartCount), c.ExitCode))
		case !alive(c):
			out = append(out, fmt.Sprintf("%s is %s, exit code %d", c.Service, c.State, c.ExitCode))
		case c.Health != "" && c.Health != "healthy":
			out = append(out, fmt.Sprintf("%s says it is %s", c.Service, c.Health))
		}
	}
	return out
}

func content(p *backup.RestorePoint) int64 {
	var n int64
	for _, a := range p.Artefacts {
		n += a.Content
	}
	return n
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

func bases(paths []string) []string {
	out := make([]string, len(paths))
	for i, p := range paths {
		out[i] = filepath.Base(p)
	}
	return out
}
