package steps

import "sync"

// logCap is how many log lines a stream keeps, at least, for a front end that is slow or
// gone; older ones are dropped and counted. The run's events.jsonl has them all.
const logCap = 5000

// Stream carries events from the engine to one front end. Emit never blocks:
// states (start, done, fail, warn, ask, outcome) are never lost, of progress the
// newest of each step wins, log lines drop oldest.
type Stream struct {
	mu      sync.Mutex
	states  []Event
	logs    []Event
	dropped int
	latest  map[ID]Event
	order   []ID
	wake    chan struct{}
}

// NewStream makes an empty stream.
func NewStream() *Stream {
	return &Stream{latest: map[ID]Event{}, wake: make(chan struct{}, 1)}
}

// Emit hands over one event.
func (s *Stream) Emit(e Event) {
	s.mu.Lock()
	switch {
	case e.Kind == KindProgress && e.Signal == nil:
		if _, ok := s.latest[e.Step]; !ok {
			s.order = append(s.order, e.Step)
		}
		s.latest[e.Step] = e
	case e.Kind == KindLog:
		s.logs = append(s.logs, e)
		if len(s.logs) > 2*logCap { // trimmed in bulk: a flood must not copy per line
			s.dropped += len(s.logs) - logCap
			s.logs = append([]Event(nil), s.logs[len(s.logs)-logCap:]...)
		}
	default:
		s.states = append(s.states, e)
	}
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Wake is readable when there may be something to Drain.
func (s *Stream) Wake() <-chan struct{} { return s.wake }

// HasState says whether something other than progress and logs waits.
func (s *Stream) HasState() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.states) > 0
}

// Batch is what Drain gives: logs and progress belong before the states.
type Batch struct {
	Progress []Event
	Logs     []Event
	Dropped  int // log lines lost since the last batch
	States   []Event
}

// Drain takes all that waits.
func (s *Stream) Drain() Batch {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := Batch{Logs: s.logs, Dropped: s.dropped, States: s.states}
	for _, id := range s.order {
		b.Progress = append(b.Progress, s.latest[id])
	}
	s.logs, s.states, s.dropped, s.order = nil, nil, 0, nil
	clear(s.latest)
	return b
}
