// Package contract holds the tests that every engine of belay's must pass, so
// that what works on one works on the other. It must not know which engine it
// is testing.
package contract

import (
	"context"
	"io"
	"testing"
	"time"

	"belay/dockerx"
	"belay/dockerx/compose"
	"belay/dockerx/tree"
)

// Engine is what belay asks of an engine.
type Engine interface {
	Info(ctx context.Context) (dockerx.EngineInfo, error)
	Containers(ctx context.Context, project string) ([]dockerx.Container, error)
	Container(ctx context.Context, id string) (dockerx.Container, error)
	Image(ctx context.Context, ref string) (dockerx.Image, error)
	TagImage(ctx context.Context, id, ref string) error
	UntagImage(ctx context.Context, ref string) error
	Pull(ctx context.Context, ref string, on func(dockerx.PullProgress)) error
	Exec(ctx context.Context, container string, spec dockerx.ExecSpec) (dockerx.ExecResult, error)
	Logs(ctx context.Context, container string, spec dockerx.LogSpec, on func(dockerx.LogLine)) error
	Volumes(ctx context.Context) ([]dockerx.Volume, error)
	Volume(ctx context.Context, name string) (dockerx.Volume, error)
	CreateVolume(ctx context.Context, spec dockerx.VolumeSpec) error
	RemoveVolume(ctx context.Context, name string) error
	StartContainer(ctx context.Context, id string) error
	StopContainer(ctx context.Context, id string, timeout time.Duration) error
	SetRestart(ctx context.Context, id, policy string) error
	RenameContainer(ctx context.Context, id, name string) error
	Usage(ctx context.Context, id string) (dockerx.Usage, error)
	RunScratch(ctx context.Context, spec dockerx.ScratchSpec) (string, error)
	RemoveContainer(ctx context.Context, id string) error
	SaveTree(ctx context.Context, d dockerx.Data, w io.Writer, on func(bytes int64)) (tree.Summary, error)
	LoadTree(ctx context.Context, d dockerx.Data, r io.Reader, on func(bytes int64)) (tree.Summary, error)
	ScanTree(ctx context.Context, d dockerx.Data, sqlite []string) (tree.Summary, error)
	FreeSpace(ctx context.Context) (free, total int64, err error)
}

// Driver is what belay asks of compose.
type Driver interface {
	Up(ctx context.Context, p *compose.Project, spec compose.UpSpec, on func(line string)) error
	Stop(ctx context.Context, p *compose.Project, services []string, timeout time.Duration, on func(line string)) error
	Run(ctx context.Context, p *compose.Project, service string, argv []string, on func(line string)) (exit int, err error)
	ConfigHash(ctx context.Context, p *compose.Project) (map[string]string, error)
}

// Subject is one engine with a compose project of one service that is running on it.
type Subject struct {
	Engine  Engine
	Compose Driver
	Project *compose.Project
	Service string
	Volume  string           // named volume that the service mounts and has written to
	Logged  string           // part of a line that the service writes when it is ready
	Exec    Command          // runs in the service
	Run     Command          // runs as a one-off of the service
	Next    *compose.Project // the same with the service on another image that is here and leaves the data as it is
	SQLite  []string         // SQLite files in Volume, relative to its root
	Pull    string           // a reference that a registry has and this host has not; "" skips the pull
	Mount   string           // where a scratch container wants the data: the service's own target
}

// Command is one command with what it writes and how it ends.
type Command struct {
	Argv   []string
	Stdout string // exactly
	Stderr string // exactly
	Exit   int
}

// Run checks everything that the engine and its compose promise. The project is
// stopped and recreated on the way; at the end it runs as Next says.
func Run(t *testing.T, s Subject) {
	t.Helper()
	s.opens(t, s.container(t).ID)
	for _, part := range []struct {
		name string
		run  func(*testing.T, Subject)
	}{
		{"engine", checkEngine},
		{"containers", checkContainers},
		{"config hash", checkConfigHash},
		{"images", checkImages},
		{"hold", checkHold},
		{"exec", checkExec},
		{"logs", checkLogs},
		{"volumes", checkVolumes},
		{"data", checkData},
		{"scratch", checkScratch},
		{"one-off", checkOneOff},
		{"stop and start", checkStopStart},
		{"restart policy and name", checkPolicyAndName},
		{"up changes nothing", checkUpSame},
		{"up recreates", checkUpNext},
	} {
		t.Run(part.name, func(t *testing.T) { part.run(t, s) })
	}
}
