package watch

import (
	"context"
	"fmt"
	"sync"
	"time"

	"belay/dockerx"
	"belay/steps"
)

// tail follows the logs of several services at once and remembers what matters.
type tail struct {
	engine   Engine
	project  string
	services []string
	r        *steps.Reporter
	rules    rules
	now      func() time.Time

	mu       sync.Mutex
	lastLine time.Time
	readyAt  string
	failedAt string
	reason   string
}

func newTail(e Engine, project string, services []string, r *steps.Reporter, rules rules, now func() time.Time) *tail {
	return &tail{engine: e, project: project, services: services, r: r, rules: rules, now: now}
}

// follow reads until ctx ends; the channel closes when every reader has ended.
func (t *tail) follow(ctx context.Context) <-chan struct{} {
	done := make(chan struct{})
	var wg sync.WaitGroup
	for _, svc := range t.services {
		wg.Go(func() { t.service(ctx, svc) })
	}
	go func() { wg.Wait(); close(done) }()
	return done
}

// service follows one service through restarts and replaced containers.
func (t *tail) service(ctx context.Context, svc string) {
	since := map[string]time.Time{}
	for ctx.Err() == nil {
		if c, ok := t.container(ctx, svc); ok {
			spec := dockerx.LogSpec{Since: since[c.ID], Follow: true}
			_ = t.engine.Logs(ctx, c.ID, spec, func(l dockerx.LogLine) { // a broken stream is opened again below
				if !l.Time.After(since[c.ID]) && !since[c.ID].IsZero() {
					return
				}
				if !l.Time.IsZero() {
					since[c.ID] = l.Time
				}
				t.line(svc, string(l.Text))
			})
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond): // real time: this is a pause between reconnects, not a rule
		}
	}
}

func (t *tail) container(ctx context.Context, svc string) (dockerx.Container, bool) {
	all, err := t.engine.Containers(ctx, t.project)
	if err != nil {
		return dockerx.Container{}, false
	}
	for _, c := range all {
		if c.Service == svc && !c.OneOff {
			return c, true
		}
	}
	return dockerx.Container{}, false
}

func (t *tail) line(svc, text string) {
	t.r.Log(svc, text)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lastLine = t.now()
	if t.readyAt == "" && matches(t.rules.ready, text) {
		t.readyAt = text
	}
	if t.failedAt == "" && matches(t.rules.failed, text) {
		t.failedAt = text
	}
	if trouble(text) {
		t.reason = text
	}
}

func (t *tail) last() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lastLine
}

func (t *tail) ready() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.readyAt
}

// failed is the error of a line that the recipe calls a failure.
func (t *tail) failed() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failedAt == "" {
		return nil
	}
	return fmt.Errorf("the log says: %s", t.failedAt)
}

// because is the last line that sounds like the cause, for the end of a sentence.
func (t *tail) because() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.reason == "" {
		return ""
	}
	return ": " + t.reason
}
