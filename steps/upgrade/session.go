package upgrade

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"belay/dockerx"
	"belay/dockerx/compose"
	"belay/dockerx/registry"
	"belay/releases/github"
	"belay/steps"
	"belay/steps/backup"
	"belay/steps/journal"
	"belay/steps/pull"
	"belay/steps/recipe"
	"belay/steps/rollback"
	"belay/steps/stack"
	"belay/steps/start"
	"belay/steps/watch"
)

// Engine is what a session needs of an engine: what its steps need.
type Engine interface {
	Volumes(ctx context.Context) ([]dockerx.Volume, error)
	Sizes(ctx context.Context, stores []dockerx.Data) map[dockerx.Data]int64
	Info(ctx context.Context) (dockerx.EngineInfo, error)
	pull.Engine
	start.Engine
	watch.Engine
	backup.Engine
	rollback.Engine
}

// Composer is what a session needs of compose.
type Composer interface {
	Up(ctx context.Context, p *compose.Project, spec compose.UpSpec, on func(line string)) error
	Stop(ctx context.Context, p *compose.Project, services []string, timeout time.Duration, on func(line string)) error
	Run(ctx context.Context, p *compose.Project, service string, argv []string, on func(line string)) (int, error)
	ConfigHash(ctx context.Context, p *compose.Project) (map[string]string, error)
}

// Registry says what can be installed.
type Registry interface {
	Tags(ctx context.Context, repo string) ([]string, error)
	Resolve(ctx context.Context, ref, os, arch string) (registry.Remote, error)
}

// Forge says what was released. repo is "owner/name" on the forge.
type Forge interface {
	List(ctx context.Context, repo string) (github.Listing, error)
}

// Deps is what a session works with. Everything from outside comes in here.
type Deps struct {
	Engine    Engine
	Compose   Composer // nil: ComposeErr says why; reading works without
	NoCompose error
	// Holding gives Compose with the run's lock for its children to inherit; nil:
	// they need not.
	Holding  func(lock *os.File) Composer
	Registry Registry
	Forge    Forge
	Store    *journal.Store
	HTTP     *http.Client
	Load     compose.Options
	Now      func() time.Time
	After    func(time.Duration) <-chan time.Time
	Free     func(dir string) (free, total int64, err error)
	TTY      string // for the lock's message
	Version  string // of belay
	Command  string // "belay", "belay demo": how the user calls it, without the verb
	Timing   Timing
}

// Timing is how patient the health gate is.
type Timing struct {
	Window time.Duration // how long all must be well
	Limit  time.Duration // how long a sick answer is waited out
	Tick   time.Duration
}

// Session is belay at work on one project. Its methods are safe to call from
// several goroutines; what was found once is kept until Refresh.
type Session struct {
	d Deps

	mu       sync.Mutex
	stack    *stack.Stack
	recipe   recipe.Recipe
	versions *versions
}

// NewSession makes a session. Nothing is asked until a method needs it.
func NewSession(d Deps) *Session { return &Session{d: d} }

// Refresh forgets what was found.
func (s *Session) Refresh() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stack, s.versions = nil, nil
}

// Inspect finds out what is installed.
func (s *Session) Inspect(ctx context.Context) (*stack.Stack, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inspect(ctx)
}

func (s *Session) inspect(ctx context.Context) (*stack.Stack, error) {
	if s.stack != nil {
		return s.stack, nil
	}
	model, load, err := locate(ctx, s.d.Engine, s.d.Load)
	if err != nil {
		return nil, err
	}
	s.d.Load = load
	r, err := loadRecipe(model)
	if err != nil {
		return nil, usage(err)
	}
	st, err := stack.Inspect(ctx, s.stackDeps(model, r))
	if err != nil {
		return nil, fmt.Errorf("inspect %s: %w", model.Name, err)
	}
	s.stack, s.recipe = st, r
	return st, nil
}

// next is the command to run next, "" where the user cannot call belay on this
// project again (the demo's is gone with it).
func (s *Session) next(verb string) string {
	if s.d.Command == "" {
		return ""
	}
	return s.d.Command + " " + verb
}

// usage marks bad input, whose place and sentence the error itself carries.
func usage(err error) error {
	next := "belay doctor"
	var inFiles *compose.Error
	if errors.As(err, &inFiles) {
		next = "docker compose config --quiet"
	}
	return &steps.RefusedError{Msg: err.Error(), Next: next, Usage: true, Err: err}
}

// project is the folder of this project in the state directory.
func (s *Session) project(ctx context.Context) (*journal.Project, error) {
	st, err := s.Inspect(ctx)
	if err != nil {
		return nil, err
	}
	return s.d.Store.Project(journal.Key(st.Engine.ID, st.Project, st.Dir))
}

// model loads the project anew: its files have changed since.
func (s *Session) model(ctx context.Context) (*compose.Project, error) {
	s.mu.Lock()
	load := s.d.Load
	s.mu.Unlock()
	p, err := compose.Load(ctx, load)
	if err != nil {
		return nil, fmt.Errorf("load the project again: %w", err)
	}
	return p, nil
}

// group are the services that move, in file order.
func group(st *stack.Stack) []stack.Service {
	var out []stack.Service
	for _, svc := range st.Services {
		if slices.Contains(st.Group, svc.Name) {
			out = append(out, svc)
		}
	}
	return out
}
