package tui

import (
	"context"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"belay/steps"
	"belay/tui/port"
	"belay/tui/screen"
)

// quiet is how long progress and logs are collected before they are drawn; a
// state is drawn at once.
const quiet = 50 * time.Millisecond

type (
	batch struct{ batch steps.Batch }
	ended struct {
		batch   steps.Batch
		outcome steps.Outcome
	}
	tick time.Time
)

// begin shows a run that has started and arms the one wait for it.
func (r *root) begin(f started) tea.Cmd {
	r.run, r.before, r.asked = f.run, nil, nil
	r.state = screen.NewState(r.env, f.plan, f.verb)
	return tea.Batch(r.show(screen.NewRun(r.env, r.state)), wait(r.ctx, r.run), r.nextTick())
}

// wait blocks until the run has something to show. There is never more than one:
// whoever handles its message arms it again.
func wait(ctx context.Context, run port.Run) tea.Cmd {
	return func() tea.Msg {
		select {
		case <-run.Stream().Wake():
		case <-run.Done():
			return ended{run.Stream().Drain(), run.Outcome()}
		case <-ctx.Done():
			return nil
		}
		if !run.Stream().HasState() {
			pause := time.NewTimer(quiet)
			defer pause.Stop()
			select {
			case <-pause.C:
			case <-run.Done():
			case <-ctx.Done():
				return nil
			}
		}
		return batch{run.Stream().Drain()}
	}
}

// nextTick moves the clocks once a second.
func (r *root) nextTick() tea.Cmd {
	return r.opts.tick(time.Second, func(t time.Time) tea.Msg { return tick(t) })
}

func (r *root) follow(msg tea.Msg) tea.Cmd {
	switch m := msg.(type) {
	case tick:
		if !r.running() {
			return nil
		}
		r.heed()
		return r.nextTick()
	case batch:
		checking := r.state.Checking()
		r.state.Apply(m.batch)
		r.heed()
		return tea.Batch(r.turn(checking), wait(r.ctx, r.run))
	case ended:
		r.state.Apply(m.batch)
		r.state.Finish()
		r.outcome, r.dialog = m.outcome, nil
		return r.show(screen.NewDone(r.env, r.state, r.outcome))
	}
	return nil
}

// heed notices a stop that came from elsewhere: a signal, another terminal.
func (r *root) heed() {
	if s, ok := r.run.(interface{ Requested() steps.How }); ok {
		r.state.Asked = max(r.state.Asked, s.Requested())
	}
}

// turn goes to the screen that a batch asks for: a question, the checks while
// they run, the log otherwise. A user who reads the log is left alone.
func (r *root) turn(checking bool) tea.Cmd {
	switch q := r.state.Question; {
	case q != nil && q != r.asked:
		r.asked = q
		return r.show(screen.NewFailed(r.env, r.state, *q))
	case q == nil && r.on(isFailed):
		return r.show(screen.NewRun(r.env, r.state))
	}
	switch now := r.state.Checking(); {
	case now && !checking && r.on(isRun) && !r.screen.Capturing() && !r.state.Log.Paused():
		return r.show(screen.NewHealth(r.env, r.state))
	case !now && r.on(isHealth):
		return r.show(screen.NewRun(r.env, r.state))
	}
	return nil
}

// watch acts on what the screens of a run decided.
func (r *root) watch(msg tea.Msg) tea.Cmd {
	if r.state == nil {
		return nil
	}
	switch m := msg.(type) {
	case screen.Answered:
		r.run.Answer(m.Question, m.Option)
		r.state.Question = nil
		return r.show(screen.NewRun(r.env, r.state))
	case screen.ShowHealth:
		return r.show(screen.NewHealth(r.env, r.state))
	case screen.ShowLog:
		if r.state.Over() {
			return r.push(screen.NewRun(r.env, r.state))
		}
		return r.show(screen.NewRun(r.env, r.state))
	case screen.ShowQuestion:
		if q := r.state.Question; q != nil {
			return r.show(screen.NewFailed(r.env, r.state, *q))
		}
	}
	return nil
}

func (r *root) on(is func(screen.Screen) bool) bool { return is(r.screen) }

func isFailed(s screen.Screen) bool { _, ok := s.(*screen.Failed); return ok }
func isRun(s screen.Screen) bool    { _, ok := s.(*screen.Run); return ok }
func isHealth(s screen.Screen) bool { _, ok := s.(*screen.Health); return ok }
