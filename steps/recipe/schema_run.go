package recipe

import (
	"net/url"
	"strings"

	"gopkg.in/yaml.v3"
)

func (d *document) stop(o *Order) func(*yaml.Node, string) error {
	return func(n *yaml.Node, at string) error {
		return d.mapping(n, at, []field{
			{"order", d.services(&o.Order), func() { o.Order = nil }},
		})
	}
}

func (d *document) drain(to **Drain) func(*yaml.Node, string) error {
	return func(n *yaml.Node, at string) error {
		dr := Drain{}
		if *to != nil {
			dr = **to
		}
		err := d.mapping(n, at, []field{
			{"service", d.service(&dr.Service), func() { dr.Service = "" }},
			{"exec", d.list(&dr.Exec), func() { dr.Exec = nil }},
			{"json", d.text(&dr.JSON), func() { dr.JSON = "" }},
			{"at_most", d.number(&dr.AtMost, 0, 1<<30), func() { dr.AtMost = 0 }},
			{"samples", d.number(&dr.Samples, 1, 1000), func() { dr.Samples = 0 }},
			{"every", d.duration(&dr.Every), func() { dr.Every = 0 }},
		})
		if err != nil {
			return err
		}
		if dr.Service == "" || len(dr.Exec) == 0 {
			return d.errorAt(n, "%s needs a service and the command (exec) to ask it with", at)
		}
		*to = &dr
		return nil
	}
}

func (d *document) logs(l *Logs) func(*yaml.Node, string) error {
	return func(n *yaml.Node, at string) error {
		return d.mapping(n, at, []field{
			{"ready", d.list(&l.Ready, pattern), func() { l.Ready = nil }},
			{"failed", d.list(&l.Failed, pattern), func() { l.Failed = nil }},
			{"danger", d.list(&l.Danger, pattern), func() { l.Danger = nil }},
		})
	}
}

func (d *document) healths(to *[]Health) func(*yaml.Node, string) error {
	return func(n *yaml.Node, at string) error {
		var out []Health
		err := d.items(n, at, func(item *yaml.Node, at string) error {
			var h Health
			err := d.mapping(item, at, []field{
				{"service", d.service(&h.Service), func() { h.Service = "" }},
				{"http", d.text(&h.HTTP, address), func() { h.HTTP = "" }},
				{"port", d.number(&h.Port, 1, 65535), func() { h.Port = 0 }},
				{"status", d.number(&h.Status, 100, 599), func() { h.Status = 0 }},
				{"json", d.wanted(&h.JSON), func() { h.JSON = nil }},
				{"version", d.text(&h.Version), func() { h.Version = "" }},
				{"every", d.duration(&h.Every), func() { h.Every = 0 }},
			})
			if err != nil {
				return err
			}
			if h.HTTP == "" {
				return d.errorAt(item, "%s needs http: the path to ask, as in /health", at)
			}
			out = append(out, h)
			return nil
		})
		if err == nil {
			*to = out
		}
		return err
	}
}

func (d *document) routes(to *[]Route) func(*yaml.Node, string) error {
	dotted := matching(plainDotted, "a version like 2.20.15")
	return func(n *yaml.Node, at string) error {
		var out []Route
		err := d.items(n, at, func(item *yaml.Node, at string) error {
			var r Route
			err := d.mapping(item, at, []field{
				{"majors", d.text(&r.Majors, oneOf("one_at_a_time")), func() { r.Majors = "" }},
				{"via", d.text(&r.Via, dotted), func() { r.Via = "" }},
				{"before", d.text(&r.Before, dotted), func() { r.Before = "" }},
			})
			switch {
			case err != nil:
				return err
			case r == Route{}:
				return d.errorAt(item, "%s says nothing; write majors, or via and before", at)
			case (r.Via == "") != (r.Before == ""):
				return d.errorAt(item, "%s needs both: via, the version to stop at, and before, the version it must come before", at)
			}
			out = append(out, r)
			return nil
		})
		if err == nil {
			*to = out
		}
		return err
	}
}

func (d *document) hooks(h *Hooks) func(*yaml.Node, string) error {
	return func(n *yaml.Node, at string) error {
		return d.mapping(n, at, []field{
			{"before_stop", d.list(&h.BeforeStop), func() { h.BeforeStop = nil }},
			{"after_start", d.list(&h.AfterStart), func() { h.AfterStart = nil }},
			{"after_backup", d.list(&h.AfterBackup), func() { h.AfterBackup = nil }},
		})
	}
}

// address takes a path or a whole http(s) URL without a login in it.
func address(s string) string {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return "this is not an address: " + s
	case u.User != nil:
		return "an address must not hold a login"
	case strings.HasPrefix(s, "/") && u.Host == "":
		return ""
	case (u.Scheme == "http" || u.Scheme == "https") && u.Host != "":
		return ""
	default:
		return "write a path that starts with /, or a whole address that starts with http:// or https://"
	}
}
