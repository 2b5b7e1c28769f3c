package dockerx

import (
	"context"
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
	line := LogLine{Container: c.ID}
	reading := logReading{engine: e, id: c.ID}
	if c.Config != nil {
		line.Service, reading.tty = c.Config.Labels[labelService], c.Config.Tty
	}
	for i := range reading.streams {
		s := &reading.streams[i]
		s.deliver = func(at time.Time, text []byte) {
			one := line
			one.Stderr, one.Time, one.Text = i == 1, at, text
			on(one)
		}
	}
	err = reading.read(ctx, spec)
	if err == nil && spec.Follow {
		// An engine that stops a container may end the answer before the last
		// lines, which tell why.
		err = reading.read(ctx, reading.rest(spec))
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return wrap(err, "logs of container %s", id)
}

// logReading is the state of reading one container's logs.
type logReading struct {
	engine  *Engine
	id      string
	tty     bool
	streams [2]logStream // stdout, stderr
}

// logStream remembers how far one of the streams has been delivered.
type logStream struct {
	deliver func(at time.Time, text []byte)
	last    time.Time // of the last line
	same    int       // how many lines at the end had that time
	again   bool      // reading once more what was delivered
	pass    int       // of those lines, how many are still to be passed over
}

func (s *logStream) line(at time.Time, text []byte) {
	if s.again {
		if at.Before(s.last) {
			return
		}
		if at.Equal(s.last) && s.pass > 0 {
			s.pass--
			return
		}
		s.deliver(at, text)
		return
	}
	if !at.Equal(s.last) {
		s.last, s.same = at, 0
	}
	s.same++
	s.deliver(at, text)
}

// rest selects what may be missing after a reading.
func (r *logReading) rest(spec LogSpec) LogSpec {
	spec.Follow = false
	var from time.Time
	for i := range r.streams {
		s := &r.streams[i]
		s.again, s.pass = true, s.same
		if !s.last.IsZero() && (from.IsZero() || s.last.Before(from)) {
			from = s.last
		}
	}
	if !from.IsZero() {
		spec.Since, spec.Tail = from, 0
	}
	return spec
}

func (r *logReading) read(ctx context.Context, spec LogSpec) error {
	options := container.LogsOptions{ShowStdout: true, ShowStderr: true, Timestamps: true, Follow: spec.Follow, Tail: "all"}
	if spec.Tail > 0 {
		options.Tail = strconv.Itoa(spec.Tail)
	}
	if !spec.Since.IsZero() {
		options.Since = spec.Since.UTC().Format(time.RFC3339Nano)
	}
	answer, err := r.engine.api.ContainerLogs(ctx, r.id, options)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Close() }()
	stdout := &lineSplitter{framed: !r.tty, emit: r.streams[0].line}
	stderr := &lineSplitter{framed: !r.tty, emit: r.streams[1].line}
	if r.tty {
		_, err = io.Copy(stdout, answer)
	} else {
		_, err = stdcopy.StdCopy(stdout, stderr, answer)
	}
	if ctx.Err() == nil {
		stdout.flush()
		stderr.flush()
	}
	return err
}
