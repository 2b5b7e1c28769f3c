package steps

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"belay/steps/journal"
)

// asked is the end of a way back that the user asked for: when it got there,
// nothing failed, and the exit code says so.
func asked(o Outcome) Outcome {
	if o.Result == RolledBack || o.Result == Aborted {
		o.Exit = ExitOK
	}
	return o
}

// stopped ends a run on the user's word, before step next.
func (e *Engine) stopped(ctx context.Context, next ID) Outcome {
	if !e.history.passed {
		return e.undo(ctx, ExitStopped, "stopped by you before "+string(next))
	}
	if e.Run.Requested() == AfterStep && e.Policy == AskUser {
		return e.decide(ctx, next, "you asked to stop")
	}
	return e.back(ctx)
}

// decide asks what to do after a failure behind the point of no return.
func (e *Engine) decide(ctx context.Context, at ID, failure string) Outcome {
	loss := e.Loss(context.WithoutCancel(ctx), failure, e.history.switched)
	q := Question{
		ID: "after-failure", Text: fmt.Sprintf("Roll back to %s?", e.Plan.From), Default: AnswerRollback, Details: &loss,
		Options: []Option{
			{ID: AnswerRollback, Text: "put everything back as it was"},
			{ID: AnswerKeep, Text: fmt.Sprintf("stay on %s as it is, keep the restore point", e.Plan.To)},
		},
	}
	choice, err := e.ask(ctx, at, q)
	if err != nil {
		choice = AnswerRollback
	}
	if choice == AnswerRollback {
		return e.back(ctx)
	}
	return Outcome{
		Result: NeedsOperator, Exit: ExitOperator,
		Message: fmt.Sprintf("%s is on %s and not well: %s.", e.Plan.Project, e.Plan.To, failure),
		Next:    e.next(),
	}
}

// undo takes back what was done before the point of no return, newest first. One
// step that cannot be undone does not keep the others: an app that can be started
// again is started, whatever a file looks like.
func (e *Engine) undo(ctx context.Context, code int, why string) Outcome {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
	defer cancel()
	var stuck []string
	for _, s := range slices.Backward(e.Forward) {
		if !e.history.began[s.ID()] {
			continue
		}
		id := string(s.ID())
		if err := e.Log.Append(id, journal.UndoIntent, 0, nil); err != nil {
			e.tell(Event{Kind: KindWarn, Step: s.ID(), Text: "the journal cannot be written: " + err.Error()})
		}
		if err := guard(func() error { return s.Undo(ctx, e.reporter(s.ID(), map[string]string{})) }); err != nil {
			e.tell(Event{Kind: KindFail, Step: s.ID(), Title: "undo " + s.Title(), Text: err.Error()})
			stuck = append(stuck, fmt.Sprintf("%q could not be undone: %s", s.Title(), sentence(err)))
			continue
		}
		if err := e.Log.Append(id, journal.UndoDone, 0, nil); err != nil {
			e.tell(Event{Kind: KindWarn, Step: s.ID(), Text: "the journal cannot be written: " + err.Error()})
		}
	}
	if len(stuck) > 0 {
		return e.operator("%s; and %s", why, strings.Join(stuck, "; "))
	}
	message := fmt.Sprintf("%s. %s is on %s as before, its data untouched.", capital(why), e.Plan.Project, e.Plan.From)
	return Outcome{Result: Aborted, Exit: code, Message: message}
}

// back rolls back image, configuration and data. It starts from the first back
// step again: each one sees for itself what is done already.
func (e *Engine) back(ctx context.Context) Outcome {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime*8)
	defer cancel()
	e.proof = nil
	for _, s := range e.Back {
		if err := e.do(ctx, s); err != nil {
			return e.operator("the way back stopped at %q: %s", s.Title(), sentence(err))
		}
	}
	return Outcome{
		Result: RolledBack, Exit: ExitRolled,
		Message: fmt.Sprintf("Rolled back to %s: image, configuration and data of %s are as before.", e.Plan.From, e.Plan.Project),
	}
}

func (e *Engine) operator(format string, args ...any) Outcome {
	return Outcome{
		Result: NeedsOperator, Exit: ExitOperator,
		Message: capital(fmt.Sprintf(format, args...)) + ".",
		Next:    e.next(),
	}
}

// next is the one command that leads out, "" where there is none to give.
func (e *Engine) next() string {
	if e.Command == "" {
		return ""
	}
	return e.Command + " rollback"
}
