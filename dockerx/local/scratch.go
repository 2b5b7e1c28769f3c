package local

import (
	"context"
	"fmt"
	"maps"

	"belay/dockerx"
)

// RunScratch starts an isolated container of belay's own: the image's service
// on the given data, without any port.
func (e *Engine) RunScratch(ctx context.Context, spec dockerx.ScratchSpec) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if spec.Labels[dockerx.LabelRun] == "" {
		return "", fmt.Errorf("scratch container %s without the label %s: %w", spec.Name, dockerx.LabelRun, dockerx.ErrNotOurs)
	}
	img, err := e.Image(ctx, spec.ImageID)
	if err != nil {
		return "", err
	}
	r := &record{
		Name: spec.Name, Image: spec.ImageID, ImageID: img.ID, Env: mergeEnv(img.Env, spec.Env),
		Mounts: spec.Mounts, Labels: maps.Clone(spec.Labels), Restart: "no", Mode: asScratch,
	}
	err = e.change(func() error {
		if err := e.enter(r); err != nil {
			return err
		}
		return e.startOrErase(r)
	})
	if err != nil {
		return "", fmt.Errorf("scratch container %s: %w", spec.Name, err)
	}
	return r.ID, nil
}

// startOrErase leaves nothing behind when a new container cannot be started.
// The caller holds the lock.
func (e *Engine) startOrErase(r *record) error {
	err := e.start(r)
	if err == nil {
		return nil
	}
	if eraseErr := e.erase(r); eraseErr != nil {
		return fmt.Errorf("%w (and then: %w)", err, eraseErr)
	}
	return err
}
