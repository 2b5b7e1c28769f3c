package tuitest

import (
	"sync"
	"time"

	"belay/steps"
)

// FakeRun is a run whose events a script makes.
type FakeRun struct {
	stream  *steps.Stream
	answers chan string
	stops   chan steps.How
	done    chan struct{}

	mu      sync.Mutex
	outcome steps.Outcome
}

// NewRun makes a run that nobody plays yet.
func NewRun() *FakeRun {
	return &FakeRun{
		stream: steps.NewStream(), answers: make(chan string, 8), stops: make(chan steps.How, 8), done: make(chan struct{}),
	}
}

// ID is the run's ID.
func (r *FakeRun) ID() string { return "01JD0000000000000000000000" }

// Stream carries its events.
func (r *FakeRun) Stream() *steps.Stream { return r.stream }

// Answer hands an answer to the script.
func (r *FakeRun) Answer(_, option string) { r.answers <- option }

// RequestStop hands a stop to the script.
func (r *FakeRun) RequestStop(how steps.How) { r.stops <- how }

// Done is closed at the end.
func (r *FakeRun) Done() <-chan struct{} { return r.done }

// Outcome is the end.
func (r *FakeRun) Outcome() steps.Outcome {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.outcome
}

// Player is what a script speaks through.
type Player struct{ Run *FakeRun }

// Start begins a step.
func (p *Player) Start(id steps.ID, title string) {
	p.Emit(steps.Event{Kind: steps.KindStart, Step: id, Title: title})
}

// Done ends a step.
func (p *Player) Done(id steps.ID, summary string, took time.Duration) {
	p.Emit(steps.Event{Kind: steps.KindDone, Step: id, Text: summary, Took: took.Milliseconds()})
}

// Emit sends an event.
func (p *Player) Emit(e steps.Event) {
	e.Time, e.Run = Now(), p.Run.ID()
	p.Run.stream.Emit(e)
}

// Log sends a log line.
func (p *Player) Log(service, line string) {
	p.Emit(steps.Event{Kind: steps.KindLog, Step: steps.Watch, Service: service, Text: line})
}

// Signal sends the result of a check.
func (p *Player) Signal(step steps.ID, s steps.Signal) {
	p.Emit(steps.Event{Kind: steps.KindProgress, Step: step, Signal: &s})
}

// Ask waits for the answer.
func (p *Player) Ask(q steps.Question) string {
	p.Emit(steps.Event{Kind: steps.KindAsk, Step: steps.Watch, Text: q.Text, Ask: &q})
	return <-p.Run.answers
}

// Stopped waits until the user asks for a stop.
func (p *Player) Stopped() steps.How { return <-p.Run.stops }

// End ends the run.
func (p *Player) End(o steps.Outcome) {
	p.Emit(steps.Event{Kind: steps.KindOutcome, Text: o.Message, Outcome: &o})
	p.Run.mu.Lock()
	p.Run.outcome = o
	p.Run.mu.Unlock()
	close(p.Run.done)
}
