package screen

import (
	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"belay/steps/upgrade"
	"belay/tui/keys"
	"belay/tui/text"
	"belay/tui/theme"
	"belay/tui/widget"
	"belay/tui/words"
)

// Target lets the user choose a version: the newest patch, minor and major, or
// any other newer one.
type Target struct {
	frame
	choices upgrade.Choices
	other   bool // the list of all versions is open
	menu    widget.Menu
	top     int // cursor to go back to

	on, up, down, back key.Binding
}

// otherRow is the row that opens the list of all versions.
const otherRow = "other"

// NewTarget makes the screen, the cursor on the proposed version.
func NewTarget(env Env, c upgrade.Choices) *Target {
	s := &Target{
		frame: frame{env: env}, choices: c,
		on: keys.On("read the notes"), up: keys.Up(), down: keys.Down(), back: keys.Back(),
	}
	s.rows()
	s.menu.Select(c.Default)
	if c.Default != "" && s.menu.Selected().ID != c.Default { // not among the rows
		s.top = max(len(s.menu.Items)-1, 0)
		s.other = true
		s.all()
		s.menu.Select(c.Default)
	}
	return s
}

// Stage is the second one.
func (s *Target) Stage() widget.Stage { return widget.Target }

// Keys are its keys.
func (s *Target) Keys() keys.Set { return keys.Set{s.on, s.up, s.down, s.back} }

// Update answers keys.
func (s *Target) Update(msg tea.Msg) tea.Cmd {
	m, ok := msg.(tea.KeyMsg)
	if !ok {
		return nil
	}
	switch {
	case key.Matches(m, s.up):
		s.menu.Move(-1)
	case key.Matches(m, s.down):
		s.menu.Move(1)
	case key.Matches(m, s.back):
		if !s.other {
			return send(Back{})
		}
		s.other = false
		s.rows()
		s.menu.Cursor = s.top
	case key.Matches(m, s.on):
		return s.choose()
	}
	return nil
}

func (s *Target) choose() tea.Cmd {
	switch id := s.menu.Selected().ID; id {
	case "":
		return nil
	case otherRow:
		s.other, s.top = true, s.menu.Cursor
		s.all()
		return nil
	default:
		return send(Chosen{Version: id})
	}
}

func (s *Target) rows() {
	s.menu = widget.Menu{}
	for _, c := range s.choices.Rows {
		s.menu.Items = append(s.menu.Items, widget.Item{ID: c.Version})
	}
	if len(s.choices.All) > len(s.choices.Rows) {
		s.menu.Items = append(s.menu.Items, widget.Item{ID: otherRow})
	}
}

func (s *Target) all() {
	s.menu = widget.Menu{}
	for _, c := range s.choices.All {
		s.menu.Items = append(s.menu.Items, widget.Item{ID: c.Version})
	}
}

// View draws the rows and what the chosen one means.
func (s *Target) View() string {
	th := s.env.Theme
	list := s.choices.Rows
	if s.other {
		list = s.choices.All
	}
	hint := s.hint()
	var rows []string
	rows = append(rows, s.table(list)...)
	if !s.other && len(s.menu.Items) > len(list) {
		rows = append(rows, s.cursor(len(list))+th.Text.Paint(text.Sprintf("other…   all %s", words.Plural(len(s.choices.All), "newer version"))))
	}
	room := max(s.h-len(hint)-1, 1)
	from, to := widget.Window(len(rows), s.menu.Cursor, room)
	lines := append([]string{}, rows[from:to]...)
	lines = append(lines, "")
	return join(widget.Fit(append(lines, hint...), s.w, s.h))
}

func (s *Target) cursor(i int) string {
	th := s.env.Theme
	if i == s.menu.Cursor {
		return " " + th.Here.Paint(th.Marks.Cursor) + " "
	}
	return "   "
}

func (s *Target) table(list []upgrade.Choice) []string {
	th := s.env.Theme
	cells := make([][4]text.Safe, len(list))
	var wide [4]int
	for i, c := range list {
		age := words.Age(c.Published, s.env.Now())
		if age != "" {
			age += " old"
		}
		version := text.Line(c.Version)
		if c.Prerelease {
			version += " pre"
		}
		cells[i] = [4]text.Safe{text.Line(c.Level), version, age, words.Plural(c.Crossed, "release")}
		for k, v := range cells[i] {
			wide[k] = max(wide[k], text.Width(v))
		}
	}
	out := make([]string, len(list))
	for i, c := range list {
		st := th.Text
		if i == s.menu.Cursor {
			st = th.Strong
		}
		row := s.cursor(i)
		for k, v := range cells[i] {
			if (k == 3 && s.w < 76) || (k == 2 && s.w < 66) {
				continue // what is flagged matters more
			}
			row += st.Paint(text.Pad(v, wide[k])) + "   "
		}
		flags, fs := Flagged(th, c)
		out[i] = row + fs.Paint(flags)
	}
	return out
}

// Flagged says what the notes on the way to a version hold. It never says
// "safe": only what was read and what was found in it.
func Flagged(th theme.Theme, c upgrade.Choice) (text.Safe, theme.Style) {
	switch {
	case c.Breaking > 0:
		s := th.Marks.Failed + " " + words.Number(int64(c.Breaking)) + " breaking"
		switch {
		case c.Concerning == 1:
			s += ", 1 concerns you"
		case c.Concerning > 1:
			s += text.Sprintf(", %d concern you", c.Concerning)
		}
		return s, th.Bad
	case c.Have == 0:
		return "no notes found", th.Warn
	case c.Attention > 0:
		return text.Sprintf("! %d to look at in %d of %d notes", c.Attention, c.Have, c.Of), th.Warn
	case c.Have < c.Of:
		return text.Sprintf("nothing flagged in %d of %d notes", c.Have, c.Of), th.Warn
	default:
		return text.Sprintf("nothing flagged in %d of %d notes", c.Have, c.Of), th.Text
	}
}

func (s *Target) hint() []string {
	th := s.env.Theme
	var out []string
	c, ok := s.selected()
	if ok {
		meaning := map[string]text.Safe{
			"patch": "patch: fixes, as a rule. Belay backs up first, always.",
			"minor": "minor: may migrate the database. Belay backs up first, always.",
			"major": "major: expect changes in configuration and data. Belay backs up first, always.",
		}[c.Level]
		if meaning != "" {
			out = append(out, para(th.Text, meaning, 1, s.w)...)
		}
		if c.Tag != "" && c.Tag != c.Version {
			out = append(out, " "+th.Faint.Paint("image tag "+text.Line(c.Tag)))
		}
	}
	if s.choices.Nothing != "" {
		out = append(out, para(th.Good, text.Flat(s.choices.Nothing), 1, s.w)...)
	}
	if s.choices.Warning != "" {
		out = append(out, para(th.Warn, "! "+text.Flat(s.choices.Warning), 1, s.w)...)
	}
	return out
}

func (s *Target) selected() (upgrade.Choice, bool) {
	id := s.menu.Selected().ID
	for _, c := range s.choices.All {
		if c.Version == id {
			return c, true
		}
	}
	for _, c := range s.choices.Rows {
		if c.Version == id {
			return c, true
		}
	}
	return upgrade.Choice{}, false
}
