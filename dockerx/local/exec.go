package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"

	"belay/dockerx"
)

const (
	maxStdout = 1 << 20
	maxStderr = 64 << 10
	exitNoCmd = 127
)

// Exec runs one of the application's commands beside a running container, with
// the container's environment and data. The command ends with ctx.
func (e *Engine) Exec(ctx context.Context, container string, spec dockerx.ExecSpec) (dockerx.ExecResult, error) {
	r, err := e.find(container)
	if err != nil {
		return dockerx.ExecResult{}, err
	}
	if c := r.container(); c.State != dockerx.Running {
		return dockerx.ExecResult{}, fmt.Errorf("container %s is not running", r.Name)
	}
	if len(spec.Argv) == 0 {
		return dockerx.ExecResult{}, fmt.Errorf("exec in %s: no command", r.Name)
	}
	stdout, stderr := &collector{limit: maxStdout}, &collector{limit: maxStderr}
	if !isApp(spec.Argv) {
		_, _ = fmt.Fprintf(stderr, "exec: %q: executable file not found\n", spec.Argv[0])
		return dockerx.ExecResult{Exit: exitNoCmd, Stderr: stderr.b}, nil
	}
	args, err := e.inside(r)
	if err != nil {
		return dockerx.ExecResult{}, err
	}
	cmd := exec.CommandContext(ctx, e.o.Executable, append(args, spec.Argv[1:]...)...)
	cmd.Dir = e.rootfs(r.ID)
	cmd.Env = append(append([]string{}, r.Env...), spec.Env...)
	cmd.SysProcAttr = ownGroup()
	cmd.WaitDelay = time.Second
	cmd.Stdin = spec.Stdin
	cmd.Stdout, cmd.Stderr = io.Writer(stdout), io.Writer(stderr)
	if spec.Stdout != nil {
		cmd.Stdout = spec.Stdout
	}
	if spec.Stderr != nil {
		cmd.Stderr = spec.Stderr
	}
	err = cmd.Run()
	if ctx.Err() != nil {
		return dockerx.ExecResult{}, ctx.Err()
	}
	var exit *exec.ExitError
	// ErrWaitDelay: it ended well without reading all of its stdin.
	if err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) {
		return dockerx.ExecResult{}, fmt.Errorf("exec in %s: %w", r.Name, err)
	}
	return dockerx.ExecResult{Exit: exitCode(cmd.ProcessState), Stdout: stdout.b, Stderr: stderr.b}, nil
}

// collector keeps the beginning of what a command writes.
type collector struct {
	b     []byte
	limit int
}

func (c *collector) Write(p []byte) (int, error) {
	c.b = append(c.b, p[:min(len(p), c.limit-len(c.b))]...)
	return len(p), nil
}
