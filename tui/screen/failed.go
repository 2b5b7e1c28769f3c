package screen

import (
	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"belay/steps"
	"belay/tui/keys"
	"belay/tui/text"
	"belay/tui/widget"
	"belay/tui/words"
)

// Failed shows a question of the run: after a failure, what comes back, what is
// lost, what is kept and how long it takes.
type Failed struct {
	frame
	state *State
	q     steps.Question
	menu  widget.Menu

	on, up, down key.Binding
}

// logItem is the choice that decides nothing yet.
const logItem = "belay.log"

// NewFailed makes the screen of a question; the cursor is on its default.
func NewFailed(env Env, s *State, q steps.Question) *Failed {
	f := &Failed{
		frame: frame{env: env}, state: s, q: q,
		on: keys.On("choose"), up: keys.Up(), down: keys.Down(),
	}
	for i, o := range q.Options {
		f.menu.Items = append(f.menu.Items, widget.Item{ID: o.ID, Label: label(o), Hint: hint(o)})
		if i == 0 {
			f.menu.Items = append(f.menu.Items, widget.Item{ID: logItem, Label: "look at the log", Hint: "decide after"})
		}
	}
	f.menu.Select(q.Default)
	return f
}

func label(o steps.Option) text.Safe {
	switch o.ID {
	case steps.AnswerRollback:
		return "roll back"
	case steps.AnswerKeep:
		return "leave it"
	default:
		return text.Flat(o.Text)
	}
}

func hint(o steps.Option) text.Safe {
	if label(o) == text.Flat(o.Text) {
		return ""
	}
	return text.Flat(o.Text)
}

// Stage is where the run is.
func (s *Failed) Stage() widget.Stage { return stageOf(s.state) }

// Head is the clocks.
func (s *Failed) Head() text.Safe { return s.state.Clocks() }

// Banner says what went wrong.
func (s *Failed) Banner() string {
	th := s.env.Theme
	if s.q.Details == nil {
		return " " + th.Warn.Paint("! "+text.Flat(s.q.Text))
	}
	return " " + th.Bad.Paint(s.headline())
}

func (s *Failed) headline() text.Safe {
	return s.env.Theme.Marks.Failed + " " + s.state.Verb + " failed: " + text.Flat(s.q.Details.Failure)
}

// Keys are its keys.
func (s *Failed) Keys() keys.Set { return keys.Set{s.on, s.up, s.down} }

// Update answers keys.
func (s *Failed) Update(msg tea.Msg) tea.Cmd {
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
		switch id := s.menu.Selected().ID; id {
		case "":
		case logItem:
			return send(ShowLog{})
		default:
			return send(Answered{Question: s.q.ID, Option: id})
		}
	}
	return nil
}

// View draws the evidence, the loss and the choices. The choices stay in view
// when the rest has to give way.
func (s *Failed) View() string {
	th := s.env.Theme
	menu := s.menu.Lines(th)
	top := s.evidence()
	top = append(top, " "+th.Strong.Paint(text.Flat(s.q.Text)))
	top = append(top, s.loss()...)
	top = append(top, "")
	room := max(s.h-len(menu), 0)
	if len(top) > room {
		top = append(top[:max(room-1, 0)], th.Faint.Paint(" "+s.env.Theme.Marks.Ellipsis))
		if room == 0 {
			top = nil
		}
	}
	return join(widget.Fit(append(top, menu...), s.w, s.h))
}

func (s *Failed) evidence() []string {
	d := s.q.Details
	if d == nil {
		return nil
	}
	var out []string
	room := max(s.h-len(s.menu.Items)-len(s.loss())-3, 1)
	if text.Width(s.headline())+1 > s.w { // cut in the banner: the cause must stand somewhere whole
		for _, l := range text.Wrap(text.Flat(d.Failure), max(s.w-2, 10)) {
			if len(out) < min(room, 4) {
				out = append(out, " "+s.env.Theme.Bad.Paint(l))
			}
		}
	}
	for _, e := range d.Evidence {
		if len(out) == room {
			break
		}
		out = append(out, " "+s.env.Theme.Bad.Paint(text.Cut(text.Flat(e), max(s.w-1, 1))))
	}
	return append(out, "")
}

func (s *Failed) loss() []string {
	d, th := s.q.Details, s.env.Theme
	if d == nil {
		return nil
	}
	var out []string
	row := func(name, what text.Safe) {
		if what == "" {
			return
		}
		for i, l := range text.Wrap(what, max(s.w-16, 10)) {
			if i > 0 {
				name = ""
			}
			out = append(out, "   "+th.Faint.Paint(text.Pad(name, 10))+"   "+th.Text.Paint(l))
		}
	}
	row("comes back", dotted(d.Back))
	row("is lost", text.Flat(d.Lost))
	row("is kept", dotted(d.Kept))
	if d.Estimated > 0 {
		row("takes", "about "+words.Took(d.Estimated))
	}
	return out
}

func dotted(parts []string) text.Safe {
	safe := make([]text.Safe, len(parts))
	for i, p := range parts {
		safe[i] = text.Flat(p)
	}
	return text.Join(safe, " · ")
}
