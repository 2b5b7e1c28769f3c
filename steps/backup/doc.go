// Package backup makes the restore point of a run and proves it: configuration
// bytes, a portable dump of each database, an exact cold copy of every store, read
// back and opened again in isolation before anything switches. It must not know
// how a restore point is used; it only writes, proves, opens and checks one.
package backup

import (
	"context"
	"io"
	"path/filepath"
	"time"

	"belay/dockerx"
	"belay/dockerx/tree"
	"belay/steps"
)

// Engine is what a restore point needs of an engine.
type Engine interface {
	Containers(ctx context.Context, project string) ([]dockerx.Container, error)
	Container(ctx context.Context, id string) (dockerx.Container, error)
	Image(ctx context.Context, ref string) (dockerx.Image, error)
	Volume(ctx context.Context, name string) (dockerx.Volume, error)
	Exec(ctx context.Context, container string, spec dockerx.ExecSpec) (dockerx.ExecResult, error)
	Logs(ctx context.Context, container string, spec dockerx.LogSpec, on func(dockerx.LogLine)) error
	CreateVolume(ctx context.Context, spec dockerx.VolumeSpec) error
	RemoveVolume(ctx context.Context, name string) error
	RunScratch(ctx context.Context, spec dockerx.ScratchSpec) (string, error)
	RemoveContainer(ctx context.Context, id string) error
	SaveTree(ctx context.Context, d dockerx.Data, w io.Writer, on func(bytes int64)) (tree.Summary, error)
	LoadTree(ctx context.Context, d dockerx.Data, r io.Reader, on func(bytes int64)) (tree.Summary, error)
	ScanTree(ctx context.Context, d dockerx.Data, sqlite []string) (tree.Summary, error)
}

// Deps is what the steps of this package work with.
type Deps struct {
	Engine Engine
	// Verify reads one archive of SaveTree to its end and gives the summary of
	// what it holds, without writing anything.
	Verify func(ctx context.Context, r io.Reader) (tree.Summary, error)
	Now    func() time.Time
	After  func(time.Duration) <-chan time.Time
	// Create makes a new private file for writing; nil is the file system's way.
	Create func(path string) (File, error)
	// OpenWithin is how long a database may take to open from its copy; 0 is
	// ten minutes: one that was killed replays its log first.
	OpenWithin time.Duration
}

// File is a file being written.
type File interface {
	io.WriteCloser
	Sync() error
}

// Dir is where the restore point of a run lies.
func Dir(p *steps.Plan, runDir string) string {
	if p.BackupDir != "" {
		return p.BackupDir
	}
	return filepath.Join(runDir, "backup")
}

// New makes the four steps that belong to a restore point. They share nothing
// but the plan and the directory, so that each can run again after a crash.
// runDir is the run's directory; it is used when the plan names no backup_dir.
func New(d Deps, p *steps.Plan, runDir string) (capture, dump, copies, prove steps.Step) {
	b := base{Deps: d, plan: p, dir: Dir(p, runDir)}
	return &captureStep{b}, &dumpStep{b}, &copyStep{b}, &proveStep{b}
}

// base is what the four steps have in common.
type base struct {
	Deps
	plan *steps.Plan
	dir  string
}

func (b base) path(rel string) string { return filepath.Join(b.dir, filepath.FromSlash(rel)) }

// sealed says whether the restore point of this run stands already. From then on
// no step writes into it again: after the switch its content could not be made anew.
func (b base) sealed() (bool, error) {
	p, err := Open(b.dir)
	if isMissing(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, p.Belongs(b.plan)
}

// standing is the observation all steps begin with.
func (b base) standing() (bool, error) {
	ok, err := b.sealed()
	if !ok || err != nil {
		return false, err
	}
	p, err := Open(b.dir)
	if err != nil {
		return false, err
	}
	return true, p.present()
}
