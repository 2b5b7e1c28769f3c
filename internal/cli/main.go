package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"belay/dockerx/local"
	"belay/dockerx/tree"
	"belay/steps"
)

// Process is what a process is given. Nothing in belay reads it from anywhere else.
type Process struct {
	Args    []string // without the program's name
	Environ []string // KEY=VALUE
	Stdin   *os.File
	Stdout  *os.File
	Stderr  *os.File
}

// Env looks a variable up; the last one of a name wins, as in a shell.
func (p Process) Env(name string) string {
	value := ""
	for _, kv := range p.Environ {
		if v, ok := strings.CutPrefix(kv, name+"="); ok {
			value = v
		}
	}
	return value
}

// Main runs belay and gives its exit code.
func Main(p Process) int {
	if code, ok := inner(p); ok {
		return code
	}
	app := &app{p: p}
	root := app.root()
	root.SetArgs(p.Args)
	root.SetIn(p.Stdin)
	root.SetOut(p.Stdout)
	root.SetErr(p.Stderr)
	err := root.ExecuteContext(context.Background())
	return app.end(err)
}

// inner are the two lives that the binary leads inside other things: reading and
// writing a volume in a container of its own, and being the demo's app.
func inner(p Process) (int, bool) {
	if len(p.Args) == 0 {
		return 0, false
	}
	switch p.Args[0] {
	case "__tree":
		return tree.Main(p.Args[1:], p.Stdin, p.Stdout, p.Stderr), true
	case local.Command:
		return local.Main(p.Args[1:], p.Environ, p.Stdin, p.Stdout, p.Stderr), true
	}
	return 0, false
}

// app is one invocation.
type app struct {
	p Process
	f flags
}

// flags are common to all commands.
type flags struct {
	progress string
	noColor  bool
	offline  bool
	verbose  bool
}

// exitError is an end whose code is known and whose words are said already.
type exitError struct{ code int }

func (e exitError) Error() string { return "" }

// end says an error in words and gives the exit code.
func (a *app) end(err error) int {
	if err == nil {
		return steps.ExitOK
	}
	var exit exitError
	if errors.As(err, &exit) {
		return exit.code
	}
	code, message, next := explain(err)
	if a.f.progress == "json" {
		a.outcomeLine(steps.Outcome{Result: steps.Aborted, Exit: code, Message: message, Next: next})
		return code
	}
	say(a.p.Stderr, message, next)
	if a.f.verbose {
		say(a.p.Stderr, "The whole chain: "+err.Error(), "")
	}
	return code
}

func say(w io.Writer, message, next string) {
	printSafe(w, "belay: "+message)
	if next != "" {
		printSafe(w, "Next: "+next)
	}
}

// explain finds the sentence, the next command and the code of an error.
func explain(err error) (code int, message, next string) {
	code, message = steps.ExitFailed, err.Error()
	var advised steps.Advised
	if errors.As(err, &advised) {
		next = advised.Advice()
	}
	var refused *steps.RefusedError
	if errors.As(err, &refused) {
		return refused.Exit(), refused.Msg, refused.Next
	}
	var u usageError
	if errors.As(err, &u) {
		return steps.ExitUsage, u.Error(), "belay --help"
	}
	return code, message, next
}

// usageError is a command line that makes no sense.
type usageError struct{ error }

func (a *app) root() *cobra.Command {
	root := a.wizard()
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.HiddenDefaultCmd = true
	root.PersistentPreRunE = func(*cobra.Command, []string) error { // a wrong front end is told before anything else
		_, err := a.mode()
		return err
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	pf := root.PersistentFlags()
	pf.StringVar(&a.f.progress, "progress", "auto", "front end: auto, tui, plain, json or accessible")
	pf.BoolVar(&a.f.noColor, "no-color", false, "no colours")
	pf.BoolVar(&a.f.offline, "offline", false, "ask no forge; use what was read before")
	pf.BoolVar(&a.f.verbose, "verbose", false, "say more when something fails")
	root.AddCommand(a.upgrade(), a.plan(), a.check(), a.notes(), a.status(), a.resume(), a.rollback(), a.history(), a.doctor(), a.demo(), a.versionCommand())
	return root
}
