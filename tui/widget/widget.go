// Package widget draws the parts that screens share: the stepper, the footer, the
// meter, menus, the step list and the log view. It must not know which screen it
// is on, nor where its facts come from.
package widget

import (
	"strings"

	"belay/tui/keys"
	"belay/tui/text"
	"belay/tui/theme"
)

// Fit cuts lines to a rectangle: no more than h of them, none wider than w.
func Fit(lines []string, w, h int) []string {
	if len(lines) > h {
		lines = lines[:max(h, 0)]
	}
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = strings.TrimRight(text.Cut(l, w), " ")
	}
	return out
}

// Columns sets two blocks side by side with a rule between them. The left one is
// lw cells wide, the whole at most w.
func Columns(th theme.Theme, left, right []string, lw, w, h int) []string {
	h = max(h, 0)
	out := make([]string, 0, h)
	for i := range h {
		var l, r string
		if i < len(left) {
			l = left[i]
		}
		if i < len(right) {
			r = right[i]
		}
		out = append(out, text.Pad(l, lw)+th.Rule.Paint(th.Marks.Column)+" "+text.Cut(r, w-lw-2))
	}
	return out
}

// Rule is a line across.
func Rule(th theme.Theme, w int) string {
	return th.Rule.Paint(text.Repeat(th.Marks.Rule, w))
}

// Ends puts one text at the left edge and one at the right; the left one is cut
// when both do not fit.
func Ends(left, right string, w int) string {
	gap := w - text.Width(left) - text.Width(right)
	if right == "" {
		return text.Cut(left, w)
	}
	if gap < 2 {
		return text.Cut(left, max(w-text.Width(right)-2, 0)) + "  " + right
	}
	return left + strings.Repeat(" ", gap) + right
}

// Meter is a bar of w cells. Without a total there is no bar: a made-up one lies.
func Meter(th theme.Theme, done, total int64, w int) string {
	if total <= 0 || w <= 0 {
		return ""
	}
	full := int(float64(w) * float64(min(max(done, 0), total)) / float64(total))
	return th.Here.Paint(text.Repeat(th.Marks.BarFull, full)) + th.Faint.Paint(text.Repeat(th.Marks.BarEmpty, w-full))
}

// Footer says the keys that work now. The ones that do not fit go, from the end,
// but never the last two: they are the way to help and the way out.
func Footer(th theme.Theme, set keys.Set, w int) string {
	enabled := set.Enabled()
	parts := make([]string, 0, len(enabled))
	for _, b := range enabled {
		if keys.Moving(b) {
			continue
		}
		h := b.Help()
		parts = append(parts, th.Key.Paint(text.Line(h.Key))+" "+th.Text.Paint(text.Line(h.Desc)))
	}
	for len(parts) > 2 && text.Width(strings.Join(parts, "   "))+1 > w {
		parts = append(parts[:len(parts)-3:len(parts)-3], parts[len(parts)-2:]...)
	}
	return text.Cut(" "+strings.Join(parts, "   "), w)
}

// HelpLines lists every key that works now.
func HelpLines(th theme.Theme, set keys.Set) []string {
	var out []string
	for _, b := range set.Enabled() {
		h := b.Help()
		out = append(out, "   "+th.Key.Paint(text.Pad(text.Line(h.Key), 12))+th.Text.Paint(text.Line(h.Desc)))
	}
	return out
}
