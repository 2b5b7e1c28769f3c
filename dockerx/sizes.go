package dockerx

import (
	"context"
	"io/fs"
	"path/filepath"

	"github.com/docker/docker/api/types"
)

// Sizes measures stores: the bytes of their files, sparse ones counted whole. It
// gives what it could find out before ctx ended; a store that is not in the
// answer is not known. On the engine's own host the files are walked, for the
// engine itself walks every volume it has, and every image too before API 1.42.
func (e *Engine) Sizes(ctx context.Context, stores []Data) map[Data]int64 {
	sizes := map[Data]int64{}
	info, err := e.Info(ctx)
	if err != nil {
		return sizes
	}
	unknown := false
	for _, d := range stores {
		size, ok := int64(0), false
		if info.Local {
			size, ok = treeSize(ctx, e.path(ctx, d))
		}
		if ok {
			sizes[d] = size
		} else if d.Kind == VolumeData {
			unknown = true
		}
	}
	if unknown {
		e.askSizes(ctx, stores, sizes)
	}
	return sizes
}

// path is where a store lies on the engine's host, "" when nobody can tell.
func (e *Engine) path(ctx context.Context, d Data) string {
	if d.Kind == BindData {
		return d.Name
	}
	v, err := e.Volume(ctx, d.Name)
	if err != nil {
		return ""
	}
	return v.Mountpoint
}

// treeSize walks a directory; it does not know the size of one it may not read.
func treeSize(ctx context.Context, dir string) (int64, bool) {
	if dir == "" {
		return 0, false
	}
	var size int64
	err := filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return nil //nolint:nilerr // it went away while we looked: no size, no harm
		}
		size += info.Size()
		return nil
	})
	return size, err == nil
}

// askSizes fills in what the engine says of volumes that could not be walked.
func (e *Engine) askSizes(ctx context.Context, stores []Data, sizes map[Data]int64) {
	usage, err := e.api.DiskUsage(ctx, types.DiskUsageOptions{Types: []types.DiskUsageObject{types.VolumeObject}})
	if err != nil {
		return
	}
	for _, v := range usage.Volumes {
		if v == nil || v.UsageData == nil || v.UsageData.Size < 0 {
			continue
		}
		for _, d := range stores {
			if d.Kind == VolumeData && d.Name == v.Name {
				sizes[d] = v.UsageData.Size
			}
		}
	}
}
