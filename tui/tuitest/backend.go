package tuitest

import (
	"context"
	"sync"

	"belay/releases/notes"
	"belay/steps"
	"belay/steps/stack"
	"belay/steps/upgrade"
	"belay/tui/port"
)

// Backend answers from the made-up world and plays Script as every run.
type Backend struct {
	Script func(*Player)
	Open   *upgrade.Interrupted // an interrupted run
	Fail   map[string]error     // by method: "inspect", "choices", "notes", "plan", "upgrade"
	Offer  func() upgrade.Choices
	Hold   chan struct{} // Inspect waits for it, nil: not at all

	mu    sync.Mutex
	calls []string
	runs  []*FakeRun
}

// Calls lists what was asked.
func (b *Backend) Calls() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string{}, b.calls...)
}

// Run is the last run that was started.
func (b *Backend) Run() *FakeRun {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.runs) == 0 {
		return nil
	}
	return b.runs[len(b.runs)-1]
}

func (b *Backend) called(what, detail string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls = append(b.calls, what+detail)
	return b.Fail[what]
}

// Inspect gives the made-up stack.
func (b *Backend) Inspect(ctx context.Context) (*stack.Stack, error) {
	if b.Hold != nil {
		select {
		case <-b.Hold:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return Stack(), b.called("inspect", "")
}

// Choices gives the made-up choices, or Offer's.
func (b *Backend) Choices(context.Context) (upgrade.Choices, error) {
	if b.Offer != nil {
		return b.Offer(), b.called("choices", "")
	}
	return Choices(), b.called("choices", "")
}

// Notes gives the made-up report.
func (b *Backend) Notes(_ context.Context, to string) (notes.Report, error) {
	return Report(), b.called("notes", " "+to)
}

// Plan gives the made-up plan.
func (b *Backend) Plan(_ context.Context, to string, accepted []string) (*steps.Plan, error) {
	p := Plan()
	p.Accepted = accepted
	return p, b.called("plan", " "+to)
}

// Upgrade plays the script.
func (b *Backend) Upgrade(context.Context, *steps.Plan) (port.Run, error) {
	return b.play("upgrade", "")
}

// Rollback plays the script.
func (b *Backend) Rollback(_ context.Context, run string) (port.Run, error) {
	return b.play("rollback", " "+run)
}

// Resume plays the script.
func (b *Backend) Resume(context.Context) (port.Run, error) { return b.play("resume", "") }

// Interrupted gives Open.
func (b *Backend) Interrupted(context.Context) (*upgrade.Interrupted, error) {
	return b.Open, b.called("interrupted", "")
}

// History gives the made-up past.
func (b *Backend) History(context.Context) ([]upgrade.Past, error) {
	return Past(), b.called("history", "")
}

func (b *Backend) play(what, detail string) (port.Run, error) {
	if err := b.called(what, detail); err != nil {
		return nil, err
	}
	run := NewRun()
	b.mu.Lock()
	b.runs = append(b.runs, run)
	b.mu.Unlock()
	go b.Script(&Player{run})
	return run, nil
}
