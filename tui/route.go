package tui

import (
	"context"

	tea "github.com/charmbracelet/bubbletea"

	"belay/tui/markdown"
	"belay/tui/port"
	"belay/tui/screen"
	"belay/tui/text"
	"belay/tui/widget"
)

// route acts on what a screen decided: the one place that knows which screen
// follows which.
func (r *root) route(msg tea.Msg) tea.Cmd {
	switch m := msg.(type) {
	case screen.Back:
		return r.back()
	case screen.Leave:
		return r.leave()
	case screen.Retry:
		return r.again()
	case screen.Choices:
		return r.take(m)
	case screen.Choose:
		return r.choose()
	case screen.ShowHistory:
		return r.askPast()
	case screen.Chosen:
		r.to = m.Version
		return r.askNotes(m.Version)
	case screen.Accepted:
		r.accepted = m.IDs
		return r.askPlan(r.to, m.IDs)
	case screen.Render:
		return r.render(m)
	case screen.Begin, screen.Resume, screen.RollBack:
		return r.launch(m)
	case screen.Answered, screen.ShowLog, screen.ShowHealth, screen.ShowQuestion:
		return r.watch(m)
	default:
		return r.screen.Update(msg)
	}
}

// choose goes to the versions, at once when they are known.
func (r *root) choose() tea.Cmd {
	switch {
	case r.choices != nil:
		return r.push(screen.NewTarget(r.env, *r.choices))
	case r.choicesErr != nil:
		return r.askChoices() // it failed in the background: try again, in view
	default:
		r.again = r.askChoices
		return r.push(screen.NewWait(r.env, widget.Target, "Looking for newer versions…", true))
	}
}

// take keeps the choices, shows them where they are waited for, and tells the
// screen of what is installed, wherever it is.
func (r *root) take(m screen.Choices) tea.Cmd {
	r.choices, r.choicesErr = nil, m.Err
	if m.Err == nil {
		r.choices = &m.Choices
	}
	for _, s := range append([]screen.Screen{r.screen}, r.before...) {
		if c, ok := s.(*screen.Current); ok {
			c.Update(m)
		}
	}
	w, waiting := r.screen.(*screen.Wait)
	if !waiting || w.Stage() != widget.Target {
		return nil
	}
	if m.Err != nil {
		return r.show(screen.NewTrouble(r.env, widget.Target, m.Err, true))
	}
	return r.show(screen.NewTarget(r.env, m.Choices))
}

// render draws a note outside of Update, where slow things belong.
func (r *root) render(m screen.Render) tea.Cmd {
	color := r.env.Theme.Color
	return func() tea.Msg {
		return screen.Rendered{Version: m.Entry.Version, Width: m.Width, Lines: markdown.Render(m.Entry.Body, m.Width, color)}
	}
}

// launch starts a run.
func (r *root) launch(msg tea.Msg) tea.Cmd {
	b := r.opts.Backend
	switch m := msg.(type) {
	case screen.Begin:
		plan := r.plan
		return r.start("Starting…", text.Line("Upgrade to "+plan.To), plan,
			func(ctx context.Context) (port.Run, error) { return b.Upgrade(ctx, plan) })
	case screen.Resume:
		return r.start("Going on…", r.verb("upgrade"), nil,
			func(ctx context.Context) (port.Run, error) { return b.Resume(ctx) })
	case screen.RollBack:
		return r.start("Going back…", r.verb("rollback"), nil,
			func(ctx context.Context) (port.Run, error) { return b.Rollback(ctx, m.Run) })
	}
	return nil
}

// verb names a run that another belay planned.
func (r *root) verb(kind text.Safe) text.Safe {
	switch {
	case r.open != nil && kind == "upgrade":
		return text.Line("Upgrade to " + r.open.To)
	case r.open != nil:
		return text.Line("Rollback to " + r.open.From)
	default:
		return "The " + kind
	}
}
