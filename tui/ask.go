package tui

import (
	"context"
	"errors"

	tea "github.com/charmbracelet/bubbletea"

	"belay/releases/notes"
	"belay/steps"
	"belay/steps/stack"
	"belay/steps/upgrade"
	"belay/tui/port"
	"belay/tui/screen"
	"belay/tui/text"
	"belay/tui/widget"
)

// reply is the backend's answer to request number id. One whose number is not
// the last any more comes too late and is dropped.
type reply struct {
	id    int
	stage widget.Stage
	fact  any
	err   error
}

// The facts that replies carry.
type (
	inspected struct{ stack *stack.Stack }
	openRun   struct{ run *upgrade.Interrupted }
	chosen    struct{ choices upgrade.Choices }
	noted     struct{ report notes.Report }
	planned   struct{ plan *steps.Plan }
	pastRuns  struct{ past []upgrade.Past }
	started   struct {
		run  port.Run
		plan *steps.Plan // nil: not ours to know
		verb text.Safe
	}
)

// ask sends a request and shows what is being waited for.
func (r *root) ask(stage widget.Stage, doing text.Safe, do func(ctx context.Context) (any, error)) tea.Cmd {
	r.again = func() tea.Cmd { return r.ask(stage, doing, do) }
	r.cancel()
	ctx, cancel := context.WithCancel(r.ctx)
	r.cancel = cancel
	r.request++
	id := r.request
	r.leaveBehind()
	show := r.show(screen.NewWait(r.env, stage, doing, len(r.before) > 0 && !r.pending))
	return tea.Batch(show, func() tea.Msg {
		defer cancel()
		fact, err := do(ctx)
		return reply{id: id, stage: stage, fact: fact, err: err}
	})
}

// start is ask for something that cannot be taken back by leaving the screen.
func (r *root) start(doing, verb text.Safe, plan *steps.Plan, do func(ctx context.Context) (port.Run, error)) tea.Cmd {
	r.pending = true
	cmd := r.ask(widget.Run, doing, func(ctx context.Context) (any, error) {
		run, err := do(ctx)
		if err == nil && run == nil {
			err = errors.New("the run did not start")
		}
		return started{run, plan, verb}, err
	})
	r.again = func() tea.Cmd { return r.start(doing, verb, plan, do) }
	return cmd
}

func (r *root) reply(m reply) tea.Cmd {
	if m.id != r.request {
		return nil
	}
	r.pending = false
	if m.err != nil {
		return r.show(screen.NewTrouble(r.env, m.stage, m.err, len(r.before) > 0))
	}
	switch f := m.fact.(type) {
	case openRun:
		r.open = f.run
		return r.show(screen.NewInterrupted(r.env, *f.run))
	case inspected:
		r.stack = f.stack
		return tea.Batch(r.show(screen.NewCurrent(r.env, f.stack)), r.lookUp(), r.remember(), r.named())
	case noted:
		r.report = f.report
		return r.show(screen.NewNotes(r.env, f.report))
	case planned:
		r.plan = f.plan
		return r.show(screen.NewPlan(r.env, f.plan))
	case pastRuns:
		return r.show(screen.NewPast(r.env, f.past))
	case chosen:
		return r.take(screen.Choices{Choices: f.choices})
	case started:
		return r.begin(f)
	}
	return nil
}

// named goes on to the notes of the version that the user named on the command
// line, once; esc leads back to what is installed.
func (r *root) named() tea.Cmd {
	if r.opts.To == "" {
		return nil
	}
	r.to, r.opts.To = r.opts.To, ""
	return r.askNotes(r.to)
}

// inspect asks for an open run first: what is installed can wait for it.
func (r *root) inspect() tea.Cmd {
	b := r.opts.Backend
	return r.ask(widget.Current, "Looking at what is installed…", func(ctx context.Context) (any, error) {
		open, err := b.Interrupted(ctx)
		if err != nil {
			return nil, err
		}
		if open != nil {
			return openRun{open}, nil
		}
		s, err := b.Inspect(ctx)
		if err == nil && s == nil {
			err = errors.New("nothing was found here")
		}
		return inspected{s}, err
	})
}

// lookUp asks for newer versions while the user looks at what is installed.
func (r *root) lookUp() tea.Cmd {
	ctx, b := r.ctx, r.opts.Backend
	return func() tea.Msg {
		c, err := b.Choices(ctx)
		return screen.Choices{Choices: c, Err: err}
	}
}

func (r *root) remember() tea.Cmd {
	ctx, b := r.ctx, r.opts.Backend
	return func() tea.Msg {
		p, err := b.History(ctx)
		return screen.History{Past: p, Err: err}
	}
}

func (r *root) askChoices() tea.Cmd {
	b := r.opts.Backend
	return r.ask(widget.Target, "Looking for newer versions…", func(ctx context.Context) (any, error) {
		c, err := b.Choices(ctx)
		return chosen{c}, err
	})
}

func (r *root) askNotes(to string) tea.Cmd {
	b := r.opts.Backend
	return r.ask(widget.Notes, "Reading the release notes…", func(ctx context.Context) (any, error) {
		n, err := b.Notes(ctx, to)
		return noted{n}, err
	})
}

func (r *root) askPlan(to string, accepted []string) tea.Cmd {
	b := r.opts.Backend
	return r.ask(widget.Plan, "Making the plan: looking at images, data and disk…", func(ctx context.Context) (any, error) {
		p, err := b.Plan(ctx, to, accepted)
		if err == nil && p == nil {
			err = errors.New("no plan could be made")
		}
		return planned{p}, err
	})
}

func (r *root) askPast() tea.Cmd {
	b := r.opts.Backend
	return r.ask(widget.Nowhere, "Reading the history…", func(ctx context.Context) (any, error) {
		p, err := b.History(ctx)
		return pastRuns{p}, err
	})
}
