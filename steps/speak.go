package steps

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"unicode"
	"unicode/utf8"
)

// RefusedError is a refusal before anything changed: exit 5, or 2 when the
// input itself is wrong. Msg is a sentence, Next the command that helps.
type RefusedError struct {
	Msg   string
	Next  string
	Usage bool
	Err   error
}

// Error is the sentence.
func (e *RefusedError) Error() string { return e.Msg }

// Unwrap gives the cause.
func (e *RefusedError) Unwrap() error { return e.Err }

// Exit is the exit code of the refusal.
func (e *RefusedError) Exit() int {
	if e.Usage {
		return ExitUsage
	}
	return ExitRefused
}

// Advised is an error that knows the next command to run.
type Advised interface{ Advice() string }

// Advice is the next command.
func (e *RefusedError) Advice() string { return e.Next }

// tell informs the front end and the run's own record. The record is best effort:
// a full disk must not stop a rollback for the sake of a line of log.
func (e *Engine) tell(ev Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	ev.Time, ev.Run = e.Now(), e.Plan.Run
	if ev.Signal != nil {
		e.proof = append(e.proof, *ev.Signal)
	}
	if e.Events != nil {
		if b, err := json.Marshal(ev); err == nil {
			_, _ = e.Events.Write(append(b, '\n'))
		}
	}
	e.Run.stream.Emit(ev)
}

func (e *Engine) reporter(id ID, facts map[string]string) *Reporter {
	return &Reporter{
		step: id,
		emit: e.tell,
		fact: func(k, v string) {
			e.mu.Lock()
			defer e.mu.Unlock()
			facts[k] = v
		},
		ask: func(ctx context.Context, q Question) (string, error) { return e.ask(ctx, id, q) },
	}
}

// ask puts a question to the person, or answers it by policy when none is there.
func (e *Engine) ask(ctx context.Context, at ID, q Question) (string, error) {
	e.tell(Event{Kind: KindAsk, Step: at, Text: q.Text, Ask: &q})
	switch e.Policy {
	case AutoRollback:
		return q.Default, nil
	case AutoKeep:
		if q.has(AnswerKeep) {
			return AnswerKeep, nil
		}
		return q.Default, nil
	case AskUser:
	}
	for {
		select {
		case a := <-e.Run.answers:
			if a.question == q.ID && q.has(a.option) {
				return a.option, nil
			}
		case <-e.Run.left:
			return q.Default, nil
		case <-ctx.Done():
			return "", ErrNobody
		}
	}
}

func (q Question) has(option string) bool {
	for _, o := range q.Options {
		if o.ID == option {
			return true
		}
	}
	return false
}

// guard turns a panic in a step into an error of the step.
func guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return f()
}

// sentence is the first line of an error, for people.
func sentence(err error) string {
	var refused *RefusedError
	if errors.As(err, &refused) {
		return refused.Msg
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	return strings.TrimRight(first, ".")
}

func capital(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}
