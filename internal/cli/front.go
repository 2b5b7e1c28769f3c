package cli

import (
	"bufio"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"time"

	"github.com/charmbracelet/x/term"

	"belay/steps"
	"belay/tui/plain"
	"belay/tui/text"
)

// mode is the front end that fits flags, terminal and environment.
func (a *app) mode() (plain.Mode, error) {
	m, err := plain.Choose(plain.Situation{
		Progress: a.f.progress, Stdin: term.IsTerminal(a.p.Stdin.Fd()), Stdout: term.IsTerminal(a.p.Stdout.Fd()),
		Term: a.p.Env("TERM"), Accessible: a.p.Env("ACCESSIBLE"), CI: a.p.Env("CI"),
	})
	if err != nil {
		return m, usageError{err}
	}
	return m, nil
}

// asJSON says whether a command that reports should do it in JSON.
func (a *app) asJSON(flag bool) bool { return flag || a.f.progress == string(plain.JSON) }

// terminal says whether a person could answer a question.
func (a *app) terminal() bool {
	return term.IsTerminal(a.p.Stdin.Fd()) && term.IsTerminal(a.p.Stdout.Fd())
}

// readYes reads one line; only the whole word counts, and the end of input is a no.
func (a *app) readYes() (bool, error) {
	line, err := bufio.NewReader(a.p.Stdin).ReadString('\n')
	if err != nil && err != io.EOF { //nolint:errorlint // bufio gives io.EOF itself
		return false, fmt.Errorf("read the answer: %w", err)
	}
	return strings.TrimSpace(line) == "yes", nil
}

// screenEnv is the environment as a screen sees it: --no-color counts as NO_COLOR.
func (a *app) screenEnv(name string) string {
	if name == "NO_COLOR" && a.f.noColor {
		return "1"
	}
	return a.p.Env(name)
}

// outcomeLine is the last line of --progress json.
func (a *app) outcomeLine(o steps.Outcome) {
	if err := plain.Outcome(a.p.Stdout, o, now()); err != nil {
		printSafe(a.p.Stderr, "belay: the outcome could not be written: "+err.Error())
	}
}

// printSafe prints lines in which no byte from outside can act on the terminal.
func printSafe(w io.Writer, s string) {
	for _, line := range strings.Split(s, "\n") {
		_, _ = fmt.Fprintln(w, text.Line(line)) // there is nowhere to report a broken terminal to
	}
}

func now() time.Time { return time.Now() }

// version is the module's version, or the commit it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "devel-" + s.Value[:12]
		}
	}
	return "devel"
}
