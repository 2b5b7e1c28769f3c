package steps

import (
	"context"
	"errors"
)

// ErrNobody is returned by Ask when no answer can come (the run was told to stop).
var ErrNobody = errors.New("nobody answers")

// Reporter is how a step speaks. It is safe for use by several goroutines.
type Reporter struct {
	step ID
	emit func(Event)
	fact func(key, value string)
	ask  func(ctx context.Context, q Question) (string, error)
}

// NewReporter makes a reporter of its own, for tests and for work outside a run.
// Nil functions are allowed.
func NewReporter(step ID, emit func(Event), fact func(key, value string)) *Reporter {
	return &Reporter{step: step, emit: emit, fact: fact}
}

// Progress says how far the step is. Total 0 means unknown.
func (r *Reporter) Progress(done, total int64, unit Unit, text string) {
	r.send(Event{Kind: KindProgress, Done: done, Total: total, Unit: unit, Text: text})
}

// Log passes on a line that a service wrote.
func (r *Reporter) Log(service, line string) {
	r.send(Event{Kind: KindLog, Service: service, Text: line})
}

// Warn says something the user must see but that does not stop the run.
func (r *Reporter) Warn(text string) { r.send(Event{Kind: KindWarn, Text: text}) }

// Signal says what one check found.
func (r *Reporter) Signal(s Signal) { r.send(Event{Kind: KindProgress, Signal: &s}) }

// Fact keeps a fact in the step's done record. "summary" is shown beside the step.
func (r *Reporter) Fact(key, value string) {
	if r.fact != nil {
		r.fact(key, value)
	}
}

// Ask waits for an answer: the ID of an option.
func (r *Reporter) Ask(ctx context.Context, q Question) (string, error) {
	if r.ask == nil {
		return "", ErrNobody
	}
	return r.ask(ctx, q)
}

func (r *Reporter) send(e Event) {
	if r.emit == nil {
		return
	}
	e.Step = r.step
	r.emit(e)
}
