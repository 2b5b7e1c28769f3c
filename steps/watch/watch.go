// Package watch follows the new version's logs until it is ready, has failed, or
// somebody decides. It never ends a migration that is visibly working. It must
// not judge health: that is the gate's part.
package watch

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"belay/dockerx"
	"belay/steps"
)

// quiet is how long nothing may move (no log line, no processor time, no bytes)
// before a person is asked.
const quiet = 2 * time.Minute

// given is how long an app whose healthcheck has given it up may be quiet before
// the gate judges it; one that is visibly working (a migration) is left alone.
const given = 15 * time.Second

// settle is how long an app without healthcheck and ready line has to run
// before the gate takes over.
const settle = 3 * time.Second

// Engine is what watching looks at.
type Engine interface {
	Containers(ctx context.Context, project string) ([]dockerx.Container, error)
	Logs(ctx context.Context, container string, spec dockerx.LogSpec, on func(dockerx.LogLine)) error
	Usage(ctx context.Context, id string) (dockerx.Usage, error)
}

// Deps is what the step works with.
type Deps struct {
	Engine Engine
	Now    func() time.Time
	After  func(time.Duration) <-chan time.Time
}

type watch struct {
	Deps
	plan *steps.Plan
}

// New makes the step.
func New(d Deps, p *steps.Plan) steps.Step { return &watch{d, p} }

func (s *watch) ID() steps.ID  { return steps.Watch }
func (s *watch) Title() string { return "watch the start" }

func (s *watch) Do(ctx context.Context, r *steps.Reporter) error {
	ctx, cancel := context.WithCancel(ctx)
	rules, err := newRules(s.plan)
	if err != nil {
		cancel()
		return err
	}
	t := newTail(s.Engine, s.plan.Project, s.services(), r, rules, s.Now)
	done := t.follow(ctx)
	defer func() { cancel(); <-done }()

	activity := newActivity(s.Engine, s.Now())
	began := s.Now()
	for {
		containers, err := s.containers(ctx)
		if err != nil {
			return err
		}
		if err := t.failed(); err != nil {
			return err
		}
		if line := crashed(containers); line != "" {
			return fmt.Errorf("%s%s", line, t.because())
		}
		if why := s.ready(containers, t, began, activity.still(s.Now())); why != "" {
			r.Fact("summary", why)
			return nil
		}
		activity.look(ctx, containers, t.last(), s.Now())
		r.Progress(0, 0, "", activity.words(s.Now()))
		if activity.still(s.Now()) >= quiet {
			if err := s.ask(ctx, r, activity); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.After(500 * time.Millisecond):
		}
	}
}

// ready says in words why the app counts as started, "" while it does not.
func (s *watch) ready(containers []dockerx.Container, t *tail, began time.Time, still time.Duration) string {
	if line := t.ready(); line != "" {
		return "ready"
	}
	checks, healthy, sick := 0, 0, false
	for _, c := range containers {
		if c.State != dockerx.Running && (c.State != dockerx.Exited || c.ExitCode != 0) {
			return ""
		}
		if c.HasHealthcheck && c.State == dockerx.Running && c.Health != dockerx.NoHealth {
			checks++
			if c.Health == dockerx.Healthy {
				healthy++
			}
			sick = sick || c.Health == dockerx.Unhealthy
		}
	}
	switch {
	case checks > 0 && checks == healthy:
		return "healthy"
	case sick && still >= given:
		return "up, but its healthcheck says unhealthy" // the gate has the verdict
	case checks == 0 && len(s.plan.Ready) == 0 && s.Now().Sub(began) >= settle:
		return "running"
	default:
		return ""
	}
}

func (s *watch) ask(ctx context.Context, r *steps.Reporter, a *activity) error {
	choice, err := r.Ask(ctx, steps.Question{
		ID: "still-waiting", Default: steps.AnswerRollback,
		Text: fmt.Sprintf("%s is not ready, and nothing has moved for %s. Go on waiting?", s.plan.To, steps.Lasted(a.still(s.Now()))),
		Options: []steps.Option{
			{ID: "wait", Text: "wait two minutes more"},
			{ID: steps.AnswerRollback, Text: "give up and roll back"},
		},
	})
	if err != nil {
		return err
	}
	if choice == "wait" {
		a.reset(s.Now())
		return nil
	}
	return fmt.Errorf("%s did not get ready: no log line, no processor time and no disk traffic for %s", s.plan.To, steps.Lasted(quiet))
}

func (s *watch) containers(ctx context.Context) ([]dockerx.Container, error) {
	all, err := s.Engine.Containers(ctx, s.plan.Project)
	if err != nil {
		return nil, fmt.Errorf("list containers: %w", err)
	}
	services := s.services()
	return slices.DeleteFunc(all, func(c dockerx.Container) bool {
		return c.OneOff || !slices.Contains(services, c.Service)
	}), nil
}

func (s *watch) services() []string {
	var out []string
	for _, t := range s.plan.Group {
		out = append(out, t.Service)
	}
	return out
}

// Observe never claims done: the gate behind it is asked again in any case.
func (s *watch) Observe(context.Context) (steps.Observation, error) { return steps.NotDone, nil }

func (s *watch) Undo(context.Context, *steps.Reporter) error { return nil }

// crashed says in words which container gave up, "" when none did.
func crashed(containers []dockerx.Container) string {
	for _, c := range containers {
		revives := c.RestartPolicy != "" && c.RestartPolicy != "no"
		switch {
		case c.OOMKilled:
			return c.Service + " was killed for want of memory"
		case c.RestartCount >= 2:
			return fmt.Sprintf("%s crashes again and again (%s, exit code %d)", c.Service, steps.Plural(c.RestartCount, "restart"), c.ExitCode)
		case c.State == dockerx.Exited && c.ExitCode != 0 && !revives:
			return fmt.Sprintf("%s ended with exit code %d", c.Service, c.ExitCode)
		}
	}
	return ""
}

// rules are the plan's regular expressions over log lines.
type rules struct{ ready, failed []*regexp.Regexp }

func newRules(p *steps.Plan) (rules, error) {
	var r rules
	var err error
	if r.ready, err = compile(p.Ready); err != nil {
		return r, err
	}
	r.failed, err = compile(slices.Concat(p.Failed, p.Danger))
	return r, err
}

func compile(patterns []string) ([]*regexp.Regexp, error) {
	var out []*regexp.Regexp
	for _, p := range patterns {
		re, err := regexp.Compile(p)
		if err != nil {
			return nil, fmt.Errorf("log pattern %q: %w", p, err)
		}
		out = append(out, re)
	}
	return out, nil
}

func matches(res []*regexp.Regexp, line string) bool {
	return slices.ContainsFunc(res, func(re *regexp.Regexp) bool { return re.MatchString(line) })
}

// trouble recognises the line that explains a crash.
func trouble(line string) bool {
	l := strings.ToLower(line)
	return slices.ContainsFunc([]string{"error", "fatal", "panic", "exception", "failed", "denied"}, func(w string) bool {
		return strings.Contains(l, w)
	})
}
