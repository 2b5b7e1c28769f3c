package steps

import "context"

// Observation is what a step finds when it looks at the world after a crash.
type Observation string

// The observations.
const (
	NotDone Observation = "not done"
	Done    Observation = "done"
	Partial Observation = "partial"
	Foreign Observation = "foreign" // somebody else changed it: stop and show
	Unclear Observation = "unknown" // the engine does not answer
)

// Step is one part of a run. Do is idempotent: it may run again after a crash.
// Undo takes back what Do did, also when Do was cut short; it must be safe to
// run when nothing was done. Observe only reads.
type Step interface {
	ID() ID
	Title() string
	Do(ctx context.Context, r *Reporter) error
	Observe(ctx context.Context) (Observation, error)
	Undo(ctx context.Context, r *Reporter) error
}
