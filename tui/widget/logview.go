package widget

import (
	"strings"
	"time"

	"belay/tui/text"
	"belay/tui/theme"
	"belay/tui/words"
)

// The ring's bounds: whichever is reached first drops the oldest lines.
const (
	maxLogLines = 5000
	maxLogBytes = 4 << 20
)

// LogLine is one line that a service wrote.
type LogLine struct {
	Time    time.Time
	Service text.Safe
	Text    text.Safe
	lower   string
	class   class
}

// LogView keeps the last lines of a log and draws the part that is looked at.
// While it follows, new lines push the old ones up; while it is paused nothing
// moves and the new ones are counted.
type LogView struct {
	lines   []LogLine
	bytes   int
	dropped int // lines that are no longer held
	seen    int // lines ever added: the number of the next one

	paused  bool
	anchor  int // paused: number (from the first line ever) of the last line in view
	service text.Safe
	known   []text.Safe
	query   string
}

// Add takes lines in; their text is made safe here.
func (l *LogView) Add(at time.Time, service, line string) {
	safe := text.Line(line)
	n := LogLine{Time: at, Service: text.Line(service), Text: safe, lower: strings.ToLower(string(safe))}
	n.class = classify(n.lower)
	l.lines = append(l.lines, n)
	l.bytes += len(safe)
	l.seen++
	l.know(n.Service)
	drop := max(len(l.lines)-maxLogLines, 0)
	for i := range drop {
		l.bytes -= len(l.lines[i].Text)
	}
	for l.bytes > maxLogBytes && drop < len(l.lines)-1 {
		l.bytes -= len(l.lines[drop].Text)
		drop++
	}
	l.lines = l.lines[drop:]
	l.dropped += drop
}

// Lost counts lines that never came here; they have no number.
func (l *LogView) Lost(n int) { l.dropped += n }

// Len is how many lines are held.
func (l *LogView) Len() int { return len(l.lines) }

// Pause stops following, or follows again.
func (l *LogView) Pause() {
	l.paused = !l.paused
	l.anchor = l.seen - 1
}

// Follow goes back to the newest line.
func (l *LogView) Follow() { l.paused = false }

// Paused says whether the view stands still.
func (l *LogView) Paused() bool { return l.paused }

// Scroll moves by lines of the filtered log, upward when negative. Reaching the
// newest line follows again.
func (l *LogView) Scroll(by int) {
	if !l.paused {
		if by > 0 {
			return
		}
		l.paused, l.anchor = true, l.seen-1
	}
	for ; by < 0; by++ {
		if at, ok := l.find(l.anchor-1, -1, l.shown); ok {
			l.anchor = at
		}
	}
	for ; by > 0; by-- {
		at, ok := l.find(l.anchor+1, 1, l.shown)
		if !ok {
			l.paused = false
			return
		}
		l.anchor = at
	}
}

// Oldest goes to the first line held.
func (l *LogView) Oldest() {
	if at, ok := l.find(l.base(), 1, l.shown); ok {
		l.paused, l.anchor = true, at
	}
}

// NextService shows the next service's lines alone; after the last one all.
func (l *LogView) NextService() {
	for i, s := range l.known {
		if s == l.service {
			if i+1 < len(l.known) {
				l.service = l.known[i+1]
			} else {
				l.service = ""
			}
			return
		}
	}
	if len(l.known) > 0 {
		l.service = l.known[0]
	}
}

// Services counts the services that wrote something.
func (l *LogView) Services() int { return len(l.known) }

// Search looks for a text and goes to its last place; "" ends the search. It
// says whether there is such a line.
func (l *LogView) Search(q string) bool {
	l.query = strings.ToLower(q)
	if q == "" {
		return true
	}
	return l.Match(-1)
}

// Query is what is searched for.
func (l *LogView) Query() string { return l.query }

// Match goes to the next place of the searched text, up when by is negative.
func (l *LogView) Match(by int) bool {
	from := l.seen - 1
	if l.paused {
		from = l.anchor + by
	}
	at, ok := l.find(from, by, func(n LogLine) bool { return l.shown(n) && strings.Contains(n.lower, l.query) })
	if ok {
		l.paused, l.anchor = true, at
	}
	return ok
}

// State says in words what the view does.
func (l *LogView) State() text.Safe {
	s := text.Safe("following")
	if l.paused {
		s = "paused"
		if n := l.newer(); n > 0 {
			s += " · " + words.Number(int64(n)) + " new"
		}
	}
	if l.service != "" {
		s = l.service + " · " + s
	}
	if l.query != "" {
		s += " · /" + text.Line(l.query)
	}
	return s
}

// Lines draws at most h lines of at most w cells; the last one says the state.
func (l *LogView) Lines(th theme.Theme, w, h int) []string {
	if h <= 0 {
		return nil
	}
	rows := make([]string, 0, h)
	at := l.seen - 1
	if l.paused {
		at = l.anchor
	}
	many := len(l.known) > 1 && l.service == "" && w >= 56 // a narrow pane has room for the text alone
	for len(rows) < h-1 {
		i, ok := l.find(at, -1, l.shown)
		if !ok {
			break
		}
		rows = append(rows, l.row(th, l.lines[i-l.base()], many, w))
		at = i - 1
	}
	if at < l.base() && l.dropped > 0 && len(rows) < h-1 {
		rows = append(rows, th.Faint.Paint(words.Plural(l.dropped, "earlier line")+" not shown"))
	}
	for i, j := 0, len(rows)-1; i < j; i, j = i+1, j-1 {
		rows[i], rows[j] = rows[j], rows[i]
	}
	for at := l.anchor + 1; l.paused && len(rows) < h-1; at++ { // near the log's start: show what follows
		i, ok := l.find(at, 1, l.shown)
		if !ok {
			break
		}
		rows, at = append(rows, l.row(th, l.lines[i-l.base()], many, w)), i
	}
	for len(rows) < h-1 {
		rows = append(rows, "")
	}
	return Fit(append(rows, th.Faint.Paint(l.State())), w, h)
}

func (l *LogView) row(th theme.Theme, n LogLine, many bool, w int) string {
	head := words.Time(n.Time) + " "
	if many {
		head += text.Pad(n.Service, min(l.widest(), 10)) + " "
	}
	body := text.Cut(n.Text, w-text.Width(head))
	if low := strings.ToLower(string(body)); l.query != "" && len(low) == len(body) {
		if i := strings.Index(low, l.query); i >= 0 {
			end := i + len(l.query)
			return th.Faint.Paint(head) + th.Text.Paint(body[:i]) + th.Match.Paint(body[i:end]) + th.Text.Paint(body[end:])
		}
	}
	return th.Faint.Paint(head) + n.class.style(th).Paint(body)
}

func (l *LogView) base() int            { return l.seen - len(l.lines) }
func (l *LogView) shown(n LogLine) bool { return l.service == "" || n.Service == l.service }
func (l *LogView) newer() (n int) {
	for i := max(l.anchor+1, l.base()); i < l.seen; i++ {
		if l.shown(l.lines[i-l.base()]) {
			n++
		}
	}
	return n
}

// find looks from line number at, in steps of by, for a line that ok accepts.
func (l *LogView) find(at, by int, ok func(LogLine) bool) (int, bool) {
	if by < 0 {
		at = min(at, l.seen-1)
	} else {
		at = max(at, l.base())
	}
	for ; at >= l.base() && at < l.seen; at += by {
		if ok(l.lines[at-l.base()]) {
			return at, true
		}
	}
	return 0, false
}

func (l *LogView) know(s text.Safe) {
	for _, k := range l.known {
		if k == s {
			return
		}
	}
	l.known = append(l.known, s)
}

func (l *LogView) widest() int {
	w := 0
	for _, k := range l.known {
		w = max(w, text.Width(k))
	}
	return w
}
