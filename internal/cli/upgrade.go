package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"belay/releases/notes"
	"belay/steps"
	"belay/steps/upgrade"
	"belay/tui/plain"
)

// skipSentence is what the user has to type to go without a backup.
const skipSentence = "I accept data loss"

// wishes are the flags of an upgrade.
type wishes struct {
	to             string
	yes            bool
	acceptBreaking bool
	onFailure      string
	backupDir      string
	skipBackup     string

	prefer string // the version to propose when to is empty
}

func (w *wishes) bind(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&w.to, "to", "", "version to go to (default: the newest patch, else the newest minor)")
	f.BoolVar(&w.yes, "yes", false, "ask nothing; refuse breaking releases")
	f.BoolVar(&w.acceptBreaking, "accept-breaking", false, "with --yes: go on although a release is marked breaking")
	f.StringVar(&w.onFailure, "on-failure", "", "after a failed switch without anybody to ask: rollback (default) or keep")
	f.StringVar(&w.backupDir, "backup-dir", "", "where the restore point goes (default: belay's own state directory)")
	f.StringVar(&w.skipBackup, "skip-backup", "", fmt.Sprintf("go without a backup; the value must be %q", skipSentence))
}

func (w *wishes) check() error {
	if w.onFailure != "" && w.onFailure != string(steps.AutoRollback) && w.onFailure != string(steps.AutoKeep) {
		return usageError{fmt.Errorf("--on-failure is rollback or keep, not %q", w.onFailure)}
	}
	if w.skipBackup != "" && w.skipBackup != skipSentence {
		return usageError{fmt.Errorf("--skip-backup wants the sentence %q, typed out", skipSentence)}
	}
	if w.acceptBreaking && !w.yes {
		return usageError{errors.New("--accept-breaking goes with --yes; without it you tick the flags yourself")}
	}
	if w.backupDir == "" {
		return nil
	}
	dir, err := filepath.Abs(w.backupDir)
	if err != nil {
		return usageError{fmt.Errorf("--backup-dir: %w", err)}
	}
	w.backupDir = dir
	return nil
}

// policy says who answers after a failure: the person at the screen, unless
// told otherwise.
func (w *wishes) policy(attended bool) steps.Policy {
	switch {
	case w.onFailure != "":
		return steps.Policy(w.onFailure)
	case attended:
		return steps.AskUser
	default:
		return steps.AutoRollback
	}
}

func (a *app) upgrade() *cobra.Command {
	var w wishes
	c := &cobra.Command{
		Use:   "upgrade [DIR]",
		Short: "upgrade the project in DIR",
		Example: `  belay upgrade                          the wizard
  belay upgrade --to 1.3.0 --yes         without a screen
  belay upgrade --to 1.3.0 --yes --accept-breaking --progress json`,
		Args: oneDir,
		RunE: func(c *cobra.Command, args []string) error {
			return a.upgradeIn(c.Context(), a.connect(dirOf(args)), dirOf(args), w)
		},
	}
	w.bind(c)
	return c
}

// upgradeIn runs an upgrade with the front end that fits.
func (a *app) upgradeIn(ctx context.Context, conn *connection, title string, w wishes) error {
	if err := w.check(); err != nil {
		return err
	}
	mode, err := a.mode()
	if err != nil {
		return err
	}
	if mode == plain.TUI && !w.yes {
		return a.showWizard(ctx, conn, title, w)
	}
	return a.withoutScreen(ctx, conn, mode, w)
}

// withoutScreen is the same path as lines, JSON or prompts.
func (a *app) withoutScreen(ctx context.Context, conn *connection, mode plain.Mode, w wishes) error {
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	c := &conductor{}
	c.conduct(ctx, leave, func() {}) // lines are written on: whoever reads them may be a file
	attended := mode == plain.Accessible && !w.yes
	o, err := plain.Run(ctx, plain.Options{
		Backend: &backend{conn: conn, conductor: c, wishes: w, attended: attended},
		In:      a.p.Stdin, Out: a.p.Stdout, Mode: mode, To: w.to, Yes: w.yes, AcceptBreaking: w.acceptBreaking, Now: now,
	})
	if run := c.get(); run != nil {
		if err != nil {
			run.Leave() // the front end is gone (a closed pipe, the end of input); the engine is not
		}
		ended, _ := c.wait()
		return exitError{ended.Exit}
	}
	if err != nil && mode != plain.JSON {
		return err
	}
	return exitError{o.Exit}
}

// attend prints a run to its end and turns its outcome into an exit code.
func (a *app) attend(ctx context.Context, c *conductor, run *steps.Run, mode plain.Mode) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c.set(run)
	c.conduct(ctx, func() {}, func() {})
	if err := plain.Follow(ctx, run, a.p.Stdout, mode); err != nil {
		// The front end is gone (a closed pipe, a lost terminal); the engine is not.
		run.Leave()
	}
	o, _ := c.wait()
	return exitError{o.Exit}
}

// decide finds the target, reads its notes and makes the plan, for a look at it.
func decide(ctx context.Context, s *upgrade.Session, to string) (*steps.Plan, notes.Report, error) {
	if to == "" {
		choices, err := s.Choices(ctx)
		if err != nil {
			return nil, notes.Report{}, err
		}
		switch {
		case choices.Default != "":
			to = choices.Default
		case len(choices.Rows) > 0:
			return nil, notes.Report{}, &steps.RefusedError{
				Msg:  fmt.Sprintf("Only a major version is newer (%s); belay does not choose it by itself.", choices.Rows[0].Version),
				Next: "belay upgrade --to " + choices.Rows[0].Version,
			}
		case choices.Warning != "":
			return nil, notes.Report{}, &steps.RefusedError{Msg: choices.Nothing, Next: "belay doctor"}
		default:
			return nil, notes.Report{}, fmt.Errorf("%s: %w", choices.Nothing, upgrade.ErrNothing)
		}
	}
	report, err := s.Notes(ctx, to)
	if err != nil {
		return nil, report, err
	}
	p, err := s.Plan(ctx, upgrade.Wish{To: to})
	return p, report, err
}

// nothing ends a run that has nothing to do.
func (a *app) nothing(ctx context.Context, s *upgrade.Session) error {
	o := steps.Outcome{Result: steps.NothingToDo, Exit: steps.ExitOK, Message: "Nothing to do."}
	if st, err := s.Inspect(ctx); err == nil {
		o.From, o.To = st.Version.Text, st.Version.Text
		o.Message = fmt.Sprintf("Nothing to do: %s is on %s.", st.Project, st.Version.Text)
	}
	if a.f.progress == "json" {
		a.outcomeLine(o)
		return nil
	}
	printSafe(a.p.Stdout, o.Message)
	return nil
}
