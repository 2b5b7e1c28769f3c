package backup

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"belay/dockerx"
	"belay/steps"
	"belay/steps/canary"
)

// original is the container the database runs in, stopped by now.
func (s *proveStep) original(ctx context.Context, service string) (dockerx.Container, error) {
	all, err := s.Engine.Containers(ctx, s.plan.Project)
	if err != nil {
		return dockerx.Container{}, fmt.Errorf("find the container of %s: %w", service, err)
	}
	for _, c := range all {
		if c.Service == service && !c.OneOff {
			return c, nil
		}
	}
	return dockerx.Container{}, fmt.Errorf("%s has no container any more", service)
}

// target is where the database's container mounts a store.
func target(box dockerx.Container, st steps.Store) string {
	for _, m := range box.Mounts {
		if m.Data == st.Data {
			return m.Target
		}
	}
	return st.Target
}

// scratchEnv is the container's own environment without the names of secret
// files: those are not mounted, and a data directory that exists needs none.
func scratchEnv(box dockerx.Container) []string {
	var env []string
	for k, v := range box.Env {
		if !strings.HasPrefix(k, "POSTGRES_") || !strings.HasSuffix(k, "_FILE") {
			env = append(env, k+"="+v)
		}
	}
	slices.Sort(env)
	return env
}

// poll is how often a database that is opening is asked.
const poll = 200 * time.Millisecond

// waitOpen waits until the server answers a query, or ends, or takes too long.
func (s *proveStep) waitOpen(ctx context.Context, id string, box dockerx.Container, db steps.Database) error {
	limit := s.OpenWithin
	if limit == 0 {
		limit = 10 * time.Minute
	}
	deadline := s.Now().Add(limit)
	box.ID = id
	for {
		_, asked := canary.Script(ctx, s.Engine, box, db, "SELECT 1;")
		if asked == nil {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		c, err := s.Engine.Container(ctx, id)
		if err != nil {
			return fmt.Errorf("look at the scratch container of %s: %w", canary.Label(db), err)
		}
		if c.State == dockerx.Exited || c.State == dockerx.Dead {
			return fmt.Errorf("the copy of %s does not open: its server ended with %d: %s",
				canary.Label(db), c.ExitCode, s.lastWords(ctx, id))
		}
		if !s.Now().Before(deadline) {
			return fmt.Errorf("the copy of %s does not open within %s: %w", canary.Label(db), steps.Lasted(limit), asked)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.After(poll):
		}
	}
}

// lastWords are the last lines a container wrote.
func (s *proveStep) lastWords(ctx context.Context, id string) string {
	var lines []string
	err := s.Engine.Logs(ctx, id, dockerx.LogSpec{Tail: 5}, func(l dockerx.LogLine) {
		lines = append(lines, strings.ToValidUTF8(string(l.Text), "?"))
	})
	if err != nil || len(lines) == 0 {
		return "it wrote nothing"
	}
	return strings.Join(lines, "; ")
}
