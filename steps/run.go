package steps

import (
	"context"
	"sync"
)

// How tells a run in what way it should stop.
type How int

// The ways to stop, gentlest first.
const (
	GoOn      How = iota
	AfterStep     // finish the step that runs, then undo what is cheap
	Undo          // the same, and roll back if the switch has happened
	Now           // cancel the step that runs, then undo
)

// Run is the handle of a running engine. The front end holds it; the engine
// never waits for it except inside a question.
type Run struct {
	id      string
	stream  *Stream
	answers chan answer
	done    chan struct{}
	left    chan struct{} // closed when nobody is there to answer any more
	leave   sync.Once

	mu      sync.Mutex
	how     How
	stop    chan struct{} // closed on the first request to stop
	cancel  context.CancelFunc
	outcome Outcome
}

type answer struct{ question, option string }

// NewRun makes the handle for a run that somebody is about to start.
func NewRun(id string) *Run {
	return &Run{
		id: id, stream: NewStream(), answers: make(chan answer, 4),
		done: make(chan struct{}), left: make(chan struct{}), stop: make(chan struct{}), cancel: func() {},
	}
}

// ID is the run's ULID.
func (r *Run) ID() string { return r.id }

// Stream carries the run's events.
func (r *Run) Stream() *Stream { return r.stream }

// Done is closed when the run has ended and Outcome is final.
func (r *Run) Done() <-chan struct{} { return r.done }

// Outcome is how the run ended; zero before Done.
func (r *Run) Outcome() Outcome {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.outcome
}

// Answer gives the option chosen for a question. Answers nobody waits for are dropped.
func (r *Run) Answer(question, option string) {
	select {
	case r.answers <- answer{question, option}:
	default:
	}
}

// Leave says that nobody is there any more (the terminal is gone): questions
// are answered with their default, which always leads to the old version.
func (r *Run) Leave() { r.leave.Do(func() { close(r.left) }) }

// RequestStop asks the run to stop. A later, harder request wins; a softer one is ignored.
func (r *Run) RequestStop(how How) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if how <= r.how {
		return
	}
	if r.how == GoOn {
		close(r.stop)
	}
	r.how = how
	if how == Now {
		r.cancel()
	}
}

// onNow says what cancels the step that runs.
func (r *Run) onNow(cancel context.CancelFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cancel = cancel
	if r.how == Now {
		cancel()
	}
}

// Requested is the hardest stop asked for so far.
func (r *Run) Requested() How {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.how
}

// Finish ends the run with its outcome. Only the engine calls it, once.
func (r *Run) Finish(o Outcome) {
	r.mu.Lock()
	r.outcome = o
	r.mu.Unlock()
	close(r.done)
}
