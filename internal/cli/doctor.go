package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"belay/dockerx"
	"belay/dockerx/compose"
	"belay/steps"
)

// doctor looks at everything an upgrade needs, one thing after the other, and
// says the fix for what is missing.
func (a *app) doctor() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor [DIR]",
		Short: "why something would not work here, and the fix",
		Args:  oneDir,
		RunE: func(c *cobra.Command, args []string) error {
			return a.examine(c.Context(), dirOf(args))
		},
	}
}

func (a *app) examine(ctx context.Context, dir string) error {
	sick := error(nil)
	tell := func(what, found string, err error) {
		if err == nil {
			printSafe(a.p.Stdout, fmt.Sprintf("ok    %-10s %s", what, found))
			return
		}
		_, message, next := explain(err)
		printSafe(a.p.Stdout, fmt.Sprintf("no    %-10s %s", what, message))
		if next != "" && next != "belay doctor" { // that is what is running
			printSafe(a.p.Stdout, "                 "+next)
		}
		sick = errors.Join(sick, err)
	}
	found, err := a.lookAtEngine(ctx)
	tell("engine", found, err)
	found, err = a.lookAtCompose(ctx)
	tell("compose", found, err)
	_, err = a.store()
	tell("records", "the state directory is private and writable", err)
	if sick != nil {
		return exitError{steps.ExitRefused}
	}
	return a.examineProject(ctx, dir, tell, &sick)
}

func (a *app) examineProject(ctx context.Context, dir string, tell func(what, found string, err error), sick *error) error {
	s, err := a.connect(dir).get(ctx)
	if err != nil {
		return err
	}
	st, err := s.Inspect(ctx)
	if err != nil {
		tell("project", "", err)
		return exitError{codeOf(err)}
	}
	tell("project", fmt.Sprintf("%s, version %s", st.Project, st.Version.Text), nil)
	choices, err := s.Choices(ctx)
	if err == nil && choices.Warning != "" {
		err = &steps.RefusedError{Msg: choices.Warning}
	}
	tell("versions", fmt.Sprintf("%d newer", len(choices.All)), err)
	for _, w := range append(st.Drift, st.Warnings...) {
		printSafe(a.p.Stdout, "note             "+w)
	}
	if *sick != nil {
		return exitError{steps.ExitRefused}
	}
	return nil
}

func (a *app) lookAtEngine(ctx context.Context) (string, error) {
	engine, err := dockerx.Connect(ctx, dockerx.ConnectOptions{Environ: a.p.Environ})
	if err != nil {
		return "", unreachable(err)
	}
	defer func() { _ = engine.Close() }()
	info, err := engine.Info(ctx)
	if err != nil {
		return "", unreachable(err)
	}
	return fmt.Sprintf("%s at %s, API %s", info.Version, info.Host, info.APIVersion), nil
}

func (a *app) lookAtCompose(ctx context.Context) (string, error) {
	c, err := compose.FindCLI(ctx, a.p.Environ)
	if err != nil {
		return "", &steps.RefusedError{Msg: err.Error(), Err: err}
	}
	v, err := c.Version(ctx)
	return "docker compose " + v, err
}
