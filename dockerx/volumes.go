package dockerx

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/volume"
)

// sizeTimeout bounds how long the engine may measure volumes: it walks all of
// them, and a photo library has millions of files.
const sizeTimeout = 10 * time.Second

// Volumes lists all volumes by name. Sizes are -1 where the engine does not know
// them or takes more than ten seconds to find out.
func (e *Engine) Volumes(ctx context.Context) ([]Volume, error) {
	list, err := e.api.VolumeList(ctx, volume.ListOptions{})
	if err != nil {
		return nil, wrap(err, "list volumes")
	}
	sizes, err := e.volumeSizes(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Volume, 0, len(list.Volumes))
	for _, v := range list.Volumes {
		one := toVolume(*v)
		if size, ok := sizes[v.Name]; ok {
			one.Size = size
		}
		out = append(out, one)
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

func (e *Engine) volumeSizes(ctx context.Context) (map[string]int64, error) {
	limited, cancel := context.WithTimeout(ctx, sizeTimeout)
	defer cancel()
	usage, err := e.api.DiskUsage(limited, types.DiskUsageOptions{Types: []types.DiskUsageObject{types.VolumeObject}})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	sizes := map[string]int64{}
	if err != nil {
		return sizes, nil // a size is a convenience; its absence is visible as -1
	}
	for _, v := range usage.Volumes {
		if v.UsageData != nil && v.UsageData.Size >= 0 {
			sizes[v.Name] = v.UsageData.Size
		}
	}
	return sizes, nil
}

func toVolume(v volume.Volume) Volume {
	return Volume{
		Name: v.Name, Driver: v.Driver, Mountpoint: v.Mountpoint,
		Labels: maps.Clone(v.Labels), Options: maps.Clone(v.Options), Size: -1,
	}
}

func isNotFound(err error) bool { return errors.Is(err, ErrNotFound) }
