package local

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"belay/dockerx"
)

// ImageSpec is one version of the demo application that the engine's registry
// offers. Its digests follow from all of its fields but Local.
type ImageSpec struct {
	Repo    string // "demo.belay.example/tidepool"
	Tag     string
	Labels  map[string]string
	Env     []string // baked in: the version, the way it fails
	Volumes []string // VOLUME targets
	Size    int64    // compressed
	Created time.Time
	Local   bool // on this host from the beginning, without a pull
}

// ImageID is the digest of the image's configuration: dockerx.Image.ID.
func (s ImageSpec) ImageID() string { return s.digest("config") }

// Digest is the digest of the image's manifest: what a registry tells.
func (s ImageSpec) Digest() string { return s.digest("manifest") }

func (s ImageSpec) digest(kind string) string {
	s.Local = false
	b, err := json.Marshal(s) // maps are written in order
	if err != nil {
		panic("an image spec is plain data: " + err.Error())
	}
	return sum(kind, string(b))
}

func sum(parts ...string) string {
	h := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return "sha256:" + hex.EncodeToString(h[:])
}

// imageStore is images.json: what is on this host.
type imageStore struct {
	Images map[string]imageFile `json:"images"` // by ID
	Tags   map[string]string    `json:"tags"`   // repo:tag → ID
}

type imageFile struct {
	Spec    ImageSpec `json:"spec"`
	Digests []string  `json:"digests"` // repo@sha256:…
}

// Image finds a local image by ID, tag or digest.
func (e *Engine) Image(ctx context.Context, ref string) (dockerx.Image, error) {
	if err := ctx.Err(); err != nil {
		return dockerx.Image{}, err
	}
	store, err := e.images()
	if err != nil {
		return dockerx.Image{}, err
	}
	id, err := store.find(ref)
	if err != nil {
		return dockerx.Image{}, err
	}
	return store.image(id), nil
}

// TagImage gives a local image another tag, taking it from whatever had it.
func (e *Engine) TagImage(ctx context.Context, id, ref string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	name := parseRef(ref)
	if name.digest != "" {
		return fmt.Errorf("tag %s: a tag cannot hold a digest", ref)
	}
	return e.changeImages(func(store *imageStore) error {
		have, err := store.find(id)
		if err != nil {
			return err
		}
		store.Tags[name.tagged()] = have
		return nil
	})
}

// UntagImage takes back a tag of belay's own. The image stays.
func (e *Engine) UntagImage(ctx context.Context, ref string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !strings.HasPrefix(ref, dockerx.HoldPrefix) {
		return fmt.Errorf("untag %s: %w", ref, dockerx.ErrNotOurs)
	}
	return e.changeImages(func(store *imageStore) error {
		name := parseRef(ref).tagged()
		if _, ok := store.Tags[name]; !ok {
			return fmt.Errorf("image %s: %w", ref, dockerx.ErrNotFound)
		}
		delete(store.Tags, name)
		return nil
	})
}

// stockImages puts the images that need no pull into a new store. The caller
// holds the lock.
func (e *Engine) stockImages() error {
	store, err := e.images()
	if err != nil || len(store.Images) > 0 {
		return err
	}
	for _, spec := range e.o.Images {
		if spec.Local {
			store.add(spec)
			store.Tags[normal(spec.Repo)+":"+spec.Tag] = spec.ImageID()
		}
	}
	return writeJSON(e.imagesFile(), store)
}

func (e *Engine) imagesFile() string { return filepath.Join(e.o.Dir, "images.json") }

func (e *Engine) images() (*imageStore, error) {
	store := &imageStore{}
	err := readJSON(e.imagesFile(), store)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("images: %w", err)
	}
	if store.Images == nil {
		store.Images = map[string]imageFile{}
	}
	if store.Tags == nil {
		store.Tags = map[string]string{}
	}
	return store, nil
}

func (e *Engine) changeImages(do func(*imageStore) error) error {
	return e.change(func() error {
		store, err := e.images()
		if err != nil {
			return err
		}
		if err := do(store); err != nil {
			return err
		}
		return writeJSON(e.imagesFile(), store)
	})
}

func (s *imageStore) add(spec ImageSpec) {
	file := s.Images[spec.ImageID()]
	file.Spec = spec
	digest := normal(spec.Repo) + "@" + spec.Digest()
	if !slices.Contains(file.Digests, digest) {
		file.Digests = append(file.Digests, digest)
	}
	s.Images[spec.ImageID()] = file
}

func (s *imageStore) find(ref string) (string, error) {
	if _, ok := s.Images[ref]; ok {
		return ref, nil
	}
	name := parseRef(ref)
	if name.digest == "" {
		if id, ok := s.Tags[name.tagged()]; ok {
			return id, nil
		}
		return "", fmt.Errorf("image %s: %w", ref, dockerx.ErrNotFound)
	}
	for id, file := range s.Images {
		if slices.Contains(file.Digests, name.repo+"@"+name.digest) {
			return id, nil
		}
	}
	return "", fmt.Errorf("image %s: %w", ref, dockerx.ErrNotFound)
}

func (s *imageStore) image(id string) dockerx.Image {
	file := s.Images[id]
	img := dockerx.Image{
		ID: id, Digests: file.Digests, Labels: maps.Clone(file.Spec.Labels), Size: file.Spec.Size * 5 / 2,
		OS: runtime.GOOS, Arch: runtime.GOARCH, Env: file.Spec.Env, Volumes: file.Spec.Volumes, Created: file.Spec.Created,
	}
	for _, tag := range slices.Sorted(maps.Keys(s.Tags)) {
		if s.Tags[tag] == id {
			img.Tags = append(img.Tags, tag)
		}
	}
	return img
}

// reference is an image reference in parts.
type reference struct{ repo, tag, digest string }

func parseRef(ref string) reference {
	var r reference
	ref, r.digest, _ = strings.Cut(ref, "@")
	if colon := strings.LastIndexByte(ref, ':'); colon > strings.LastIndexByte(ref, '/') {
		ref, r.tag = ref[:colon], ref[colon+1:]
	}
	r.repo = normal(ref)
	return r
}

func (r reference) tagged() string {
	if r.tag == "" {
		return r.repo + ":latest"
	}
	return r.repo + ":" + r.tag
}

// normal shortens a repository the way engines show it.
func normal(repo string) string {
	return strings.TrimPrefix(strings.TrimPrefix(repo, "docker.io/"), "library/")
}
