package notes

import (
	"html"
	"regexp"
	"strings"
)

// kind is what a line of a note is, as far as flags need to know.
type kind int

const (
	hidden  kind = iota // code, comments, rules under a heading: nobody reads them as prose
	blank               // ends a paragraph
	heading             // rank tells how deep; a line that is all bold is one too
	bullet              // indent tells how deep
	prose
)

// softRank is the rank of headings that only look like one: bold lines, summaries.
const softRank = 7

// line is one line of a note. Text and code are for rules to look at: no markup,
// no emphasis; text has inline code and addresses blanked out, code has them kept.
// Raw is exact.
type line struct {
	num    int // from 1
	kind   kind
	rank   int // of a heading: 1 to softRank
	indent int // columns before a bullet or a continuation
	raw    string
	text   string
	code   string
}

var (
	fenceLine   = regexp.MustCompile("^\\s*(?:[-*+]\\s+|[0-9]{1,9}[.)]\\s+)?(`{3,}|~{3,})(.*)$")
	atxHeading  = regexp.MustCompile(`^ {0,3}(#{1,6})(?:\s+(.*)|([^\s#0-9].*)|)$`)
	bulletLine  = regexp.MustCompile(`^(\s*)(?:[-*+•]|[0-9]{1,9}[.)])\s+(\S.*)$`)
	ruleLine    = regexp.MustCompile(`^\s*(?:(?:-\s*){3,}|(?:\*\s*){3,}|(?:_\s*){3,})$`)
	underline   = regexp.MustCompile(`^ {0,3}(=+|-{2,})\s*$`)
	htmlHeading = regexp.MustCompile(`(?i)^\s*(?:<details[^>]*>\s*)?<(h[1-6]|summary)\b[^>]*>(.*)$`)
	boldLine    = regexp.MustCompile(`^\s*(?:\*\*[^*]+(?:\*\*:?|:\*\*)|__[^_]+(?:__:?|:__))\s*$`)
	quoteMark   = regexp.MustCompile(`^\s{0,3}>[ ]?`)
	tagMark     = regexp.MustCompile(`</?[A-Za-z][A-Za-z0-9-]*(?:\s[^<>]{0,300})?/?>`)
	codeSpan    = regexp.MustCompile("``[^`]+``|`[^`]+`")
	linkTarget  = regexp.MustCompile(`\]\([^()]*\)`)
	address     = regexp.MustCompile(`https?://[^\s)>]+`)
	shortcode   = regexp.MustCompile(`:[a-z0-9_+-]{2,40}:`)
	italics     = regexp.MustCompile(`(^|[^0-9A-Za-z_])_+|_+([^0-9A-Za-z_]|$)`)
)

// read splits a note into lines and says what each one is.
func read(body string) []line {
	raw := strings.Split(body, "\n")
	lines := make([]line, len(raw))
	closing := closers(raw)
	lastComment := lastWith(raw, "-->")
	fence, fenceQuote, comment := "", 0, false
	for i, r := range raw {
		r = strings.TrimSuffix(r, "\r")
		l := line{num: i + 1, raw: r}
		content, quotes := unquote(r)
		switch {
		case fence != "" && (quotes >= fenceQuote):
			if closes(content, fence) {
				fence = ""
			}
			lines[i] = l
			continue
		case !comment:
			fence = ""
			if mark, ok := opens(content); ok && closing[i+1][fenceKind(mark)] >= len(mark) {
				fence, fenceQuote = mark, quotes
				lines[i] = l
				continue
			}
		}
		content, comment = uncomment(content, comment, i < lastComment)
		l.classify(content)
		lines[i] = l
	}
	setext(lines)
	return lines
}

// classify reads one line outside code and comments. Looking at the first
// character before trying an expression keeps a long note quick.
func (l *line) classify(s string) {
	start := strings.TrimLeft(s, " \t")
	if strings.TrimSpace(start) == "" {
		l.kind = blank
		return
	}
	l.indent, l.kind = columns(s), prose
	switch first := start[0]; {
	case first == '#' && atxHeading.MatchString(s):
		m := atxHeading.FindStringSubmatch(s)
		l.kind, l.rank, s = heading, len(m[1]), strings.TrimRight(m[2]+m[3], "# \t")
	case first == '<' && htmlHeading.MatchString(s):
		m := htmlHeading.FindStringSubmatch(s)
		l.kind, l.rank, s = heading, softRank, m[2]
		if level := m[1][1]; level >= '1' && level <= '6' {
			l.rank = int(level - '0')
		}
	case strings.IndexByte("-*_", first) >= 0 && ruleLine.MatchString(s):
		l.kind = hidden
	case strings.IndexByte("-*+\xe20123456789", first) >= 0 && bulletLine.MatchString(s): // \xe2 begins "•"
		m := bulletLine.FindStringSubmatch(s)
		l.kind, s = bullet, m[2]
	case (first == '*' || first == '_') && boldLine.MatchString(s):
		l.kind, l.rank = heading, softRank
	}
	l.code = strip(strings.ReplaceAll(s, "`", ""))
	l.text = l.code
	if strings.Contains(s, "`") || strings.Contains(s, "](") || strings.Contains(s, "://") {
		// An address is no statement: ".../breaking-changes" announces nothing by itself.
		s = linkTarget.ReplaceAllString(codeSpan.ReplaceAllString(s, " "), "]")
		l.text = strip(address.ReplaceAllString(s, " "))
	}
}

// strip takes the markup out of a line: what a reader would see.
func strip(s string) string {
	if strings.Contains(s, "<") {
		s = tagMark.ReplaceAllString(s, "")
	}
	s = html.UnescapeString(s)
	if strings.Count(s, ":") > 1 {
		s = shortcode.ReplaceAllString(s, " ")
	}
	for _, pair := range [][2]string{
		{"*", ""},
		{"~~", ""},
		{`\[`, "["},
		{`\]`, "]"},
		{`\(`, "("},
		{`\)`, ")"},
		{`\_`, "_"},
		{"\u00a0", " "},
		{"\u2010", "-"},
		{"\u2011", "-"},
	} {
		s = strings.ReplaceAll(s, pair[0], pair[1])
	}
	if strings.Contains(s, "_") {
		s = italics.ReplaceAllString(s, "$1$2")
	}
	return strings.TrimSpace(s)
}

// setext turns "Breaking\n-----" into a heading, as long as the line above is prose.
func setext(lines []line) {
	for i := 1; i < len(lines); i++ {
		content, _ := unquote(lines[i].raw)
		above := &lines[i-1]
		if above.kind != prose && above.rank != softRank || !underline.MatchString(content) || lines[i].kind == blank {
			continue
		}
		above.kind, above.rank = heading, 2
		if strings.Contains(content, "=") {
			above.rank = 1
		}
		lines[i].kind = hidden
	}
}

func unquote(s string) (rest string, depth int) {
	for depth < 10 && strings.HasPrefix(strings.TrimLeft(s, " "), ">") {
		m := quoteMark.FindString(s)
		if m == "" {
			break
		}
		s = s[len(m):]
		depth++
	}
	return s, depth
}

func opens(s string) (mark string, ok bool) {
	if !strings.Contains(s, "```") && !strings.Contains(s, "~~~") {
		return "", false
	}
	m := fenceLine.FindStringSubmatch(s)
	if m == nil || m[1][0] == '`' && strings.Contains(m[2], "`") {
		return "", false
	}
	return m[1], true
}

func closes(s, mark string) bool {
	s = strings.TrimSpace(s)
	return len(s) >= len(mark) && strings.Trim(s, mark[:1]) == ""
}

func fenceKind(mark string) int {
	if mark[0] == '~' {
		return 1
	}
	return 0
}

// closers tells for each line how long a closing fence follows at or after it,
// by kind. A fence that is never closed hides nothing: to warn too often is
// better than to swallow the rest.
func closers(raw []string) [][2]int {
	out := make([][2]int, len(raw)+2)
	for i := len(raw) - 1; i >= 0; i-- {
		out[i] = out[i+1]
		content, _ := unquote(strings.TrimSuffix(raw[i], "\r"))
		s := strings.TrimSpace(content)
		if len(s) < 3 || strings.Trim(s, s[:1]) != "" || s[0] != '`' && s[0] != '~' {
			continue
		}
		k := fenceKind(s)
		out[i][k] = max(out[i][k], len(s))
	}
	return out
}

// uncomment cuts HTML comments out of a line; more says whether a comment that
// stays open here is closed further down. One that never is hides nothing.
func uncomment(s string, inside, more bool) (string, bool) {
	if !inside && !strings.Contains(s, "<!--") {
		return s, false
	}
	// What stands in inline code opens no comment; blanks keep the positions.
	seen := codeSpan.ReplaceAllStringFunc(s, func(span string) string { return strings.Repeat(" ", len(span)) })
	var out strings.Builder
	for at := 0; ; {
		if inside {
			end := strings.Index(s[at:], "-->")
			if end < 0 {
				return out.String(), true
			}
			at += end + len("-->")
		}
		start := strings.Index(seen[at:], "<!--")
		if start < 0 || !more && !strings.Contains(s[at+start:], "-->") {
			out.WriteString(s[at:])
			return out.String(), false
		}
		out.WriteString(s[at : at+start])
		at, inside = at+start+len("<!--"), true
	}
}

func lastWith(raw []string, mark string) int {
	for i := len(raw) - 1; i >= 0; i-- {
		if strings.Contains(raw[i], mark) {
			return i
		}
	}
	return -1
}

func columns(s string) int {
	n := 0
	for _, r := range s {
		switch r {
		case ' ':
			n++
		case '\t':
			n += 4 - n%4
		default:
			return n
		}
	}
	return n
}
