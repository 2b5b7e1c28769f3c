package cli

import (
	"cmp"
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
	s, err := conn.get(ctx)
	if err != nil {
		return err
	}
	return a.unattended(ctx, s, mode, w)
}

// unattended is the same path without a screen: --yes is the only answer it has.
func (a *app) unattended(ctx context.Context, s *upgrade.Session, mode plain.Mode, w wishes) error {
	if err := refuseOpen(ctx, s); err != nil {
		return err
	}
	p, report, err := decide(ctx, s, w)
	if errors.Is(err, upgrade.ErrNothing) {
		return a.nothing(ctx, s)
	}
	if err != nil {
		return err
	}
	if !w.yes {
		if mode == plain.JSON {
			return &steps.RefusedError{Msg: "Nothing changes without --yes.", Next: fmt.Sprintf("belay upgrade --to %s --yes", p.To)}
		}
		a.showPlan(p, report)
		return &steps.RefusedError{Msg: "Nothing changes without --yes.", Next: fmt.Sprintf("belay upgrade --to %s --yes", p.To)}
	}
	if flags := report.Breaking(); len(flags) > 0 && !w.acceptBreaking {
		return &steps.RefusedError{Msg: breakingWords(p, flags), Next: fmt.Sprintf("belay upgrade --to %s --yes --accept-breaking", p.To)}
	}
	c := &conductor{}
	run, err := s.Upgrade(ctx, p, w.policy(false))
	if err != nil {
		return err
	}
	return a.attend(ctx, c, run, mode)
}

// attend prints a run to its end and turns its outcome into an exit code.
func (a *app) attend(ctx context.Context, c *conductor, run *steps.Run, mode plain.Mode) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c.set(run)
	c.conduct(ctx, func() {})
	if err := plain.Follow(ctx, run, a.p.Stdout, mode); err != nil {
		// The front end is gone (a closed pipe, a lost terminal); the engine is not.
		run.Leave()
	}
	o, _ := c.wait()
	return exitError{o.Exit}
}

// decide finds the target, reads its notes and makes the plan.
func decide(ctx context.Context, s *upgrade.Session, w wishes) (*steps.Plan, notes.Report, error) {
	to := cmp.Or(w.to, w.prefer)
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
	wish := upgrade.Wish{To: to, BackupDir: w.backupDir, NoBackup: w.skipBackup}
	if w.acceptBreaking {
		for _, f := range report.Breaking() {
			wish.Accepted = append(wish.Accepted, f.ID)
		}
	}
	p, err := s.Plan(ctx, wish)
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

// refuseOpen ends a command that would change something while a run is open.
func refuseOpen(ctx context.Context, s *upgrade.Session) error {
	open, err := s.Interrupted(ctx)
	if err != nil {
		return locked(err)
	}
	if open == nil {
		return nil
	}
	return &steps.RefusedError{
		Msg:  fmt.Sprintf("The upgrade from %s to %s was interrupted at %q on %s.", open.From, open.To, open.Step, open.When.Local().Format("2 January 15:04")),
		Next: open.Advice,
	}
}

func breakingWords(p *steps.Plan, flags []notes.Flag) string {
	msg := fmt.Sprintf("The releases up to %s are marked breaking:", p.To)
	for _, f := range flags {
		msg += fmt.Sprintf("\n  %s  %s", f.Version, f.Text)
		for _, c := range f.Concerns {
			if c.File != "" {
				msg += fmt.Sprintf("\n         concerns you: %s in %s:%d", c.Name, c.File, c.Line)
			}
		}
	}
	return msg
}
