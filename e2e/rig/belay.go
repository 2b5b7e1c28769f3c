package rig

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long one command of belay may take, generously.
const patience = 8 * time.Minute

// Event is one line of `--progress json`.
type Event struct {
	Time    time.Time `json:"time"`
	Run     string    `json:"run"`
	Step    string    `json:"step"`
	Kind    string    `json:"kind"`
	Text    string    `json:"text"`
	Service string    `json:"service"`

	Outcome string `json:"outcome"`
	From    string `json:"from"`
	To      string `json:"to"`
	Backup  string `json:"backup"`
	Exit    int    `json:"exit"`
}

// Result is how one command of belay ended.
type Result struct {
	Exit   int // as the shell sees it; -1 for a signal
	Stdout string
	Stderr string
	Took   time.Duration
}

// Said is everything the command printed.
func (r Result) Said() string { return r.Stdout + r.Stderr }

// Events reads the lines of `--progress json`.
func (r Result) Events(t testing.TB) []Event {
	t.Helper()
	var out []Event
	for line := range strings.Lines(r.Stdout) {
		var e Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("a line of --progress json is not JSON: %v: %q", err, line)
		}
		out = append(out, e)
	}
	return out
}

// Outcome is the last line of `--progress json`, which must be the outcome and
// must name the exit code the process really ended with.
func (r Result) Outcome(t testing.TB) Event {
	t.Helper()
	events := r.Events(t)
	if len(events) == 0 {
		t.Fatalf("nothing on stdout, exit %d\n%s", r.Exit, r.Stderr)
	}
	last := events[len(events)-1]
	if last.Kind != "outcome" || last.Exit != r.Exit {
		t.Fatalf("exit %d, and the last line is %+v\n%s", r.Exit, last, r.Stderr)
	}
	return last
}

// Belay runs a command of belay to its end. Arguments that are "DIR" become the
// project's directory.
func (s *Stack) Belay(t testing.TB, args ...string) Result {
	t.Helper()
	p := s.StartBelay(t, args...)
	return p.Wait(t)
}

// Upgrade is `belay upgrade DIR --to V --yes --accept-breaking --progress json`
// and whatever more is wanted.
func (s *Stack) Upgrade(t testing.TB, to string, more ...string) Result {
	t.Helper()
	return s.Belay(t, append([]string{
		"upgrade", "DIR", "--to", to, "--yes", "--accept-breaking", "--progress", "json",
	}, more...)...)
}

// Process is a belay that runs.
type Process struct {
	Lines <-chan string // stdout, line by line; closed at its end

	cmd    *exec.Cmd
	stack  *Stack
	began  time.Time
	stderr *bytes.Buffer
	stdout *bytes.Buffer
	read   chan struct{}
	ctx    context.Context
}

// StartBelay starts a command of belay without waiting for it.
func (s *Stack) StartBelay(t testing.TB, args ...string) *Process {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	lines := make(chan string, 1<<16)
	p := &Process{
		Lines: lines, cmd: s.command(ctx, t, args...), stack: s, began: time.Now(),
		stderr: &bytes.Buffer{}, stdout: &bytes.Buffer{}, read: make(chan struct{}), ctx: ctx,
	}
	p.cmd.Stderr = p.stderr
	pipe, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.read)
		defer close(lines)
		p.collect(pipe, lines)
	}()
	return p
}

// Wait waits for the end and checks that no secret was printed.
func (p *Process) Wait(t testing.TB) Result {
	t.Helper()
	select {
	case <-p.read:
	case <-p.ctx.Done(): // a child may still hold the pipe
	}
	err := p.cmd.Wait()
	r := Result{Exit: p.cmd.ProcessState.ExitCode(), Stdout: p.stdout.String(), Stderr: p.stderr.String(), Took: time.Since(p.began)}
	t.Logf("belay %s: exit %d after %s", strings.Join(p.cmd.Args[1:], " "), r.Exit, r.Took.Round(time.Millisecond))
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if p.ctx.Err() != nil {
		t.Fatalf("belay did not end in %s\n%s\n%s", patience, r.Stdout, r.Stderr)
	}
	if strings.Contains(r.Said(), p.stack.Secret) {
		t.Errorf("belay printed the database's password:\n%s", r.Said())
	}
	return r
}

// Kill ends belay the hard way, and nothing but belay itself.
func (p *Process) Kill(t testing.TB) { p.Signal(t, syscall.SIGKILL) }

// Signal sends a signal to belay.
func (p *Process) Signal(t testing.TB, sig os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// Until reads events until one satisfies want; false when belay ended before.
func (p *Process) Until(want func(Event) bool) bool {
	for line := range p.Lines {
		var e Event
		if json.Unmarshal([]byte(line), &e) == nil && want(e) {
			return true
		}
	}
	return false
}

// collect keeps all of stdout and hands out its lines. Nobody has to read them.
func (p *Process) collect(pipe io.Reader, lines chan<- string) {
	r := bufio.NewReader(io.TeeReader(pipe, p.stdout))
	for {
		line, err := r.ReadString('\n')
		if line != "" {
			select {
			case lines <- line:
			default:
			}
		}
		if err != nil {
			return
		}
	}
}

// command prepares belay with an environment of its own: this stack's state and
// cache, the loopback forge, no token, and nothing else that a developer's shell
// may hold.
func (s *Stack) command(ctx context.Context, t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	belay, err := s.World.belay()
	if err != nil {
		t.Fatal(err)
	}
	args = append([]string(nil), args...)
	for i, a := range args {
		if a == "DIR" {
			args[i] = s.Dir
		}
	}
	cmd := exec.CommandContext(ctx, belay, args...)
	cmd.WaitDelay = 10 * time.Second
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "LANG=C.UTF-8",
		"XDG_STATE_HOME=" + s.state, "XDG_CACHE_HOME=" + s.cache, "XDG_CONFIG_HOME=" + s.cache,
		"GITHUB_API_URL=" + s.World.Forge.URL,
	}
	for _, key := range []string{"DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG"} {
		if v, ok := os.LookupEnv(key); ok {
			cmd.Env = append(cmd.Env, key+"="+v)
		}
	}
	return cmd
}
