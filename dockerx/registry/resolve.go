package registry

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"golang.org/x/sync/errgroup"
)

// Resolve reads what a reference ("ghcr.io/x/y:1.2", "postgres", "x/y@sha256:…")
// stands for on a platform in Go's spelling ("linux", "amd64"). Errors: ErrNoTag,
// ErrNoPlatform, ErrDenied, ErrUnreachable.
func (c *Client) Resolve(ctx context.Context, ref, os, arch string) (Remote, error) {
	reference, err := name.ParseReference(ref, c.naming(ref)...)
	if err != nil {
		return Remote{}, fmt.Errorf("%q is not an image reference: %w", ref, ErrNoTag)
	}
	out, err := c.resolve(ctx, reference, os, arch)
	if err != nil {
		return Remote{}, fmt.Errorf("%s: %w", ref, classify(ctx, err))
	}
	return out, nil
}

func (c *Client) resolve(ctx context.Context, ref name.Reference, os, arch string) (Remote, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	puller, err := c.puller()
	if err != nil {
		return Remote{}, err
	}
	found, err := puller.Get(ctx, ref)
	if err != nil {
		return Remote{}, err
	}
	image, err := forPlatform(found, os, arch)
	if err != nil {
		return Remote{}, err
	}
	return describe(found.Digest.String(), image, os, arch)
}

// forPlatform picks an image out of an index; a single manifest is taken as it is.
func forPlatform(found *remote.Descriptor, os, arch string) (v1.Image, error) {
	if !found.MediaType.IsIndex() {
		return found.Image()
	}
	index, err := found.ImageIndex()
	if err != nil {
		return nil, err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	var fitting []v1.Descriptor
	var offered []string
	for _, d := range manifest.Manifests {
		if d.Platform == nil || d.Platform.OS == "unknown" || d.MediaType.IsIndex() { // attestations
			continue
		}
		offered = append(offered, d.Platform.OS+"/"+d.Platform.Architecture)
		if d.Platform.OS == os && d.Platform.Architecture == arch {
			fitting = append(fitting, d)
		}
	}
	if len(fitting) == 0 {
		slices.Sort(offered)
		return nil, fmt.Errorf("%w %s/%s, but for %s", ErrNoPlatform, os, arch, strings.Join(slices.Compact(offered), ", "))
	}
	best := slices.MaxFunc(fitting, func(a, b v1.Descriptor) int { return variant(arch, a) - variant(arch, b) })
	return index.Image(best.Digest)
}

// variant prefers what runs on most hosts of an architecture: the engine does not
// say which variant it has, and its own choice is made again when it pulls.
func variant(arch string, d v1.Descriptor) int {
	switch v := d.Platform.Variant; {
	case arch == "amd64" && (v == "" || v == "v1"), arch == "arm64" && (v == "" || v == "v8"), arch == "arm" && v == "v7":
		return 2
	case v == "", arch == "arm" && v == "v6":
		return 1
	default:
		return 0
	}
}

func describe(digest string, image v1.Image, os, arch string) (Remote, error) {
	manifest, err := image.Manifest()
	if err != nil {
		return Remote{}, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return Remote{}, err
	}
	if config.OS != "" && config.OS != os || config.Architecture != "" && config.Architecture != arch {
		return Remote{}, fmt.Errorf("%w %s/%s, but for %s/%s", ErrNoPlatform, os, arch, config.OS, config.Architecture)
	}
	platform, err := image.Digest()
	if err != nil {
		return Remote{}, err
	}
	out := Remote{Digest: digest, PlatformDigest: platform.String(), Labels: config.Config.Labels, Created: config.Created.Time}
	for _, layer := range manifest.Layers {
		out.Size += max(layer.Size, 0)
	}
	return out, nil
}

// MatchDigest finds which of tags stands for a digest, to tell which version a
// moving tag is. At most the first 20 tags are asked, so give the newest first;
// the first that matches wins. ok is false when none does.
func (c *Client) MatchDigest(ctx context.Context, repo, digest string, tags []string) (tag string, ok bool, err error) {
	repository, err := name.NewRepository(repo, c.naming(repo)...)
	if err != nil {
		return "", false, fmt.Errorf("%q is not a repository: %w", repo, ErrNoTag)
	}
	tags = tags[:min(len(tags), maxHeads)]
	digests, err := c.heads(ctx, repository, tags)
	if err != nil {
		return "", false, fmt.Errorf("digests of %s: %w", repo, classify(ctx, err))
	}
	if i := slices.Index(digests, digest); i >= 0 && digest != "" {
		return tags[i], true, nil
	}
	return "", false, nil
}

// heads asks for the digests of tags; a tag that is gone has "".
func (c *Client) heads(ctx context.Context, repository name.Repository, tags []string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	puller, err := c.puller()
	if err != nil {
		return nil, err
	}
	digests := make([]string, len(tags))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4) // polite: registries count
	for i, tag := range tags {
		group.Go(func() error {
			head, err := puller.Head(ctx, repository.Tag(tag))
			if err == nil {
				digests[i] = head.Digest.String()
				return nil
			}
			if err = classify(ctx, err); isGone(err) {
				return nil
			}
			return err
		})
	}
	return digests, group.Wait()
}
