package dockerx

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/image"
)

// Image looks up a local image by ID, tag or digest reference.
func (e *Engine) Image(ctx context.Context, ref string) (Image, error) {
	i, err := e.api.ImageInspect(ctx, ref)
	if err != nil {
		return Image{}, wrap(err, "image %s", ref)
	}
	out := Image{
		ID: i.ID, Size: i.Size, OS: i.Os, Arch: i.Architecture, Created: parseTime(i.Created),
		Tags:    slices.DeleteFunc(slices.Clone(i.RepoTags), isNone),
		Digests: slices.DeleteFunc(slices.Clone(i.RepoDigests), isNone),
	}
	if i.Config != nil {
		out.Labels, out.Env = maps.Clone(i.Config.Labels), slices.Clone(i.Config.Env)
		out.Volumes = slices.Sorted(maps.Keys(i.Config.Volumes))
	}
	return out, nil
}

// isNone: older engines write "<none>:<none>" for an image without a name.
func isNone(ref string) bool { return strings.HasPrefix(ref, "<none>") }

// TagImage gives the image with this ID one more name.
func (e *Engine) TagImage(ctx context.Context, id, ref string) error {
	return wrap(e.api.ImageTag(ctx, id, ref), "tag image %s as %s", id, ref)
}

// UntagImage takes away one of belay's own names (under HoldPrefix) from an
// image; others are ErrNotOurs. If it was the image's last name and no container
// uses the image, the engine deletes it: that is what the hold prevented. A name
// that is not there is ErrNotFound.
func (e *Engine) UntagImage(ctx context.Context, ref string) error {
	if !strings.HasPrefix(ref, HoldPrefix) {
		return fmt.Errorf("image name %s: %w", ref, ErrNotOurs)
	}
	_, err := e.api.ImageRemove(ctx, ref, image.RemoveOptions{})
	return wrap(err, "untag image %s", ref)
}
