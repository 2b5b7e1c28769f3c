package dockerx

import (
	"context"
	"errors"
	"io"
	"strconv"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"
)

// Logs delivers a container's log lines, in the order they come, from one
// goroutine. With Follow it goes on until the container stops (nil) or ctx ends
// (its error). Memory is bounded: lines are cut at 64 KiB.
func (e *Engine) Logs(ctx context.Context, id string, spec LogSpec, on func(LogLine)) error {
	c, err := e.api.ContainerInspect(ctx, id)
	if err != nil {
		return wrap(err, "logs of container %s", id)
	}
	options := container.LogsOptions{ShowStdout: true, ShowStderr: true, Timestamps: true, Follow: spec.Follow, Tail: "all"}
	if spec.Tail > 0 {
		options.Tail = strconv.Itoa(spec.Tail)
	}
	if !spec.Since.IsZero() {
		options.Since = spec.Since.UTC().Format(time.RFC3339Nano)
	}
	stream, err := e.api.ContainerLogs(ctx, id, options)
	if err != nil {
		return wrap(err, "logs of container %s", id)
	}
	defer func() { _ = stream.Close() }()
	tty := c.Config != nil && c.Config.Tty
	split := func(isErr bool) *lineSplitter {
		line := LogLine{Container: c.ID, Stderr: isErr}
		if c.Config != nil {
			line.Service = c.Config.Labels[labelService]
		}
		return &lineSplitter{framed: !tty, emit: func(at time.Time, text []byte) {
			one := line
			one.Time, one.Text = at, text
			on(one)
		}}
	}
	stdout, stderr := split(false), split(true)
	if tty {
		_, err = io.Copy(stdout, stream)
	} else {
		_, err = stdcopy.StdCopy(stdout, stderr, stream)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	stdout.flush()
	stderr.flush()
	if errors.Is(err, io.ErrUnexpectedEOF) && spec.Follow {
		return wrap(errors.Join(ErrUnreachable, err), "logs of container %s", id)
	}
	return wrap(err, "logs of container %s", id)
}
