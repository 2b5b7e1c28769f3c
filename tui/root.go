package tui

import (
	"context"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"belay/releases/notes"
	"belay/steps"
	"belay/steps/stack"
	"belay/steps/upgrade"
	"belay/tui/keys"
	"belay/tui/port"
	"belay/tui/screen"
	"belay/tui/text"
	"belay/tui/theme"
	"belay/tui/widget"
)

// root is the only tea.Model. It owns what outlives a screen: the facts, the
// run and its one outstanding wait, the size, the dialog.
type root struct {
	ctx  context.Context //nolint:containedctx // of the program; Bubble Tea hands none to Update
	opts Options
	env  screen.Env
	w, h int

	screen screen.Screen
	before []screen.Screen // where esc goes
	help   bool
	dialog *widget.Dialog

	request int                // the number of the last request
	cancel  context.CancelFunc // of the request that is under way
	again   func() tea.Cmd     // does the last request again
	pending bool               // a run is being started: no way back

	stack      *stack.Stack
	choices    *upgrade.Choices
	choicesErr error
	to         string
	report     notes.Report
	accepted   []string
	plan       *steps.Plan
	open       *upgrade.Interrupted // the run that did not end

	run   port.Run
	state *screen.State
	asked *steps.Question // the question that was shown

	quitting bool
	stopped  bool // left by ctrl+c
	outcome  steps.Outcome
	err      error
}

func newRoot(ctx context.Context, o Options) *root {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.tick == nil {
		o.tick = tea.Tick
	}
	if o.Env == nil {
		o.Env = func(string) string { return "" }
	}
	r := &root{ctx: ctx, opts: o, env: screen.Env{Theme: theme.FromEnv(o.Env), Now: o.Now}, cancel: func() {}}
	r.screen = screen.NewWait(r.env, widget.Current, "Looking at what is installed…", false)
	return r
}

// Init asks what is installed; the first frame does not wait for it.
func (r *root) Init() tea.Cmd { return r.inspect() }

// Update is the one place where state changes.
func (r *root) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch m := msg.(type) {
	case tea.WindowSizeMsg:
		r.w, r.h = m.Width, m.Height
		return r, r.resize(m)
	case tea.KeyMsg:
		return r, r.key(m)
	case reply:
		return r, r.reply(m)
	case batch, ended, tick:
		return r, r.follow(m)
	default:
		return r, r.route(m)
	}
}

func (r *root) resize(m tea.WindowSizeMsg) tea.Cmd {
	r.fit()
	return r.screen.Update(m)
}

// fit gives the screen its rectangle.
func (r *root) fit() { r.screen.SetSize(r.w, max(r.h-chrome, 0)) }

// show puts a screen in place of the one that is there: sized first, then begun.
func (r *root) show(s screen.Screen) tea.Cmd {
	r.screen, r.help = s, false
	r.fit()
	return s.Init()
}

// push shows a screen that esc comes back from. A screen that only waits is not
// a place to come back to.
func (r *root) push(s screen.Screen) tea.Cmd {
	r.leaveBehind()
	return r.show(s)
}

func (r *root) leaveBehind() {
	if !passing(r.screen) {
		r.before = append(r.before, r.screen)
	}
}

func (r *root) back() tea.Cmd {
	if r.pending || len(r.before) == 0 {
		return nil
	}
	r.cancel()
	r.request++ // what is still under way comes too late
	last := len(r.before) - 1
	s := r.before[last]
	r.before = r.before[:last]
	return r.show(s)
}

func passing(s screen.Screen) bool {
	switch s.(type) {
	case *screen.Wait, *screen.Trouble:
		return true
	default:
		return false
	}
}

func (r *root) running() bool { return r.run != nil && !r.state.Over() }

func (r *root) key(m tea.KeyMsg) tea.Cmd {
	name := m.String()
	switch {
	case name == "ctrl+c":
		return r.interrupt()
	case r.dialog != nil:
		return r.dialogKey(name)
	case r.screen.Capturing():
		return r.screen.Update(m)
	case r.help:
		r.help = false
		return nil
	case name == "?":
		r.help = true
		return nil
	case name == "q":
		return r.leave()
	default:
		return r.screen.Update(m)
	}
}

// interrupt answers ctrl+c: it opens the dialog during a run, moves on in it
// when it is open, and leaves when nothing runs.
func (r *root) interrupt() tea.Cmd {
	switch {
	case r.dialog != nil:
		r.dialog.Menu.Next()
		return nil
	case r.running():
		r.openDialog()
		return nil
	case r.pending:
		return nil // the run is there in a moment and can be asked to stop
	default:
		r.stopped = true
		return r.quit()
	}
}

func (r *root) leave() tea.Cmd {
	switch {
	case r.running():
		r.openDialog()
		return nil
	case r.pending:
		return nil
	default:
		return r.quit()
	}
}

func (r *root) quit() tea.Cmd {
	if t, ok := r.screen.(*screen.Trouble); ok && r.run == nil {
		r.err = t.Err()
	}
	r.quitting = true
	r.cancel()
	return tea.Quit
}

// The choices of the dialog during a run.
const (
	goOn      = "go on"
	afterStep = "after step"
	undo      = "undo"
)

func (r *root) openDialog() {
	r.dialog = &widget.Dialog{
		Title: "Stop the run?",
		Note:  "A step that has begun always ends in a safe place first.",
		Menu: widget.Menu{Items: []widget.Item{
			{ID: goOn, Label: "keep going", Hint: "as if nothing had been pressed"},
			{ID: afterStep, Label: "stop after this step", Hint: "ends it in a state that belay knows"},
			{ID: undo, Label: "stop and roll back", Hint: text.Line("back to " + r.from() + ", with its configuration and data")},
		}},
	}
}

func (r *root) from() string {
	switch {
	case r.plan != nil:
		return r.plan.From
	case r.open != nil:
		return r.open.From
	case r.stack != nil:
		return r.stack.Version.Text
	default:
		return "the old version"
	}
}

func (r *root) dialogKey(name string) tea.Cmd {
	switch name {
	case "up", "k":
		r.dialog.Menu.Move(-1)
	case "down", "j":
		r.dialog.Menu.Move(1)
	case "esc", "q":
		r.dialog = nil
	case "enter":
		choice := r.dialog.Menu.Selected().ID
		r.dialog = nil
		r.stop(choice)
	}
	return nil
}

func (r *root) stop(choice string) {
	if !r.running() {
		return
	}
	how := steps.GoOn
	switch choice {
	case afterStep:
		how = steps.AfterStep
	case undo:
		how = steps.Undo
	}
	if how == steps.GoOn {
		return
	}
	r.run.RequestStop(how)
	r.state.Asked = max(r.state.Asked, how)
}

// keys are the screen's and those that work everywhere.
func (r *root) keys() keys.Set {
	if r.dialog != nil {
		return keys.Set{keys.On("choose"), keys.Up(), keys.Down(), keys.Bind("esc", "keep going", "esc", "q"), keys.Bind("ctrl+c", "next choice", "ctrl+c")}
	}
	set := append(keys.Set{}, r.screen.Keys()...)
	set = append(set, keys.Help())
	if r.running() {
		return append(set, keys.Bind("ctrl+c", "stop or undo", "ctrl+c", "q"))
	}
	return append(set, keys.Bind("q", "leave"+r.harmless(), "q", "ctrl+c"))
}

// harmless says at the plan, the last stop before anything happens, that nothing
// has.
func (r *root) harmless() string {
	if r.screen.Stage() == widget.Plan && r.run == nil {
		return ", nothing changed"
	}
	return ""
}

// result is the outcome that Run returns.
func (r *root) result() steps.Outcome {
	if r.run != nil {
		return r.outcome
	}
	out := steps.Outcome{Result: steps.Aborted, Exit: steps.ExitOK, Message: "Nothing was changed."}
	if r.stack != nil {
		out.From, out.To = r.stack.Version.Text, r.stack.Version.Text
	}
	switch {
	case r.stopped:
		out.Exit = steps.ExitStopped
	case r.choices != nil && r.choices.Nothing != "":
		out.Result, out.Message = steps.NothingToDo, r.choices.Nothing
	}
	return out
}
