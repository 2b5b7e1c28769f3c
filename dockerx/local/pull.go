package local

import (
	"context"
	"fmt"
	"time"

	"belay/dockerx"
)

const pullTick = 100 * time.Millisecond

// layer is one part of an image as a registry serves it.
type layer struct {
	digest string
	size   int64
}

// layers cuts an image's size into parts. The first two are the same for all
// versions of a repository: a base that is there already when one of them is.
func (s ImageSpec) layers() []layer {
	base, app := s.Size*40/100, s.Size*35/100
	return []layer{
		{sum("base", s.Repo), base},
		{sum("runtime", s.Repo), s.Size * 20 / 100},
		{sum("app", s.Digest()), app},
		{sum("assets", s.Digest()), s.Size - base - s.Size*20/100 - app},
	}
}

// Pull copies an image from the engine's registry to this host at the speed of
// Options.PullRate. Nothing is on the host before all of it is.
func (e *Engine) Pull(ctx context.Context, ref string, on func(dockerx.PullProgress)) error {
	spec, ok := e.offered(ref)
	if !ok {
		return fmt.Errorf("pull %s: manifest unknown: %w", ref, dockerx.ErrNotFound)
	}
	if on == nil {
		on = func(dockerx.PullProgress) {}
	}
	have, err := e.localLayers()
	if err != nil {
		return err
	}
	var missing []layer
	for _, l := range spec.layers() {
		if have[l.digest] {
			on(dockerx.PullProgress{Layer: short(l), Phase: "exists", Current: l.size, Total: l.size})
			continue
		}
		on(dockerx.PullProgress{Layer: short(l), Phase: "waiting"})
		missing = append(missing, l)
	}
	for _, l := range missing {
		for _, phase := range []struct {
			name string
			rate int64
		}{{"downloading", e.o.PullRate}, {"extracting", 4 * e.o.PullRate}} {
			if err := move(ctx, l, phase.name, phase.rate, on); err != nil {
				return fmt.Errorf("pull %s: %w", ref, err)
			}
		}
		on(dockerx.PullProgress{Layer: short(l), Phase: "complete", Current: l.size, Total: l.size})
	}
	return e.changeImages(func(store *imageStore) error {
		store.add(spec)
		if name := parseRef(ref); name.digest == "" {
			store.Tags[name.tagged()] = spec.ImageID()
		}
		return nil
	})
}

// move reports one phase of one layer while its bytes would go by.
func move(ctx context.Context, l layer, phase string, rate int64, on func(dockerx.PullProgress)) error {
	report := func(n int64) {
		on(dockerx.PullProgress{Layer: short(l), Phase: phase, Current: n, Total: l.size})
	}
	if rate < 0 {
		report(l.size)
		return ctx.Err()
	}
	tick := time.NewTicker(pullTick)
	defer tick.Stop()
	for n := int64(0); n < l.size; {
		report(n)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		n += max(1, rate*int64(pullTick)/int64(time.Second))
	}
	report(l.size)
	return nil
}

// offered finds what the registry has for a reference.
func (e *Engine) offered(ref string) (ImageSpec, bool) {
	name := parseRef(ref)
	for _, spec := range e.o.Images {
		if normal(spec.Repo) != name.repo {
			continue
		}
		if name.digest != "" && spec.Digest() == name.digest {
			return spec, true
		}
		if name.digest == "" && name.tagged() == normal(spec.Repo)+":"+spec.Tag {
			return spec, true
		}
	}
	return ImageSpec{}, false
}

func (e *Engine) localLayers() (map[string]bool, error) {
	store, err := e.images()
	if err != nil {
		return nil, err
	}
	have := map[string]bool{}
	for _, file := range store.Images {
		for _, l := range file.Spec.layers() {
			have[l.digest] = true
		}
	}
	return have, nil
}

func short(l layer) string { return l.digest[len("sha256:") : len("sha256:")+12] }
