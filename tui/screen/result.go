package screen

import (
	"belay/releases/notes"
	"belay/steps/upgrade"
)

// The results of screens: what the user decided. The root acts on them.
type (
	// Back goes to the screen before.
	Back struct{}
	// Leave ends belay.
	Leave struct{}
	// Choose wants the versions one can go to.
	Choose struct{}
	// ShowHistory wants the list of past runs.
	ShowHistory struct{}
	// Chosen is a version to go to.
	Chosen struct{ Version string }
	// Accepted is the IDs of the flags that were ticked off.
	Accepted struct{ IDs []string }
	// Begin starts the upgrade that the plan describes.
	Begin struct{}
	// Resume goes on with the interrupted run.
	Resume struct{}
	// RollBack takes a run back.
	RollBack struct{ Run string }
	// Answered is the answer to a run's question.
	Answered struct{ Question, Option string }
	// ShowLog goes to the log of the run.
	ShowLog struct{}
	// ShowHealth goes to the checks of the run.
	ShowHealth struct{}
	// ShowQuestion goes back to the question that waits.
	ShowQuestion struct{}
	// Retry does again what failed.
	Retry struct{}
)

// Facts that reach a screen later than its making.
type (
	// Choices is what one can go to, or why that is not known.
	Choices struct {
		Choices upgrade.Choices
		Err     error
	}
	// History is the runs that ended.
	History struct {
		Past []upgrade.Past
		Err  error
	}
	// Rendered is a note's Markdown, drawn for one width. Stale ones are dropped.
	Rendered struct {
		Version string
		Width   int
		Lines   []string
	}
	// Render wants a note drawn for a width.
	Render struct {
		Entry notes.Entry
		Width int
	}
)
