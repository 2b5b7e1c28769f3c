package screen

import (
	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"belay/tui/keys"
	"belay/tui/text"
	"belay/tui/widget"
)

// Wait says what belay is doing until it knows what to show next.
type Wait struct {
	frame
	stage widget.Stage
	doing text.Safe

	back key.Binding
}

// NewWait makes the screen for work that belongs to a stage; canBack says whether
// the user may go back meanwhile.
func NewWait(env Env, stage widget.Stage, doing text.Safe, canBack bool) *Wait {
	s := &Wait{frame: frame{env: env}, stage: stage, doing: doing, back: keys.Back()}
	s.back.SetEnabled(canBack)
	return s
}

// Stage is the stage the work belongs to.
func (s *Wait) Stage() widget.Stage { return s.stage }

// Keys lets the user go back, where there is a way.
func (s *Wait) Keys() keys.Set { return keys.Set{s.back} }

// Update answers keys.
func (s *Wait) Update(msg tea.Msg) tea.Cmd {
	if k, ok := msg.(tea.KeyMsg); ok && key.Matches(k, s.back) {
		return send(Back{})
	}
	return nil
}

// View says what is being done.
func (s *Wait) View() string {
	return join(widget.Fit([]string{"", " " + s.env.Theme.Text.Paint(s.doing)}, s.w, s.h))
}
