package local_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"belay/dockerx"
	"belay/dockerx/compose"
	"belay/dockerx/local"
)

// hostCommand makes the test binary a process that owns an engine:
// hostCommand ENGINE-DIR PROJECT-DIR.
const hostCommand = "__host"

// host brings the project up, says so, and waits to be killed.
func host(dir, projectDir string) int {
	ctx := context.Background()
	e, err := local.New(options(dir, image("1.2.3", true)))
	if err == nil {
		var p *compose.Project
		p, err = compose.Load(ctx, compose.Options{Dir: projectDir, Environ: []string{"TAG=1.2.3"}})
		if err == nil {
			err = e.Up(ctx, p, compose.UpSpec{}, nil)
		}
	}
	fmt.Fprintln(os.Stdout, "up:", err)
	_, _ = bufio.NewReader(os.Stdin).ReadByte()
	return 0
}

// elsewhere starts an engine in another process and returns that process.
func elsewhere(t *testing.T, dir string, p *compose.Project) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], hostCommand, dir, p.Dir)
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || strings.TrimSpace(line) != "up: <nil>" {
		t.Fatalf("%q %v", line, err)
	}
	return cmd
}

func TestOtherProcessSeesAndStopsContainers(t *testing.T) {
	dir := t.TempDir()
	p := project(t, "")("1.2.3")
	elsewhere(t, dir, p)
	e := open(t, options(dir))
	eventually(t, "health from the other process", func() bool { return only(t, e).Health == dockerx.Healthy })
	id := only(t, e).ID

	ended := make(chan error, 1)
	ctx := within(t)
	go func() { ended <- e.Logs(ctx, id, dockerx.LogSpec{Follow: true}, func(dockerx.LogLine) {}) }()
	must(t, e.StopContainer(within(t), id, patience))
	if c := only(t, e); c.State != dockerx.Exited || c.ExitCode != 0 {
		t.Fatalf("%s with %d", c.State, c.ExitCode)
	}
	must(t, <-ended)
	if log := logOf(t, e, id); !strings.Contains(log, "INFO  Stopped") {
		t.Fatalf("it was not stopped cleanly:\n%s", log)
	}
	must(t, e.StartContainer(within(t), id)) // now it is this process's
	if c := only(t, e); c.State != dockerx.Running {
		t.Fatalf("state %s", c.State)
	}
}

func TestKilledEngineLeavesNothingRunning(t *testing.T) {
	dir := t.TempDir()
	p := project(t, "")("1.2.3")
	other := elsewhere(t, dir, p)
	watcher := open(t, options(dir))
	eventually(t, "health from the other process", func() bool { return only(t, watcher).Health == dockerx.Healthy })
	must(t, other.Process.Kill())
	_ = other.Wait()
	// Nobody stops the service: it ends because its parent is gone.
	eventually(t, "the orphan to end", func() bool {
		c := only(t, watcher)
		return c.State == dockerx.Exited && c.ExitCode == 137
	})

	e := open(t, options(dir))
	if c := only(t, e); c.State != dockerx.Exited || c.FinishedAt.IsZero() {
		t.Fatalf("%s, finished %v", c.State, c.FinishedAt)
	}
	must(t, e.Up(within(t), p, compose.UpSpec{}, nil)) // the same port, the same data
	eventually(t, "health", func() bool { return only(t, e).Health == dockerx.Healthy })
}

// An engine that opens right after the other was killed must not meet its orphan.
func TestOpenRightAfterKill(t *testing.T) {
	dir := t.TempDir()
	p := project(t, "")("1.2.3")
	other := elsewhere(t, dir, p)
	must(t, other.Process.Kill())
	_ = other.Wait()
	e := open(t, options(dir))
	if c := only(t, e); c.State != dockerx.Exited || c.ExitCode != 137 {
		t.Fatalf("%s with %d", c.State, c.ExitCode)
	}
	must(t, e.Up(within(t), p, compose.UpSpec{}, nil))
	eventually(t, "health", func() bool { return only(t, e).Health == dockerx.Healthy })
}
