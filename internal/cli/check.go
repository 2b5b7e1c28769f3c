package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"belay/dockerx"
	"belay/steps"
	"belay/steps/upgrade"
	"belay/tui/plain"
)

// check says what is newer, for the given projects or all that the engine runs.
func (a *app) check() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "check [DIR...]",
		Short: "what is out of date on this host (exit 6 when something is)",
		RunE: func(c *cobra.Command, args []string) error {
			dirs, err := a.projects(c.Context(), args)
			if err != nil {
				return err
			}
			return a.checkAll(c.Context(), dirs, a.asJSON(asJSON))
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON document for each project, a line each")
	return c
}

// checkAll asks project by project. One that cannot be asked does not hide the others.
func (a *app) checkAll(ctx context.Context, dirs []string, asJSON bool) error {
	newer, failed := false, error(nil)
	for _, dir := range dirs {
		s, err := a.connect(dir).get(ctx)
		if err != nil {
			return err // the engine: it is the same one for all
		}
		choices, err := s.Choices(ctx)
		if err != nil {
			failed = errors.Join(failed, err)
			_, message, next := explain(err)
			say(a.p.Stderr, dir+": "+message, next)
			continue
		}
		newer = newer || len(choices.All) > 0
		if asJSON {
			err = plain.WriteJSON(a.p.Stdout, choices)
		} else {
			printSafe(a.p.Stdout, dir)
			plain.PrintChoices(a.p.Stdout, choices, now())
		}
		if err != nil {
			return err
		}
	}
	switch {
	case newer:
		return exitError{steps.ExitUpdate}
	case failed != nil:
		return exitError{codeOf(failed)}
	default:
		return nil
	}
}

// projects are the directories a check is about.
func (a *app) projects(ctx context.Context, args []string) ([]string, error) {
	var dirs []string
	for _, arg := range args {
		dirs = append(dirs, dirOf([]string{arg}))
	}
	if len(dirs) > 0 {
		return dirs, nil
	}
	engine, err := dockerx.Connect(ctx, dockerx.ConnectOptions{Environ: a.p.Environ})
	if err != nil {
		return nil, unreachable(err)
	}
	defer func() { _ = engine.Close() }()
	found, err := upgrade.Projects(ctx, engine)
	if err != nil {
		return nil, err
	}
	for _, f := range found {
		if f.Here {
			dirs = append(dirs, f.Dir)
			continue
		}
		printSafe(a.p.Stderr, fmt.Sprintf("%s: its compose files are not on this host (%s)", f.Name, f.Dir))
	}
	if len(dirs) == 0 {
		printSafe(a.p.Stdout, "No compose project runs on this engine.")
	}
	return dirs, nil
}

func codeOf(err error) int {
	code, _, _ := explain(err)
	return code
}
