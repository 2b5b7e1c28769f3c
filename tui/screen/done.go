package screen

import (
	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"belay/steps"
	"belay/tui/keys"
	"belay/tui/text"
	"belay/tui/widget"
)

// Done shows how a run ended, with its proof.
type Done struct {
	frame
	state   *State
	outcome steps.Outcome

	on, log, up, down key.Binding
}

// NewDone makes the screen of an outcome.
func NewDone(env Env, s *State, o steps.Outcome) *Done {
	return &Done{
		frame: frame{env: env}, state: s, outcome: o,
		on: keys.On("leave"), log: keys.Bind("l", "log", "l"), up: keys.Up(), down: keys.Down(),
	}
}

// Stage is past the last one.
func (s *Done) Stage() widget.Stage { return widget.Arrived }

// Head is the clocks.
func (s *Done) Head() text.Safe { return s.state.Clocks() }

// Banner says the end in one sentence.
func (s *Done) Banner() string {
	th := s.env.Theme
	mark, st := th.Marks.Done, th.Good
	switch s.outcome.Result {
	case steps.NeedsOperator:
		mark, st = th.Marks.Failed, th.Bad
	case steps.Aborted:
		mark, st = th.Marks.Warn, th.Warn
	case steps.Upgraded, steps.RolledBack, steps.NothingToDo:
	}
	return " " + st.Paint(mark+" "+text.Flat(s.outcome.Message))
}

// Keys are its keys.
func (s *Done) Keys() keys.Set { return keys.Set{s.on, s.log, s.up, s.down} }

// Update answers keys.
func (s *Done) Update(msg tea.Msg) tea.Cmd {
	m, ok := msg.(tea.KeyMsg)
	if !ok {
		return nil
	}
	switch {
	case key.Matches(m, s.on):
		return send(Leave{})
	case key.Matches(m, s.log):
		return send(ShowLog{})
	case key.Matches(m, s.up):
		s.scroll--
	case key.Matches(m, s.down):
		s.scroll++
	}
	return nil
}

// View draws the whole sentence, the proof, the restore point and the next command.
func (s *Done) View() string {
	th, o := s.env.Theme, s.outcome
	var lines []string
	if text.Width(s.Banner()) > s.w {
		lines = append(lines, para(th.Text, text.Flat(o.Message), 1, s.w)...)
		lines = append(lines, "")
	}
	if len(o.Proof) > 0 {
		lines = append(lines, SignalLines(th, o.Proof, s.w)...)
		lines = append(lines, "")
	}
	for _, w := range s.state.Warnings {
		lines = append(lines, para(th.Warn, "! "+w, 1, s.w)...)
	}
	fact := func(name, v text.Safe) {
		if v == "" {
			return
		}
		for _, l := range text.Fold(v, max(s.w-16, 10)) { // never cut: it is copied
			lines = append(lines, " "+th.Faint.Paint(text.Pad(name, 13))+"  "+th.Text.Paint(l))
			name = ""
		}
	}
	fact("Run", text.Line(o.Run))
	fact("Restore point", text.Line(o.Backup))
	fact("Next", text.Line(o.Next))
	return s.page(lines)
}
