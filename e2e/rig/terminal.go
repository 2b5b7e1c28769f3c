package rig

import (
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
)

// The usual window, and how often it is looked at.
const (
	columns = 80
	lines   = 24
	glance  = 5 * time.Millisecond
)

// Terminal is belay in a pseudo-terminal, with an emulator that shows what a
// person would see.
type Terminal struct {
	cmd    *exec.Cmd
	pty    *os.File
	screen *vt.SafeEmulator
	cancel context.CancelFunc

	ended    chan struct{} // nothing more comes from belay
	answered chan struct{} // nothing more goes to it
}

// Open starts belay in a terminal of 80×24.
func (s *Stack) Open(t testing.TB, args ...string) *Terminal {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	cmd := s.command(ctx, t, args...)
	cmd.Env = append(cmd.Env, "TERM=xterm-256color")
	f, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: lines, Cols: columns})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	term := &Terminal{
		cmd: cmd, pty: f, screen: vt.NewSafeEmulator(columns, lines), cancel: cancel,
		ended: make(chan struct{}), answered: make(chan struct{}),
	}
	go func() {
		defer close(term.answered)
		// The emulator answers the questions a program asks its terminal; with
		// nobody left to hear them it must not wait.
		_, _ = io.Copy(f, term.screen)
		_, _ = io.Copy(io.Discard, term.screen)
	}()
	go func() {
		defer close(term.ended)
		_, _ = io.Copy(term.screen, f)
	}()
	t.Cleanup(func() { term.close(t) })
	return term
}

// Text is what the window shows, without styles.
func (term *Terminal) Text() string {
	var b strings.Builder
	for y := range lines {
		var row strings.Builder
		for x := 0; x < columns; {
			c := term.screen.CellAt(x, y)
			if c == nil || c.Width == 0 {
				row.WriteByte(' ')
				x++
				continue
			}
			row.WriteString(c.Content)
			x += c.Width
		}
		b.WriteString(strings.TrimRight(row.String(), " ") + "\n")
	}
	return b.String()
}

// Press types keys as they come from a keyboard.
func (term *Terminal) Press(t testing.TB, keys string) {
	t.Helper()
	if _, err := term.pty.WriteString(keys); err != nil {
		t.Fatalf("%v\n%s", err, term.Text())
	}
}

// See waits until the window shows one of the words and says which.
func (term *Terminal) See(t testing.TB, most time.Duration, words ...string) string {
	t.Helper()
	deadline := time.NewTimer(most)
	defer deadline.Stop()
	tick := time.NewTicker(glance)
	defer tick.Stop()
	for {
		text := term.Text()
		for _, w := range words {
			if strings.Contains(text, w) {
				return w
			}
		}
		select {
		case <-tick.C:
		case <-term.ended:
			t.Fatalf("belay ended and never showed %q\n%s", words, term.Text())
		case <-deadline.C:
			t.Fatalf("never saw %q in %s\n%s", words, most, text)
		}
	}
}

// Exit waits for the end and gives the exit code.
func (term *Terminal) Exit(t testing.TB, most time.Duration) int {
	t.Helper()
	select {
	case <-term.ended:
	case <-time.After(most):
		t.Fatalf("belay is still there after %s\n%s", most, term.Text())
	}
	_ = term.cmd.Wait() // the exit code says it
	return term.cmd.ProcessState.ExitCode()
}

// Ended says whether belay has gone.
func (term *Terminal) Ended() bool {
	select {
	case <-term.ended:
		return true
	default:
		return false
	}
}

// Change waits until the window shows something else than it did.
func (term *Terminal) Change(t testing.TB, most time.Duration, was string) {
	t.Helper()
	if !term.Changes(most, was) {
		t.Fatalf("the window did not change in %s\n%s", most, was)
	}
}

// Changes says whether the window changed, or belay ended, within a time.
func (term *Terminal) Changes(most time.Duration, was string) bool {
	deadline := time.NewTimer(most)
	defer deadline.Stop()
	tick := time.NewTicker(glance)
	defer tick.Stop()
	for term.Text() == was {
		select {
		case <-tick.C:
		case <-term.ended:
			return true
		case <-deadline.C:
			return false
		}
	}
	return true
}

func (term *Terminal) close(t testing.TB) {
	if t.Failed() {
		t.Logf("the window at the end:\n%s", term.Text())
	}
	term.cancel()
	_ = term.pty.Close()
	<-term.ended
	// Close of the emulator itself races with its Read.
	if c, ok := term.screen.InputPipe().(io.Closer); ok {
		_ = c.Close()
		<-term.answered
	}
	_ = term.cmd.Wait()
}
