package stack

import (
	"slices"

	"belay/steps/recipe"
)

// StopOrder lists the services that must stop for a cold copy, in the order in
// which they stop: whoever writes first, databases last. The recipe's order is
// kept as it is; the rest goes by depends_on, dependents before what they need.
// Services that have already ended and those without a container are left out.
func StopOrder(s *Stack, r recipe.Recipe) []string {
	names := make([]string, 0, len(s.Services))
	for _, svc := range s.Services {
		names = append(names, svc.Name)
	}
	order := recipe.Fit(r, names).Stop.Order
	stops := func(name string) bool {
		svc, ok := s.Service(name)
		return ok && !svc.OneShot && svc.Container != nil
	}
	var writers, servers []string
	for _, name := range dependentsFirst(s) {
		svc, _ := s.Service(name)
		switch {
		case slices.Contains(order, name) || !stops(name) || !concerned(s, name):
		case svc.Role == Database:
			servers = append(servers, name)
		default:
			writers = append(writers, name)
		}
	}
	order = slices.DeleteFunc(slices.Clone(order), func(name string) bool { return !stops(name) })
	return slices.Concat(writers, order, servers)
}

// concerned says whether a service must stop: it moves, it writes to a store,
// or it keeps one.
func concerned(s *Stack, name string) bool {
	if slices.Contains(s.Group, name) || slices.Contains(s.Writers, name) {
		return true
	}
	for _, db := range s.Databases {
		if db.Service == name {
			return true
		}
	}
	for _, store := range s.Stores {
		if slices.Contains(store.Services, name) {
			return true
		}
	}
	return false
}

// dependentsFirst lists all services so that each comes before what it depends
// on; of free choices the later in the files goes first. A circle, which compose
// refuses anyway, is cut where it is met.
func dependentsFirst(s *Stack) []string {
	depends := map[string][]string{}
	for _, m := range s.Model.Services {
		depends[m.Name] = m.DependsOn
	}
	var out []string // what is needed first
	seen := map[string]bool{}
	var visit func(name string)
	visit = func(name string) {
		if seen[name] {
			return
		}
		seen[name] = true
		for _, dep := range depends[name] {
			visit(dep)
		}
		out = append(out, name)
	}
	for _, svc := range s.Services {
		visit(svc.Name)
	}
	slices.Reverse(out)
	return out
}
