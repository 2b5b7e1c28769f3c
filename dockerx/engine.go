package dockerx

import (
	"errors"
	"fmt"
	"slices"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/cli/cli/config/configfile"
	"github.com/docker/docker/client"
)

// ErrForeignArch says that the engine cannot run belay's own executable, which
// the volume helper is made from.
var ErrForeignArch = errors.New("the engine runs on another platform than this belay")

// Engine is a real Docker (or Podman) engine. Its methods may be called at the
// same time; errors name the object and wrap the sentinels of this package.
type Engine struct {
	// Run is put as LabelRun on what the volume helper makes.
	Run string

	api        *client.Client
	host       string
	childEnv   []string
	config     *configfile.ConfigFile
	executable string
	helper     *helperImage
}

// ForRun is the same engine, labelling what it makes with run.
func (e *Engine) ForRun(run string) *Engine {
	c := *e
	c.Run = run
	return &c
}

// Host is the address belay talks to, as in EngineInfo.Host.
func (e *Engine) Host() string { return e.host }

// ChildEnv is what a docker program started by belay needs on top of belay's own
// environment to reach the same engine: empty unless the address was found by
// looking for sockets.
func (e *Engine) ChildEnv() []string { return slices.Clone(e.childEnv) }

// Close lets go of the connections.
func (e *Engine) Close() error { return e.api.Close() }

func (e *Engine) run() string {
	if e.Run == "" {
		return "none"
	}
	return e.Run
}

// wrap names the object an engine error is about and maps its kind.
func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	what := fmt.Sprintf(format, args...)
	switch {
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrUnreachable):
	case cerrdefs.IsNotFound(err):
		return fmt.Errorf("%s: %w: %w", what, ErrNotFound, err)
	case client.IsErrConnectionFailed(err):
		return fmt.Errorf("%s: %w: %w", what, ErrUnreachable, err)
	case saysNoSpace(err.Error()):
		return fmt.Errorf("%s: %w: %w", what, ErrNoSpace, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}
