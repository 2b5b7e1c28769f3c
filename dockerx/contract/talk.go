package contract

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"belay/dockerx"
)

func checkExec(t *testing.T, s Subject) {
	c := s.container(t)
	got, err := s.Engine.Exec(within(t), c.ID, dockerx.ExecSpec{Argv: s.Exec.Argv})
	must(t, err)
	if got.Exit != s.Exec.Exit || string(got.Stdout) != s.Exec.Stdout || string(got.Stderr) != s.Exec.Stderr {
		t.Fatalf("exit %d, stdout %q, stderr %q; want %+v", got.Exit, got.Stdout, got.Stderr, s.Exec)
	}
	var stdout, stderr bytes.Buffer
	got, err = s.Engine.Exec(within(t), c.ID, dockerx.ExecSpec{Argv: s.Exec.Argv, Stdout: &stdout, Stderr: &stderr})
	must(t, err)
	if stdout.String() != s.Exec.Stdout || stderr.String() != s.Exec.Stderr || len(got.Stdout)+len(got.Stderr) != 0 {
		t.Fatalf("streamed: stdout %q, stderr %q, kept %q %q", stdout.String(), stderr.String(), got.Stdout, got.Stderr)
	}
	_, err = s.Engine.Exec(within(t), "no-such-container", dockerx.ExecSpec{Argv: s.Exec.Argv})
	wantErr(t, err, dockerx.ErrNotFound)
	got, err = s.Engine.Exec(within(t), c.ID, dockerx.ExecSpec{Argv: []string{"/no/such/program"}})
	if err == nil && got.Exit == 0 {
		t.Fatal("a program that is not there ended well")
	}
}

func checkLogs(t *testing.T, s Subject) {
	c := s.container(t)
	s.opens(t, c.ID)
	var lines []dockerx.LogLine
	must(t, s.Engine.Logs(within(t), c.ID, dockerx.LogSpec{}, func(l dockerx.LogLine) { lines = append(lines, l) }))
	for i, l := range lines {
		if l.Container != c.ID || l.Service != s.Service || l.Time.IsZero() || bytes.ContainsAny(l.Text, "\r\n") {
			t.Fatalf("line %d: %+v", i, l)
		}
	}
	last := 0
	must(t, s.Engine.Logs(within(t), c.ID, dockerx.LogSpec{Tail: 1}, func(dockerx.LogLine) { last++ }))
	if len(lines) == 0 || last != 1 {
		t.Fatalf("%d lines, %d with a tail of 1", len(lines), last)
	}
	if later := s.logged(t, c.ID, dockerx.LogSpec{Since: time.Now().Add(time.Hour)}); later != "" {
		t.Fatalf("lines of the future: %q", later)
	}
	wantErr(t, s.Engine.Logs(within(t), "no-such-container", dockerx.LogSpec{}, func(dockerx.LogLine) {}), dockerx.ErrNotFound)
	followUntilCancelled(t, s, c.ID)
}

// followUntilCancelled sees that following replays, goes on, and lets go.
func followUntilCancelled(t *testing.T, s Subject, id string) {
	t.Helper()
	ctx, cancel := context.WithCancel(within(t))
	defer cancel()
	seen := make(chan struct{}, 1)
	ended := make(chan error, 1)
	go func() {
		ended <- s.Engine.Logs(ctx, id, dockerx.LogSpec{Follow: true}, func(l dockerx.LogLine) {
			if strings.Contains(string(l.Text), s.Logged) {
				select {
				case seen <- struct{}{}:
				default:
				}
			}
		})
	}()
	select {
	case <-seen:
	case err := <-ended:
		t.Fatalf("following ended by itself: %v", err)
	}
	cancel()
	if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func checkOneOff(t *testing.T, s Subject) {
	before := s.container(t)
	var lines []string
	exit, err := s.Compose.Run(within(t), s.Project, s.Service, s.Run.Argv, func(l string) { lines = append(lines, l) })
	must(t, err)
	text := strings.Join(lines, "\n") + "\n"
	if exit != s.Run.Exit || !strings.Contains(text, s.Run.Stdout) || !strings.Contains(text, s.Run.Stderr) {
		t.Fatalf("exit %d, lines %q, want %+v", exit, lines, s.Run)
	}
	all, err := s.Engine.Containers(within(t), s.Project.Name)
	must(t, err)
	for _, c := range all {
		if c.OneOff {
			t.Fatalf("%s is left behind", c.Name)
		}
	}
	if after := s.container(t); after.ID != before.ID || !after.StartedAt.Equal(before.StartedAt) {
		t.Fatal("the one-off touched the service")
	}
}
