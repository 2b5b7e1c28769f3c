// Package tui is the front end for people at a terminal: the root model, which
// alone is a tea.Model, and the state machine of its screens. It must not know
// Docker, GitHub or how a step works: it asks a Backend and draws what a run says.
package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	_ "belay/tui/colorguard" // first of all: see there

	tea "github.com/charmbracelet/bubbletea"

	"belay/steps"
	"belay/tui/port"
	"belay/tui/theme"
)

// Backend is what the wizard asks. Its runs are port.Run: the name Run is taken
// here by the wizard itself.
type Backend = port.Backend

// Options are what the wizard needs besides a backend.
type Options struct {
	Backend Backend
	In      io.Reader                // a terminal
	Out     io.Writer                // a terminal
	Env     func(name string) string // NO_COLOR, TERM, LANG …; nil: none set
	Now     func() time.Time
	Version string // of belay
	Title   string // what is looked at before the stack is known: a directory
	To      string // the version the user has named already; "" lets the user choose

	tick func(time.Duration, func(time.Time) tea.Msg) tea.Cmd // of the clocks; tests have their own
}

// Run shows the wizard until the user leaves it or a run has ended and was
// looked at, then prints the summary on the normal screen.
//
// The outcome is the run's. When no run was started it is Aborted (exit 0, or
// 130 after ctrl+c) or NothingToDo; when the user left at an error, the error is
// returned and nothing printed. When ctx ends the wizard goes at once, also
// during a run, with ctx's error: the run belongs to whoever made the Backend.
func Run(ctx context.Context, o Options) (steps.Outcome, error) {
	if o.Env == nil {
		o.Env = func(string) string { return "" }
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends every command that still waits
	r := newRoot(ctx, o)
	p := tea.NewProgram(r,
		tea.WithContext(ctx), tea.WithInput(o.In), tea.WithOutput(o.Out),
		tea.WithAltScreen(), tea.WithoutSignalHandler())
	if _, err := p.Run(); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return steps.Outcome{}, cause
		}
		return steps.Outcome{}, fmt.Errorf("terminal: %w", err)
	}
	if r.err != nil {
		return steps.Outcome{}, r.err
	}
	out := r.result()
	th := theme.FromEnv(o.Env)
	if _, err := io.WriteString(o.Out, th.Plainly(summary(th, out))); err != nil {
		return out, errors.Join(errors.New("the summary could not be written"), err)
	}
	return out, nil
}
