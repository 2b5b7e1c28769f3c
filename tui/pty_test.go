//go:build unix

package tui_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"

	"belay/steps"
	"belay/tui"
	"belay/tui/tuitest"
)

// The test binary plays the program too: with this variable it shows the wizard
// over the made-up world, or ends at once.
const role = "BELAY_TUI_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "":
		os.Exit(m.Run())
	case "version":
		_, _ = io.WriteString(os.Stdout, "belay 0.1.0\n")
		os.Exit(0)
	default:
		os.Exit(wizard(os.Getenv(role)))
	}
}

func wizard(script string) int {
	b := &tuitest.Backend{Script: tuitest.Happy}
	switch script {
	case "failing":
		b.Script = tuitest.Failing
	case "slow":
		b.Hold = make(chan struct{})
	}
	out, err := tui.Run(context.Background(), tui.Options{
		Backend: b, In: os.Stdin, Out: os.Stdout, Env: os.Getenv, Now: tuitest.Now, Version: "0.1.0", Title: "/srv/tymeslot",
	})
	if err != nil {
		_, _ = io.WriteString(os.Stderr, err.Error()+"\n")
		return steps.ExitFailed
	}
	return out.Exit
}

// terminal is a program behind a PTY with an emulator in front.
type terminal struct {
	t    *testing.T
	cmd  *exec.Cmd
	file *os.File
	raw  *record
	done chan error
	emu  *emulator
}

// emulator guards what the emulator's own guarded kind forgets: reading its text.
type emulator struct {
	mu sync.Mutex
	vt *vt.Emulator
}

// Write draws.
func (e *emulator) Write(b []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.vt.Write(b)
}

// String is what stands on the screen.
func (e *emulator) String() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.vt.String()
}

// Resize is a new size of the window.
func (e *emulator) Resize(w, h int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.vt.Resize(w, h)
}

// record keeps every byte and tells when there are new ones.
type record struct {
	mu   sync.Mutex
	all  bytes.Buffer
	news chan struct{}
}

func (r *record) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all.Write(b)
	select {
	case r.news <- struct{}{}:
	default:
	}
	return len(b), nil
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all.String()
}

func open(t *testing.T, script string, answers bool) *terminal {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = []string{role + "=" + script, "TERM=xterm-256color", "LANG=C.UTF-8"}
	f, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: 80, Rows: 24})
	if err != nil {
		t.Skipf("no pseudo-terminal here: %v", err)
	}
	x := &terminal{t: t, cmd: cmd, file: f, raw: &record{news: make(chan struct{}, 1)}, done: make(chan error, 1), emu: &emulator{vt: vt.NewEmulator(80, 24)}}
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(io.MultiWriter(x.emu, x.raw), f) // ends when the program does
	}()
	if answers {
		go func() { _, _ = io.Copy(f, x.emu.vt) }() // what a terminal replies to questions
	} else {
		go func() { _, _ = io.Copy(io.Discard, x.emu.vt) }()
	}
	go func() {
		err := cmd.Wait()
		<-read
		x.done <- err
	}()
	t.Cleanup(func() {
		if pipe, ok := x.emu.vt.InputPipe().(io.Closer); ok { // ends the copying of replies; Close itself races with it
			_ = pipe.Close()
		}
		_ = f.Close()
	})
	return x
}

func (x *terminal) screen() string { return x.emu.String() }

func (x *terminal) until(texts ...string) *terminal {
	x.t.Helper()
	limit := time.NewTimer(20 * time.Second)
	defer limit.Stop()
	for {
		seen := true
		for _, s := range texts {
			seen = seen && strings.Contains(x.screen(), s)
		}
		if seen {
			return x
		}
		select {
		case <-x.raw.news:
		case <-limit.C:
			x.t.Fatalf("waited in vain for %q; the screen is\n%s", texts, x.screen())
		}
	}
}

func (x *terminal) press(keys string) *terminal {
	x.t.Helper()
	if _, err := io.WriteString(x.file, keys); err != nil {
		x.t.Fatal(err)
	}
	return x
}

func (x *terminal) exit(want int) {
	x.t.Helper()
	select {
	case err := <-x.done:
		code := 0
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			code = exit.ExitCode()
		}
		if code != want {
			x.t.Errorf("exit %d, want %d", code, want)
		}
	case <-time.After(20 * time.Second):
		x.t.Fatal("it does not end")
	}
}

// A terminal that answers no question must not cost the seconds that Bubble
// Tea's initialisation would wait for its background colour.
func TestMuteTerminalCostsNothing(t *testing.T) {
	began := time.Now()
	x := open(t, "version", false)
	x.exit(0)
	if took := time.Since(began); took > 4500*time.Millisecond { // asking waits for 5 s; a loaded machine for less
		t.Errorf("took %v: the terminal was asked for its colour", took)
	}
	if strings.Contains(x.raw.String(), "\x1b]11;?") {
		t.Errorf("the terminal was asked: %q", x.raw.String())
	}
}

func TestFirstPaintDoesNotWait(t *testing.T) {
	began := time.Now()
	x := open(t, "slow", false).until("Looking at what is installed")
	t.Logf("first paint after %v", time.Since(began))
	x.press("q").exit(0)
}

func TestTheWholeLoop(t *testing.T) {
	x := open(t, "happy", true)
	x.until("1.3.0 is out").press("\r").until("other…").press("\r").until("calendar")
	x.press("  \r").until("Budget").press("\r").until("is on 1.3.0", "as planned").press("\r")
	x.exit(0)
	raw := x.raw.String()
	end := strings.LastIndex(raw, "\x1b[?1049l")
	if end < 0 {
		t.Fatal("the alternate screen was not left")
	}
	for _, want := range []string{"tymeslot is on 1.3.0.", "128,904 rows", "belay rollback"} {
		if !strings.Contains(raw[end:], want) {
			t.Errorf("%q is not on the normal screen: %q", want, raw[end:])
		}
	}
	if strings.Contains(raw, "\x1b]0;owned") || strings.Contains(raw, "\x1b]11;?") {
		t.Error("a byte from outside reached the terminal, or it was asked something")
	}
}

func TestTheLoopAfterAFailure(t *testing.T) {
	x := open(t, "failing", true)
	x.until("1.3.0 is out").press("\r").until("other…").press("\r").until("calendar")
	x.press("  \r").until("Budget").press("\r").until("Roll back to 1.2.3?", "is lost").press("\r")
	x.until("is back on 1.2.3").press("q").exit(steps.ExitRolled)
}

func TestResize(t *testing.T) {
	x := open(t, "happy", true).until("1.3.0 is out")
	if err := pty.Setsize(x.file, &pty.Winsize{Cols: 40, Rows: 10}); err != nil {
		t.Fatal(err)
	}
	x.emu.Resize(40, 10)
	x.until("larger window: 60×15")
	if err := pty.Setsize(x.file, &pty.Winsize{Cols: 80, Rows: 24}); err != nil {
		t.Fatal(err)
	}
	x.emu.Resize(80, 24)
	x.until("1.3.0 is out", "choose a version").press("q").exit(0)
}
