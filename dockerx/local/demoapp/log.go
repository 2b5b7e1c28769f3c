package demoapp

import (
	"fmt"
	"io"
	"sync"
)

// logger writes whole lines: errors to err, everything else to out.
type logger struct {
	mu       sync.Mutex
	out, err io.Writer
}

func (l *logger) info(format string, args ...any)  { l.line(l.out, "INFO ", format, args) }
func (l *logger) warn(format string, args ...any)  { l.line(l.out, "WARN ", format, args) }
func (l *logger) error(format string, args ...any) { l.line(l.err, "ERROR", format, args) }

func (l *logger) line(w io.Writer, level, format string, args []any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	// A log that cannot be written must not stop the app.
	_, _ = fmt.Fprintf(w, level+" "+format+"\n", args...)
}
