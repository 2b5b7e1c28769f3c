// Package rollback takes an installation back: image, configuration and data
// together, from the restore point of the run, with what failed kept aside. It
// must not decide whether to go back, and it never deletes what it did not make.
package rollback

import (
	"context"
	"io"
	"time"

	"belay/dockerx"
	"belay/dockerx/compose"
	"belay/dockerx/tree"
	"belay/steps"
	"belay/steps/backup"
	"belay/steps/drain"
)

// Engine is what the way back needs of an engine.
type Engine interface {
	drain.Engine
	Image(ctx context.Context, ref string) (dockerx.Image, error)
	TagImage(ctx context.Context, id, ref string) error
	StopContainer(ctx context.Context, id string, timeout time.Duration) error
	RenameContainer(ctx context.Context, id, name string) error
	Exec(ctx context.Context, container string, spec dockerx.ExecSpec) (dockerx.ExecResult, error)
	Logs(ctx context.Context, container string, spec dockerx.LogSpec, on func(dockerx.LogLine)) error
	SaveTree(ctx context.Context, d dockerx.Data, w io.Writer, on func(bytes int64)) (tree.Summary, error)
	LoadTree(ctx context.Context, d dockerx.Data, r io.Reader, on func(bytes int64)) (tree.Summary, error)
	ScanTree(ctx context.Context, d dockerx.Data, sqlite []string) (tree.Summary, error)
}

// Composer stops and starts services.
type Composer interface {
	Up(ctx context.Context, p *compose.Project, spec compose.UpSpec, on func(line string)) error
	Stop(ctx context.Context, p *compose.Project, services []string, timeout time.Duration, on func(line string)) error
}

// Deps is what the steps work with.
type Deps struct {
	Engine  Engine
	Compose Composer
	// Model loads the project anew: its files change on the way.
	Model func(ctx context.Context) (*compose.Project, error)
	// Gate waits until the old version is well, and says by what.
	Gate func(ctx context.Context, r *steps.Reporter) ([]steps.Signal, error)
	// Verify reads an archive of SaveTree to its end without writing anything.
	Verify func(ctx context.Context, r io.Reader) (tree.Summary, error)
	Now    func() time.Time
	After  func(time.Duration) <-chan time.Time
	// Patience is how long containers may take to be of the old image, and a
	// database to answer; 0 is ten minutes: it may have to replay its log.
	Patience time.Duration
}

// way is what the steps have in common: nothing but the plan and what lies in
// the run's directory, so that each can run again after a crash.
type way struct {
	Deps
	plan *steps.Plan
	dir  string // the run's directory
}

// New makes the steps of the way back, in order. dir is the run's directory.
func New(d Deps, p *steps.Plan, dir string) []steps.Step {
	w := &way{Deps: d, plan: p, dir: dir}
	return []steps.Step{
		&step{steps.BackStop, "stop " + p.To, w.stop},
		&step{steps.BackVerify, "check the restore point", w.verify},
		&step{steps.BackKeep, "keep the failed data aside", w.keep},
		&step{steps.BackConfig, "put the configuration back", w.config},
		&step{steps.BackData, "put the data back", w.data},
		&step{steps.BackStart, "start " + p.From, w.start},
		&step{steps.BackHealth, "check health", w.health},
		&step{steps.BackCanary, "compare with before", w.compare},
	}
}

// step is one part of the way back. There is no way back from the way back: a
// failure leaves everything where it is, and running again goes on.
type step struct {
	id    steps.ID
	title string
	do    func(ctx context.Context, r *steps.Reporter) error
}

func (s *step) ID() steps.ID                                       { return s.id }
func (s *step) Title() string                                      { return s.title }
func (s *step) Do(ctx context.Context, r *steps.Reporter) error    { return s.do(ctx, r) }
func (s *step) Undo(context.Context, *steps.Reporter) error        { return nil }
func (s *step) Observe(context.Context) (steps.Observation, error) { return steps.NotDone, nil }

// point opens the restore point and refuses one that is not of this run.
func (w *way) point() (*backup.RestorePoint, error) {
	p, err := backup.Open(backup.Dir(w.plan, w.dir))
	if err != nil {
		return nil, err
	}
	return p, p.Belongs(w.plan)
}

func (w *way) patience() time.Duration {
	if w.Patience > 0 {
		return w.Patience
	}
	return 10 * time.Minute
}
