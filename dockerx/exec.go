package dockerx

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"
)

// How much of a command's output is kept when the caller does not want it.
const (
	keptStdout = 1 << 20
	keptStderr = 64 << 10
)

// Exec runs a command in a running container, its two streams apart, and waits
// for its end. When ctx ends first the connection is closed; the command itself
// may go on in the container, as the engine has no way to stop it.
func (e *Engine) Exec(ctx context.Context, id string, spec ExecSpec) (ExecResult, error) {
	var out ExecResult
	if len(spec.Argv) == 0 {
		return out, fmt.Errorf("exec in container %s: no command", id)
	}
	fail := func(err error) (ExecResult, error) {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return out, wrap(err, "run %s in container %s", spec.Argv[0], id)
	}
	created, err := e.api.ContainerExecCreate(ctx, id, container.ExecOptions{
		Cmd: spec.Argv, Env: spec.Env, User: spec.User,
		AttachStdin: spec.Stdin != nil, AttachStdout: true, AttachStderr: true,
	})
	if err != nil {
		return fail(err)
	}
	stream, err := e.api.ContainerExecAttach(ctx, created.ID, container.ExecAttachOptions{})
	if err != nil {
		return fail(err)
	}
	stdout, stderr := &capped{most: keptStdout}, &capped{most: keptStderr}
	err = pipe(ctx, stream, spec.Stdin, orElse(spec.Stdout, stdout), orElse(spec.Stderr, stderr))
	out.Stdout, out.Stderr = stdout.kept, stderr.kept
	if err != nil {
		return fail(err)
	}
	out.Exit, err = e.execExit(ctx, created.ID)
	if err != nil {
		return fail(err)
	}
	return out, nil
}

// execExit asks for the exit code. The end of the streams says nothing of it,
// and the engine may need a moment to notice.
func (e *Engine) execExit(ctx context.Context, exec string) (int, error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		state, err := e.api.ContainerExecInspect(ctx, exec)
		if err != nil {
			return 0, err
		}
		if !state.Running {
			return state.ExitCode, nil
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-tick.C:
		}
	}
}

// pipe moves stdin into the stream and the stream's two outputs out of it until
// it ends, then closes it. It waits for stdin's reader, so a Read that never
// returns holds it up.
func pipe(ctx context.Context, stream types.HijackedResponse, stdin io.Reader, stdout, stderr io.Writer) error {
	defer stream.Close()
	stop := context.AfterFunc(ctx, stream.Close)
	defer stop()
	fed := make(chan error, 1)
	go func() {
		if stdin == nil {
			fed <- nil
			return
		}
		from := &remembering{r: stdin}
		_, err := io.Copy(stream.Conn, from)
		if from.err != nil {
			// The other side must not take a broken input for its end.
			stream.Close()
			fed <- fmt.Errorf("read input: %w", from.err)
			return
		}
		if err == nil {
			err = stream.CloseWrite()
		}
		_ = err // a command may leave before it has read everything
		fed <- nil
	}()
	_, err := stdcopy.StdCopy(stdout, stderr, stream.Reader)
	stream.Close()
	if fedErr := <-fed; fedErr != nil {
		return fedErr
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// remembering keeps the error of the reader apart from that of the writer.
type remembering struct {
	r   io.Reader
	err error
}

func (r *remembering) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}

// capped keeps the first most bytes and takes the rest without a word.
type capped struct {
	most int
	kept []byte
}

func (c *capped) Write(p []byte) (int, error) {
	c.kept = append(c.kept, p[:min(len(p), c.most-len(c.kept))]...)
	return len(p), nil
}

func orElse(w, other io.Writer) io.Writer {
	if w != nil {
		return w
	}
	return other
}
