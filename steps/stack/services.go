package stack

import (
	"strings"

	"belay/dockerx"
	"belay/dockerx/compose"
)

// services lists the project's services in the order of the files.
func (f *facts) services() []Service {
	up := 0
	for _, c := range f.containers {
		if c.State == dockerx.Running || c.State == dockerx.Paused || c.State == dockerx.Restarting {
			up++
		}
	}
	out := make([]Service, 0, len(f.Model.Services))
	for _, m := range f.Model.Services {
		c, image := f.containers[m.Name], f.images[m.Name]
		svc := Service{
			Name: m.Name, Ref: m.Image, Pin: m.Pin, Container: c,
			Digest:  digestOf(image, splitRef(m.Image)),
			OneShot: up > 0 && oneShot(m, c),
		}
		svc.Kind = f.kind(m)
		switch {
		case svc.Kind != "" && !svc.OneShot:
			svc.Role = Database
		case svc.Kind != "" || supporting(f.repoOf(m)):
			svc.Role, svc.Kind = Other, ""
		default:
			svc.Role = App
		}
		out = append(out, svc)
	}
	return out
}

// repoOf is the repository a service runs from.
func (f *facts) repoOf(m compose.Service) ref {
	r := runningRef(f.containers[m.Name], f.images[m.Name], m.Image)
	if r.repo == "" && m.Pin.Repo != "" {
		r.repo = m.Pin.Repo
	}
	return r
}

// oneShot says whether a service did its work and ended, as it was made to. An
// exit with 0 alone does not say so: whatever publishes a port or has a
// healthcheck was made to stay.
func oneShot(m compose.Service, c *dockerx.Container) bool {
	if c == nil || c.State != dockerx.Exited || c.ExitCode != 0 {
		return false
	}
	if len(m.Ports) > 0 || m.Healthcheck || c.HasHealthcheck && c.Health != dockerx.NoHealth {
		return false
	}
	policy := c.RestartPolicy
	return policy == "" || policy == "no" || strings.HasPrefix(policy, "on-failure")
}

// digestOf picks the digest by which the image is known in the repository it
// was pulled from.
func digestOf(image dockerx.Image, want ref) string {
	for _, d := range image.Digests {
		if r := splitRef(d); r.full() == want.full() {
			return r.digest
		}
	}
	if len(image.Digests) == 1 {
		return splitRef(image.Digests[0]).digest
	}
	return ""
}
