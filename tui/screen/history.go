package screen

import (
	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"belay/steps"
	"belay/steps/upgrade"
	"belay/tui/keys"
	"belay/tui/text"
	"belay/tui/widget"
	"belay/tui/words"
)

// Past lists the runs that ended. One whose restore point still stands can be
// taken back; that is asked once more.
type Past struct {
	frame
	past []upgrade.Past
	menu widget.Menu
	sure *widget.Dialog

	back, up, down, roll, on key.Binding
}

// NewPast makes the screen of a history, newest first.
func NewPast(env Env, p []upgrade.Past) *Past {
	s := &Past{
		frame: frame{env: env}, past: p,
		back: keys.Back(), up: keys.Up(), down: keys.Down(), roll: keys.Bind("r", "roll back to before it", "r"), on: keys.On("choose"),
	}
	for _, e := range p {
		s.menu.Items = append(s.menu.Items, widget.Item{ID: e.Run})
	}
	return s
}

// Stage is off the way.
func (s *Past) Stage() widget.Stage { return widget.Nowhere }

// Banner is the title.
func (s *Past) Banner() string { return " " + s.env.Theme.Title.Paint("History") }

// Keys are its keys; rolling back works on runs that can be.
func (s *Past) Keys() keys.Set {
	s.roll.SetEnabled(s.sure == nil && len(s.past) > 0 && s.past[s.menu.Cursor].Restores)
	s.on.SetEnabled(s.sure != nil)
	return keys.Set{s.on, s.roll, s.back, s.up, s.down}
}

// Update answers keys.
func (s *Past) Update(msg tea.Msg) tea.Cmd {
	m, ok := msg.(tea.KeyMsg)
	if !ok {
		return nil
	}
	s.Keys()
	menu := &s.menu
	if s.sure != nil {
		menu = &s.sure.Menu
	}
	switch {
	case key.Matches(m, s.up):
		menu.Move(-1)
	case key.Matches(m, s.down):
		menu.Move(1)
	case key.Matches(m, s.roll):
		s.ask()
	case key.Matches(m, s.on):
		choice := s.sure.Menu.Selected().ID
		s.sure = nil
		if choice == adviceRollback {
			return send(RollBack{Run: s.past[s.menu.Cursor].Run})
		}
	case key.Matches(m, s.back):
		if s.sure == nil {
			return send(Back{})
		}
		s.sure = nil
	}
	return nil
}

func (s *Past) ask() {
	p := s.past[s.menu.Cursor]
	s.sure = &widget.Dialog{
		Title: text.Sprintf("Go back to %s with the data of %s?", p.From, p.When.Format("2 January 15:04")),
		Note:  "Everything written since then is set aside, not deleted.",
		Menu: widget.Menu{Items: []widget.Item{
			{ID: "no", Label: "no"}, {ID: adviceRollback, Label: "roll back", Hint: text.Line("to " + p.From)},
		}},
	}
}

// View draws the list, or the question over it.
func (s *Past) View() string {
	th := s.env.Theme
	if s.sure != nil {
		return join(widget.Fit(s.sure.Lines(th, s.w), s.w, s.h))
	}
	if len(s.past) == 0 {
		return join(widget.Fit([]string{"", " " + th.Text.Paint("No upgrade has been made here yet.")}, s.w, s.h))
	}
	var rows []string
	at := 0
	for i, p := range s.past {
		mark, st := text.Safe(" "), th.Text
		if i == s.menu.Cursor {
			mark, st, at = th.Marks.Cursor, th.Strong, len(rows)
		}
		rows = append(rows, " "+th.Here.Paint(mark)+" "+st.Paint(text.Line(p.When.Format("2006-01-02 15:04")))+"   "+
			st.Paint(text.Pad(text.Line(p.From)+" → "+text.Line(p.To), 18))+"   "+st.Paint(words.Verdict(steps.Result(p.Outcome))))
		if i == s.menu.Cursor {
			rows = append(rows, s.detail(p)...)
		}
	}
	from, to := widget.Window(len(rows), at+1, s.h)
	return join(widget.Fit(rows[from:to], s.w, s.h))
}

func (s *Past) detail(p upgrade.Past) []string {
	th := s.env.Theme
	var out []string
	if p.Backup != "" {
		out = append(out, "     "+th.Faint.Paint("restore point "+words.Bytes(p.Bytes)+"   "+text.Line(p.Backup)))
	}
	if p.Proof != "" {
		out = append(out, "     "+th.Faint.Paint(text.Flat(p.Proof)))
	}
	return out
}
