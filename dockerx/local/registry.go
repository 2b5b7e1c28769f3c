package local

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"belay/dockerx/registry"
)

// Tags lists what the engine's registry has of a repository.
func (e *Engine) Tags(ctx context.Context, repo string) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var tags []string
	for _, spec := range e.o.Images {
		if normal(spec.Repo) == normal(repo) {
			tags = append(tags, spec.Tag)
		}
	}
	if tags == nil {
		return nil, fmt.Errorf("repository %s: %w", repo, registry.ErrNoTag)
	}
	slices.Sort(tags)
	return tags, nil
}

// Resolve asks the engine's registry what a reference stands for. Its images
// are for every platform.
func (e *Engine) Resolve(ctx context.Context, ref, _, _ string) (registry.Remote, error) {
	if err := ctx.Err(); err != nil {
		return registry.Remote{}, err
	}
	spec, ok := e.offered(ref)
	if !ok {
		return registry.Remote{}, fmt.Errorf("image %s: %w", ref, registry.ErrNoTag)
	}
	return registry.Remote{
		Digest: spec.Digest(), PlatformDigest: spec.Digest(), Size: spec.Size,
		Labels: maps.Clone(spec.Labels), Created: spec.Created,
	}, nil
}
