package screen

import (
	"path/filepath"
	"strconv"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"belay/releases/notes"
	"belay/tui/keys"
	"belay/tui/text"
	"belay/tui/theme"
	"belay/tui/widget"
	"belay/tui/words"
)

// Notes shows what was released between the installed version and the chosen
// one: the flags first, to be ticked off, then every note.
type Notes struct {
	frame
	report   notes.Report
	flags    []notes.Flag
	must     map[string]bool // flags that need a tick
	ticked   map[string]bool
	cursor   int
	raw      bool
	address  bool
	rendered map[string]Rendered
	nudge    bool // enter was pressed before all was ticked

	on, tick, next, prev, rawKey, open, up, down, pgup, pgdn, back key.Binding
}

// NewNotes makes the screen of a report.
func NewNotes(env Env, r notes.Report) *Notes {
	s := &Notes{
		frame: frame{env: env}, report: r, flags: r.Flags(),
		must: map[string]bool{}, ticked: map[string]bool{}, rendered: map[string]Rendered{},
		on: keys.On("make the plan"), tick: keys.Bind("space", "tick", " ", "x"),
		next: keys.Bind("n", "next flag", "n"), prev: keys.Bind("N", "last flag", "N"),
		rawKey: keys.Bind("v", "raw", "v"), open: keys.Bind("o", "address", "o"),
		up: keys.Up(), down: keys.Down(), pgup: keys.PageUp(), pgdn: keys.PageDown(), back: keys.Back(),
	}
	for _, f := range r.Breaking() {
		s.must[f.ID] = true
	}
	return s
}

// Stage is the third one.
func (s *Notes) Stage() widget.Stage { return widget.Notes }

// Head says how complete the notes are.
func (s *Notes) Head() text.Safe {
	return text.Sprintf("notes for %d of %d", s.report.Have, s.report.Of)
}

// Keys are its keys; those for flags work when there are flags.
func (s *Notes) Keys() keys.Set {
	flags := len(s.flags) > 0
	s.tick.SetEnabled(len(s.must) > 0)
	s.next.SetEnabled(flags)
	s.prev.SetEnabled(flags)
	return keys.Set{s.on, s.tick, s.next, s.rawKey, s.open, s.back, s.prev, s.up, s.down, s.pgup, s.pgdn}
}

// Init asks for the first notes to be drawn.
func (s *Notes) Init() tea.Cmd { return s.want() }

// Update takes drawn notes, and keys.
func (s *Notes) Update(msg tea.Msg) tea.Cmd {
	switch m := msg.(type) {
	case Rendered:
		if m.Width == s.noteWidth() {
			s.rendered[m.Version] = m
		}
	case tea.WindowSizeMsg:
		return s.want()
	case tea.KeyMsg:
		return s.key(m)
	}
	return nil
}

func (s *Notes) key(m tea.KeyMsg) tea.Cmd {
	s.Keys()
	switch {
	case key.Matches(m, s.on):
		if s.pending() > 0 {
			s.nudge = true
			s.firstOpen()
			return nil
		}
		return send(Accepted{IDs: s.accepted()})
	case key.Matches(m, s.tick):
		s.toggle()
	case key.Matches(m, s.next):
		s.jump(s.cursor + 1)
	case key.Matches(m, s.prev):
		s.jump(s.cursor - 1)
	case key.Matches(m, s.rawKey):
		s.raw = !s.raw
		s.seek()
	case key.Matches(m, s.open):
		s.address = !s.address
	case key.Matches(m, s.up):
		s.scroll--
	case key.Matches(m, s.down):
		s.scroll++
	case key.Matches(m, s.pgup):
		s.scroll -= s.bodyHeight() - 1
	case key.Matches(m, s.pgdn):
		s.scroll += s.bodyHeight() - 1
	case key.Matches(m, s.back):
		return send(Back{})
	}
	return nil
}

// want asks for every note to be drawn for the width there is now.
func (s *Notes) want() tea.Cmd {
	var cmds []tea.Cmd
	for _, e := range s.report.Entries {
		if s.rendered[e.Version].Width != s.noteWidth() {
			cmds = append(cmds, send(Render{Entry: e, Width: s.noteWidth()}))
		}
	}
	return tea.Batch(cmds...)
}

func (s *Notes) toggle() {
	if s.cursor >= len(s.flags) {
		return
	}
	f := s.flags[s.cursor]
	if !s.must[f.ID] {
		return
	}
	s.ticked[f.ID] = !s.ticked[f.ID]
	s.nudge = false
	if s.ticked[f.ID] {
		s.firstOpen() // after a space the next space belongs to the next flag
	}
}

func (s *Notes) pending() (n int) {
	for id := range s.must {
		if !s.ticked[id] {
			n++
		}
	}
	return n
}

func (s *Notes) firstOpen() {
	for i, f := range s.flags {
		if s.must[f.ID] && !s.ticked[f.ID] {
			s.jump(i)
			return
		}
	}
}

func (s *Notes) accepted() []string {
	out := []string{}
	for _, f := range s.flags {
		if s.must[f.ID] {
			out = append(out, f.ID)
		}
	}
	return out
}

// jump moves to a flag, around the ends, and shows its place in the notes.
func (s *Notes) jump(i int) {
	if n := len(s.flags); n > 0 {
		s.cursor = (i + n) % n
		s.seek()
	}
}

// seek scrolls the notes to the flag under the cursor: in the raw notes to its
// line, in the drawn ones to its version.
func (s *Notes) seek() {
	if s.cursor >= len(s.flags) {
		return
	}
	f, at := s.flags[s.cursor], 0
	for _, e := range s.report.Entries {
		if e.Version == f.Version {
			if s.raw {
				at += max(f.Line-2, 0)
			}
			break
		}
		at += len(s.entry(e))
	}
	s.scroll = at
}

// View draws the flags over the notes.
func (s *Notes) View() string {
	th := s.env.Theme
	flags := s.flagLines()
	lines := append([]string{}, flags...)
	if len(flags) > 0 {
		lines = append(lines, widget.Rule(th, s.w))
	}
	var body []string
	for _, e := range s.report.Entries {
		body = append(body, s.entry(e)...)
	}
	if len(s.report.Entries) == 0 {
		body = append(para(th.Warn, "! No release notes were found on the way to "+text.Line(s.report.To)+".", 1, s.w), "",
			" "+th.Text.Paint("Belay cannot say what changes. It backs up first, always."))
	}
	room := s.bodyHeight()
	s.scroll = min(max(s.scroll, 0), max(len(body)-room, 0))
	end := min(s.scroll+room, len(body))
	lines = append(lines, body[s.scroll:end]...)
	for len(lines) < s.h-1 {
		lines = append(lines, "")
	}
	return join(widget.Fit(append(lines[:max(s.h-1, 0)], s.status()), s.w, s.h))
}

func (s *Notes) bodyHeight() int {
	n := len(s.flagLines())
	if n > 0 {
		n++
	}
	return max(s.h-n-1, 0)
}

func (s *Notes) noteWidth() int { return max(s.w-4, 10) }

func (s *Notes) status() string {
	th := s.env.Theme
	left := ""
	switch all := len(s.must); {
	case all > 0 && s.nudge:
		left = th.Bad.Paint(text.Sprintf(" ! tick all flags to go on: %d of %d", all-s.pending(), all))
	case all > 0 && s.pending() > 0:
		left = th.Strong.Paint(text.Sprintf(" tick all flags to go on: %d of %d", all-s.pending(), all))
	case all > 0:
		left = th.Good.Paint(text.Sprintf(" %d of %d flags ticked", all, all))
	case s.report.Have == 0:
		left = ""
	default:
		left = th.Text.Paint(text.Sprintf(" nothing breaking was flagged in %d of %d notes", s.report.Have, s.report.Of))
	}
	return left
}

// flagLines takes at most two fifths of the height; the flag under the cursor is
// always there, with what it means here.
func (s *Notes) flagLines() []string {
	var lines []string
	if s.report.Incomplete != "" {
		lines = append(lines, para(s.env.Theme.Warn, "! "+text.Flat(s.report.Incomplete), 1, s.w)...)
	}
	var rows []string
	at := 0
	for i, f := range s.flags {
		if i == s.cursor {
			at = len(rows)
		}
		rows = append(rows, s.flagRow(i, f)...)
		if i == s.cursor {
			for _, c := range f.Concerns {
				rows = append(rows, "       "+s.env.Theme.Warn.Paint(Concern(c)))
			}
		}
	}
	room := max(s.h*2/5-len(lines), 1)
	from, to := widget.Window(len(rows), at, room)
	if len(rows) > room { // the cursor's row and its meaning first
		from = min(max(at-1, 0), len(rows)-room)
		to = from + room
	}
	return append(lines, rows[from:to]...)
}

// flagRow is a flag on one line; the one under the cursor is there to its last
// word.
func (s *Notes) flagRow(i int, f notes.Flag) []string {
	th := s.env.Theme
	cursor, box := text.Safe(" "), text.Safe("   ")
	if i == s.cursor {
		cursor = th.Marks.Cursor
	}
	if s.must[f.ID] {
		box = "[ ]"
		if s.ticked[f.ID] {
			box = "[x]"
		}
	}
	word, st := Weight(th, f.Level)
	wide, version := s.columns()
	head := th.Here.Paint(cursor) + th.Strong.Paint(box) + " " + st.Paint(text.Pad(word, wide)) + "  " +
		th.Strong.Paint(text.Pad(text.Line(f.Version), version)) + "  "
	line := text.Flat(bullet(f.Text))
	if i != s.cursor {
		return []string{head + th.Text.Paint(line)}
	}
	var out []string
	indent := text.Width(head)
	for _, l := range text.Wrap(line, max(s.w-indent, 10)) {
		out = append(out, head+th.Text.Paint(l))
		head = string(text.Repeat(" ", indent))
	}
	return out
}

func (s *Notes) columns() (word, version int) {
	for _, f := range s.flags {
		w, _ := Weight(s.env.Theme, f.Level)
		word, version = max(word, text.Width(w)), max(version, text.Width(text.Line(f.Version)))
	}
	return word, min(version, 14)
}

// bullet takes a list marker off: the flags are a list already.
func bullet(line string) string {
	line = strings.TrimSpace(line)
	for _, b := range []string{"- ", "* ", "+ "} {
		line = strings.TrimPrefix(line, b)
	}
	return line
}

// Weight is the mark and word of a flag's level.
func Weight(th theme.Theme, l notes.Level) (text.Safe, theme.Style) {
	switch l {
	case notes.Breaking:
		return th.Marks.Failed + " BREAKING", th.Bad
	case notes.Irreversible:
		return th.Marks.Failed + " NO WAY BACK", th.Bad
	case notes.Blocker:
		return th.Marks.Failed + " BLOCKER", th.Bad
	case notes.Attention:
		return "! attention", th.Warn
	case notes.Notice:
	}
	return th.Marks.Note + " notice", th.Text
}

// Concern says what a flag touches here: "you set SMTP_URL in .env line 12".
func Concern(c notes.Concern) text.Safe {
	verb := map[string]text.Safe{
		"env": "you set", "service": "you run", "image": "you use the image", "volume": "you have the volume", "port": "you publish port",
	}[c.Kind]
	if verb == "" {
		verb = text.Line(c.Kind)
	}
	out := verb + " " + text.Line(c.Name)
	if c.File != "" {
		out += " in " + text.Line(filepath.Base(c.File))
		if c.Line > 0 {
			out += text.Safe(" line ") + text.Line(strconv.Itoa(c.Line))
		}
	}
	return out
}

func (s *Notes) entry(e notes.Entry) []string {
	th := s.env.Theme
	head := th.Title.Paint(text.Line(e.Version))
	if d := words.Date(e.Date); d != "" {
		head += th.Faint.Paint(" · " + d)
	}
	if e.Prerelease {
		head += th.Faint.Paint(" · prerelease")
	}
	out := []string{" " + head}
	if s.address && e.URL != "" {
		out[0] = " " + text.Cut(string(text.Line(e.URL)), max(s.w-1, 0))
	}
	switch r, ok := s.rendered[e.Version]; {
	case s.raw:
		out = append(out, s.rawLines(e)...)
	case ok && r.Width == s.noteWidth():
		for _, l := range r.Lines {
			out = append(out, "   "+l)
		}
	default:
		out = append(out, "   "+th.Faint.Paint("…"))
	}
	return append(out, "")
}

func (s *Notes) rawLines(e notes.Entry) []string {
	th := s.env.Theme
	flagged := map[int]bool{}
	for _, f := range e.Flags {
		flagged[f.Line] = true
	}
	var out []string
	for i, l := range text.Lines(e.Body) {
		st, mark := th.Text, text.Safe(" ")
		if flagged[i+1] {
			st, mark = th.Bad, "!"
		}
		out = append(out, th.Faint.Paint(text.PadLeft(text.Line(strconv.Itoa(i+1)), 4))+st.Paint(mark+" "+l))
	}
	return out
}
