package screen

import (
	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"belay/steps"
	"belay/tui/keys"
	"belay/tui/text"
	"belay/tui/theme"
	"belay/tui/widget"
)

// Health shows what was checked of the new version, signal by signal.
type Health struct {
	frame
	state *State

	log, question, up, down key.Binding
}

// NewHealth makes the screen of a run's checks.
func NewHealth(env Env, s *State) *Health {
	return &Health{
		frame: frame{env: env}, state: s,
		log: keys.Bind("l", "log", "l", "esc"), question: keys.On("answer the question"), up: keys.Up(), down: keys.Down(),
	}
}

// Stage is the last one.
func (s *Health) Stage() widget.Stage { return widget.Health }

// Head is the clocks.
func (s *Health) Head() text.Safe { return s.state.Clocks() }

// Keys are its keys.
func (s *Health) Keys() keys.Set {
	s.question.SetEnabled(s.state.Question != nil)
	return keys.Set{s.question, s.log, s.up, s.down}
}

// Update answers keys; facts come through the state.
func (s *Health) Update(msg tea.Msg) tea.Cmd {
	m, ok := msg.(tea.KeyMsg)
	if !ok {
		return nil
	}
	s.Keys()
	switch {
	case key.Matches(m, s.question):
		return send(ShowQuestion{})
	case key.Matches(m, s.log):
		return send(ShowLog{})
	case key.Matches(m, s.up):
		s.scroll--
	case key.Matches(m, s.down):
		s.scroll++
	}
	return nil
}

// View draws the signals over what is being waited for.
func (s *Health) View() string {
	th := s.env.Theme
	lines := []string{" " + th.Here.Paint(th.Marks.Here) + " " + th.Strong.Paint(s.state.Doing()), ""}
	if r := s.state.current(); r != nil && r.doing != "" {
		lines[1] = "   " + th.Faint.Paint(r.doing)
		lines = append(lines, "")
	}
	if len(s.state.Signals) == 0 {
		lines = append(lines, " "+th.Faint.Paint("nothing checked yet"))
	}
	return s.page(append(lines, SignalLines(th, s.state.Signals, s.w)...))
}

// SignalLines draws signals as a table: mark, name, subject, evidence.
func SignalLines(th theme.Theme, signals []steps.Signal, w int) []string {
	name, subject := 0, 0
	for _, n := range signals {
		name = max(name, text.Width(text.Line(n.Name)))
		subject = max(subject, text.Width(text.Line(n.Subject)))
	}
	name, subject = min(name, 14), min(subject, 20)
	var out []string
	for _, n := range signals {
		mark, st := Verdict(th, n.Verdict)
		head := " " + st.Paint(mark) + " " + th.Strong.Paint(text.Pad(text.Line(n.Name), name)) + "  " +
			th.Text.Paint(text.Pad(text.Line(n.Subject), subject)) + "  "
		indent := text.Width(head)
		for i, l := range text.Wrap(text.Flat(n.Evidence), max(w-indent, 12)) {
			if i > 0 {
				head = string(text.Repeat(" ", indent))
			}
			out = append(out, head+th.Text.Paint(l))
		}
	}
	return out
}

// Verdict is the mark of a verdict.
func Verdict(th theme.Theme, v steps.Verdict) (text.Safe, theme.Style) {
	switch v {
	case steps.Pass:
		return th.Marks.Pass, th.Good
	case steps.Fail:
		return th.Marks.Failed, th.Bad
	case steps.Warned:
		return th.Marks.Warn, th.Warn
	case steps.Wait:
		return th.Marks.Wait, th.Here
	case steps.Unknown:
	}
	return "?", th.Warn
}
