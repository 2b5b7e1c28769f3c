package stack

import (
	"context"
	"io/fs"
	"maps"
	"strconv"
	"sync"
	"testing"
	"time"

	"belay/dockerx"
	"belay/dockerx/compose"
)

// fake is an engine in memory. It counts how often each image is looked at.
type fake struct {
	info       dockerx.EngineInfo
	containers []dockerx.Container
	images     map[string]dockerx.Image
	volumes    []dockerx.Volume
	volumesErr error

	mu    sync.Mutex
	asked map[string]int
}

func (f *fake) Info(context.Context) (dockerx.EngineInfo, error) { return f.info, nil }

func (f *fake) Containers(_ context.Context, project string) ([]dockerx.Container, error) {
	var out []dockerx.Container
	for _, c := range f.containers {
		if c.Project == project {
			out = append(out, c)
		}
	}
	return out, nil
}

func (f *fake) Image(_ context.Context, ref string) (dockerx.Image, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked[ref]++
	image, ok := f.images[ref]
	if !ok {
		return dockerx.Image{}, dockerx.ErrNotFound
	}
	return image, nil
}

func (f *fake) Sizes(_ context.Context, stores []dockerx.Data) map[dockerx.Data]int64 {
	sizes := map[dockerx.Data]int64{}
	for _, d := range stores {
		for _, v := range f.volumes {
			if d.Kind == dockerx.VolumeData && v.Name == d.Name && v.Size >= 0 {
				sizes[d] = v.Size
			}
		}
	}
	return sizes
}

func (f *fake) Volumes(context.Context) ([]dockerx.Volume, error) { return f.volumes, f.volumesErr }

// svc is one service of a fixture: what the files say, what its image says, and
// how its container differs from a running one that was made from the files.
type svc struct {
	compose.Service
	labels   map[string]string
	imageEnv []string
	declares []string // VOLUMEs of the image
	missing  bool     // no container
	change   func(c *dockerx.Container)
}

// fixture makes a project "app" with its containers running.
func fixture(services ...svc) (Deps, *fake) {
	e := &fake{
		info:   dockerx.EngineInfo{ID: "engine", Local: true, OS: "linux", Arch: "amd64"},
		images: map[string]dockerx.Image{}, asked: map[string]int{},
	}
	p := &compose.Project{Name: "app", Dir: "/srv/app", Files: []string{"/srv/app/compose.yaml"}}
	for i, s := range services {
		if s.Pin.Kind == "" {
			r := splitRef(s.Image)
			s.Pin = compose.Pin{
				Kind: compose.PinLiteral, Repo: r.repo, Tag: r.tag, Services: []string{s.Name},
				Place: compose.Place{File: "/srv/app/compose.yaml", Line: 10*i + 3, Col: 12},
			}
		}
		if s.Place.File == "" {
			s.Place = compose.Place{File: "/srv/app/compose.yaml", Line: 10*i + 2, Col: 3}
		}
		p.Services = append(p.Services, s.Service)
		id := "sha256:" + strconv.Itoa(len(s.Image)) + s.Image
		e.images[id] = dockerx.Image{
			ID: id, Tags: []string{s.Image}, Digests: []string{splitRef(s.Image).repo + "@sha256:" + s.Name},
			Labels: s.labels, Env: s.imageEnv, Volumes: s.declares,
		}
		if !s.missing {
			e.containers = append(e.containers, s.container(id))
		}
	}
	d := Deps{
		Engine: e, Model: p, Now: time.Now,
		Stat:   func(string) (fs.FileInfo, error) { return nil, fs.ErrNotExist },
		FSType: func(string) string { return "" },
	}
	return d, e
}

func (s svc) container(imageID string) dockerx.Container {
	c := dockerx.Container{
		ID: "c-" + s.Name, Name: "app-" + s.Name + "-1", Project: "app", Service: s.Name, Number: 1,
		Image: s.Image, ImageID: imageID, State: dockerx.Running, Env: pairs(s.imageEnv),
		StartedAt: time.Now().Add(-time.Hour), RestartPolicy: s.Restart, IPs: []string{"172.18.0.9"},
	}
	maps.Copy(c.Env, s.Environment)
	for _, v := range s.Volumes {
		c.Mounts = append(c.Mounts, dockerx.Mount{
			Data:   dockerx.Data{Kind: dockerx.DataKind(v.Type), Name: v.Source},
			Target: v.Target, ReadOnly: v.ReadOnly,
		})
	}
	for _, p := range s.Ports {
		n, err := strconv.Atoi(p.Host)
		if err != nil {
			n = 49153 // the engine chose
		}
		c.Ports = append(c.Ports, dockerx.Port{HostIP: p.HostIP, Host: n, Container: p.Container, Proto: p.Proto})
	}
	if s.change != nil {
		s.change(&c)
	}
	return c
}

func exited(code int) func(*dockerx.Container) {
	return func(c *dockerx.Container) { c.State, c.ExitCode = dockerx.Exited, code }
}

func volume(name, target string) compose.Volume {
	return compose.Volume{Type: "volume", Source: name, Target: target}
}

func bind(dir, target string) compose.Volume {
	return compose.Volume{Type: "bind", Source: dir, Target: target}
}

func published(container int, host string) []compose.Port {
	return []compose.Port{{Container: container, Host: host, Proto: "tcp"}}
}

func inspect(t *testing.T, d Deps) *Stack {
	t.Helper()
	s, err := Inspect(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
