package local

import (
	"context"
	"fmt"
	"io"

	"belay/dockerx"
	"belay/dockerx/tree"
)

// SaveTree writes one archive of a store.
func (e *Engine) SaveTree(ctx context.Context, d dockerx.Data, w io.Writer, on func(bytes int64)) (tree.Summary, error) {
	dir, err := e.dataDir(d)
	if err != nil {
		return tree.Summary{}, err
	}
	s, err := tree.Save(ctx, dir, w, on)
	if err != nil {
		return s, fmt.Errorf("save %s: %w", d, err)
	}
	return s, nil
}

// LoadTree empties a store and fills it from an archive.
func (e *Engine) LoadTree(ctx context.Context, d dockerx.Data, r io.Reader, on func(bytes int64)) (tree.Summary, error) {
	dir, err := e.dataDir(d)
	if err != nil {
		return tree.Summary{}, err
	}
	s, err := tree.Load(ctx, dir, r, on)
	if err != nil {
		return s, fmt.Errorf("load %s: %w", d, err)
	}
	return s, nil
}

// ScanTree sums up a store and counts the rows of the named SQLite files in it.
func (e *Engine) ScanTree(ctx context.Context, d dockerx.Data, sqlite []string) (tree.Summary, error) {
	dir, err := e.dataDir(d)
	if err != nil {
		return tree.Summary{}, err
	}
	s, err := tree.Scan(ctx, dir, sqlite)
	if err != nil {
		return s, fmt.Errorf("scan %s: %w", d, err)
	}
	return s, nil
}
