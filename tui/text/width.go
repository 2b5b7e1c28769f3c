package text

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Width is how many cells a line takes. Style sequences count nothing.
func Width[S ~string](s S) int { return ansi.StringWidth(string(s)) }

// Cut shortens a line to w cells, ending in an ellipsis when something went.
// It works on styled lines too.
func Cut[S ~string](s S, w int) S {
	if w <= 0 {
		return ""
	}
	if Width(s) <= w {
		return s
	}
	return S(ansi.Truncate(string(s), w, "…"))
}

// Pad cuts or fills a line to exactly w cells.
func Pad[S ~string](s S, w int) S {
	s = Cut(s, w)
	return s + S(strings.Repeat(" ", max(0, w-Width(s))))
}

// PadLeft is Pad with the text at the right edge: for numbers.
func PadLeft[S ~string](s S, w int) S {
	s = Cut(s, w)
	return S(strings.Repeat(" ", max(0, w-Width(s)))) + s
}

// Wrap breaks a line at spaces so that no part is wider than w; words that are
// wider are broken.
func Wrap(s Safe, w int) []Safe {
	if w <= 0 {
		return nil
	}
	var out []Safe
	for _, l := range strings.Split(ansi.Wrap(string(s), w, ""), "\n") {
		out = append(out, Safe(strings.TrimRight(l, " ")))
	}
	return out
}

// Fold breaks a line every w cells, wherever that is: for paths, which are copied
// and have no good place to break.
func Fold(s Safe, w int) []Safe {
	if w <= 0 {
		return nil
	}
	var out []Safe
	for _, l := range strings.Split(ansi.Hardwrap(string(s), w, true), "\n") {
		out = append(out, Safe(l))
	}
	return out
}

// Repeat repeats a safe text n times.
func Repeat(s Safe, n int) Safe { return Safe(strings.Repeat(string(s), max(n, 0))) }
