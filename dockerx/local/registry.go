package local

import (
	"context"
	"fmt"

	"belay/dockerx/registry"
)

// Tags lists what the engine's registry offers of a repository.
// registry.ErrNoTag for a repository it does not know.
func (e *Engine) Tags(ctx context.Context, repo string) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var tags []string
	for _, spec := range e.o.Images {
		if normal(spec.Repo) == parseRef(repo).repo {
			tags = append(tags, spec.Tag)
		}
	}
	if len(tags) == 0 {
		return nil, fmt.Errorf("%s: %w", repo, registry.ErrNoTag)
	}
	return tags, nil
}

// Resolve says what a reference stands for in the engine's registry. The demo's
// images run wherever belay runs, so the platform is not looked at.
func (e *Engine) Resolve(ctx context.Context, ref, _, _ string) (registry.Remote, error) {
	if err := ctx.Err(); err != nil {
		return registry.Remote{}, err
	}
	spec, ok := e.offered(ref)
	if !ok {
		return registry.Remote{}, fmt.Errorf("%s: %w", ref, registry.ErrNoTag)
	}
	return registry.Remote{
		Digest: spec.Digest(), PlatformDigest: spec.Digest(), Size: spec.Size, Labels: spec.Labels, Created: spec.Created,
	}, nil
}
