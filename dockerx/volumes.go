package dockerx

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/docker/docker/api/types/volume"
)

// Volumes lists all volumes by name. Their sizes are not asked for: see Sizes.
func (e *Engine) Volumes(ctx context.Context) ([]Volume, error) {
	list, err := e.api.VolumeList(ctx, volume.ListOptions{})
	if err != nil {
		return nil, wrap(err, "list volumes")
	}
	out := make([]Volume, 0, len(list.Volumes))
	for _, v := range list.Volumes {
		out = append(out, toVolume(*v))
	}
	slices.SortFunc(out, func(a, b Volume) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}

// Volume looks up one volume. Its size is not asked for.
func (e *Engine) Volume(ctx context.Context, name string) (Volume, error) {
	v, err := e.api.VolumeInspect(ctx, name)
	if err != nil {
		return Volume{}, wrap(err, "volume %s", name)
	}
	return toVolume(v), nil
}

// CreateVolume makes a local volume. The engine takes a second creation for the
// same volume, so a name that is taken is an error here.
func (e *Engine) CreateVolume(ctx context.Context, spec VolumeSpec) error {
	if spec.Labels[LabelRun] == "" {
		return fmt.Errorf("volume %s carries no label %s: %w", spec.Name, LabelRun, ErrNotOurs)
	}
	if _, err := e.Volume(ctx, spec.Name); err == nil {
		return fmt.Errorf("volume %s exists already", spec.Name)
	} else if !isNotFound(err) {
		return err
	}
	_, err := e.api.VolumeCreate(ctx, volume.CreateOptions{Name: spec.Name, Labels: spec.Labels})
	return wrap(err, "create volume %s", spec.Name)
}

// RemoveVolume removes a volume that belay made. One that is not there is
// ErrNotFound.
func (e *Engine) RemoveVolume(ctx context.Context, name string) error {
	v, err := e.Volume(ctx, name)
	if err != nil {
		return err
	}
	if v.Labels[LabelRun] == "" {
		return fmt.Errorf("volume %s carries no label %s: %w", name, LabelRun, ErrNotOurs)
	}
	return wrap(e.api.VolumeRemove(ctx, name, false), "remove volume %s", name)
}

func toVolume(v volume.Volume) Volume {
	return Volume{
		Name: v.Name, Driver: v.Driver, Mountpoint: v.Mountpoint,
		Labels: maps.Clone(v.Labels), Options: maps.Clone(v.Options), Size: -1,
	}
}

func isNotFound(err error) bool { return errors.Is(err, ErrNotFound) }
