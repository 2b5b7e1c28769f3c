// Package port is the socket that every front end plugs into: what it may ask of
// the part that knows the installation. It must not know how an answer is shown.
package port

import (
	"context"

	"belay/releases/notes"
	"belay/steps"
	"belay/steps/stack"
	"belay/steps/upgrade"
)

// Backend answers a front end. Every method may take long and ends early when
// its context does; a run that was started does not end with that context.
type Backend interface {
	Inspect(ctx context.Context) (*stack.Stack, error)
	Choices(ctx context.Context) (upgrade.Choices, error)
	Notes(ctx context.Context, to string) (notes.Report, error)
	Plan(ctx context.Context, to string, accepted []string) (*steps.Plan, error)
	Upgrade(ctx context.Context, p *steps.Plan) (Run, error)
	Rollback(ctx context.Context, run string) (Run, error)
	Resume(ctx context.Context) (Run, error)
	Interrupted(ctx context.Context) (*upgrade.Interrupted, error) // nil: none
	History(ctx context.Context) ([]upgrade.Past, error)
}

// Run is a run as a front end holds it. *steps.Run is one.
type Run interface {
	ID() string
	Stream() *steps.Stream
	Answer(question, option string)
	RequestStop(how steps.How)
	Done() <-chan struct{}
	Outcome() steps.Outcome
}

var _ Run = (*steps.Run)(nil)
