package watch

import (
	"context"
	"fmt"
	"strings"
	"time"

	"belay/dockerx"
	"belay/steps"
)

// activity collects evidence that something is still working.
type activity struct {
	engine Engine
	usage  map[string]dockerx.Usage
	asked  time.Time
	moved  time.Time
	line   time.Time
	cpu    float64 // of one core, since the last look
	rate   float64 // bytes a second
}

func newActivity(e Engine, now time.Time) *activity {
	return &activity{engine: e, usage: map[string]dockerx.Usage{}, moved: now}
}

// look takes new evidence, at most once in two seconds: asking costs the engine something.
func (a *activity) look(ctx context.Context, containers []dockerx.Container, lastLine, now time.Time) {
	if lastLine.After(a.line) {
		a.line = lastLine
		a.moved = maxTime(a.moved, lastLine)
	}
	if now.Sub(a.asked) < 2*time.Second {
		return
	}
	a.asked = now
	a.cpu, a.rate = 0, 0
	for _, c := range containers {
		u, err := a.engine.Usage(ctx, c.ID)
		if err != nil {
			continue
		}
		old, seen := a.usage[c.ID]
		a.usage[c.ID] = u
		span := u.At.Sub(old.At).Seconds()
		if !seen || span <= 0 {
			continue
		}
		a.cpu += (u.CPU - old.CPU).Seconds() / span
		a.rate += float64(u.BlockBytes-old.BlockBytes) / span
	}
	if a.cpu > 0.05 || a.rate > 0 {
		a.moved = now
	}
}

// still is how long nothing has moved.
func (a *activity) still(now time.Time) time.Duration { return now.Sub(a.moved) }

func (a *activity) reset(now time.Time) { a.moved = now }

// words is the evidence for people: "34 % CPU, 12 MB/s, last line 1 s ago".
func (a *activity) words(now time.Time) string {
	var parts []string
	if a.cpu > 0.01 {
		parts = append(parts, fmt.Sprintf("%.0f %% CPU", a.cpu*100))
	}
	if a.rate > 0 {
		parts = append(parts, steps.Size(int64(a.rate))+"/s")
	}
	if a.line.IsZero() {
		parts = append(parts, "no log line yet")
	} else {
		parts = append(parts, "last line "+steps.Lasted(now.Sub(a.line))+" ago")
	}
	return strings.Join(parts, ", ")
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
