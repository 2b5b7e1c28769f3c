package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"belay/steps"
	"belay/steps/upgrade"
	"belay/tui/plain"
)

func (a *app) resume() *cobra.Command {
	var w wishes
	c := &cobra.Command{
		Use:   "resume [DIR]",
		Short: "go on with an interrupted run",
		Args:  oneDir,
		RunE: func(c *cobra.Command, args []string) error {
			if err := w.check(); err != nil {
				return err
			}
			return a.goOn(c.Context(), a.connect(dirOf(args)), w.yes, "resume", func(ctx context.Context, s *upgrade.Session, attended bool) (*steps.Run, error) {
				return s.Resume(ctx, w.policy(attended))
			})
		},
	}
	c.Flags().BoolVar(&w.yes, "yes", false, "ask nothing")
	c.Flags().StringVar(&w.onFailure, "on-failure", "", "after a failed switch without anybody to ask: rollback (default) or keep")
	return c
}

func (a *app) rollback() *cobra.Command {
	var yes bool
	var run string
	c := &cobra.Command{
		Use:   "rollback [DIR]",
		Short: "put image, configuration and data back",
		Long: `Rollback takes back the run that is open, or else the last upgrade (or the one
given with --run): image, configuration and data together, from its restore point.
What the new version wrote is kept aside.`,
		Args: oneDir,
		RunE: func(c *cobra.Command, args []string) error {
			return a.goOn(c.Context(), a.connect(dirOf(args)), yes, "rollback", func(ctx context.Context, s *upgrade.Session, _ bool) (*steps.Run, error) {
				return s.Rollback(ctx, run)
			})
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "ask nothing")
	c.Flags().StringVar(&run, "run", "", "the run to take back (see belay history)")
	return c
}

// goOn starts a run that finishes another one, after a yes.
func (a *app) goOn(ctx context.Context, conn *connection, yes bool, verb string, begin func(context.Context, *upgrade.Session, bool) (*steps.Run, error)) error {
	mode, err := a.mode()
	if err != nil {
		return err
	}
	s, err := conn.get(ctx)
	if err != nil {
		return err
	}
	if !yes {
		ok, err := a.confirm(ctx, s, mode, verb)
		if err != nil {
			return err
		}
		if !ok {
			return exitError{steps.ExitStopped}
		}
	}
	run, err := begin(ctx, s, mode != plain.JSON && !yes)
	if err != nil {
		return err
	}
	if mode == plain.TUI {
		mode = plain.Plain
	}
	return a.attend(ctx, &conductor{}, run, mode)
}

// confirm shows what is so and asks; without a terminal there is nobody to ask.
func (a *app) confirm(ctx context.Context, s *upgrade.Session, mode plain.Mode, verb string) (bool, error) {
	refused := &steps.RefusedError{Msg: "Nothing changes without --yes.", Next: "belay " + verb + " --yes"}
	if mode == plain.JSON || !a.terminal() {
		return false, refused
	}
	if open, err := s.Interrupted(ctx); err != nil {
		return false, locked(err)
	} else if open != nil {
		plain.PrintInterrupted(a.p.Stdout, open, now())
	}
	printSafe(a.p.Stdout, fmt.Sprintf("Type yes to %s: ", verb))
	return a.readYes()
}
