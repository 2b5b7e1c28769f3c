// Package theme holds the look: style tokens over the terminal's own 16 colours
// and the marks that carry the meaning when there is no colour. It must not know
// what is drawn with them.
package theme

import (
	"io"
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"

	"belay/tui/text"
)

// Style draws safe text.
type Style struct{ s lipgloss.Style }

// Paint draws a line of text in the style.
func (s Style) Paint(t text.Safe) string {
	if t == "" {
		return ""
	}
	return s.s.Render(string(t))
}

// Theme is the tokens, one per meaning.
type Theme struct {
	Text, Strong, Faint    Style
	Good, Bad, Warn        Style
	Here, Title, Key, Rule Style
	Match                  Style // found by a search
	Marks                  Marks
	Color, UTF8            bool
}

// Marks are the characters that carry a meaning.
type Marks struct {
	Done, Here, Todo, Failed, Skipped text.Safe
	Pass, Warn, Note, Wait            text.Safe
	Cursor, Arrow, Back, Dash, Dot    text.Safe
	Ellipsis, Rule, Column            text.Safe
	BarFull, BarEmpty                 text.Safe
}

// New makes a theme. Without color styles do nothing at all; without utf8 the
// marks are ASCII.
func New(color, utf8 bool) Theme {
	r := lipgloss.NewRenderer(io.Discard)
	r.SetHasDarkBackground(true)
	r.SetColorProfile(termenv.Ascii)
	if color {
		r.SetColorProfile(termenv.ANSI)
	}
	base := r.NewStyle()
	fg := func(c string) lipgloss.Style { return base.Foreground(lipgloss.Color(c)) }
	t := Theme{
		Text:   Style{base},
		Strong: Style{base.Bold(true)},
		Faint:  Style{base.Faint(true)},
		Good:   Style{fg("2")},
		Bad:    Style{fg("1").Bold(true)},
		Warn:   Style{fg("3")},
		Here:   Style{fg("6").Bold(true)},
		Title:  Style{fg("6").Bold(true)},
		Key:    Style{fg("6")},
		Rule:   Style{base.Faint(true)},
		Match:  Style{base.Reverse(true)},
		Marks:  asciiMarks(),
		Color:  color, UTF8: utf8,
	}
	if utf8 {
		t.Marks = unicodeMarks()
	}
	return t
}

// FromEnv makes the theme that the environment asks for: NO_COLOR and a dumb
// terminal turn colour off, a locale that is not UTF-8 turns marks to ASCII.
func FromEnv(env func(string) string) Theme {
	color := env("NO_COLOR") == "" && env("TERM") != "dumb" && env("TERM") != ""
	return New(color, IsUTF8(env))
}

// IsUTF8 reads the locale as libc does: LC_ALL, else LC_CTYPE, else LANG. None
// set means UTF-8: containers and SSH sessions often forget it, and terminals
// today draw it.
func IsUTF8(env func(string) string) bool {
	for _, k := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := env(k); v != "" {
			v = strings.ToLower(v)
			return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")
		}
	}
	return true
}

// Plainly makes a finished view fit a terminal that cannot draw UTF-8: signs
// that have a likeness get it, the rest become question marks.
func (t Theme) Plainly(view string) string {
	if t.UTF8 {
		return view
	}
	return strings.Map(func(r rune) rune {
		if r < 0x80 {
			return r
		}
		if l, ok := likeness(r); ok {
			return l
		}
		return '?'
	}, view)
}

func likeness(r rune) (rune, bool) {
	switch r {
	case '…':
		return '~', true
	case '·', '•', '–', '—', '─':
		return '-', true
	case '│', '▏':
		return '|', true
	case '→':
		return '>', true
	case '←':
		return '<', true
	case '↑':
		return '^', true
	case '↓':
		return 'v', true
	default:
		return 0, false
	}
}

func unicodeMarks() Marks {
	return Marks{
		Done: "●", Here: "◉", Todo: "○", Failed: "✗", Skipped: "–",
		Pass: "✓", Warn: "!", Note: "·", Wait: "…",
		Cursor: ">", Arrow: "→", Back: "←", Dash: "—", Dot: "·",
		Ellipsis: "…", Rule: "─", Column: "│", BarFull: "█", BarEmpty: "░",
	}
}

func asciiMarks() Marks {
	return Marks{
		Done: "*", Here: "@", Todo: "o", Failed: "x", Skipped: "-",
		Pass: "+", Warn: "!", Note: "-", Wait: "~",
		Cursor: ">", Arrow: "->", Back: "<-", Dash: "-", Dot: "-",
		Ellipsis: "...", Rule: "-", Column: "|", BarFull: "#", BarEmpty: ".",
	}
}
