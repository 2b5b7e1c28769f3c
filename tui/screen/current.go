package screen

import (
	"path/filepath"
	"strconv"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"belay/steps/stack"
	"belay/steps/upgrade"
	"belay/tui/keys"
	"belay/tui/text"
	"belay/tui/theme"
	"belay/tui/widget"
	"belay/tui/words"
)

// Current shows what is installed.
type Current struct {
	frame
	stack   *stack.Stack
	choices *upgrade.Choices
	trouble error
	past    []upgrade.Past
	known   bool // the history was read

	on, history, up, down key.Binding
}

// NewCurrent makes the screen of an installation.
func NewCurrent(env Env, s *stack.Stack) *Current {
	return &Current{
		frame: frame{env: env}, stack: s,
		on: keys.On("choose a version"), history: keys.Bind("h", "history", "h"), up: keys.Up(), down: keys.Down(),
	}
}

// Stage is the first one.
func (s *Current) Stage() widget.Stage { return widget.Current }

// Keys are its keys. Choosing works when there is something to choose.
func (s *Current) Keys() keys.Set {
	s.on.SetEnabled(s.choices == nil || s.choices.Nothing == "")
	return keys.Set{s.on, s.history, s.up, s.down}
}

// Update takes facts that arrive later, and keys.
func (s *Current) Update(msg tea.Msg) tea.Cmd {
	switch m := msg.(type) {
	case Choices:
		s.choices, s.trouble = nil, m.Err
		if m.Err == nil {
			s.choices = &m.Choices
		}
	case History:
		s.past, s.known = m.Past, m.Err == nil
	case tea.KeyMsg:
		s.Keys()
		switch {
		case key.Matches(m, s.on):
			return send(Choose{})
		case key.Matches(m, s.history):
			return send(ShowHistory{})
		case key.Matches(m, s.up):
			s.scroll--
		case key.Matches(m, s.down):
			s.scroll++
		}
	}
	return nil
}

// View draws services, data, health, the last run and what is new.
func (s *Current) View() string {
	lines := s.services()
	lines = append(lines, "")
	lines = append(lines, s.facts()...)
	lines = append(lines, "")
	lines = append(lines, s.news()...)
	return s.page(lines)
}

func (s *Current) services() []string {
	th := s.env.Theme
	name, version, status := 0, 0, 0
	for _, v := range s.stack.Services {
		name = max(name, text.Width(text.Line(v.Name)))
		version = max(version, text.Width(text.Line(v.Version.Text)))
		status = max(status, text.Width(s.status(v)))
	}
	name, version = min(name, 20), min(version, 18)
	status = min(status, max(s.w-name-version-22, 20))
	var out []string
	for _, v := range s.stack.Services {
		st, mark := th.Text, s.statusStyle(v)
		if v.Role == stack.App {
			st = th.Strong
		}
		out = append(out, " "+st.Paint(text.Pad(text.Line(v.Name), name))+"   "+
			st.Paint(text.Pad(text.Line(v.Version.Text), version))+"   "+
			mark.Paint(text.Pad(s.status(v), status))+"   "+th.Faint.Paint(Place(s.stack.Dir, v)))
	}
	if len(out) == 0 {
		out = []string{" " + th.Warn.Paint("This project has no services.")}
	}
	return out
}

func (s *Current) status(v stack.Service) text.Safe {
	c := v.Container
	switch {
	case c == nil:
		return "not created"
	case v.OneShot:
		return "ran once, as it should"
	}
	out := text.Line(string(c.State))
	if up := v.Up(); !up.IsZero() {
		out += " " + words.Age(up, s.env.Now())
	}
	if c.Health != "" {
		out += ", " + text.Line(string(c.Health))
	}
	return out
}

func (s *Current) statusStyle(v stack.Service) theme.Style {
	th := s.env.Theme
	switch {
	case v.OneShot:
		return th.Text
	case v.Up().IsZero() || v.Container.Health == "unhealthy":
		return th.Warn
	default:
		return th.Text
	}
}

func (s *Current) facts() []string {
	th := s.env.Theme
	var out []string
	label := func(l text.Safe, lines []text.Safe) {
		for i, v := range lines {
			if i > 0 {
				l = ""
			}
			out = append(out, " "+th.Faint.Paint(text.Pad(l, 7))+"  "+th.Text.Paint(v))
		}
	}
	label("Data", s.data())
	var probes []text.Safe
	for _, p := range s.stack.Probes {
		probes = append(probes, text.Sprintf("GET %s  wants %d", p.URL, p.Status))
	}
	label("Health", probes)
	label("Last", s.last())
	return out
}

func (s *Current) data() []text.Safe {
	type row struct{ kind, name, size, where text.Safe }
	var rows []row
	for _, d := range s.stack.Databases {
		name := text.Line(d.Name)
		if name == "" {
			name = text.Line(filepath.Base(d.Path))
		}
		rows = append(rows, row{text.Line(d.Kind), name, words.Bytes(d.Bytes), text.Line(d.Store.String())})
	}
	for _, d := range s.stack.Stores {
		if !s.holdsDatabase(d.String()) {
			rows = append(rows, row{"files", text.Line(d.Target), words.Bytes(d.Bytes), text.Line(d.String())})
		}
	}
	kind, name, size := 0, 0, 0
	for _, r := range rows {
		kind, name, size = max(kind, text.Width(r.kind)), max(name, text.Width(r.name)), max(size, text.Width(r.size))
	}
	name = min(name, 24)
	var out []text.Safe
	for _, r := range rows {
		out = append(out, text.Pad(r.kind, kind)+"   "+text.Pad(r.name, name)+"   "+text.PadLeft(r.size, size)+"   "+r.where)
	}
	for _, l := range s.stack.Left {
		out = append(out, text.Sprintf("not copied: %s, %s", l.String(), l.Why))
	}
	return out
}

func (s *Current) holdsDatabase(store string) bool {
	for _, d := range s.stack.Databases {
		if d.Store.String() == store {
			return true
		}
	}
	return false
}

func (s *Current) last() []text.Safe {
	switch {
	case !s.known:
		return nil
	case len(s.past) == 0:
		return []text.Safe{"no restore point yet"}
	}
	p := s.past[0]
	return []text.Safe{text.Sprintf("%s %s → %s, %s ago", p.Outcome, p.From, p.To, words.Age(p.When, s.env.Now()))}
}

func (s *Current) news() []string {
	th := s.env.Theme
	var out []string
	warn := func(v string) { out = append(out, para(th.Warn, "! "+text.Flat(v), 1, s.w)...) }
	for _, v := range s.stack.Skew {
		warn(v)
	}
	for _, v := range s.stack.Drift {
		warn(v)
	}
	for _, v := range s.stack.Warnings {
		warn(v)
	}
	if s.stack.Version.Why != "" {
		warn(s.stack.Version.Why)
	}
	switch {
	case s.trouble != nil:
		warn("What is new could not be read: " + s.trouble.Error())
	case s.choices == nil:
		out = append(out, " "+th.Faint.Paint("looking for newer versions…"))
	case s.choices.Nothing != "":
		out = append(out, para(th.Good, text.Flat(s.choices.Nothing), 1, s.w)...)
	default:
		out = append(out, s.offer())
	}
	if s.choices != nil && s.choices.Warning != "" {
		warn(s.choices.Warning)
	}
	return out
}

func (s *Current) offer() string {
	th, c := s.env.Theme, s.choices
	if len(c.Rows) == 0 {
		return " " + th.Text.Paint("! "+words.Plural(len(c.All), "newer version")+".")
	}
	best := c.Rows[0]
	for _, r := range c.Rows {
		if r.Version == c.Default {
			best = r
		}
	}
	line := text.Sprintf("! %s is out: %s since %s", best.Version, words.Plural(best.Crossed, "release"), s.stack.Version.Text)
	if age := words.Age(best.Published, s.env.Now()); age != "" {
		line += ", " + age + " old"
	}
	return " " + th.Strong.Paint(line+".")
}

// Place says where a service's version is written: ".env:7  TAG".
func Place(dir string, v stack.Service) text.Safe {
	p := v.Pin.Place
	if p.File == "" {
		return text.Flat(v.Pin.Why)
	}
	file := p.File
	if rel, err := filepath.Rel(dir, file); err == nil && !strings.HasPrefix(rel, "..") {
		file = rel
	}
	if p.Line > 0 {
		file += ":" + strconv.Itoa(p.Line)
	}
	if v.Pin.Variable != "" {
		file += "  " + v.Pin.Variable
	}
	return text.Line(file)
}
