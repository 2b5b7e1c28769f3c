package backuptest

import (
	"bytes"
	"context"
	"os"
	"slices"
	"time"

	"belay/dockerx"
	"belay/dockerx/compose"
)

// Compose plays compose on the world: what it starts has the image that the
// .env file names at that moment.
type Compose struct {
	World *World
	// Start is called with the engine locked when a service has come up.
	Start func(service string)
	Err   error
}

// Up starts services from the image their reference names.
func (c *Compose) Up(_ context.Context, _ *compose.Project, spec compose.UpSpec, _ func(string)) error {
	if c.Err != nil {
		return c.Err
	}
	env, err := os.ReadFile(c.World.Env)
	if err != nil {
		return err
	}
	ref := "shop:1"
	if bytes.Contains(env, []byte("TAG=2")) {
		ref = "shop:2"
	}
	e := c.World.Engine
	e.With(func() {
		for i := range e.Boxes {
			b := &e.Boxes[i]
			if !slices.Contains(spec.Services, b.Service) {
				continue
			}
			if b.Service == "app" {
				b.Image, b.ImageID = ref, e.Tags[ref]
			}
			b.State, b.RestartPolicy = dockerx.Running, "always"
			err = e.call("Up", b.Service)
			if c.Start != nil {
				c.Start(b.Service)
			}
		}
	})
	return err
}

// Stop stops services.
func (c *Compose) Stop(_ context.Context, _ *compose.Project, services []string, _ time.Duration, _ func(string)) error {
	e := c.World.Engine
	var err error
	e.With(func() {
		for i := range e.Boxes {
			if slices.Contains(services, e.Boxes[i].Service) {
				e.Boxes[i].State = dockerx.Exited
				err = e.call("Stop", e.Boxes[i].Service)
			}
		}
	})
	return err
}

// Model is the project, which this compose does not need.
func (c *Compose) Model(context.Context) (*compose.Project, error) {
	return &compose.Project{Name: "shop"}, nil
}
