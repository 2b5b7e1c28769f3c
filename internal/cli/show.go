package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"belay/steps/journal"
	"belay/steps/upgrade"
	"belay/tui/plain"
)

// reporting is a command that shows something of one project and changes nothing.
func (a *app) reporting(use, short string, show func(ctx context.Context, s *upgrade.Session, asJSON bool) error) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: use + " [DIR]", Short: short, Args: oneDir,
		RunE: func(c *cobra.Command, args []string) error {
			s, err := a.connect(dirOf(args)).get(c.Context())
			if err != nil {
				return err
			}
			return show(c.Context(), s, a.asJSON(asJSON))
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON document")
	return c
}

func (a *app) plan() *cobra.Command {
	var to string
	c := a.reporting("plan", "what an upgrade would do; changes nothing", func(ctx context.Context, s *upgrade.Session, asJSON bool) error {
		p, report, err := decide(ctx, s, to)
		if errors.Is(err, upgrade.ErrNothing) {
			return a.nothing(ctx, s)
		}
		if err != nil {
			return err
		}
		if asJSON {
			return plain.WriteJSON(a.p.Stdout, p)
		}
		plain.PrintFlags(a.p.Stdout, report.Flags())
		plain.PrintPlan(a.p.Stdout, p)
		return nil
	})
	c.Flags().StringVar(&to, "to", "", "version to go to (default: the newest patch, else the newest minor)")
	return c
}

func (a *app) notes() *cobra.Command {
	var to string
	c := a.reporting("notes", "release notes from the installed version on, flags first", func(ctx context.Context, s *upgrade.Session, asJSON bool) error {
		if to == "" {
			choices, err := s.Choices(ctx)
			if err != nil {
				return err
			}
			if len(choices.All) == 0 {
				return a.nothing(ctx, s)
			}
			to = choices.All[0].Version
		}
		r, err := s.Notes(ctx, to)
		if err != nil {
			return err
		}
		if asJSON {
			return plain.WriteJSON(a.p.Stdout, r)
		}
		plain.PrintNotes(a.p.Stdout, r)
		return nil
	})
	c.Flags().StringVar(&to, "to", "", "version to read up to (default: the newest)")
	return c
}

func (a *app) status() *cobra.Command {
	return a.reporting("status", "installed version, open run, one recommended command", a.showStatus)
}

func (a *app) showStatus(ctx context.Context, s *upgrade.Session, asJSON bool) error {
	st, err := s.Inspect(ctx)
	if err != nil {
		return err
	}
	open, err := s.Interrupted(ctx)
	var held *journal.LockedError
	if err != nil && !errors.As(err, &held) {
		return err
	}
	status := plain.Status{Stack: st, Open: open, Next: "belay check"}
	switch {
	case held != nil:
		status.Next = ""
		status.Stack.Warnings = append(status.Stack.Warnings, held.Error()+".")
	case open != nil:
		status.Next = "belay " + open.Advice
	}
	if asJSON {
		return plain.WriteJSON(a.p.Stdout, status)
	}
	plain.PrintStatus(a.p.Stdout, status, now())
	return nil
}

func (a *app) history() *cobra.Command {
	return a.reporting("history", "runs that ended, and their restore points", func(ctx context.Context, s *upgrade.Session, asJSON bool) error {
		past, err := s.History(ctx)
		if err != nil {
			return err
		}
		if asJSON {
			return plain.WriteJSON(a.p.Stdout, past)
		}
		plain.PrintHistory(a.p.Stdout, past)
		return nil
	})
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "the version of belay", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(a.p.Stdout, "belay "+version())
			return err
		},
	}
}
