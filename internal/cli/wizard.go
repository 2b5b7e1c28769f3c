package cli

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/spf13/cobra"

	"belay/releases/notes"
	"belay/steps"
	"belay/steps/journal"
	"belay/steps/stack"
	"belay/steps/upgrade"
	"belay/tui"
	"belay/tui/plain"
	"belay/tui/port"
)

// wizard is belay without a verb: the whole path on the project in DIR.
func (a *app) wizard() *cobra.Command {
	return &cobra.Command{
		Use:   "belay [DIR]",
		Short: "upgrade a self-hosted Docker Compose app with a rope on",
		Long: `Belay upgrades a self-hosted Docker Compose app with a rope on: it shows what is
installed, what was released since and what breaks here; makes a backup and proves
it; switches the version with the logs in view; checks that the app works, and if
not puts image, configuration and data back.`,
		Example: `  belay                 the wizard, on the project here
  belay /srv/tymeslot   the same, on the project there
  belay demo            a whole upgrade on a throw-away stack`,
		Args: oneDir,
		RunE: func(c *cobra.Command, args []string) error {
			mode, err := a.mode()
			if err != nil {
				return err
			}
			conn := a.connect(dirOf(args))
			if mode == plain.TUI {
				return a.showWizard(c.Context(), conn, dirOf(args), wishes{})
			}
			s, err := conn.get(c.Context())
			if err != nil {
				return err
			}
			return a.showStatus(c.Context(), s, a.asJSON(false))
		},
	}
}

// showWizard runs the wizard; what it starts goes on when the screen dies.
func (a *app) showWizard(ctx context.Context, conn *connection, title string, w wishes) error {
	c := &conductor{}
	screen, leave := context.WithCancel(ctx)
	defer leave()
	c.conduct(screen, leave, leave)
	o, err := tui.Run(screen, tui.Options{
		Backend: &backend{conn: conn, conductor: c, wishes: w, attended: true}, In: a.p.Stdin, Out: a.p.Stdout,
		Env: a.screenEnv, Now: now, Version: version(), Title: title, To: w.to,
	})
	if ended, ran := c.wait(); ran {
		return exitError{ended.Exit}
	}
	if errors.Is(err, context.Canceled) {
		return exitError{steps.ExitStopped}
	}
	if err != nil {
		return err
	}
	return exitError{o.Exit}
}

// backend lets the wizard ask a session that is opened when it is first needed.
type backend struct {
	conn      *connection
	conductor *conductor
	wishes    wishes
	attended  bool // a person is there to answer
}

func (b *backend) Inspect(ctx context.Context) (*stack.Stack, error) {
	s, err := b.conn.get(ctx)
	if err != nil {
		return nil, err
	}
	return s.Inspect(ctx)
}

func (b *backend) Choices(ctx context.Context) (upgrade.Choices, error) {
	s, err := b.conn.get(ctx)
	if err != nil {
		return upgrade.Choices{}, err
	}
	c, err := s.Choices(ctx)
	if err == nil && b.wishes.prefer != "" {
		c.Default = b.wishes.prefer
	}
	return c, err
}

func (b *backend) Notes(ctx context.Context, to string) (notes.Report, error) {
	s, err := b.conn.get(ctx)
	if err != nil {
		return notes.Report{}, err
	}
	return s.Notes(ctx, to)
}

func (b *backend) Plan(ctx context.Context, to string, accepted []string) (*steps.Plan, error) {
	s, err := b.conn.get(ctx)
	if err != nil {
		return nil, err
	}
	return s.Plan(ctx, upgrade.Wish{To: to, Accepted: accepted, BackupDir: b.wishes.backupDir, NoBackup: b.wishes.skipBackup})
}

func (b *backend) Upgrade(ctx context.Context, p *steps.Plan) (port.Run, error) {
	s, err := b.conn.get(ctx)
	if err != nil {
		return nil, err
	}
	return b.started(s.Upgrade(context.WithoutCancel(ctx), p, b.wishes.policy(b.attended)))
}

func (b *backend) Rollback(ctx context.Context, run string) (port.Run, error) {
	s, err := b.conn.get(ctx)
	if err != nil {
		return nil, err
	}
	return b.started(s.Rollback(context.WithoutCancel(ctx), run))
}

func (b *backend) Resume(ctx context.Context) (port.Run, error) {
	s, err := b.conn.get(ctx)
	if err != nil {
		return nil, err
	}
	return b.started(s.Resume(context.WithoutCancel(ctx), b.wishes.policy(b.attended)))
}

func (b *backend) Interrupted(ctx context.Context) (*upgrade.Interrupted, error) {
	s, err := b.conn.get(ctx)
	if err != nil {
		return nil, err
	}
	i, err := s.Interrupted(ctx)
	return i, locked(err)
}

func (b *backend) History(ctx context.Context) ([]upgrade.Past, error) {
	s, err := b.conn.get(ctx)
	if err != nil {
		return nil, err
	}
	return s.History(ctx)
}

// started hands the run to the conductor: signals are for it from now on.
func (b *backend) started(run *steps.Run, err error) (port.Run, error) {
	if err != nil {
		return nil, err
	}
	b.conductor.set(run)
	return run, nil
}

// locked says in words that another belay is at work.
func locked(err error) error {
	var held *journal.LockedError
	if errors.As(err, &held) {
		return &steps.RefusedError{Msg: held.Error() + ".", Next: "belay status", Err: err}
	}
	return err
}

func oneDir(_ *cobra.Command, args []string) error {
	if len(args) > 1 {
		return usageError{errors.New("one directory at a time: belay [DIR]")}
	}
	return nil
}

// dirOf is the absolute directory a command is about.
func dirOf(args []string) string {
	dir := "."
	if len(args) > 0 {
		dir = args[0]
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return dir
	}
	return abs
}
