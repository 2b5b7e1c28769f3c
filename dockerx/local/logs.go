package local

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"belay/dockerx"
)

const (
	maxLine = 64 << 10
	// follow looks again this often even when the bell is silent: the line may
	// come from another process's engine.
	followEvery = 250 * time.Millisecond
)

// logLine is one line of containers/ID/log.jsonl.
type logLine struct {
	Time   time.Time `json:"t"`
	Stderr bool      `json:"e,omitempty"`
	Text   []byte    `json:"b"`
}

// Logs delivers a container's lines, oldest first. With Follow it ends when the
// container has stopped for good, with nil, or when ctx does, with its error.
func (e *Engine) Logs(ctx context.Context, container string, spec dockerx.LogSpec, on func(dockerx.LogLine)) error {
	r, err := e.find(container)
	if err != nil {
		return err
	}
	file, err := os.Open(e.logFile(r.ID))
	if errors.Is(err, fs.ErrNotExist) && !spec.Follow {
		return nil // never started
	}
	if errors.Is(err, fs.ErrNotExist) {
		file, err = os.OpenFile(e.logFile(r.ID), os.O_RDONLY|os.O_CREATE, 0o600)
	}
	if err != nil {
		return fmt.Errorf("logs of %s: %w", r.Name, err)
	}
	defer func() { _ = file.Close() }()

	reader := &logReader{src: bufio.NewReader(file)}
	emit := func(l logLine) {
		if l.Time.Before(spec.Since) {
			return
		}
		on(dockerx.LogLine{
			Container: r.ID, Service: r.Labels[labelService], Stderr: l.Stderr, Time: l.Time, Text: l.Text,
		})
	}
	if err := reader.tail(ctx, spec.Tail, emit); err != nil || !spec.Follow {
		return err
	}
	return e.follow(ctx, r.ID, reader, emit)
}

func (e *Engine) follow(ctx context.Context, id string, reader *logReader, emit func(logLine)) error {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		rung := e.bell.heard()
		stopped := e.stopped(id) // before reading: its last lines are in the file then
		if err := reader.rest(ctx, emit); err != nil || stopped {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-rung:
		case <-tick.C:
		}
	}
}

func (e *Engine) stopped(id string) bool {
	c, err := e.Container(context.Background(), id)
	return err != nil || c.State != dockerx.Running && c.State != dockerx.Restarting
}

func (e *Engine) logFile(id string) string { return filepath.Join(e.containerDir(id), "log.jsonl") }

// logReader reads whole lines; a line that is still being written waits.
type logReader struct {
	src  *bufio.Reader
	half []byte
}

func (l *logReader) rest(ctx context.Context, emit func(logLine)) error {
	for ctx.Err() == nil {
		b, err := l.src.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			l.half = append(l.half, b...)
			return nil
		}
		if err != nil {
			return fmt.Errorf("read log: %w", err)
		}
		var line logLine
		if err := json.Unmarshal(append(l.half, b...), &line); err != nil {
			return fmt.Errorf("read log: %w", err)
		}
		l.half = nil
		emit(line)
	}
	return ctx.Err()
}

// tail emits what is there, only the last n lines when n is not 0.
func (l *logReader) tail(ctx context.Context, n int, emit func(logLine)) error {
	if n <= 0 {
		return l.rest(ctx, emit)
	}
	var last []logLine
	err := l.rest(ctx, func(line logLine) {
		last = append(last, line)
		if len(last) > 2*n {
			last = append(last[:0], last[len(last)-n:]...)
		}
	})
	if err != nil {
		return err
	}
	for _, line := range last[max(0, len(last)-n):] {
		emit(line)
	}
	return nil
}

// logWriter appends both streams of a container to its log, with the time.
type logWriter struct {
	mu   sync.Mutex
	file *os.File
	now  func() time.Time
	bell *bell
}

func (e *Engine) openLog(id string) (*logWriter, error) {
	file, err := os.OpenFile(e.logFile(id), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	return &logWriter{file: file, now: e.o.Now, bell: &e.bell}, nil
}

func (w *logWriter) line(stderr bool, text []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	b, err := json.Marshal(logLine{Time: w.now(), Stderr: stderr, Text: text})
	if err != nil {
		return err
	}
	_, err = w.file.Write(append(b, '\n'))
	w.bell.ring()
	return err
}

// stream cuts one of a process's outputs into lines.
type stream struct {
	to     *logWriter
	stderr bool
	buf    []byte
}

// Write never fails: a full disk must not stop the service that is logging.
func (s *stream) Write(p []byte) (int, error) {
	s.buf = append(s.buf, p...)
	for {
		end := bytes.IndexByte(s.buf, '\n')
		if end < 0 && len(s.buf) <= maxLine {
			return len(p), nil
		}
		if end < 0 || end > maxLine { // too long: in pieces
			_ = s.to.line(s.stderr, s.buf[:maxLine])
			s.buf = s.buf[maxLine:]
			continue
		}
		_ = s.to.line(s.stderr, bytes.TrimSuffix(s.buf[:end], []byte("\r")))
		s.buf = s.buf[end+1:]
	}
}

func (s *stream) flush() {
	if len(s.buf) > 0 {
		_ = s.to.line(s.stderr, s.buf)
		s.buf = nil
	}
}

// bell tells everybody who listens that something happened. The zero bell works.
type bell struct {
	mu sync.Mutex
	ch chan struct{}
}

func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ch != nil {
		close(b.ch)
		b.ch = nil
	}
}

// heard is closed at the next ring.
func (b *bell) heard() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ch == nil {
		b.ch = make(chan struct{})
	}
	return b.ch
}
