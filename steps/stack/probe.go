package stack

import (
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"belay/steps"
	"belay/steps/recipe"
)

// probeEvery is how often to ask when a recipe does not say.
const probeEvery = 3 * time.Second

// probes turns the recipe's health checks into whole addresses.
func (f *facts) probes(s *Stack) {
	for i, h := range f.fit.Health {
		service := h.Service
		if service == "" {
			lead, ok := f.lead(s)
			if !ok {
				continue
			}
			service = lead.Name
		}
		address, fixed := f.address(service, h)
		if address == "" {
			f.warn("%s publishes no port that belay can reach: health check %d (%s) cannot be asked.", service, i+1, h.HTTP)
			continue
		}
		if !fixed {
			f.warn("The port of %s is chosen anew at each start: %s is the address now.", service, address)
		}
		p := steps.Probe{
			Service: service, URL: address, Status: h.Status, JSON: h.JSON, Version: h.Version, Every: h.Every,
		}
		if p.Status == 0 {
			p.Status = 200
		}
		if p.Every == 0 {
			p.Every = probeEvery
		}
		s.Probes = append(s.Probes, p)
	}
}

// address is where a check is asked; fixed says that the next container will
// be there too.
func (f *facts) address(service string, h recipe.Health) (at string, fixed bool) {
	if strings.Contains(h.HTTP, "://") {
		return h.HTTP, true
	}
	host, port, container, fixed := f.published(service, h.Port)
	if port == 0 {
		// An unpublished port answers on the container's own address, when
		// that is on this host.
		c := f.containers[service]
		if !f.info.Local || c == nil || len(c.IPs) == 0 || h.Port == 0 {
			return "", false
		}
		host, port, container = c.IPs[0], h.Port, h.Port
	}
	scheme := "http"
	if container == 443 || container == 8443 {
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(port)) + h.HTTP, fixed
}

// published finds where a container port can be reached from here: the files'
// word first, because a container's port may be drawn by lot.
func (f *facts) published(service string, want int) (host string, port, container int, fixed bool) {
	for _, p := range f.model(service).Ports {
		n, err := strconv.Atoi(p.Host)
		if tcp(p.Proto) && (want == 0 || p.Container == want) && err == nil && n > 0 {
			return f.reachable(p.HostIP), n, p.Container, true
		}
	}
	c := f.containers[service]
	if c == nil {
		return "", 0, 0, false
	}
	for _, p := range c.Ports {
		if tcp(p.Proto) && p.Host > 0 && (want == 0 || p.Container == want) {
			return f.reachable(p.HostIP), p.Host, p.Container, false
		}
	}
	return "", 0, 0, false
}

// reachable turns the address a port is bound to into one to ask from here.
func (f *facts) reachable(ip string) string {
	every := ip == "" || ip == "0.0.0.0" || ip == "::"
	if !f.info.Local && (every || strings.HasPrefix(ip, "127.")) {
		if u, err := url.Parse(f.info.Host); err == nil && u.Hostname() != "" {
			return u.Hostname()
		}
	}
	if every {
		return "127.0.0.1"
	}
	return ip
}

func tcp(proto string) bool { return proto == "" || strings.EqualFold(proto, "tcp") }
