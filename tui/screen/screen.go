package screen

import (
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"belay/tui/keys"
	"belay/tui/text"
	"belay/tui/theme"
	"belay/tui/widget"
)

// Screen is one screen. It is not a tea.Model: only the root is.
type Screen interface {
	Init() tea.Cmd
	Update(msg tea.Msg) tea.Cmd
	View() string // at most the height's lines, none wider than the width
	SetSize(w, h int)
	Keys() keys.Set      // of its own; the root adds help, leave and stop
	Capturing() bool     // a text field has the focus: letters are text
	Stage() widget.Stage // where on the way it is
	Head() text.Safe     // at the right of the stepper
	Banner() string      // instead of the stepper, "" for none
}

// Env is what every screen is given.
type Env struct {
	Theme theme.Theme
	Now   func() time.Time
}

// frame is the part that all screens share.
type frame struct {
	env    Env
	w, h   int
	scroll int
}

// Init starts nothing.
func (f *frame) Init() tea.Cmd { return nil }

// SetSize tells the screen its rectangle.
func (f *frame) SetSize(w, h int) { f.w, f.h = w, h }

// Capturing is false: no text field.
func (f *frame) Capturing() bool { return false }

// Head is empty.
func (f *frame) Head() text.Safe { return "" }

// Banner is empty.
func (f *frame) Banner() string { return "" }

// page draws lines from the scroll position on and says when there are more.
func (f *frame) page(lines []string) string {
	if len(lines) > f.h && f.h > 1 {
		f.scroll = min(max(f.scroll, 0), len(lines)-f.h+1)
		rest := len(lines) - f.scroll - f.h + 1
		view := append([]string{}, lines[f.scroll:f.scroll+f.h-1]...)
		more := text.Safe(" end")
		if rest > 0 {
			more = text.Sprintf(" %d more lines, ↓", rest)
		}
		return join(widget.Fit(append(view, f.env.Theme.Faint.Paint(more)), f.w, f.h))
	}
	f.scroll = 0
	return join(widget.Fit(lines, f.w, f.h))
}

func send(m tea.Msg) tea.Cmd { return func() tea.Msg { return m } }

func join(lines []string) string {
	n := 0
	for _, l := range lines {
		n += len(l) + 1
	}
	b := make([]byte, 0, n)
	for i, l := range lines {
		if i > 0 {
			b = append(b, '\n')
		}
		b = append(b, l...)
	}
	return string(b)
}

// para wraps a sentence into styled lines with an indent.
func para(st theme.Style, s text.Safe, indent, w int) []string {
	pad := string(text.Repeat(" ", indent))
	var out []string
	for _, l := range text.Wrap(s, w-indent) {
		out = append(out, pad+st.Paint(l))
	}
	return out
}
