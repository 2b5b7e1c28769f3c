package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"belay/dockerx/compose"
	"belay/dockerx/local/demo"
	"belay/releases/github"
	"belay/releases/github/loopback"
	"belay/steps/journal"
	"belay/steps/upgrade"
	"belay/tui/plain"
)

func (a *app) demo() *cobra.Command {
	var w wishes
	var fail string
	c := &cobra.Command{
		Use:   "demo",
		Short: "a whole upgrade on a throw-away stack; needs nothing but belay",
		Long: `Demo starts a small notes app as a child process of belay (real HTTP, a real SQLite
file, real migrations) and walks through its upgrade. With --fail the new version
goes wrong, and you see the way back. Nothing outside a temporary directory is touched.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.runDemo(c.Context(), fail, w)
		},
	}
	w.bind(c)
	c.Flags().StringVar(&fail, "fail", "", "let 1.3.0 fail: "+strings.Join(demo.Failures(), ", "))
	return c
}

// runDemo makes the stack, upgrades it, and takes it away again.
func (a *app) runDemo(ctx context.Context, fail string, w wishes) (err error) {
	if err := w.check(); err != nil {
		return err
	}
	mode, err := a.mode()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "belay-demo-")
	if err != nil {
		return fmt.Errorf("make the demo: %w", err)
	}
	defer func() {
		err = errors.Join(err, os.RemoveAll(dir))
		if mode != plain.JSON {
			printSafe(a.p.Stdout, "The throw-away app, its restore point and its records are gone with "+dir+".")
		}
	}()
	if mode != plain.JSON {
		printSafe(a.p.Stdout, "Starting a throw-away app in "+dir+" …")
	}
	s, err := demo.Make(ctx, filepath.Join(dir, "stack"), demo.Options{Fail: fail})
	if err != nil {
		return usageOr(err, fail)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	forge, err := serveReleases(s.Releases)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, forge.Close()) }()

	w.prefer = demoTarget
	w.acceptBreaking = w.acceptBreaking || w.yes // the demo's breaking line is there to be seen, not to stop it
	conn := a.demoConnection(s, forge.URL, filepath.Join(dir, "state"))
	if mode == plain.TUI && !w.yes {
		return a.showWizard(ctx, conn, s.Project, w)
	}
	return a.withoutScreen(ctx, conn, mode, w)
}

// demoTarget is the version that the demo is about: a minor with a migration.
const demoTarget = "1.3.0"

func usageOr(err error, fail string) error {
	if fail != "" && !slices.Contains(demo.Failures(), fail) {
		return usageError{err}
	}
	return err
}

// demoConnection wires a session to the embedded engine.
func (a *app) demoConnection(s *demo.Stack, forge, state string) *connection {
	return &connection{open: func(context.Context) (*upgrade.Session, error) {
		store, err := journal.OpenStore(state)
		if err != nil {
			return nil, fmt.Errorf("open the demo's state: %w", err)
		}
		return upgrade.NewSession(upgrade.Deps{
			Engine: s.Engine, Compose: s.Engine, Registry: s.Engine, Store: store,
			Forge: github.New(github.Options{BaseURL: forge}), HTTP: &http.Client{},
			Load: compose.Options{Dir: s.Project}, Now: now, After: time.After, Free: freeSpace,
			TTY: a.tty(), Version: version(), Command: "", // the stack is gone when the demo ends
			Timing: upgrade.Timing{Window: 6 * time.Second, Limit: 8 * time.Second, Tick: 250 * time.Millisecond},
		}), nil
	}}
}

func serveReleases(all []demo.Release) (*loopback.Server, error) {
	var out []loopback.Release
	for _, r := range all {
		out = append(out, loopback.Release{Tag: r.Tag, Name: r.Name, Body: r.Body, Published: r.Published, Prerelease: r.Prerelease})
	}
	srv, err := loopback.Serve(map[string][]loopback.Release{demo.Repo: out})
	if err != nil {
		return nil, fmt.Errorf("serve the demo's releases: %w", err)
	}
	return srv, nil
}
