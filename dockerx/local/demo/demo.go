// Package demo makes the throw-away stack of `belay demo`: a compose project
// with data, running on the embedded engine, and newer versions with their
// release notes. It must not know how an upgrade goes or who serves the notes.
package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/renameio/v2"

	"belay/dockerx"
	"belay/dockerx/compose"
	"belay/dockerx/local"
	"belay/dockerx/local/demoapp"
)

// What the stack is made of.
const (
	Image     = "demo.belay.example/tidepool"
	Repo      = "belay-demo/tidepool" // owner/name on the forge
	Installed = "1.2.3"
	Service   = "app"
	source    = "https://github.com/" + Repo
)

// patience is how long the first start may take on a slow machine.
const patience = 2 * time.Minute

// Options say how the stack shall behave.
type Options struct {
	Fail       string           // how 1.3.0 fails: one of Failures, "" not at all
	Executable string           // dispatches local.Command to local.Main; "" is this program
	Now        func() time.Time // nil: time.Now
	Fast       bool             // nothing is for show: pulls at once, migrations without pauses, a tenth of the notes
}

// Stack is the running demo.
type Stack struct {
	Dir      string // everything below it is the demo's own
	Project  string // directory of compose.yaml
	URL      string // where Tidepool answers
	Engine   *local.Engine
	Releases []Release // of Repo, newest first
}

// Failures are the ways a demo can go wrong.
func Failures() []string {
	return []string{demoapp.FailMigration, demoapp.FailHealth, demoapp.FailCrash}
}

// Make writes the stack below dir, which it makes and which must be empty,
// starts it and waits until it is healthy. Close it; the files stay.
func Make(ctx context.Context, dir string, o Options) (*Stack, error) {
	if o.Fail != "" && !slices.Contains(Failures(), o.Fail) {
		return nil, fmt.Errorf("no failure is called %q: choose one of %s", o.Fail, strings.Join(Failures(), ", "))
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	made := settings{Fail: o.Fail, Fast: o.Fast, Made: o.Now().UTC().Truncate(time.Hour)}
	var err error
	if made.Port, err = freePort(ctx); err != nil {
		return nil, err
	}
	if err := write(dir, made); err != nil {
		return nil, fmt.Errorf("make the demo: %w", err)
	}
	s, err := Open(dir, o)
	if err != nil {
		return nil, err
	}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("make the demo: %w", err), s.Close())
	}
	return s, nil
}

// Open opens a stack that Make made earlier, as it was left: nothing is started.
// Of the options only Executable and Now count.
func Open(dir string, o Options) (*Stack, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open the demo: %w", err)
	}
	made, err := read(dir)
	if err != nil {
		return nil, fmt.Errorf("open the demo: %w", err)
	}
	options := local.Options{
		Dir: filepath.Join(dir, "engine"), Executable: o.Executable, Now: o.Now, Images: images(made),
	}
	if made.Fast {
		options.PullRate = -1
		options.Probe.Every = 100 * time.Millisecond
	}
	engine, err := local.New(options)
	if err != nil {
		return nil, err
	}
	return &Stack{
		Dir: dir, Project: filepath.Join(dir, "tidepool"), URL: fmt.Sprintf("http://127.0.0.1:%d", made.Port),
		Engine: engine, Releases: notes(made.Made),
	}, nil
}

// Close stops the stack's services.
func (s *Stack) Close() error { return s.Engine.Close() }

func (s *Stack) start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	p, err := compose.Load(ctx, compose.Options{Dir: s.Project})
	if err != nil {
		return err
	}
	if err := s.Engine.Up(ctx, p, compose.UpSpec{}, nil); err != nil {
		return err
	}
	return s.healthy(ctx, p.Name)
}

func (s *Stack) healthy(ctx context.Context, project string) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		all, err := s.Engine.Containers(ctx, project)
		if err != nil {
			return err
		}
		if len(all) == 1 && all[0].Health == dockerx.Healthy {
			return nil
		}
		if len(all) == 1 && all[0].RestartCount > 0 {
			return fmt.Errorf("tidepool does not stay up: %s", s.lastLine(ctx, all[0].ID))
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("tidepool does not become healthy: %w", ctx.Err())
		case <-tick.C:
		}
	}
}

func (s *Stack) lastLine(ctx context.Context, id string) string {
	last := "it wrote nothing"
	err := s.Engine.Logs(ctx, id, dockerx.LogSpec{Tail: 1}, func(l dockerx.LogLine) { last = string(l.Text) })
	if err != nil {
		return err.Error()
	}
	return last
}

// settings is demo.json: what Open needs to find the same stack again.
type settings struct {
	Fail string    `json:"fail"`
	Fast bool      `json:"fast"`
	Port int       `json:"port"`
	Made time.Time `json:"made"`
}

func write(dir string, made settings) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s is not empty", dir)
	}
	project := filepath.Join(dir, "tidepool")
	if err := os.Mkdir(project, 0o755); err != nil {
		return err
	}
	for name, file := range files(made.Port) {
		if err := os.WriteFile(filepath.Join(project, name), []byte(file.text), file.mode); err != nil {
			return err
		}
	}
	b, err := json.Marshal(made)
	if err != nil {
		return err
	}
	return renameio.WriteFile(filepath.Join(dir, "demo.json"), b, 0o600)
}

func read(dir string) (settings, error) {
	var made settings
	b, err := os.ReadFile(filepath.Join(dir, "demo.json"))
	if err != nil {
		return made, err
	}
	if err := json.Unmarshal(b, &made); err != nil {
		return made, fmt.Errorf("%s: %w", filepath.Join(dir, "demo.json"), err)
	}
	return made, nil
}

func freePort(ctx context.Context) (int, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}
