package compose

import (
	"context"
	"errors"
	"maps"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
	"gopkg.in/yaml.v3"
)

// Load reads a project as `docker compose` would see it and finds, for every
// service, the place that holds its version. It never touches the network and
// writes nothing into the project. Bad input is an *Error with its place;
// errors.Is(err, ErrNoFile) when there is no compose file.
func Load(ctx context.Context, o Options) (*Project, error) {
	r, err := read(ctx, o)
	if err != nil {
		return nil, err
	}
	return r.project, nil
}

// reading is a project with all that was learnt while it was loaded.
type reading struct {
	layout  layout
	book    *book
	model   *types.Project
	project *Project
}

func read(ctx context.Context, o Options) (*reading, error) {
	l, err := discover(o)
	if err != nil {
		return nil, err
	}
	b, err := openBook(ctx, l)
	if err != nil {
		return nil, err
	}
	model, err := l.resolve(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, b.explain(l, b.envFileAt(err))
	}
	p := &Project{
		Name: model.Name, Dir: l.dir, Files: l.files, EnvFiles: l.envFiles, Profiles: l.profiles,
		Explicit: l.explicit, EnvExplicit: l.envExplicit, Variables: maps.Clone(b.root.scope.values), options: o,
	}
	all := model.AllServices()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		s := b.service(model, all[name])
		s.Active = !isDisabled(model, name)
		s.Pin = b.pin(all[name])
		p.Services = append(p.Services, s)
	}
	if err := b.prove(ctx, l, model, p); err != nil {
		return nil, err
	}
	return &reading{layout: l, book: b, model: model, project: p}, nil
}

// Service gives a service by name.
func (p *Project) Service(name string) (Service, bool) {
	for _, s := range p.Services {
		if s.Name == name {
			return s, true
		}
	}
	return Service{}, false
}

func (b *book) service(model *types.Project, c types.ServiceConfig) Service {
	all := b.strata(b.root, c.Name)
	s := Service{
		Name: c.Name, Image: c.Image, Build: c.Build != nil, Restart: c.Restart, Profiles: c.Profiles,
		DependsOn: slices.Sorted(maps.Keys(c.DependsOn)), Environment: map[string]string{}, EnvSources: b.envSources(all, c),
		Healthcheck: c.HealthCheck != nil && !c.HealthCheck.Disable && len(c.HealthCheck.Test) > 0 && c.HealthCheck.Test[0] != "NONE",
		Place:       ownPlace(all),
	}
	if c.Build != nil {
		s.BuildDir = c.Build.Context
	}
	if c.StopGracePeriod != nil {
		s.StopGrace = time.Duration(*c.StopGracePeriod)
	}
	for k, v := range c.Environment {
		if v != nil {
			s.Environment[k] = *v
		}
	}
	for _, v := range c.Volumes {
		s.Volumes = append(s.Volumes, volume(model, v))
	}
	for target := range c.Tmpfs {
		s.Volumes = append(s.Volumes, Volume{Type: types.VolumeTypeTmpfs, Target: c.Tmpfs[target]})
	}
	for _, port := range c.Ports {
		s.Ports = append(s.Ports, Port{HostIP: hostIP(port.HostIP), Host: port.Published, Container: int(port.Target), Proto: port.Protocol})
	}
	return s
}

func volume(model *types.Project, v types.ServiceVolumeConfig) Volume {
	out := Volume{Type: v.Type, Source: v.Source, Target: v.Target, ReadOnly: v.ReadOnly}
	if v.Type == types.VolumeTypeVolume && v.Source != "" {
		// The library has put the project's prefix, or the `name:`, in here.
		if declared, ok := model.Volumes[v.Source]; ok && declared.Name != "" {
			out.Source = declared.Name
		}
	}
	return out
}

// hostIP leaves "every address" empty, however it was written.
func hostIP(ip string) string {
	if parsed := net.ParseIP(ip); parsed != nil && parsed.IsUnspecified() {
		return ""
	}
	return ip
}

// ownPlace is where the service is first written under its own name.
func ownPlace(all []stratum) Place {
	for _, s := range all {
		if !s.extended {
			return s.src.place(s.key)
		}
	}
	return Place{}
}

// envSources says where each variable of a container is written, as far as the
// files tell.
func (b *book) envSources(all []stratum, c types.ServiceConfig) map[string]Place {
	out := map[string]Place{}
	for _, f := range c.EnvFiles {
		if f.Format != "" {
			continue
		}
		if file, err := readEnvFile(f.Path, Place{}); err == nil {
			for _, a := range file.found {
				out[a.key] = placeAt(file.path, file.data, a.keyAt)
			}
		}
	}
	for _, s := range all {
		env := child(s.node, "environment")
		if env == nil {
			continue
		}
		for key, n := range environmentNodes(env) {
			out[key] = s.src.place(n)
		}
	}
	for key := range out {
		if _, ok := c.Environment[key]; !ok {
			delete(out, key)
		}
	}
	return out
}

func environmentNodes(env *yaml.Node) map[string]*yaml.Node {
	out := map[string]*yaml.Node{}
	if env.Kind == yaml.SequenceNode {
		for _, n := range env.Content {
			key, _, _ := strings.Cut(resolved(n).Value, "=")
			out[key] = resolved(n)
		}
		return out
	}
	eachPair(env, func(k, _ *yaml.Node) bool {
		if _, ok := out[k.Value]; !ok {
			out[k.Value] = k
		}
		return true
	})
	return out
}

// envFileAt puts a place to a service's env file that cannot be used: the line
// that names it.
func (b *book) envFileAt(err error) error {
	var fault *envFileFault
	if !errors.As(err, &fault) {
		return err
	}
	var inner *Error
	if !errors.As(fault.err, &inner) {
		return err
	}
	for _, s := range slices.Backward(b.strata(b.root, fault.service)) {
		if n := child(s.node, "env_file"); n != nil {
			return failAt(s.src.place(n), inner.Err, "the env file of service %q: %s", fault.service, inner.Msg)
		}
	}
	return inner
}
