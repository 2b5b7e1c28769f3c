package local

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"belay/dockerx"
	"belay/dockerx/compose"
)

// ConfigHash sums up each service as the files describe it: equal to a running
// container's hash as long as the files still describe that container.
func (e *Engine) ConfigHash(ctx context.Context, p *compose.Project) (map[string]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, s := range p.Services {
		out[s.Name] = configHash(s)
	}
	return out, nil
}

// Stop stops services, all without names, those first that depend on others.
func (e *Engine) Stop(ctx context.Context, p *compose.Project, services []string, timeout time.Duration, on func(string)) error {
	order, err := inOrder(p, services, false)
	if err != nil {
		return err
	}
	slices.Reverse(order)
	for _, s := range order {
		all, err := e.ofService(ctx, p.Name, s.Name)
		if err != nil {
			return err
		}
		for _, c := range all {
			say(on, "Container %s  Stopping", c.Name)
			if err := e.StopContainer(ctx, c.ID, timeout); err != nil {
				return fmt.Errorf("stop %s: %w", s.Name, err)
			}
			say(on, "Container %s  Stopped", c.Name)
		}
	}
	return nil
}

// Run runs one of the application's commands in a container of its own with a
// service's environment and data, and removes the container.
func (e *Engine) Run(ctx context.Context, p *compose.Project, service string, argv []string, on func(string)) (int, error) {
	s, ok := serviceOf(p, service)
	if !ok {
		return 0, fmt.Errorf("no such service: %s", service)
	}
	if len(argv) == 0 {
		return 0, fmt.Errorf("run in %s: no command", service)
	}
	if !isApp(argv) {
		say(on, "exec: %q: executable file not found", argv[0])
		return exitNoCmd, nil
	}
	r, err := e.newRecord(ctx, p, s)
	if err != nil {
		return 0, err
	}
	r.Name = p.Name + "-" + s.Name + "-run-" + newID()[:12]
	r.Mode, r.Argv, r.Restart, r.Ports, r.Checked = asOneOff, argv, "no", nil, false
	r.Labels[labelOneOff] = "True"
	err = e.change(func() error {
		if err := e.makeVolumes(p, r); err != nil {
			return err
		}
		if err := e.enter(r); err != nil {
			return err
		}
		return e.startOrErase(r)
	})
	if err != nil {
		return 0, fmt.Errorf("run in %s: %w", service, err)
	}
	return e.finishRun(ctx, r.ID, on)
}

func (e *Engine) finishRun(ctx context.Context, id string, on func(string)) (int, error) {
	logErr := e.Logs(ctx, id, dockerx.LogSpec{Follow: true}, func(l dockerx.LogLine) { say(on, "%s", l.Text) })
	ended, err := e.load(id)
	if err != nil {
		return 0, err
	}
	// ctx may be over; what was made here is removed all the same.
	if err := e.remove(context.WithoutCancel(ctx), id, defaultGrace); err != nil {
		return 0, err
	}
	return ended.Exit, logErr
}

// newRecord describes a service's container; volumes without a name are still
// to be made.
func (e *Engine) newRecord(ctx context.Context, p *compose.Project, s compose.Service) (*record, error) {
	if s.Image == "" {
		return nil, fmt.Errorf("service %s: the embedded engine cannot build images", s.Name)
	}
	img, err := e.Image(ctx, s.Image)
	if err != nil {
		return nil, fmt.Errorf("service %s: not pulling: %w", s.Name, err)
	}
	r := &record{
		Name: p.Name + "-" + s.Name + "-1", Image: s.Image, ImageID: img.ID,
		Env: mergeEnv(img.Env, pairs(s.Environment)), Restart: s.Restart, Grace: s.StopGrace,
		Checked: s.Healthcheck, Mode: asService,
		Labels: map[string]string{
			labelProject: p.Name, labelService: s.Name, labelNumber: "1", labelOneOff: "False",
			labelHash: configHash(s), labelDir: p.Dir, labelFiles: strings.Join(p.Files, ","),
		},
	}
	if len(p.EnvFiles) > 0 {
		r.Labels[labelEnvs] = strings.Join(p.EnvFiles, ",")
	}
	maps.Copy(r.Labels, img.Labels)
	for _, v := range s.Volumes {
		r.Mounts = append(r.Mounts, dockerx.Mount{
			Data: dockerx.Data{Kind: dockerx.DataKind(v.Type), Name: v.Source}, Target: v.Target,
			ReadOnly: v.ReadOnly, Anonymous: v.Type == "volume" && v.Source == "",
		})
	}
	for _, target := range img.Volumes {
		if !slices.ContainsFunc(r.Mounts, func(m dockerx.Mount) bool { return m.Target == target }) {
			r.Mounts = append(r.Mounts, dockerx.Mount{
				Data: dockerx.Data{Kind: dockerx.VolumeData}, Target: target, Anonymous: true,
			})
		}
	}
	for _, port := range s.Ports {
		host, err := strconv.Atoi(port.Host)
		if err != nil && port.Host != "" {
			return nil, fmt.Errorf("service %s: port %q: the embedded engine knows single ports only", s.Name, port.Host)
		}
		r.Ports = append(r.Ports, dockerx.Port{HostIP: port.HostIP, Host: host, Container: port.Container, Proto: port.Proto})
	}
	return r, nil
}

// makeVolumes makes what the container mounts and is not there yet; a volume
// without a name gets one. The caller holds the lock.
func (e *Engine) makeVolumes(p *compose.Project, r *record) error {
	for i, m := range r.Mounts {
		if m.Kind != dockerx.VolumeData {
			continue
		}
		if m.Name == "" {
			m.Name = newID()
			r.Mounts[i].Name = m.Name
		} else if _, err := e.loadVolume(m.Name); err == nil {
			continue
		}
		labels := map[string]string{labelProject: p.Name}
		if short, ok := strings.CutPrefix(m.Name, p.Name+"_"); ok {
			labels[labelVolume] = short
		}
		if err := e.makeVolume(m.Name, labels); err != nil {
			return err
		}
	}
	return nil
}

// ofService lists a service's containers, one-offs apart.
func (e *Engine) ofService(ctx context.Context, project, service string) ([]dockerx.Container, error) {
	all, err := e.Containers(ctx, project)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(c dockerx.Container) bool { return c.Service != service || c.OneOff }), nil
}

func configHash(s compose.Service) string {
	b, err := json.Marshal(struct {
		Name, Image string
		Environment map[string]string
		Volumes     []compose.Volume
		Ports       []compose.Port
		Healthcheck bool
		Restart     string
		StopGrace   time.Duration
	}{s.Name, s.Image, s.Environment, s.Volumes, s.Ports, s.Healthcheck, s.Restart, s.StopGrace})
	if err != nil {
		panic("a service is plain data: " + err.Error())
	}
	return sum("service", string(b))[len("sha256:"):]
}

// inOrder gives the named services, all without names, each after what it
// depends on; with deps also those it depends on.
func inOrder(p *compose.Project, names []string, deps bool) ([]compose.Service, error) {
	wanted := map[string]bool{}
	for _, s := range p.Services {
		wanted[s.Name] = len(names) == 0
	}
	for _, name := range names {
		if _, ok := wanted[name]; !ok {
			return nil, fmt.Errorf("no such service: %s", name)
		}
		wanted[name] = true
	}
	var order []compose.Service
	seen := map[string]bool{}
	var visit func(s compose.Service, want bool)
	visit = func(s compose.Service, want bool) {
		if seen[s.Name] {
			return
		}
		seen[s.Name] = true
		for _, name := range s.DependsOn {
			if dep, ok := serviceOf(p, name); ok {
				visit(dep, wanted[name] || want && deps)
			}
		}
		if want {
			order = append(order, s)
		}
	}
	for _, s := range p.Services {
		if wanted[s.Name] {
			visit(s, true)
		}
	}
	return order, nil
}

func serviceOf(p *compose.Project, name string) (compose.Service, bool) {
	for _, s := range p.Services {
		if s.Name == name {
			return s, true
		}
	}
	return compose.Service{}, false
}

// mergeEnv lays environments over each other; the last word on a key wins.
func mergeEnv(layers ...[]string) []string {
	merged := map[string]string{}
	for _, layer := range layers {
		for _, kv := range layer {
			key, value, _ := strings.Cut(kv, "=")
			merged[key] = value
		}
	}
	return pairs(merged)
}

func pairs(env map[string]string) []string {
	out := make([]string, 0, len(env))
	for _, key := range slices.Sorted(maps.Keys(env)) {
		out = append(out, key+"="+env[key])
	}
	return out
}

func say(on func(string), format string, args ...any) {
	if on != nil {
		on(fmt.Sprintf(format, args...))
	}
}
