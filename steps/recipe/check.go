package recipe

import (
	"fmt"
	"slices"
	"strings"
)

// Check says whether every service that the user's belay.yaml names exists: an
// *Error with its place when one does not. Embedded recipes serve several
// layouts of a system, so a service they name may be missing; Fit drops it.
func Check(r Recipe, services []string) error {
	for _, use := range r.uses() {
		p, ok := r.places[use.path]
		if !ok || !p.user || slices.Contains(services, use.service) {
			continue
		}
		msg := fmt.Sprintf("this project has no service %q; it has %s", use.service, strings.Join(services, ", "))
		if near := nearest(use.service, services); near != "" {
			msg = fmt.Sprintf("this project has no service %q; did you mean %q?", use.service, near)
		}
		return p.errorf("%s", msg)
	}
	return nil
}

// Fit leaves out what r says about services that the project does not have.
func Fit(r Recipe, services []string) Recipe {
	has := func(name string) bool { return slices.Contains(services, name) }
	r.Group = filter(r.Group, has)
	r.Stop.Order = filter(r.Stop.Order, has)
	r.Databases = filter(r.Databases, func(d Database) bool { return has(d.Service) })
	r.Health = filter(r.Health, func(h Health) bool { return h.Service == "" || has(h.Service) })
	if r.Migrate != nil && !has(r.Migrate.Service) {
		r.Migrate = nil
	}
	if r.Drain != nil && !has(r.Drain.Service) {
		r.Drain = nil
	}
	return r
}

// FromUser says whether the key (as in "databases" or "health[0]") was written
// by the user, not by an embedded recipe.
func (r Recipe) FromUser(key string) bool { return r.places[key].user }

type use struct{ path, service string }

// uses lists every place that names a service, in the order of the schema.
func (r Recipe) uses() []use {
	var out []use
	add := func(path, service string) {
		if service != "" {
			out = append(out, use{path, service})
		}
	}
	for i, s := range r.Group {
		add(fmt.Sprintf("group[%d]", i), s)
	}
	for i, d := range r.Databases {
		add(fmt.Sprintf("databases[%d].service", i), d.Service)
	}
	if r.Migrate != nil {
		add("migrate.service", r.Migrate.Service)
	}
	for i, s := range r.Stop.Order {
		add(fmt.Sprintf("stop.order[%d]", i), s)
	}
	if r.Drain != nil {
		add("drain.service", r.Drain.Service)
	}
	for i, h := range r.Health {
		add(fmt.Sprintf("health[%d].service", i), h.Service)
	}
	return out
}

func filter[T any](all []T, keep func(T) bool) []T {
	var out []T
	for _, one := range all {
		if keep(one) {
			out = append(out, one)
		}
	}
	return out
}
