// Package health decides whether the app works, by belay's own signals: compose's
// --wait calls a crash loop healthy and a finished one-shot sick (both
// measured). It must not know what is done with the verdict.
package health

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"belay/dockerx"
	"belay/steps"
)

// Engine is what the gate looks at.
type Engine interface {
	Containers(ctx context.Context, project string) ([]dockerx.Container, error)
	Usage(ctx context.Context, id string) (dockerx.Usage, error)
}

// Doer asks HTTP questions.
type Doer interface {
	Do(req *http.Request) (*http.Response, error)
}

// Gate is what has to hold before a version counts as working.
type Gate struct {
	Engine  Engine
	HTTP    Doer
	Project string
	Expect  func(ctx context.Context) ([]Expect, error) // asked once, when the wait begins
	Probes  []steps.Probe
	Version string        // what the app should report; "" = do not compare
	Window  time.Duration // how long everything must hold without a restart
	Limit   time.Duration // how long a sick answer is waited out
	Tick    time.Duration // how often to look
	Now     func() time.Time
	After   func(time.Duration) <-chan time.Time
	// Extra are further signals asked once the rest has passed: the canary.
	Extra func(ctx context.Context) ([]steps.Signal, error)
}

// Expect is one service and the image it must run. Image "" means any.
type Expect struct {
	Service string
	Image   string
	OneShot bool
}

// SickError is a verdict: the app does not work. Signals hold the evidence.
type SickError struct{ Signals []steps.Signal }

// Error names the first failed signal.
func (e *SickError) Error() string {
	for _, s := range e.Signals {
		if s.Verdict == steps.Fail {
			return fmt.Sprintf("%s: %s", s.Subject, s.Evidence)
		}
	}
	for _, s := range e.Signals {
		if s.Verdict == steps.Wait {
			return fmt.Sprintf("%s did not get ready: %s", s.Subject, s.Evidence)
		}
	}
	return "the app is not healthy"
}

// Wait looks until every signal has passed for the whole window, or one failed
// for good. Something that is visibly working (processor, disk) is waited for
// beyond the limit; a crash loop is not.
func (g *Gate) Wait(ctx context.Context, r *steps.Reporter) ([]steps.Signal, error) {
	expect, err := g.Expect(ctx)
	if err != nil {
		return nil, err
	}
	w := newWorking(g.Engine)
	began := g.Now()
	calm := time.Time{}
	restarts := map[string]count{}
	for {
		signals, containers, err := g.look(ctx, expect, restarts)
		if err != nil {
			return nil, err
		}
		now := g.Now()
		switch worst(signals) {
		case steps.Fail:
			if hopeless(signals) || now.Sub(began) > g.Limit {
				return g.sick(r, signals)
			}
			calm = time.Time{}
		case steps.Wait:
			if now.Sub(began) > g.Limit && !w.moving(ctx, containers, now) {
				return g.sick(r, signals)
			}
			calm = time.Time{}
		default:
			if calm.IsZero() {
				calm = now
			}
			if now.Sub(calm) >= g.Window {
				return g.pass(ctx, r, signals)
			}
		}
		g.say(r, signals, calm, now)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-g.After(g.Tick):
		}
	}
}

// pass asks the last signals and reports all of them.
func (g *Gate) pass(ctx context.Context, r *steps.Reporter, signals []steps.Signal) ([]steps.Signal, error) {
	if g.Extra != nil {
		extra, err := g.Extra(ctx)
		if err != nil {
			return nil, err
		}
		signals = append(signals, extra...)
		if worst(extra) == steps.Fail {
			return g.sick(r, signals)
		}
	}
	for _, s := range signals {
		r.Signal(s)
	}
	return signals, nil
}

func (g *Gate) sick(r *steps.Reporter, signals []steps.Signal) ([]steps.Signal, error) {
	for _, s := range signals {
		r.Signal(s)
	}
	return signals, &SickError{Signals: signals}
}

func (g *Gate) say(r *steps.Reporter, signals []steps.Signal, calm, now time.Time) {
	if !calm.IsZero() {
		held, all := now.Sub(calm), g.Window
		r.Progress(int64(held.Seconds()), int64(all.Seconds()), steps.Count, fmt.Sprintf("all well for %s of %s", steps.Lasted(held), steps.Lasted(all)))
		return
	}
	for _, s := range signals {
		if s.Verdict != steps.Pass {
			r.Progress(0, 0, "", s.Subject+": "+s.Evidence)
			return
		}
	}
}

// look takes every signal once.
func (g *Gate) look(ctx context.Context, expect []Expect, restarts map[string]count) ([]steps.Signal, []dockerx.Container, error) {
	all, err := g.Engine.Containers(ctx, g.Project)
	if err != nil {
		return nil, nil, fmt.Errorf("list containers: %w", err)
	}
	var signals []steps.Signal
	var ours []dockerx.Container
	for _, e := range expect {
		i := slices.IndexFunc(all, func(c dockerx.Container) bool { return c.Service == e.Service && !c.OneOff })
		if i < 0 {
			signals = append(signals, steps.Signal{Name: "container", Subject: e.Service, Verdict: steps.Fail, Evidence: "there is no container"})
			continue
		}
		ours = append(ours, all[i])
		signals = append(signals, containerSignals(e, all[i], restarts)...)
	}
	if worst(signals) == steps.Fail {
		return signals, ours, nil
	}
	for _, p := range g.Probes {
		signals = append(signals, g.probe(ctx, p)...)
	}
	return signals, ours, nil
}

// worst is the heaviest verdict among the signals.
func worst(signals []steps.Signal) steps.Verdict {
	v := steps.Pass
	for _, s := range signals {
		switch s.Verdict {
		case steps.Fail:
			return steps.Fail
		case steps.Wait:
			v = steps.Wait
		case steps.Pass, steps.Warned, steps.Unknown:
		}
	}
	return v
}

// hopeless is a failure that waiting does not mend.
func hopeless(signals []steps.Signal) bool {
	return slices.ContainsFunc(signals, func(s steps.Signal) bool {
		return s.Verdict == steps.Fail && (s.Name == "restarts" || s.Name == "image" || s.Name == "exit" || s.Name == "memory")
	})
}
