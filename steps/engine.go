package steps

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"belay/steps/journal"
)

// MaxResumes ends a run that never gets further (Mender's bound: reliability
// of a resume loop is worth less than a person's look).
const MaxResumes = 28

// undoTime bounds what is taken back after a failure or a cancel: it runs on a
// context of its own, because the run's is gone by then.
const undoTime = 30 * time.Minute

// Policy says who answers after a failure behind the point of no return.
type Policy string

// The policies.
const (
	AskUser      Policy = "ask"      // a person is there
	AutoRollback Policy = "rollback" // --yes, --on-failure rollback
	AutoKeep     Policy = "keep"     // --on-failure keep
)

// Head records which run of the project is open.
type Head interface {
	SetHead(run string) error
}

// Engine carries out a plan. Forward and Back are the steps of the upgrade and
// of the way back, in order. Everything is durable in Log before and after it
// happens. The engine never waits for a front end, except inside a question.
type Engine struct {
	Plan    *Plan
	Forward []Step
	Back    []Step
	Log     *journal.Log
	Head    Head
	Run     *Run
	Policy  Policy
	Events  io.Writer // events.jsonl; nil: nowhere
	Now     func() time.Time
	Loss    func(ctx context.Context, failure string, started time.Time) Loss
	Closed  func() // called when all is recorded, before the handle says Done; nil: nothing
	Command string // how the user calls belay on this project, for Outcome.Next

	mu      sync.Mutex // steps report from several goroutines
	history history
	proof   []Signal
}

// Upgrade runs a fresh plan to its end.
func (e *Engine) Upgrade(ctx context.Context) Outcome {
	e.history = read(nil)
	return e.finish(func() Outcome { return e.forward(ctx, 0) })
}

// Resume goes on with a run that was cut short, records being its journal.
func (e *Engine) Resume(ctx context.Context, records []journal.Record) Outcome {
	e.history = read(records)
	return e.finish(func() Outcome {
		if e.history.resumes >= MaxResumes {
			return e.operator("this run was resumed %d times without getting to an end", e.history.resumes)
		}
		if err := e.Log.Append("", journal.Note, 0, map[string]string{"resume": "forward"}); err != nil {
			return e.operator("the journal cannot be written: %v", err)
		}
		if e.history.rolling {
			return e.back(ctx)
		}
		from, err := e.firstOpen(ctx)
		if err != nil {
			return e.operator("%v", err)
		}
		return e.forward(ctx, from)
	})
}

// Rollback takes a run back, open or committed: cheaply before the point of no
// return, with configuration and data after it.
func (e *Engine) Rollback(ctx context.Context, records []journal.Record) Outcome {
	e.history = read(records)
	return e.finish(func() Outcome {
		if e.history.resumes >= MaxResumes {
			return e.operator("this run was resumed %d times without getting to an end", e.history.resumes)
		}
		if err := e.Log.Append("", journal.Note, 0, map[string]string{"resume": "rollback"}); err != nil {
			return e.operator("the journal cannot be written: %v", err)
		}
		if e.history.passed {
			return asked(e.back(ctx))
		}
		return asked(e.undo(ctx, ExitFailed, "undone on your word"))
	})
}

// finish runs the work with the engine's own guard: a panic anywhere becomes an
// outcome, and every outcome is journalled and told.
func (e *Engine) finish(work func() Outcome) (o Outcome) {
	defer func() {
		if p := recover(); p != nil {
			o = e.operator("belay itself failed: %v", p)
		}
		o = e.close(o)
		e.tell(Event{Kind: KindOutcome, Text: o.Message, Outcome: &o})
		if e.Closed != nil {
			e.Closed()
		}
		e.Run.Finish(o)
	}()
	return work()
}

func (e *Engine) close(o Outcome) Outcome {
	o.From, o.To, o.Run = e.Plan.From, e.Plan.To, e.Plan.Run
	o.Proof = e.proof
	if o.Backup == "" && e.history.sealed {
		o.Backup = e.Plan.BackupDir
	}
	if o.Result == NeedsOperator {
		return o // the run stays open: the next start of belay shows it
	}
	facts := map[string]string{"outcome": string(o.Result), "exit": fmt.Sprint(o.Exit), "message": o.Message}
	if err := e.Log.Append("", journal.End, 0, facts); err != nil {
		o.Message += " (The end could not be written to the journal: " + err.Error() + ".)"
		return o
	}
	if err := e.Head.SetHead(""); err != nil {
		o.Message += " (The run could not be closed: " + err.Error() + ".)"
	}
	return o
}

// forward runs the steps from index first on.
func (e *Engine) forward(ctx context.Context, first int) Outcome {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	e.Run.onNow(cancel)
	for _, s := range e.Forward[first:] {
		if stop := e.Run.Requested(); stop != GoOn {
			return e.stopped(ctx, s.ID())
		}
		if err := e.do(ctx, s); err != nil {
			return e.failed(ctx, s, err)
		}
	}
	return Outcome{
		Result: Upgraded, Exit: ExitOK,
		Message: fmt.Sprintf("Upgraded to %s: %s works.", e.Plan.To, e.Plan.Project),
		Next:    e.next(),
	}
}

// do runs one step between its records.
func (e *Engine) do(ctx context.Context, s Step) error {
	id := string(s.ID())
	e.history.attempts[id]++
	attempt := e.history.attempts[id]
	e.tell(Event{Kind: KindStart, Step: s.ID(), Title: s.Title()})
	began := e.Now()
	if err := e.Log.Append(id, journal.Intent, attempt, nil); err != nil {
		return err
	}
	e.history.intent(s.ID(), began)
	facts := map[string]string{}
	err := guard(func() error { return s.Do(ctx, e.reporter(s.ID(), facts)) })
	took := e.Now().Sub(began)
	if err != nil {
		e.tell(Event{Kind: KindFail, Step: s.ID(), Title: s.Title(), Text: err.Error(), Took: took.Milliseconds()})
		facts["error"] = err.Error()
		if lerr := e.Log.Append(id, journal.Failed, attempt, facts); lerr != nil {
			return errors.Join(err, lerr)
		}
		return err
	}
	if err := e.Log.Append(id, journal.Done, attempt, facts); err != nil {
		return err
	}
	e.history.done(s.ID())
	e.tell(Event{Kind: KindDone, Step: s.ID(), Title: s.Title(), Text: facts["summary"], Took: took.Milliseconds()})
	return nil
}

// failed decides what a failed step means.
func (e *Engine) failed(ctx context.Context, s Step, err error) Outcome {
	if e.Run.Requested() == Now && ctx.Err() != nil {
		return e.stopped(ctx, s.ID())
	}
	if e.history.passed {
		return e.decide(ctx, s.ID(), sentence(err))
	}
	code := ExitFailed
	var refused *RefusedError
	if errors.As(err, &refused) {
		code = refused.Exit()
	}
	return e.undo(ctx, code, sentence(err))
}

// firstOpen finds where to go on: the first step whose effect does not stand
// (any more). A step after it may rest on what it did, so all of them run again.
// Behind the point of no return nothing before it may run again: a second copy
// would hold the new version's data.
func (e *Engine) firstOpen(ctx context.Context) (int, error) {
	for i, s := range e.Forward {
		id := s.ID()
		if e.history.passed {
			if id == Start || (id == Migrate && !e.history.finished[Migrate]) {
				return i, nil
			}
			continue
		}
		if !e.history.began[id] {
			return i, nil
		}
		o, err := s.Observe(ctx)
		if err != nil {
			return 0, fmt.Errorf("look at %q: %w", s.Title(), err)
		}
		switch o {
		case Done:
			continue
		case NotDone, Partial:
			return i, nil
		case Foreign:
			return 0, fmt.Errorf("somebody else changed what %q works on", s.Title())
		case Unclear:
			return 0, fmt.Errorf("belay cannot tell how far %q got: the engine does not answer", s.Title())
		}
	}
	return len(e.Forward), nil
}
