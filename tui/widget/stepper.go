package widget

import (
	"belay/tui/text"
	"belay/tui/theme"
)

// Stage is a place on the way through belay.
type Stage int

// The stages, in order. Nowhere is off the way: errors, history.
const (
	Nowhere Stage = iota
	Current
	Target
	Notes
	Plan
	Run
	Health
	Arrived // past the last one
)

// Stepper says where on the way the user is. It takes 55 cells, 50 when w is less.
func Stepper(th theme.Theme, here Stage, failed bool, w int) string {
	names := []text.Safe{"Current", "Target", "Notes", "Plan", "Run", "Health"}
	gap := text.Safe("  ")
	if w < 56 {
		gap = " "
	}
	line := ""
	for i, n := range names {
		stage := Stage(i + 1)
		var part string
		switch {
		case stage == here && failed:
			part = th.Bad.Paint(th.Marks.Failed + " " + n)
		case stage == here:
			part = th.Here.Paint(th.Marks.Here + " " + n)
		case stage < here:
			part = th.Good.Paint(th.Marks.Done) + " " + th.Text.Paint(n)
		default:
			part = th.Faint.Paint(th.Marks.Todo + " " + n)
		}
		if i > 0 {
			line += string(gap)
		}
		line += part
	}
	return " " + line
}
