package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"

	"belay/dockerx"
)

// volumeFile is volumes/NAME/volume.json; the data lies beside it in _data.
type volumeFile struct {
	Labels map[string]string `json:"labels"`
}

// Volumes lists all volumes with their apparent sizes.
func (e *Engine) Volumes(ctx context.Context) ([]dockerx.Volume, error) {
	entries, err := os.ReadDir(e.volumesDir())
	if err != nil {
		return nil, fmt.Errorf("list volumes: %w", err)
	}
	var out []dockerx.Volume
	for _, entry := range entries {
		v, err := e.Volume(ctx, entry.Name())
		if errors.Is(err, dockerx.ErrNotFound) {
			continue // being made or removed right now
		}
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// Sizes measures stores, those of them that it can read.
func (e *Engine) Sizes(ctx context.Context, stores []dockerx.Data) map[dockerx.Data]int64 {
	sizes := map[dockerx.Data]int64{}
	for _, d := range stores {
		dir := d.Name
		if d.Kind == dockerx.VolumeData {
			dir = filepath.Join(e.volumesDir(), d.Name, "_data")
		}
		if size := sizeOf(ctx, dir); size >= 0 {
			sizes[d] = size
		}
	}
	return sizes
}

// Volume finds a volume by its name.
func (e *Engine) Volume(ctx context.Context, name string) (dockerx.Volume, error) {
	if err := ctx.Err(); err != nil {
		return dockerx.Volume{}, err
	}
	file, err := e.loadVolume(name)
	if err != nil {
		return dockerx.Volume{}, err
	}
	dir := filepath.Join(e.volumesDir(), name, "_data")
	return dockerx.Volume{
		Name: name, Driver: "local", Mountpoint: dir, Labels: file.Labels, Size: sizeOf(ctx, dir),
	}, nil
}

// CreateVolume makes a volume of belay's own; one that exists already with the
// same labels is fine.
func (e *Engine) CreateVolume(ctx context.Context, spec dockerx.VolumeSpec) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if spec.Labels[dockerx.LabelRun] == "" {
		return fmt.Errorf("create volume %s without the label %s: %w", spec.Name, dockerx.LabelRun, dockerx.ErrNotOurs)
	}
	return e.change(func() error {
		file, err := e.loadVolume(spec.Name)
		if err == nil && !maps.Equal(file.Labels, spec.Labels) {
			return fmt.Errorf("create volume %s: it exists with other labels", spec.Name)
		}
		if err == nil {
			return nil
		}
		return e.makeVolume(spec.Name, spec.Labels)
	})
}

// RemoveVolume removes a volume that belay made and no container uses.
func (e *Engine) RemoveVolume(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return e.change(func() error {
		file, err := e.loadVolume(name)
		if err != nil {
			return err
		}
		if file.Labels[dockerx.LabelRun] == "" {
			return fmt.Errorf("remove volume %s: %w", name, dockerx.ErrNotOurs)
		}
		if err := e.unused(name); err != nil {
			return err
		}
		dir := filepath.Join(e.volumesDir(), name)
		if err := os.Remove(filepath.Join(dir, "volume.json")); err != nil {
			return fmt.Errorf("remove volume %s: %w", name, err)
		}
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("remove volume %s: %w", name, err)
		}
		return nil
	})
}

func (e *Engine) volumesDir() string { return filepath.Join(e.o.Dir, "volumes") }

func (e *Engine) loadVolume(name string) (volumeFile, error) {
	var file volumeFile
	if !validVolume(name) {
		return file, fmt.Errorf("volume %q: %w", name, dockerx.ErrNotFound)
	}
	err := readJSON(filepath.Join(e.volumesDir(), name, "volume.json"), &file)
	if errors.Is(err, fs.ErrNotExist) {
		return file, fmt.Errorf("volume %s: %w", name, dockerx.ErrNotFound)
	}
	if err != nil {
		return file, fmt.Errorf("volume: %w", err)
	}
	return file, nil
}

// makeVolume makes an empty volume. The caller holds the lock.
func (e *Engine) makeVolume(name string, labels map[string]string) error {
	if !validVolume(name) {
		return fmt.Errorf("volume name %q: only letters, digits, '_', '.' and '-'", name)
	}
	dir := filepath.Join(e.volumesDir(), name)
	if err := os.MkdirAll(filepath.Join(dir, "_data"), 0o755); err != nil {
		return fmt.Errorf("create volume %s: %w", name, err)
	}
	if err := writeJSON(filepath.Join(dir, "volume.json"), volumeFile{Labels: labels}); err != nil {
		return fmt.Errorf("create volume %s: %w", name, err)
	}
	return nil
}

func (e *Engine) unused(volume string) error {
	all, err := e.records()
	if err != nil {
		return err
	}
	for _, r := range all {
		for _, m := range r.Mounts {
			if m.Kind == dockerx.VolumeData && m.Name == volume {
				return fmt.Errorf("volume %s is in use by container %s", volume, r.Name)
			}
		}
	}
	return nil
}

// dataDir is where a store lies on this host.
func (e *Engine) dataDir(d dockerx.Data) (string, error) {
	switch d.Kind {
	case dockerx.VolumeData:
		if _, err := e.loadVolume(d.Name); err != nil {
			return "", err
		}
		return filepath.Join(e.volumesDir(), d.Name, "_data"), nil
	case dockerx.BindData:
		if _, err := os.Stat(d.Name); errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("%s: %w", d, dockerx.ErrNotFound)
		} else if err != nil {
			return "", fmt.Errorf("%s: %w", d, err)
		}
		return d.Name, nil
	case dockerx.TmpfsData:
	}
	return "", fmt.Errorf("%s holds nothing that lasts", d)
}

func validVolume(name string) bool {
	return regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]*$`).MatchString(name)
}

// sizeOf sums the apparent sizes below dir, -1 when it cannot be read.
func sizeOf(ctx context.Context, dir string) int64 {
	var sum int64
	err := filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // the service is working in there
		}
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() {
			sum += info.Size()
		}
		return nil
	})
	if err != nil {
		return -1
	}
	return sum
}
