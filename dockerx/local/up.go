package local

import (
	"context"
	"fmt"
	"slices"

	"belay/dockerx"
	"belay/dockerx/compose"
)

// Up brings services to what their files say, all without names. It starts what
// is stopped and recreates a container only when its configuration or image
// changed; data of volumes, also of those without a name, goes over. Images that
// are not on this host are an error; other services are never touched.
func (e *Engine) Up(ctx context.Context, p *compose.Project, spec compose.UpSpec, on func(string)) error {
	order, err := inOrder(p, spec.Services, !spec.NoDeps)
	if err != nil {
		return err
	}
	for _, s := range order {
		if err := e.upService(ctx, p, s, on); err != nil {
			return fmt.Errorf("up: %w", err)
		}
	}
	return nil
}

func (e *Engine) upService(ctx context.Context, p *compose.Project, s compose.Service, on func(string)) error {
	r, err := e.newRecord(ctx, p, s)
	if err != nil {
		return err
	}
	have, err := e.ofService(ctx, p.Name, s.Name)
	if err != nil {
		return err
	}
	same := slices.IndexFunc(have, func(c dockerx.Container) bool {
		return c.ConfigHash == configHash(s) && c.ImageID == r.ImageID
	})
	if same < 0 {
		return e.recreate(ctx, p, r, have, on)
	}
	for i, c := range have {
		if i == same {
			continue
		}
		// Left by an `up` that was cut short.
		if err := e.remove(ctx, c.ID, c.StopTimeout); err != nil {
			return err
		}
	}
	if err := e.awaitStop(ctx, have[same].ID); err != nil {
		return err
	}
	c, err := e.Container(ctx, have[same].ID)
	if err != nil {
		return err
	}
	if c.State == dockerx.Running || c.State == dockerx.Restarting {
		say(on, "Container %s  Running", c.Name)
		return nil
	}
	return e.launch(ctx, c.ID, c.Name, on)
}

// recreate makes the new container under a temporary name, takes the old ones
// away, and gives it its right name: what is left when this is cut short is what
// the real compose leaves.
func (e *Engine) recreate(ctx context.Context, p *compose.Project, r *record, old []dockerx.Container, on func(string)) error {
	name, verb := r.Name, "Create"
	if len(old) > 0 {
		r.Name, verb = old[0].ID[:12]+"_"+name, "Recreate"
		inherit(r, old[0])
	}
	say(on, "Container %s  %s", name, verb)
	err := e.change(func() error {
		if err := e.makeVolumes(p, r); err != nil {
			return err
		}
		return e.enter(r)
	})
	if err != nil {
		return err
	}
	for _, c := range old {
		if err := e.remove(ctx, c.ID, c.StopTimeout); err != nil {
			return err
		}
	}
	if r.Name != name {
		if err := e.RenameContainer(ctx, r.ID, name); err != nil {
			return err
		}
	}
	say(on, "Container %s  %sd", name, verb)
	return e.launch(ctx, r.ID, name, on)
}

// inherit takes over the volumes without a name.
func inherit(r *record, old dockerx.Container) {
	for i, m := range r.Mounts {
		if !m.Anonymous {
			continue
		}
		for _, had := range old.Mounts {
			if had.Anonymous && had.Target == m.Target {
				r.Mounts[i].Name = had.Name
			}
		}
	}
}

func (e *Engine) launch(ctx context.Context, id, name string, on func(string)) error {
	say(on, "Container %s  Starting", name)
	if err := e.StartContainer(ctx, id); err != nil {
		return err
	}
	say(on, "Container %s  Started", name)
	return nil
}
