package dockerx

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
)

// StartContainer starts a container; one that runs already is no error.
func (e *Engine) StartContainer(ctx context.Context, id string) error {
	return wrap(e.api.ContainerStart(ctx, id, container.StartOptions{}), "start container %s", id)
}

// StopContainer asks the container to stop and kills it after timeout; zero
// leaves the time to the container's own setting. One that is stopped already is
// no error.
func (e *Engine) StopContainer(ctx context.Context, id string, timeout time.Duration) error {
	var options container.StopOptions
	if timeout > 0 {
		seconds := int(math.Ceil(timeout.Seconds()))
		options.Timeout = &seconds
	}
	return wrap(e.api.ContainerStop(ctx, id, options), "stop container %s", id)
}

// SetRestart changes the restart policy: "no" (or ""), "always",
// "unless-stopped", "on-failure" or "on-failure:TRIES".
func (e *Engine) SetRestart(ctx context.Context, id, policy string) error {
	p, err := parsePolicy(policy)
	if err != nil {
		return fmt.Errorf("restart policy %q of container %s: %w", policy, id, err)
	}
	ctx, cancel := context.WithTimeout(ctx, updateWithin)
	defer cancel()
	for {
		_, err = e.api.ContainerUpdate(ctx, id, container.UpdateConfig{RestartPolicy: p})
		if err == nil || !betweenLives(err) {
			return wrap(err, "restart policy %q of container %s", policy, id)
		}
		select {
		case <-ctx.Done():
			return wrap(err, "restart policy %q of container %s", policy, id)
		case <-time.After(updatePause):
		}
	}
}

// An engine refuses to update a container in the instant between the end of its
// process and its next start: a crash loop has many of those (measured on
// 20.10). The same call goes through a moment later.
const (
	updateWithin = 15 * time.Second
	updatePause  = 50 * time.Millisecond
)

func betweenLives(err error) bool {
	return strings.Contains(err.Error(), "cannot update a stopped container")
}

// RenameContainer gives a container another name.
func (e *Engine) RenameContainer(ctx context.Context, id, name string) error {
	return wrap(e.api.ContainerRename(ctx, id, name), "rename container %s to %s", id, name)
}

// RunScratch creates and starts an isolated container and returns its ID. It has
// no network and no ports, is never restarted, and runs the image with exactly
// this ID. Its labels must carry LabelRun, so that it can be removed again.
func (e *Engine) RunScratch(ctx context.Context, spec ScratchSpec) (string, error) {
	if spec.Labels[LabelRun] == "" {
		return "", fmt.Errorf("scratch container %s carries no label %s: %w", spec.Name, LabelRun, ErrNotOurs)
	}
	image, err := e.Image(ctx, spec.ImageID)
	if err != nil {
		return "", err
	}
	mounts := make([]mount.Mount, 0, len(spec.Mounts))
	for _, m := range spec.Mounts {
		one, err := e.toMount(ctx, m)
		if err != nil {
			return "", err
		}
		mounts = append(mounts, one)
	}
	created, err := e.api.ContainerCreate(ctx,
		&container.Config{Image: image.ID, Env: spec.Env, Labels: spec.Labels},
		&container.HostConfig{
			NetworkMode: "none", Mounts: mounts,
			RestartPolicy: container.RestartPolicy{Name: container.RestartPolicyDisabled},
		}, nil, nil, spec.Name)
	if err != nil {
		return "", wrap(err, "create scratch container %s", spec.Name)
	}
	if err := e.StartContainer(ctx, created.ID); err != nil {
		return "", errors.Join(err, e.removeOwn(ctx, created.ID))
	}
	return created.ID, nil
}

// toMount refuses a volume that is not there: the engine would make an empty one.
func (e *Engine) toMount(ctx context.Context, m Mount) (mount.Mount, error) {
	out := mount.Mount{Target: m.Target, ReadOnly: m.ReadOnly, Source: m.Name}
	switch m.Kind {
	case VolumeData:
		if _, err := e.Volume(ctx, m.Name); err != nil {
			return out, err
		}
		// Without NoCopy the engine fills an empty volume from the image and
		// changes its root's owner.
		out.Type, out.VolumeOptions = mount.TypeVolume, &mount.VolumeOptions{NoCopy: true}
	case BindData:
		out.Type = mount.TypeBind
	case TmpfsData:
		out.Type, out.Source = mount.TypeTmpfs, ""
	default:
		return out, fmt.Errorf("mount at %s: unknown kind of data %q", m.Target, m.Kind)
	}
	return out, nil
}

// RemoveContainer stops and removes a container that belay made, with the
// volumes that nobody named. One that is not there is ErrNotFound.
func (e *Engine) RemoveContainer(ctx context.Context, id string) error {
	c, err := e.Container(ctx, id)
	if err != nil {
		return err
	}
	if c.Labels[LabelRun] == "" {
		return fmt.Errorf("container %s carries no label %s: %w", c.Name, LabelRun, ErrNotOurs)
	}
	return e.removeOwn(ctx, c.ID)
}

// removeOwn removes a container that was just made or just looked at, and waits
// until it is gone: until then its volumes are in use. It works on when ctx has
// ended, because what was made must not stay.
func (e *Engine) removeOwn(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := e.api.ContainerRemove(ctx, id, container.RemoveOptions{Force: true, RemoveVolumes: true})
		if cerrdefs.IsNotFound(err) {
			return nil
		}
		if err != nil && !cerrdefs.IsConflict(err) { // a conflict: it is being removed already
			return wrap(err, "remove container %s", id)
		}
		select {
		case <-ctx.Done():
			return wrap(ctx.Err(), "remove container %s", id)
		case <-tick.C:
		}
	}
}
