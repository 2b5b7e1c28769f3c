package health

import (
	"context"
	"fmt"
	"time"

	"belay/dockerx"
	"belay/steps"
)

// loop is how many restarts since the first look make a crash loop.
const loop = 2

// count is how often a container had restarted at the first and at the last look.
type count struct{ first, last int }

// containerSignals judges one container and keeps its restarts in mind.
func containerSignals(e Expect, c dockerx.Container, restarts map[string]count) []steps.Signal {
	signal := func(name string, v steps.Verdict, format string, args ...any) steps.Signal {
		return steps.Signal{Name: name, Subject: e.Service, Verdict: v, Evidence: fmt.Sprintf(format, args...)}
	}
	if e.Image != "" && c.ImageID != e.Image {
		return []steps.Signal{signal("image", steps.Fail, "runs %s, not %s", short(c.ImageID), short(e.Image))}
	}
	out := []steps.Signal{signal("image", steps.Pass, "%s", short(c.ImageID))}
	n, seen := restarts[c.ID]
	if !seen {
		n = count{first: c.RestartCount, last: c.RestartCount}
	}
	moved := c.RestartCount != n.last
	n.last = c.RestartCount
	restarts[c.ID] = n
	switch {
	case c.OOMKilled:
		return append(out, signal("memory", steps.Fail, "was killed for want of memory"))
	case n.last-n.first >= loop || e.Image != "" && n.last > loop: // a container of the target is new: all its restarts count
		return append(out, signal("restarts", steps.Fail, "crashes again and again: %s, exit code %d", steps.Plural(c.RestartCount, "restart"), c.ExitCode))
	case e.OneShot && c.State == dockerx.Exited && c.ExitCode == 0:
		return append(out, signal("exit", steps.Pass, "ended with 0, as it should"))
	case e.OneShot && c.State == dockerx.Running:
		return append(out, signal("exit", steps.Wait, "is still at work"))
	case c.State == dockerx.Exited || c.State == dockerx.Dead:
		return append(out, exited(e, c, signal))
	case c.State == dockerx.Restarting || moved:
		return append(out, signal("state", steps.Wait, "was restarted, exit code %d", c.ExitCode))
	case c.State != dockerx.Running:
		return append(out, signal("state", steps.Wait, "is %s", c.State))
	}
	out = append(out, signal("restarts", steps.Pass, "running, no restart since belay looks"))
	if !c.HasHealthcheck {
		return out
	}
	switch c.Health {
	case dockerx.Healthy:
		out = append(out, signal("healthcheck", steps.Pass, "healthy"))
	case dockerx.Unhealthy:
		out = append(out, signal("healthcheck", steps.Fail, "its own healthcheck says unhealthy"))
	case dockerx.Starting:
		out = append(out, signal("healthcheck", steps.Wait, "its healthcheck still says starting"))
	case dockerx.NoHealth:
		out = append(out, signal("healthcheck", steps.Unknown, "the engine does not run its healthcheck"))
	}
	return out
}

// exited judges a service that should run and does not. A restart policy may
// still bring it back, so only the count of restarts makes it hopeless.
func exited(e Expect, c dockerx.Container, signal func(string, steps.Verdict, string, ...any) steps.Signal) steps.Signal {
	if c.RestartPolicy == "" || c.RestartPolicy == "no" || e.OneShot {
		return signal("exit", steps.Fail, "ended with exit code %d", c.ExitCode)
	}
	return signal("state", steps.Fail, "ended with exit code %d", c.ExitCode)
}

// short is an image ID for people: twelve hex digits.
func short(id string) string {
	if len(id) >= 19 && id[:7] == "sha256:" {
		return id[7:19]
	}
	return id
}

// working tells a container that does something from one that hangs, by
// processor time and bytes moved since the last look.
type working struct {
	engine Engine
	last   map[string]dockerx.Usage
	since  time.Time
}

func newWorking(e Engine) *working { return &working{engine: e, last: map[string]dockerx.Usage{}} }

// idle is how long nothing may move before a container counts as hanging.
const idle = 60 * time.Second

func (w *working) moving(ctx context.Context, containers []dockerx.Container, now time.Time) bool {
	for _, c := range containers {
		u, err := w.engine.Usage(ctx, c.ID)
		if err != nil {
			continue // no evidence is no evidence of work
		}
		old, seen := w.last[c.ID]
		w.last[c.ID] = u
		// A waiting server burns a little too: a twentieth of a core is work.
		busy := seen && u.CPU-old.CPU > u.At.Sub(old.At)/20
		if !seen || busy || u.BlockBytes > old.BlockBytes {
			w.since = now
		}
	}
	return now.Sub(w.since) < idle
}
