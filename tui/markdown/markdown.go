// Package markdown draws release notes for the terminal. The notes are hostile:
// they are cleaned before they are parsed, because they may hold escape
// sequences, and after they are drawn, because parsing decodes entities into
// what cleaning took out. It must not know where the notes came from.
package markdown

import (
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/charmbracelet/glamour"
	"github.com/charmbracelet/x/ansi"

	"belay/tui/text"
)

// Bounds of what is drawn: drawing costs 4 ms per kilobyte, and nobody reads more.
const (
	MaxSource = 64 << 10
	MaxLines  = 5000
	maxDepth  = 8               // quotes and lists inside each other; the parser's cost grows with its power
	patience  = 5 * time.Second // a note of MaxSource takes a third of a second
	maxIndent = 40              // spaces at a line's start: another way to nest
)

var (
	comment = regexp.MustCompile(`(?s)<!--.*?(-->|$)`)
	breaks  = regexp.MustCompile(`(?i)</?(details|summary|p|div|br|hr|tr|table|h[1-6]|center)\b[^<>]*>`)
	image   = regexp.MustCompile(`!\[([^\]\n]*)\]\([^)\n]*\)`)
	deep    = regexp.MustCompile(`(?m)^((?:[ \t]*(?:>|(?:[-*+]|\d{1,9}[.)])[ \t]))*)`)
	indents = regexp.MustCompile(`(?m)^ {41,}`)
	level   = regexp.MustCompile(`[ \t]*(?:>|(?:[-*+]|\d{1,9}[.)])[ \t])`)
)

// Render draws Markdown in lines of at most width cells. The lines hold SGR
// sequences when color is set, and no other control byte ever. It is slow and
// belongs in a command; calls may run side by side.
func Render(source string, width int, color bool) []string {
	width = max(width, 8)
	src, cut := prepare(source)
	r, err := glamour.NewTermRenderer(glamour.WithStyles(style(color)), glamour.WithWordWrap(width))
	if err != nil {
		return plain(source, width)
	}
	out, err := draw(r, src)
	if err != nil {
		return plain(source, width)
	}
	lines := collect(out, width)
	if cut || len(lines) > MaxLines {
		lines = append(lines[:min(len(lines), MaxLines)], "(cut here: the notes are longer)")
	}
	return lines
}

// draw gives up after a while: the parser cannot be stopped, but the user need
// not wait for it. Its goroutine ends when the parser does.
func draw(r *glamour.TermRenderer, src string) (string, error) {
	type result struct {
		out string
		err error
	}
	done := make(chan result, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil { // a parser fed by strangers must not end an upgrade
				done <- result{err: errGaveUp}
			}
		}()
		out, err := r.Render(src)
		done <- result{out, err}
	}()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case d := <-done:
		return d.out, d.err
	case <-limit.C:
		return "", errGaveUp
	}
}

// prepare cleans the source line by line and takes out what only clutters.
func prepare(source string) (string, bool) {
	cut := len(source) > MaxSource
	if cut {
		at := MaxSource
		for at > 0 && !utf8.RuneStart(source[at]) {
			at--
		}
		source = source[:at]
	}
	source = strings.ReplaceAll(source, "\r\n", "\n")
	var b strings.Builder
	for _, l := range text.Lines(source) {
		b.WriteString(string(l))
		b.WriteByte('\n')
	}
	s := comment.ReplaceAllString(b.String(), "")
	s = breaks.ReplaceAllString(s, "\n\n")
	s = image.ReplaceAllString(s, "$1")
	s = deep.ReplaceAllStringFunc(s, func(markers string) string {
		if all := level.FindAllString(markers, maxDepth+1); len(all) > maxDepth {
			return strings.Join(all[:maxDepth], "")
		}
		return markers
	})
	return indents.ReplaceAllString(s, strings.Repeat(" ", maxIndent)), cut
}

func collect(out string, width int) []string {
	var lines []string
	for _, l := range strings.Split(out, "\n") {
		l = onlySGR(l)
		for _, part := range strings.Split(ansi.Hardwrap(l, width, true), "\n") {
			part = trim(part)
			if part == "" && (len(lines) == 0 || lines[len(lines)-1] == "") {
				continue
			}
			lines = append(lines, part)
		}
		if len(lines) > MaxLines {
			break
		}
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

var sgr = regexp.MustCompile(`\x1b\[[0-9;:]*m`)

// onlySGR makes everything but style sequences inert.
func onlySGR(line string) string {
	var b strings.Builder
	at := 0
	for _, m := range sgr.FindAllStringIndex(line, -1) {
		b.WriteString(inert(line[at:m[0]]))
		b.WriteString(line[m[0]:m[1]])
		at = m[1]
	}
	b.WriteString(inert(line[at:]))
	return b.String()
}

// inert is text.Line with the spaces and carriage returns of a fragment kept
// visible: a return inside a fragment must not hide the fragment's start.
func inert(s string) string {
	return string(text.Line(strings.ReplaceAll(s, "\r", "^M")))
}

var blanks = regexp.MustCompile(`(?:[ ]|\x1b\[[0-9;:]*m)*$`)

// trim takes the padding off a line's end and closes its style.
func trim(l string) string {
	t := blanks.ReplaceAllString(l, "")
	if sgr.MatchString(t) {
		t += "\x1b[0m"
	}
	return t
}

func plain(source string, width int) []string {
	var out []string
	for _, l := range text.Lines(source) {
		for _, p := range text.Wrap(l, width) {
			out = append(out, string(p))
		}
		if len(out) > MaxLines {
			break
		}
	}
	return out
}
