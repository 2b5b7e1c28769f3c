package dockerx

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/go-connections/nat"
	"golang.org/x/sync/errgroup"
)

// Compose's labels.
const (
	labelProject     = "com.docker.compose.project"
	labelService     = "com.docker.compose.service"
	labelNumber      = "com.docker.compose.container-number"
	labelOneOff      = "com.docker.compose.oneoff"
	labelConfigHash  = "com.docker.compose.config-hash"
	labelWorkingDir  = "com.docker.compose.project.working_dir"
	labelConfigFiles = "com.docker.compose.project.config_files"
	labelEnvFiles    = "com.docker.compose.project.environment_file"
)

// defaultStop is how long the engine waits for a container that does not say.
const defaultStop = 10 * time.Second

// inspectors is how many containers are inspected at a time.
const inspectors = 16

// Containers lists the containers of one compose project, or of every one when
// project is empty: all states, one-offs too, by service and number.
func (e *Engine) Containers(ctx context.Context, project string) ([]Container, error) {
	label := labelProject
	if project != "" {
		label += "=" + project
	}
	list, err := e.api.ContainerList(ctx, container.ListOptions{All: true, Filters: filters.NewArgs(filters.Arg("label", label))})
	if err != nil {
		return nil, wrap(err, "list containers")
	}
	found := make([]*Container, len(list))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(inspectors)
	for i, c := range list {
		group.Go(func() error {
			one, err := e.Container(ctx, c.ID)
			if errors.Is(err, ErrNotFound) {
				return nil // gone since the list was made
			}
			found[i] = &one
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	out := make([]Container, 0, len(found))
	for _, c := range found {
		if c != nil {
			out = append(out, *c)
		}
	}
	slices.SortFunc(out, func(a, b Container) int {
		return cmp.Or(cmp.Compare(a.Project, b.Project), cmp.Compare(a.Service, b.Service),
			cmp.Compare(a.Number, b.Number), cmp.Compare(a.Name, b.Name))
	})
	return out, nil
}

// Container inspects one container by ID or name.
func (e *Engine) Container(ctx context.Context, id string) (Container, error) {
	c, err := e.api.ContainerInspect(ctx, id)
	if err != nil {
		return Container{}, wrap(err, "container %s", id)
	}
	if c.ContainerJSONBase == nil || c.Config == nil {
		return Container{}, wrap(errors.New("the engine's answer is incomplete"), "container %s", id)
	}
	return toContainer(c), nil
}

func toContainer(c container.InspectResponse) Container {
	labels := c.Config.Labels
	number, _ := strconv.Atoi(labels[labelNumber])
	out := Container{
		ID: c.ID, Name: strings.TrimPrefix(c.Name, "/"),
		Project: labels[labelProject], Service: labels[labelService], Number: number,
		OneOff: strings.EqualFold(labels[labelOneOff], "true"),
		Image:  c.Config.Image, ImageID: c.Image,
		RestartCount: c.RestartCount, CreatedAt: parseTime(c.Created),
		ConfigHash: labels[labelConfigHash], WorkingDir: labels[labelWorkingDir],
		ConfigFiles: commaList(labels[labelConfigFiles]), EnvFiles: commaList(labels[labelEnvFiles]),
		Env: environment(c.Config.Env), Labels: maps.Clone(labels),
		HasHealthcheck: c.Config.Healthcheck != nil && len(c.Config.Healthcheck.Test) > 0 && c.Config.Healthcheck.Test[0] != "NONE",
		Mounts:         toMounts(c),
	}
	if s := c.State; s != nil {
		out.State, out.ExitCode, out.OOMKilled = State(s.Status), s.ExitCode, s.OOMKilled
		out.StartedAt, out.FinishedAt = parseTime(s.StartedAt), parseTime(s.FinishedAt)
		if s.Health != nil && s.Health.Status != container.NoHealthcheck {
			out.Health = Health(s.Health.Status)
		}
	}
	if h := c.HostConfig; h != nil {
		out.RestartPolicy = formatPolicy(h.RestartPolicy)
		out.Ports = toPorts(h.PortBindings)
	}
	out.StopTimeout = defaultStop
	if c.Config.StopTimeout != nil {
		out.StopTimeout = time.Duration(*c.Config.StopTimeout) * time.Second
	}
	if n := c.NetworkSettings; n != nil {
		if live := toPorts(n.Ports); len(live) > 0 {
			out.Ports = live
		}
		for _, name := range slices.Sorted(maps.Keys(n.Networks)) {
			if net := n.Networks[name]; net != nil && net.IPAddress != "" {
				out.IPs = append(out.IPs, net.IPAddress)
			}
		}
	}
	return out
}

func toMounts(c container.InspectResponse) []Mount {
	var out []Mount
	for _, m := range c.Mounts {
		one := Mount{Target: m.Destination, ReadOnly: !m.RW}
		switch m.Type {
		case mount.TypeVolume, mount.TypeCluster:
			one.Data = Data{Kind: VolumeData, Name: m.Name}
			one.Anonymous = isAnonymous(m.Name)
		case mount.TypeBind:
			one.Data = Data{Kind: BindData, Name: m.Source}
		case mount.TypeTmpfs:
			one.Data = Data{Kind: TmpfsData}
		default:
			continue
		}
		out = append(out, one)
	}
	if c.HostConfig != nil { // `tmpfs:` in a compose file is not among the mounts
		for target := range c.HostConfig.Tmpfs {
			out = append(out, Mount{Data: Data{Kind: TmpfsData}, Target: target})
		}
	}
	slices.SortFunc(out, func(a, b Mount) int { return cmp.Compare(a.Target, b.Target) })
	return out
}

// isAnonymous: the engine names a volume nobody named with 64 hex digits.
func isAnonymous(name string) bool {
	return len(name) == 64 && strings.Trim(name, "0123456789abcdef") == ""
}

func toPorts(bindings nat.PortMap) []Port {
	var out []Port
	for port, hosts := range bindings {
		for _, h := range hosts {
			number, _ := strconv.Atoi(h.HostPort)
			out = append(out, Port{HostIP: h.HostIP, Host: number, Container: port.Int(), Proto: port.Proto()})
		}
	}
	slices.SortFunc(out, func(a, b Port) int {
		return cmp.Or(cmp.Compare(a.Container, b.Container), cmp.Compare(a.Proto, b.Proto),
			cmp.Compare(a.HostIP, b.HostIP), cmp.Compare(a.Host, b.Host))
	})
	return out
}

func commaList(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

// parseTime reads the engine's times; it writes year 1 for "never".
func parseTime(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || t.Year() <= 1 {
		return time.Time{}
	}
	return t
}

// formatPolicy keeps the number of tries: "on-failure:3".
func formatPolicy(p container.RestartPolicy) string {
	if p.MaximumRetryCount > 0 {
		return string(p.Name) + ":" + strconv.Itoa(p.MaximumRetryCount)
	}
	return string(p.Name)
}

func parsePolicy(s string) (container.RestartPolicy, error) {
	name, tries, counted := strings.Cut(s, ":")
	p := container.RestartPolicy{Name: container.RestartPolicyMode(name)}
	if name == "" {
		p.Name = container.RestartPolicyDisabled
	}
	if counted {
		n, err := strconv.Atoi(tries)
		if err != nil {
			return p, err
		}
		p.MaximumRetryCount = n
	}
	return p, container.ValidateRestartPolicy(p)
}
