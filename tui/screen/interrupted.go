package screen

import (
	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"belay/steps/upgrade"
	"belay/tui/keys"
	"belay/tui/text"
	"belay/tui/widget"
	"belay/tui/words"
)

// Interrupted shows a run that did not end and offers the two ways out.
type Interrupted struct {
	frame
	run  upgrade.Interrupted
	menu widget.Menu

	on, up, down key.Binding
}

const (
	adviceResume   = "resume"
	adviceRollback = "rollback"
)

// NewInterrupted makes the screen; the cursor is on what belay advises.
func NewInterrupted(env Env, r upgrade.Interrupted) *Interrupted {
	s := &Interrupted{
		frame: frame{env: env}, run: r,
		on: keys.On("choose"), up: keys.Up(), down: keys.Down(),
	}
	s.menu.Items = []widget.Item{
		{ID: adviceResume, Label: "go on", Hint: text.Line("to " + r.To + ", from where it stopped")},
		{ID: adviceRollback, Label: "go back", Hint: text.Line("to " + r.From + ", with the configuration and data it had")},
	}
	s.menu.Select(r.Advice)
	return s
}

// Stage is off the way.
func (s *Interrupted) Stage() widget.Stage { return widget.Nowhere }

// Banner says that a run is open.
func (s *Interrupted) Banner() string {
	th := s.env.Theme
	return " " + th.Warn.Paint(text.Sprintf("! The upgrade from %s to %s did not end.", s.run.From, s.run.To))
}

// Keys are its keys.
func (s *Interrupted) Keys() keys.Set { return keys.Set{s.on, s.up, s.down} }

// Update answers keys.
func (s *Interrupted) Update(msg tea.Msg) tea.Cmd {
	m, ok := msg.(tea.KeyMsg)
	if !ok {
		return nil
	}
	switch {
	case key.Matches(m, s.up):
		s.menu.Move(-1)
	case key.Matches(m, s.down):
		s.menu.Move(1)
	case key.Matches(m, s.on):
		if s.menu.Selected().ID == adviceRollback {
			return send(RollBack{Run: s.run.Run})
		}
		return send(Resume{})
	}
	return nil
}

// View draws what is true now, the advice and the choices.
func (s *Interrupted) View() string {
	th := s.env.Theme
	age := words.Age(s.run.When, s.env.Now())
	lines := []string{" " + th.Text.Paint(text.Sprintf("It stopped in %q, %s ago.", s.run.Step, age)), ""}
	for _, t := range s.run.Truth {
		lines = append(lines, para(th.Text, th.Marks.Note+" "+text.Flat(t), 1, s.w)...)
	}
	lines = append(lines, "")
	lines = append(lines, para(th.Strong, text.Flat(s.run.Why), 1, s.w)...)
	lines = append(lines, "")
	menu := s.menu.Lines(th)
	if room := max(s.h-len(menu), 0); len(lines) > room {
		lines = lines[:room]
	}
	return join(widget.Fit(append(lines, menu...), s.w, s.h))
}
