package compose

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// call is one call of the compose program.
type call struct {
	args   []string
	dir    string
	stdout io.Writer         // nil: to on, line by line
	on     func(line string) // stdout and stderr; never called twice at once
}

const defaultGrace = 30 * time.Second

// start runs the program to its end: no shell, no input, a process group of its
// own (Ctrl-C in the terminal does not reach it; ctx does).
func (c *CLI) start(ctx context.Context, k call) error {
	grace := c.Grace
	if grace == 0 {
		grace = defaultGrace
	}
	cmd := exec.CommandContext(ctx, c.argv[0], append(c.argv[1:len(c.argv):len(c.argv)], k.args...)...)
	cmd.Env, cmd.Dir = c.environ, k.dir
	if k.dir != "" {
		// ${PWD} in a compose file means the project, as it does for its user.
		cmd.Env = append(withoutVar(c.environ, "PWD"), "PWD="+k.dir)
	}
	cmd.ExtraFiles = c.ExtraFiles
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = grace
	var mu sync.Mutex
	emit := func(line string) {
		mu.Lock()
		defer mu.Unlock()
		if k.on != nil {
			k.on(line)
		}
	}
	tail := &lastLines{}
	out, errs := &lineWriter{emit: emit}, &lineWriter{emit: func(line string) {
		tail.add(line)
		emit(line)
	}}
	cmd.Stdout, cmd.Stderr = k.stdout, errs
	if k.stdout == nil {
		cmd.Stdout = out
	}
	err := cmd.Run()
	out.flush()
	errs.flush()
	if ctx.Err() != nil && cmd.Process != nil {
		// The leader is gone; what it left of its group must not go on.
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", c.name(k), ctx.Err())
	case tail.text() != "":
		return fmt.Errorf("%s: %w: %s", c.name(k), err, tail.text())
	}
	return fmt.Errorf("%s: %w", c.name(k), err)
}

// name is the call in words, without paths: "docker compose up".
func (c *CLI) name(k call) string {
	words := append([]string{filepath.Base(c.argv[0])}, c.argv[1:]...)
	for i := 0; i < len(k.args); i++ {
		switch a := k.args[i]; {
		case strings.HasPrefix(a, "-"):
			i++ // all flags before the command have a value
		default:
			return strings.Join(append(words, a), " ")
		}
	}
	return strings.Join(words, " ")
}

func withoutVar(environ []string, name string) []string {
	out := make([]string, 0, len(environ)+1)
	for _, kv := range environ {
		if !strings.HasPrefix(kv, name+"=") {
			out = append(out, kv)
		}
	}
	return out
}

// maxLine cuts what a child writes without a line end.
const maxLine = 64 << 10

// lineWriter cuts a stream into lines.
type lineWriter struct {
	emit func(line string)
	part []byte
}

func (w *lineWriter) Write(data []byte) (int, error) {
	n := len(data)
	for len(data) > 0 {
		i := bytes.IndexByte(data, '\n')
		take, whole := data, i >= 0
		if whole {
			take = data[:i]
		}
		if room := maxLine - len(w.part); len(take) > room {
			w.part = append(w.part, take[:room]...)
			data = data[room:]
			w.flush()
			continue
		}
		w.part = append(w.part, take...)
		data = data[len(take):]
		if whole {
			data = data[1:]
			w.line()
		}
	}
	return n, nil
}

func (w *lineWriter) flush() {
	if len(w.part) > 0 {
		w.line()
	}
}

func (w *lineWriter) line() {
	w.emit(strings.TrimSuffix(string(w.part), "\r"))
	w.part = w.part[:0]
}

// lastLines keeps what a program said before it failed. One goroutine writes, and
// it has ended before anybody reads.
type lastLines struct{ lines []string }

func (l *lastLines) add(line string) {
	if line = strings.TrimSpace(line); line == "" {
		return
	}
	const keep, width = 5, 400
	if len(line) > width {
		line = line[:width] + "…"
	}
	l.lines = append(l.lines, line)
	if len(l.lines) > keep {
		l.lines = l.lines[1:]
	}
}

func (l *lastLines) text() string { return strings.Join(l.lines, "\n") }

// lookPath is exec.LookPath for an environment that is not this process's.
func lookPath(environ []string, name string) (string, bool) {
	for _, dir := range filepath.SplitList(envMap(environ)["PATH"]) {
		if !filepath.IsAbs(dir) {
			continue // a program beside the project is not what the user means
		}
		path := filepath.Join(dir, name)
		info, err := os.Stat(path)
		if err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path, true
		}
	}
	return "", false
}
