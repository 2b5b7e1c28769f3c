package tui

import (
	"strings"

	"belay/steps"
	"belay/tui/screen"
	"belay/tui/text"
	"belay/tui/theme"
)

// Summary is what stays on the normal screen after the wizard: the end, its
// proof, the restore point and the next command. It holds no style.
func Summary(o steps.Outcome) string { return summary(theme.New(false, true), o) }

func summary(th theme.Theme, o steps.Outcome) string {
	mark, st := th.Marks.Done, th.Good
	switch o.Result {
	case steps.NeedsOperator:
		mark, st = th.Marks.Failed, th.Bad
	case steps.Aborted:
		mark, st = th.Marks.Warn, th.Warn
	case steps.Upgraded, steps.RolledBack, steps.NothingToDo:
	}
	lines := []string{st.Paint(mark + " " + text.Flat(o.Message))}
	for _, l := range screen.SignalLines(th, o.Proof, 100) {
		lines = append(lines, " "+l)
	}
	fact := func(name, v text.Safe) {
		if v != "" {
			lines = append(lines, "  "+th.Faint.Paint(text.Pad(name, 13))+"  "+string(v))
		}
	}
	fact("Run", text.Line(o.Run))
	fact("Restore point", text.Line(o.Backup))
	fact("Next", text.Line(o.Next))
	return strings.Join(lines, "\n") + "\n"
}
