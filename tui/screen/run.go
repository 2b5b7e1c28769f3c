package screen

import (
	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"belay/tui/keys"
	"belay/tui/text"
	"belay/tui/widget"
)

// Run shows a run at work: the steps on the left, the log on the right.
type Run struct {
	frame
	state  *State
	wide   bool // the log alone
	typing bool
	query  string
	missed bool // the searched text is nowhere

	search, pause, service, wideKey, health, question, next, prev, clear, back, up, down, pgup, pgdn, top, end key.Binding
}

// NewRun makes the screen of a run.
func NewRun(env Env, s *State) *Run {
	return &Run{
		frame: frame{env: env}, state: s,
		search: keys.Bind("/", "search", "/"), pause: keys.Bind("f", "pause", "f"),
		service: keys.Bind("tab", "service", "tab"), wideKey: keys.Bind("w", "wide log", "w"),
		health: keys.Bind("h", "checks", "h"), question: keys.On("answer the question"),
		next: keys.Bind("n", "next match", "n"), prev: keys.Bind("N", "match before", "N"), clear: keys.Bind("esc", "end search", "esc"), back: keys.Back(),
		up: keys.Up(), down: keys.Down(), pgup: keys.PageUp(), pgdn: keys.PageDown(), top: keys.Top(), end: keys.End(),
	}
}

// Stage is the fifth one; Health while the app is checked.
func (s *Run) Stage() widget.Stage { return stageOf(s.state) }

func stageOf(s *State) widget.Stage {
	if s.Checking() {
		return widget.Health
	}
	return widget.Run
}

// Head is the clocks.
func (s *Run) Head() text.Safe { return s.state.Clocks() }

// Capturing says whether a search is being typed.
func (s *Run) Capturing() bool { return s.typing }

// Keys are its keys.
func (s *Run) Keys() keys.Set {
	if s.state.Log.Paused() {
		s.pause = keys.Bind("f", "follow", "f")
	} else {
		s.pause = keys.Bind("f", "pause", "f")
	}
	s.question.SetEnabled(s.state.Question != nil)
	s.service.SetEnabled(s.state.Log.Services() > 1)
	s.health.SetEnabled(len(s.state.Signals) > 0 && !s.state.Over())
	searching := s.state.Log.Query() != ""
	s.next.SetEnabled(searching)
	s.prev.SetEnabled(searching)
	s.clear.SetEnabled(searching)
	s.back.SetEnabled(!searching && s.state.Over())
	return keys.Set{s.question, s.search, s.pause, s.service, s.wideKey, s.health, s.next, s.prev, s.clear, s.back, s.up, s.down, s.pgup, s.pgdn, s.top, s.end}
}

// Update answers keys; facts come through the state.
func (s *Run) Update(msg tea.Msg) tea.Cmd {
	m, ok := msg.(tea.KeyMsg)
	if !ok {
		return nil
	}
	if s.typing {
		s.edit(m)
		return nil
	}
	s.Keys()
	log := &s.state.Log
	switch {
	case key.Matches(m, s.question):
		return send(ShowQuestion{})
	case key.Matches(m, s.health):
		return send(ShowHealth{})
	case key.Matches(m, s.search):
		s.typing, s.query, s.missed = true, "", false
	case key.Matches(m, s.pause):
		log.Pause()
	case key.Matches(m, s.service):
		log.NextService()
	case key.Matches(m, s.wideKey):
		s.wide = !s.wide
	case key.Matches(m, s.next):
		s.missed = !log.Match(1)
	case key.Matches(m, s.prev):
		s.missed = !log.Match(-1)
	case key.Matches(m, s.clear):
		s.missed = false
		log.Search("")
	case key.Matches(m, s.back):
		return send(Back{})
	default:
		s.move(m)
	}
	return nil
}

func (s *Run) move(m tea.KeyMsg) {
	log := &s.state.Log
	switch {
	case key.Matches(m, s.up):
		log.Scroll(-1)
	case key.Matches(m, s.down):
		log.Scroll(1)
	case key.Matches(m, s.pgup):
		log.Scroll(-max(s.h-2, 1))
	case key.Matches(m, s.pgdn):
		log.Scroll(max(s.h-2, 1))
	case key.Matches(m, s.top):
		log.Oldest()
	case key.Matches(m, s.end):
		log.Follow()
	}
}

// edit takes the search field's keys. A pasted text may hold anything: only what
// can be seen goes in.
func (s *Run) edit(m tea.KeyMsg) {
	switch m.Type { //nolint:exhaustive // a key table of a hundred kinds; these four mean something
	case tea.KeyEnter:
		s.typing = false
		s.missed = !s.state.Log.Search(s.query)
	case tea.KeyEsc:
		s.typing = false
	case tea.KeyBackspace:
		if r := []rune(s.query); len(r) > 0 {
			s.query = string(r[:len(r)-1])
		}
	case tea.KeyRunes, tea.KeySpace:
		for _, r := range m.Runes {
			if text.Visible(r) && len(s.query) < 200 {
				s.query += string(r)
			}
		}
	}
}

// View draws steps and log side by side, one over the other where it is narrow.
func (s *Run) View() string {
	th := s.env.Theme
	h := s.h
	var last []string
	switch {
	case s.typing:
		last = []string{" " + th.Key.Paint("/") + th.Strong.Paint(text.Line(s.query)) + th.Faint.Paint("▏  enter search   esc cancel")}
	case s.missed:
		last = []string{" " + th.Warn.Paint("! not found: "+text.Line(s.state.Log.Query()))}
	case s.state.Question != nil:
		last = []string{" " + th.Bad.Paint("! A question waits: press enter to see it.")}
	case s.state.Asked != 0 && !s.state.Over():
		last = []string{" " + th.Warn.Paint("! "+s.state.Doing())}
	}
	h -= len(last)
	var lines []string
	switch {
	case s.wide:
		lines = append([]string{" " + th.Here.Paint(th.Marks.Here) + " " + th.Strong.Paint(s.state.Doing())}, indent(s.state.Log.Lines(th, s.w-1, h-1))...)
	case s.w >= 76:
		lw := min(max(s.w*48/100, 36), 58)
		lines = widget.Columns(th, widget.StepList(th, s.state.list(), lw, h), s.state.Log.Lines(th, s.w-lw-2, h), lw, s.w, h)
	default:
		top := widget.StepList(th, s.state.list(), s.w, (h+1)/2)
		lines = append(append(lines, top...), widget.Rule(th, s.w))
		lines = append(lines, indent(s.state.Log.Lines(th, s.w-1, h-len(lines)))...)
	}
	return join(widget.Fit(append(lines, last...), s.w, s.h))
}

func indent(lines []string) []string {
	for i, l := range lines {
		lines[i] = " " + l
	}
	return lines
}
