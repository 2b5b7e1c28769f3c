package local

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"belay/dockerx"
)

// The labels that compose puts on its containers.
const (
	labelProject = "com.docker.compose.project"
	labelService = "com.docker.compose.service"
	labelNumber  = "com.docker.compose.container-number"
	labelOneOff  = "com.docker.compose.oneoff"
	labelHash    = "com.docker.compose.config-hash"
	labelDir     = "com.docker.compose.project.working_dir"
	labelFiles   = "com.docker.compose.project.config_files"
	labelEnvs    = "com.docker.compose.project.environment_file"
	labelVolume  = "com.docker.compose.volume"
)

// Containers lists the containers of a compose project, "" of all, in every state.
func (e *Engine) Containers(ctx context.Context, project string) ([]dockerx.Container, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	all, err := e.records()
	if err != nil {
		return nil, err
	}
	var out []dockerx.Container
	for _, r := range all {
		p := r.Labels[labelProject]
		if p == "" || project != "" && p != project {
			continue
		}
		out = append(out, r.container())
	}
	slices.SortStableFunc(out, func(a, b dockerx.Container) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Number, b.Number), cmp.Compare(a.Name, b.Name))
	})
	return out, nil
}

// Container inspects one container by ID or name.
func (e *Engine) Container(ctx context.Context, id string) (dockerx.Container, error) {
	if err := ctx.Err(); err != nil {
		return dockerx.Container{}, err
	}
	r, err := e.find(id)
	if err != nil {
		return dockerx.Container{}, err
	}
	return r.container(), nil
}

// StartContainer starts a container that does not run; one that is being stopped
// is started after that.
func (e *Engine) StartContainer(ctx context.Context, id string) error {
	if err := e.awaitStop(ctx, id); err != nil {
		return err
	}
	return e.update(id, e.start)
}

// awaitStop waits for a container that somebody has asked to stop.
func (e *Engine) awaitStop(ctx context.Context, id string) error {
	r, err := e.find(id)
	if err != nil {
		return err
	}
	if r.active() && r.Stopping {
		return e.StopContainer(ctx, r.ID, 0)
	}
	return ctx.Err()
}

// StopContainer asks a container to stop and kills it after the timeout; a
// timeout of 0 or less means the container's own. It returns when it has stopped.
func (e *Engine) StopContainer(ctx context.Context, id string, timeout time.Duration) error {
	var r *record
	err := e.update(id, func(found *record) error {
		r = found
		if r.active() {
			r.Stopping = true
		}
		return nil
	})
	if err != nil || !r.active() {
		return err
	}
	if timeout <= 0 {
		timeout = cmp.Or(r.Grace, defaultGrace)
	}
	if c := e.own(r.ID); c != nil {
		c.end(ctx, timeout)
		return ctx.Err()
	}
	return e.stopForeign(ctx, r.ID, timeout)
}

// stopForeign stops a container whose engine is another process: that one sees
// the end and writes it down.
func (e *Engine) stopForeign(ctx context.Context, id string, timeout time.Duration) error {
	limit := time.Now().Add(timeout)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for send := terminate; ; {
		r, err := e.load(id)
		if err != nil {
			return err
		}
		if !r.active() {
			return nil
		}
		if !r.Engine.alive() {
			return e.change(e.settle)
		}
		if time.Now().After(limit) {
			send = kill
		}
		if send != nil && r.Process.alive() {
			send(r.Process.PID)
			send = nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// SetRestart changes a container's restart policy.
func (e *Engine) SetRestart(ctx context.Context, id, policy string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	name, limit, limited := strings.Cut(policy, ":")
	if !slices.Contains([]string{"", "no", "always", "unless-stopped", "on-failure"}, name) {
		return fmt.Errorf("container %s: no restart policy %q", id, policy)
	}
	if _, err := strconv.Atoi(limit); limited && (name != "on-failure" || err != nil) {
		return fmt.Errorf("container %s: no restart policy %q", id, policy)
	}
	return e.update(id, func(r *record) error {
		r.Restart = policy
		return nil
	})
}

// RenameContainer gives a container another name, which must be free.
func (e *Engine) RenameContainer(ctx context.Context, id, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return e.update(id, func(r *record) error {
		if other, err := e.find(name); err == nil && other.Name == name && other.ID != r.ID {
			return fmt.Errorf("container name %q is in use by %s", name, other.ID[:12])
		}
		r.Name = name
		return nil
	})
}

// Usage measures the container's process since its start.
func (e *Engine) Usage(ctx context.Context, id string) (dockerx.Usage, error) {
	if err := ctx.Err(); err != nil {
		return dockerx.Usage{}, err
	}
	r, err := e.find(id)
	if err != nil {
		return dockerx.Usage{}, err
	}
	if r.State != dockerx.Running {
		return dockerx.Usage{}, fmt.Errorf("container %s is not running", r.Name)
	}
	cpu, block, err := usageOf(r.Process.PID)
	if err != nil {
		return dockerx.Usage{}, fmt.Errorf("usage of %s: %w", r.Name, err)
	}
	return dockerx.Usage{At: e.o.Now(), CPU: cpu, BlockBytes: block}, nil
}

// RemoveContainer stops and removes a container that belay made.
func (e *Engine) RemoveContainer(ctx context.Context, id string) error {
	r, err := e.find(id)
	if err != nil {
		return err
	}
	if r.Labels[dockerx.LabelRun] == "" {
		return fmt.Errorf("remove container %s: %w", r.Name, dockerx.ErrNotOurs)
	}
	return e.remove(ctx, r.ID, time.Millisecond)
}

// remove stops a container with the given grace and erases it.
func (e *Engine) remove(ctx context.Context, id string, grace time.Duration) error {
	if err := e.StopContainer(ctx, id, grace); err != nil {
		return err
	}
	return e.change(func() error {
		r, err := e.load(id)
		if err != nil {
			return err
		}
		if r.active() {
			return fmt.Errorf("remove container %s: it was started meanwhile", r.Name)
		}
		return e.erase(r)
	})
}

// container is the record as the outside sees it. A record that claims a process
// whose engine and process are both gone tells of a crash.
func (r *record) container() dockerx.Container {
	seen := *r
	if seen.active() && !seen.Engine.alive() && !seen.Process.alive() {
		seen.exited(exitKilled, seen.Finished)
	}
	number, _ := strconv.Atoi(r.Labels[labelNumber]) // "" on scratch containers: 0
	c := dockerx.Container{
		ID: seen.ID, Name: seen.Name, Project: r.Labels[labelProject], Service: r.Labels[labelService],
		Number: number, OneOff: r.Labels[labelOneOff] == "True",
		Image: seen.Image, ImageID: seen.ImageID, State: seen.State, Health: seen.Health, HasHealthcheck: seen.Checked,
		ExitCode: seen.Exit, RestartCount: seen.Restarts,
		CreatedAt: seen.Created, StartedAt: seen.Started, FinishedAt: seen.Finished,
		RestartPolicy: seen.Restart, StopTimeout: cmp.Or(seen.Grace, defaultGrace),
		ConfigHash: r.Labels[labelHash], WorkingDir: r.Labels[labelDir],
		ConfigFiles: list(r.Labels[labelFiles]), EnvFiles: list(r.Labels[labelEnvs]),
		Env: map[string]string{}, Mounts: seen.Mounts, Labels: r.Labels,
	}
	for _, kv := range seen.Env {
		key, value, _ := strings.Cut(kv, "=")
		c.Env[key] = value
	}
	c.Ports = seen.Ports
	return c
}

func list(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}
