package text

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxMarks bounds the combining marks on one character: more of them climb over
// the lines above.
const maxMarks = 3

type cleaner struct {
	in    string
	out   strings.Builder
	col   int  // cells so far, near enough for tab stops
	marks int  // combining marks since the last character
	prev  rune // the last rune let through
}

func (c *cleaner) run() {
	c.out.Grow(len(c.in) + 16)
	for i := 0; i < len(c.in); {
		if n := csi(c.in[i:]); n > 0 {
			i += n
			continue
		}
		r, n := utf8.DecodeRuneInString(c.in[i:])
		if r == utf8.RuneError && n == 1 {
			c.put(fmt.Sprintf(`\x%02X`, c.in[i]))
		} else {
			c.rune(r, c.in[i+n:])
		}
		i += n
	}
}

func (c *cleaner) rune(r rune, rest string) {
	switch {
	case r == '\t':
		c.put(strings.Repeat(" ", tabStop-c.col%tabStop))
	case r < 0x20:
		c.put("^" + string(r+0x40))
	case r == 0x7f:
		c.put("^?")
	case unicode.Is(unicode.Zs, r):
		c.put(" ")
	case c.joins(r, rest):
		c.out.WriteRune(r)
	case !Visible(r):
		c.put(fmt.Sprintf("<U+%04X>", r))
	case unicode.Is(unicode.M, r):
		c.mark(r)
	default:
		c.put(string(r))
		c.prev = r
	}
}

// mark lets a few combining marks through, and none without a character to sit on.
func (c *cleaner) mark(r rune) {
	if c.prev == 0 || c.marks >= maxMarks {
		c.put(fmt.Sprintf("<U+%04X>", r))
		return
	}
	c.marks++
	c.out.WriteRune(r)
}

func (c *cleaner) put(s string) {
	c.out.WriteString(s)
	c.col += utf8.RuneCountInString(s)
	c.marks, c.prev = 0, 0
}

// joins says whether a joiner or selector belongs to a picture made of several
// runes: there it is wanted, anywhere else it is invisible ballast.
func (c *cleaner) joins(r rune, rest string) bool {
	switch r {
	case 0x200d:
		next, _ := utf8.DecodeRuneInString(rest)
		return pictorial(c.prev) && pictorial(next)
	case 0xfe0f:
		return pictorial(c.prev)
	default:
		return false
	}
}

func pictorial(r rune) bool {
	return r != utf8.RuneError && r != 0x2800 && (r >= 0x1f000 && r < 0x20000 || unicode.Is(unicode.So, r))
}

// csi measures a well-formed control sequence at the start of s, 0 when there is
// none. One that is cut short is left standing, to be shown.
func csi(s string) int {
	if len(s) < 3 || s[0] != 0x1b || s[1] != '[' {
		return 0
	}
	i := 2
	for i < len(s) && s[i] >= 0x30 && s[i] <= 0x3f {
		i++
	}
	for i < len(s) && s[i] >= 0x20 && s[i] <= 0x2f {
		i++
	}
	if i < len(s) && s[i] >= 0x40 && s[i] <= 0x7e {
		return i + 1
	}
	return 0
}
