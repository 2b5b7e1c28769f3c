package text

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Safe is text that cannot move a cursor, change a style or hide what follows.
// It is made by Line, or converted from a literal, and from nothing else.
type Safe string

// MaxLine is the longest line in bytes that Line lets through.
const MaxLine = 4096

const tabStop = 8

// Line makes one line of outside text safe. Well-formed CSI sequences (colours)
// go; every other control byte, C1, DEL, bidi, zero-width and tag character is
// shown as a mark: ^[ for a byte below 0x20, \xC3 for a byte that is no UTF-8,
// <U+202E> for the rest. As on a terminal, only the text after the last carriage
// return stays. Tabs become spaces; a longer line than MaxLine ends in "...".
func Line(s string) Safe {
	s = strings.TrimRight(s, "\r\n")
	if i := strings.LastIndexByte(s, '\r'); i >= 0 {
		s = s[i+1:]
	}
	cut := len(s) > MaxLine
	if cut {
		s = s[:runeStart(s, MaxLine)]
	}
	if plain(s) && !cut {
		return Safe(s)
	}
	c := cleaner{in: s}
	c.run()
	if cut {
		c.out.WriteString("...")
	}
	return Safe(c.out.String())
}

// Lines splits outside text at its line ends and makes each line safe on its
// own, so that a sequence without an end cannot swallow the lines after it.
func Lines(s string) []Safe {
	s = strings.TrimSuffix(s, "\n")
	if s == "" {
		return nil
	}
	parts := strings.Split(s, "\n")
	out := make([]Safe, len(parts))
	for i, p := range parts {
		out[i] = Line(p)
	}
	return out
}

// Flat makes text of several lines one safe line: for names and sentences that
// should have no line end but may.
func Flat(s string) Safe {
	return Line(strings.Join(strings.Fields(s), " "))
}

// Join joins safe parts.
func Join(parts []Safe, sep Safe) Safe {
	var b strings.Builder
	for i, p := range parts {
		if i > 0 {
			b.WriteString(string(sep))
		}
		b.WriteString(string(p))
	}
	return Safe(b.String())
}

// Sprintf formats safe text: the format is a literal, and every string operand
// passes through Line.
func Sprintf(format string, args ...any) Safe {
	for i, a := range args {
		switch v := a.(type) {
		case Safe:
			args[i] = string(v)
		case string:
			args[i] = string(Line(v))
		case error:
			args[i] = string(Flat(v.Error()))
		case fmt.Stringer:
			args[i] = string(Line(v.String()))
		}
	}
	return Safe(fmt.Sprintf(format, args...))
}

// Visible says whether a rune can be written to a terminal as it is. Joiners
// and selectors are decided by their neighbours, so they count as not visible.
func Visible(r rune) bool {
	switch {
	case r == ' ':
		return true
	case r < 0x20 || r == 0x7f || r == utf8.RuneError:
		return r == utf8.RuneError
	case r >= 0x115f && r <= 0x1160, r == 0x3164, r == 0xffa0, r == 0x2800: // letters that draw nothing
		return false
	case r >= 0xfe00 && r <= 0xfe0f, r >= 0xe0100 && r <= 0xe01ef: // variation selectors
		return false
	default:
		return unicode.IsPrint(r)
	}
}

func plain(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

func runeStart(s string, at int) int {
	for at > 0 && !utf8.RuneStart(s[at]) {
		at--
	}
	return at
}
