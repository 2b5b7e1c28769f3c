package screen

import (
	"errors"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"belay/steps"
	"belay/tui/keys"
	"belay/tui/text"
	"belay/tui/widget"
)

// Trouble shows an error: one sentence, the next command, and what can be done.
type Trouble struct {
	frame
	stage   widget.Stage
	err     error
	canBack bool

	retry, back, up, down key.Binding
}

// NewTrouble makes the screen of an error that happened at a stage.
func NewTrouble(env Env, stage widget.Stage, err error, canBack bool) *Trouble {
	return &Trouble{
		frame: frame{env: env}, stage: stage, err: err, canBack: canBack,
		retry: keys.On("try again"), back: keys.Back(), up: keys.Up(), down: keys.Down(),
	}
}

// Err is the error.
func (s *Trouble) Err() error { return s.err }

// Stage is where it happened.
func (s *Trouble) Stage() widget.Stage { return s.stage }

// Keys are its keys.
func (s *Trouble) Keys() keys.Set {
	s.back.SetEnabled(s.canBack)
	return keys.Set{s.retry, s.back, s.up, s.down}
}

// Update answers keys.
func (s *Trouble) Update(msg tea.Msg) tea.Cmd {
	m, ok := msg.(tea.KeyMsg)
	if !ok {
		return nil
	}
	s.Keys()
	switch {
	case key.Matches(m, s.retry):
		return send(Retry{})
	case key.Matches(m, s.back):
		return send(Back{})
	case key.Matches(m, s.up):
		s.scroll--
	case key.Matches(m, s.down):
		s.scroll++
	}
	return nil
}

// View draws the sentence, nothing cut.
func (s *Trouble) View() string {
	th := s.env.Theme
	lines := []string{""}
	for i, l := range text.Lines(s.err.Error()) {
		st := th.Text
		if i == 0 {
			l, st = th.Marks.Failed+" "+l, th.Bad
		}
		lines = append(lines, para(st, l, 1, s.w)...)
	}
	lines = append(lines, "", " "+th.Text.Paint("Nothing was changed."))
	var advised steps.Advised
	if errors.As(s.err, &advised) && advised.Advice() != "" {
		lines = append(lines, "", " "+th.Faint.Paint("Next  ")+th.Strong.Paint(text.Line(advised.Advice())))
	}
	return s.page(lines)
}
