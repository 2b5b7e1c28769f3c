package steps

import (
	"time"

	"belay/steps/journal"
)

// history is what a journal says happened so far.
type history struct {
	attempts map[string]int
	began    map[ID]bool // intent durable
	finished map[ID]bool // done durable
	passed   bool        // past the point of no return: data may have changed
	sealed   bool        // a proven restore point exists
	rolling  bool        // the way back has begun
	resumes  int
	switched time.Time // when the point of no return was passed
}

func read(records []journal.Record) history {
	h := history{attempts: map[string]int{}, began: map[ID]bool{}, finished: map[ID]bool{}}
	for _, r := range records {
		id := ID(r.Step)
		switch r.Phase {
		case journal.Intent:
			h.attempts[r.Step] = r.Attempt
			h.intent(id, r.Wall)
		case journal.Done:
			h.done(id)
		case journal.UndoDone:
			delete(h.began, id)
			delete(h.finished, id)
		case journal.Note:
			if r.Facts["resume"] != "" {
				h.resumes++
			}
		case journal.End:
			h.resumes = 0
			h.rolling = false
		case journal.Failed, journal.UndoIntent:
		}
	}
	return h
}

func (h *history) intent(id ID, at time.Time) {
	h.began[id] = true
	switch id {
	case Migrate, Start:
		if !h.passed {
			h.passed, h.switched = true, at
		}
	case BackStop, BackVerify, BackKeep, BackConfig, BackData, BackStart, BackHealth, BackCanary:
		h.rolling = true
	case Preflight, Pull, Hold, Capture, Dump, Stop, Backup, Prove, Pin, Watch, Health, Commit:
	}
}

func (h *history) done(id ID) {
	h.finished[id] = true
	if id == Prove {
		h.sealed = true
	}
}
