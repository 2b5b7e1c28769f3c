package cli

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/charmbracelet/x/term"

	"belay/dockerx"
	"belay/dockerx/compose"
	"belay/dockerx/registry"
	"belay/releases/github"
	"belay/steps"
	"belay/steps/journal"
	"belay/steps/upgrade"
)

// patience is how long the health gate waits for a real stack: all must be well for
// the window, and a sick answer is waited out up to the limit.
func patience() upgrade.Timing {
	return upgrade.Timing{Window: 15 * time.Second, Limit: 45 * time.Second, Tick: time.Second}
}

// connection opens a session when it is first needed, so that a screen can be
// painted before the engine has answered.
type connection struct {
	open func(ctx context.Context) (*upgrade.Session, error)

	once    sync.Once
	session *upgrade.Session
	err     error
}

func (c *connection) get(ctx context.Context) (*upgrade.Session, error) {
	c.once.Do(func() { c.session, c.err = c.open(ctx) })
	return c.session, c.err
}

// connect wires a session on the project in dir to the engine of the environment.
func (a *app) connect(dir string) *connection {
	return &connection{open: func(ctx context.Context) (*upgrade.Session, error) {
		engine, err := dockerx.Connect(ctx, dockerx.ConnectOptions{Environ: a.p.Environ})
		if err != nil {
			return nil, unreachable(err)
		}
		info, err := engine.Info(ctx)
		if err != nil {
			return nil, unreachable(err)
		}
		store, err := a.store()
		if err != nil {
			return nil, err
		}
		d := upgrade.Deps{
			Engine: engine, Store: store,
			Registry: registry.New(registry.Options{UserAgent: "belay/" + version(), Insecure: info.Insecure}),
			Forge:    a.forge(), HTTP: probeClient(),
			Load: compose.Options{Dir: dir, Environ: a.p.Environ},
			Now:  time.Now, After: time.After, Free: freeSpace,
			TTY: a.tty(), Version: version(), Command: "belay", Timing: patience(),
		}
		findCompose(ctx, slices.Concat(a.p.Environ, engine.ChildEnv()), &d)
		return upgrade.NewSession(d), nil
	}}
}

// findCompose keeps its error for the moment something is to be changed: looking
// needs no compose.
func findCompose(ctx context.Context, environ []string, d *upgrade.Deps) {
	c, err := compose.FindCLI(ctx, environ)
	if err != nil {
		d.NoCompose = &steps.RefusedError{Msg: err.Error(), Next: "belay doctor", Err: err}
		return
	}
	d.Compose = c
	d.Holding = func(lock *os.File) upgrade.Composer {
		held := *c
		held.ExtraFiles = []*os.File{lock}
		return &held
	}
}

// unreachable keeps the engine's own sentence.
func unreachable(err error) error {
	var advised steps.Advised
	next := "belay doctor"
	if errors.As(err, &advised) && advised.Advice() != "" {
		next = advised.Advice()
	}
	return &steps.RefusedError{Msg: err.Error(), Next: next, Err: err}
}

func (a *app) forge() upgrade.Forge {
	return github.New(github.Options{
		BaseURL: a.p.Env("GITHUB_API_URL"), Token: github.Token(a.p.Environ),
		CacheDir: filepath.Join(a.cacheDir(), "notes"), Offline: a.f.offline,
	})
}

// store opens the state directory: XDG_STATE_HOME when it is set, else
// /var/lib/belay for root, else ~/.local/state/belay.
func (a *app) store() (*journal.Store, error) {
	dir := ""
	switch {
	case a.p.Env("XDG_STATE_HOME") != "":
		dir = filepath.Join(a.p.Env("XDG_STATE_HOME"), "belay")
	case os.Geteuid() == 0:
		dir = "/var/lib/belay"
	case a.p.Env("HOME") != "":
		dir = filepath.Join(a.p.Env("HOME"), ".local", "state", "belay")
	default:
		return nil, &steps.RefusedError{Msg: "There is no home directory to keep records in.", Next: "export XDG_STATE_HOME=DIR"}
	}
	s, err := journal.OpenStore(dir)
	if err != nil {
		return nil, &steps.RefusedError{Msg: "Belay cannot keep its records: " + err.Error() + ".", Next: "export XDG_STATE_HOME=DIR", Err: err}
	}
	return s, nil
}

func (a *app) cacheDir() string {
	if d := a.p.Env("XDG_CACHE_HOME"); d != "" {
		return filepath.Join(d, "belay")
	}
	return filepath.Join(a.p.Env("HOME"), ".cache", "belay")
}

// probeClient follows no redirect: a login page would answer 200 for a sick app.
func probeClient() *http.Client {
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// tty names the terminal for the lock's message; "" without one.
func (a *app) tty() string {
	if !term.IsTerminal(a.p.Stdin.Fd()) {
		return ""
	}
	name, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(int(a.p.Stdin.Fd())))
	if err != nil {
		return ""
	}
	return name
}
