package stack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"belay/dockerx"
	"belay/dockerx/compose"
	"belay/steps/recipe"
)

// sizesWithin bounds the wait for sizes when a person waits for a screen: a photo
// library has millions of files to walk.
const sizesWithin = 300 * time.Millisecond

// facts are what was seen of an installation. Everything after look only
// thinks.
type facts struct {
	Deps
	fit        recipe.Recipe // Recipe without the services this project lacks
	info       dockerx.EngineInfo
	containers map[string]*dockerx.Container // by service: the one that counts
	orphans    []string                      // services with containers and no entry in the files
	images     map[string]dockerx.Image      // by service
	volumes    map[string]dockerx.Volume
	hashes     map[string]string
	warnings   []string
}

func look(ctx context.Context, d Deps) (*facts, error) {
	f := &facts{Deps: d, images: map[string]dockerx.Image{}, volumes: map[string]dockerx.Volume{}}
	f.Model = inFileOrder(d.Model)
	names := make([]string, 0, len(d.Model.Services))
	for _, m := range d.Model.Services {
		names = append(names, m.Name)
	}
	f.fit = recipe.Fit(d.Recipe, names)

	// Volumes and hashes are slow and can be done without: they run beside
	// everything else and their failures are only said.
	g, gctx := errgroup.WithContext(ctx)
	var volumesErr, hashesErr error
	g.Go(func() error { volumesErr = f.lookVolumes(gctx); return nil })
	g.Go(func() error { hashesErr = f.lookHashes(gctx); return nil })
	g.Go(func() error { return f.lookInfo(gctx) })
	g.Go(func() error {
		if err := f.lookContainers(gctx, names); err != nil {
			return err
		}
		return f.lookImages(gctx)
	})
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("inspect %s: %w", d.Model.Name, err)
	}
	if volumesErr != nil {
		f.warn("The engine does not list its volumes (%v).", volumesErr)
	}
	if hashesErr != nil {
		f.warn("Belay cannot tell whether the files still match what runs (%v).", hashesErr)
	}
	return f, nil
}

func (f *facts) lookInfo(ctx context.Context) error {
	info, err := f.Engine.Info(ctx)
	if err != nil {
		return fmt.Errorf("ask the engine about itself: %w", err)
	}
	f.info = info
	return nil
}

func (f *facts) lookVolumes(ctx context.Context) error {
	volumes, err := f.Engine.Volumes(ctx)
	if err != nil {
		return fmt.Errorf("list volumes: %w", err)
	}
	for _, v := range volumes {
		f.volumes[v.Name] = v
	}
	return nil
}

func (f *facts) lookHashes(ctx context.Context) error {
	if f.Hashes == nil {
		return nil
	}
	hashes, err := f.Hashes(ctx)
	f.hashes = hashes
	return err
}

func (f *facts) lookContainers(ctx context.Context, names []string) error {
	all, err := f.Engine.Containers(ctx, f.Model.Name)
	if err != nil {
		return fmt.Errorf("list the containers of %s: %w", f.Model.Name, err)
	}
	f.containers = map[string]*dockerx.Container{}
	for i := range all {
		c := &all[i]
		if c.OneOff || c.Service == "" {
			continue
		}
		if !slices.Contains(names, c.Service) {
			if !slices.Contains(f.orphans, c.Service) {
				f.orphans = append(f.orphans, c.Service)
			}
			continue
		}
		if counts(c, f.containers[c.Service]) {
			f.containers[c.Service] = c
		}
	}
	return nil
}

// counts says whether c stands for its service rather than old. A recreation
// that was cut short leaves two containers with one number: the one that runs
// counts, then the younger.
func counts(c, old *dockerx.Container) bool {
	switch {
	case old == nil:
		return true
	case (c.State == dockerx.Running) != (old.State == dockerx.Running):
		return c.State == dockerx.Running
	case c.Number != old.Number:
		return c.Number < old.Number
	default:
		return c.CreatedAt.After(old.CreatedAt)
	}
}

// lookImages reads every image once, however many services run it.
func (f *facts) lookImages(ctx context.Context) error {
	wanted := map[string][]string{}
	for _, m := range f.Model.Services {
		if ref := f.imageRef(m); ref != "" {
			wanted[ref] = append(wanted[ref], m.Name)
		}
	}
	var mu sync.Mutex
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(8)
	for ref, services := range wanted {
		g.Go(func() error {
			image, err := f.Engine.Image(ctx, ref)
			if errors.Is(err, dockerx.ErrNotFound) {
				return nil // not pulled, or removed under a container: the tag must do
			}
			if err != nil {
				return fmt.Errorf("look at image %s: %w", ref, err)
			}
			mu.Lock()
			defer mu.Unlock()
			for _, service := range services {
				f.images[service] = image
			}
			return nil
		})
	}
	return g.Wait()
}

func (f *facts) imageRef(m compose.Service) string {
	if c := f.containers[m.Name]; c != nil && c.ImageID != "" {
		return c.ImageID
	}
	return m.Image
}

func (f *facts) warn(format string, args ...any) {
	f.warnings = append(f.warnings, fmt.Sprintf(format, args...))
}

// inFileOrder is the model with its services as people wrote them: a loaded
// model has them by name. The caller's own stays as it is.
func inFileOrder(p *compose.Project) *compose.Project {
	file := func(m compose.Service) int {
		if i := slices.Index(p.Files, m.Place.File); i >= 0 {
			return i
		}
		return len(p.Files)
	}
	ordered := *p
	ordered.Services = slices.Clone(p.Services)
	slices.SortStableFunc(ordered.Services, func(a, b compose.Service) int {
		return cmp.Or(cmp.Compare(file(a), file(b)), strings.Compare(a.Place.File, b.Place.File), cmp.Compare(a.Place.Line, b.Place.Line))
	})
	return &ordered
}

// model finds a service of the files.
func (f *facts) model(name string) compose.Service {
	for _, m := range f.Model.Services {
		if m.Name == name {
			return m
		}
	}
	return compose.Service{Name: name}
}

// env is what a service sees: of its container, else of the files and the image.
func (f *facts) env(name string) map[string]string {
	if c := f.containers[name]; c != nil && c.Env != nil {
		return c.Env
	}
	env := pairs(f.images[name].Env)
	for k, v := range f.model(name).Environment {
		env[k] = v
	}
	return env
}
