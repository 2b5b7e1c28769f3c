package stack

import (
	"fmt"
	"slices"
	"strings"

	"belay/releases/version"
)

// group fills Stack.Group: what the recipe says, else the largest set of
// services that belong to one version.
func (f *facts) group(s *Stack) {
	switch {
	case len(s.Services) == 0:
		return
	case len(f.fit.Group) > 0:
		s.Group = slices.Clone(f.fit.Group)
	default:
		s.Group = f.discover(s)
	}
	f.addPinned(s)
	for i := range s.Services {
		if svc := &s.Services[i]; slices.Contains(s.Group, svc.Name) && svc.Role == Other {
			svc.Role = App
		}
	}
}

func (f *facts) discover(s *Stack) []string {
	sets := f.candidates(s)
	best := -1
	for i, set := range sets {
		if best < 0 || len(set) > len(sets[best]) {
			best = i
		}
	}
	for i, set := range sets {
		if i != best {
			first, _ := s.Service(set[0])
			f.warn("%s (%s) is not part of what belay upgrades here; name it under group in belay.yaml to change that.",
				list(set), splitRef(first.Ref).repo)
		}
	}
	return sets[best]
}

// candidates are the sets of services that seem to be one app, in the order of
// the files. Databases and supporting services count only when there is nothing else.
func (f *facts) candidates(s *Stack) [][]string {
	for _, roles := range [][]Role{{App}, {Other}, {Database}} {
		var of []Service
		for _, svc := range s.Services {
			if slices.Contains(roles, svc.Role) {
				of = append(of, svc)
			}
		}
		if len(of) > 0 {
			return f.cluster(of)
		}
	}
	return nil
}

// cluster joins services that belong together, directly or through others.
func (f *facts) cluster(services []Service) [][]string {
	set := make([]int, len(services))
	for i := range set {
		set[i] = i
	}
	for i := range services {
		for j := range i {
			if set[i] != set[j] && f.together(services[i], services[j]) {
				from, to := max(set[i], set[j]), min(set[i], set[j])
				for k := range set {
					if set[k] == from {
						set[k] = to
					}
				}
			}
		}
	}
	var out [][]string
	for leader := range services {
		var names []string
		for i, svc := range services {
			if set[i] == leader {
				names = append(names, svc.Name)
			}
		}
		if names != nil {
			out = append(out, names)
		}
	}
	return out
}

// together says whether two services are always on one version: one place pins
// both, they run one repository, or one owner's images carry the same tag.
func (f *facts) together(a, b Service) bool {
	if samePin(a, b) {
		return true
	}
	ra, rb := f.repoOf(f.model(a.Name)), f.repoOf(f.model(b.Name))
	switch {
	case ra.repo == "" || rb.repo == "":
		return false
	case ra.full() == rb.full():
		return !supporting(ra)
	case ra.owner() != rb.owner() || collects(ra.owner()):
		return false
	case ra.tag == rb.tag:
		return true
	default:
		// A stack with a mixed version is the one that most needs to be seen
		// as one: same owner, same name up to a dash, neighbouring versions.
		return stem(ra) == stem(rb) && neighbours(ra.tag, rb.tag)
	}
}

func samePin(a, b Service) bool {
	if a.Pin.Place.Line != 0 && a.Pin.Place == b.Pin.Place {
		return true
	}
	return slices.Contains(a.Pin.Services, b.Name) || slices.Contains(b.Pin.Services, a.Name)
}

// collects says whether an owner publishes images of many unrelated programs.
func collects(owner string) bool {
	switch owner[strings.LastIndexByte(owner, '/')+1:] {
	case "library", "linuxserver", "bitnami", "bitnamilegacy", "hotio", "onedr0p", "home-operations", "apache", "grafana",
		"prom", "docker.elastic.co", "binhex", "lsiobase", "imagegenius":
		return true
	}
	return !strings.Contains(owner, "/") // a registry without owners
}

func stem(r ref) string {
	w := words(r.base())
	if len(w) == 0 {
		return ""
	}
	return w[0]
}

func neighbours(a, b string) bool {
	x, okA := version.Parse(a)
	y, okB := version.Parse(b)
	return okA && okB && len(x.Numbers) == len(y.Numbers) && x.Numbers[0] == y.Numbers[0]
}

// addPinned takes in what moves with the group in any case, because the same
// place of a file names its version.
func (f *facts) addPinned(s *Stack) {
	for _, name := range slices.Clone(s.Group) {
		member, ok := s.Service(name)
		if !ok {
			continue
		}
		for _, svc := range s.Services {
			if samePin(member, svc) && !slices.Contains(s.Group, svc.Name) {
				s.Group = append(s.Group, svc.Name)
			}
		}
	}
}

// list is "a", "a and b", "a, b and c".
func list(names []string) string {
	switch n := len(names); n {
	case 0:
		return ""
	case 1:
		return names[0]
	default:
		return fmt.Sprintf("%s and %s", strings.Join(names[:n-1], ", "), names[n-1])
	}
}
