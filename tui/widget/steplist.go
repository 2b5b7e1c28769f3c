package widget

import (
	"time"

	"belay/tui/text"
	"belay/tui/theme"
	"belay/tui/words"
)

// Row is one step of the list.
type Row struct {
	Title   text.Safe
	Mark    text.Safe
	Style   theme.Style
	Note    text.Safe     // "214 MB", "37 tables match"
	Took    time.Duration // less than a second is not shown
	Live    bool          // the step that runs
	Done    int64
	Total   int64
	Percent text.Safe
	Amount  text.Safe
	Doing   text.Safe // what the running step says of itself
}

// StepList draws rows in w × h, the running one always in view. Under it stands
// its bar when the total is known, and its own words.
func StepList(th theme.Theme, rows []Row, w, h int) []string {
	var out []string
	live := 0
	title := titleWidth(rows, w)
	for _, r := range rows {
		out = append(out, stepRow(th, r, title, w))
		if !r.Live {
			if r.Mark != th.Marks.Todo {
				live = len(out) - 1
			}
			continue
		}
		if r.Total > 0 {
			bar := max(min(w-10-text.Width(r.Amount)-3, 24), 4)
			out = append(out, "   "+Meter(th, r.Done, r.Total, bar)+th.Text.Paint(text.PadLeft(r.Percent, 6)+"  "+r.Amount))
		}
		if r.Doing != "" {
			out = append(out, "   "+th.Faint.Paint(text.Cut(r.Doing, w-3)))
		}
		live = len(out) - 1
	}
	from, to := Window(len(out), live, h)
	return Fit(out[from:to], w, h)
}

// titleWidth gives titles the room they need and leaves 12 cells for the rest.
func titleWidth(rows []Row, w int) int {
	wide := 0
	for _, r := range rows {
		wide = max(wide, text.Width(r.Title))
	}
	return max(min(wide, w-4-12), 8)
}

func stepRow(th theme.Theme, r Row, title, w int) string {
	took := text.Safe("")
	if r.Took >= time.Second { // less is not worth the reader's eye
		took = words.Took(r.Took)
	}
	if r.Live {
		took = words.Clock(r.Took)
	}
	style := th.Text
	if r.Mark == th.Marks.Todo || r.Mark == th.Marks.Skipped {
		style = th.Faint
	}
	if r.Live {
		style = th.Strong
	}
	left := " " + r.Style.Paint(r.Mark) + " " + style.Paint(text.Pad(r.Title, title)) + " "
	right := th.Faint.Paint(took) + " "
	if took != "" {
		right = " " + right
	}
	room := w - text.Width(left) - text.Width(right)
	return left + th.Faint.Paint(text.PadLeft(r.Note, room)) + right
}
