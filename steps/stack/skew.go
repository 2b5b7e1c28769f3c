package stack

import (
	"fmt"
	"strings"

	"belay/dockerx"
)

// groupVersion takes the version of the service people see, and says when the
// others run something else.
func (f *facts) groupVersion(s *Stack) {
	lead, ok := f.lead(s)
	if !ok {
		return
	}
	s.Version = lead.Version
	var order []string
	by := map[string][]string{}
	for _, name := range s.Group {
		svc, ok := s.Service(name)
		if !ok {
			continue
		}
		if !s.Version.Known() && svc.Version.Known() {
			s.Version = svc.Version
		}
		if !svc.Version.Known() {
			continue
		}
		if by[svc.Version.Text] == nil {
			order = append(order, svc.Version.Text)
		}
		by[svc.Version.Text] = append(by[svc.Version.Text], name)
	}
	if len(order) > 1 {
		s.Skew = append(s.Skew, said(order, by))
	}
	f.builds(s)
}

// said is "api and web run 1.2.3, worker 1.2.2".
func said(versions []string, by map[string][]string) string {
	parts := make([]string, 0, len(versions))
	for i, v := range versions {
		verb := ""
		switch {
		case i == 0 && len(by[v]) > 1:
			verb = "run "
		case i == 0:
			verb = "runs "
		}
		parts = append(parts, fmt.Sprintf("%s %s%s", list(by[v]), verb, v))
	}
	return strings.Join(parts, ", ")
}

// builds notices one moving tag that was pulled twice: the same name, two images.
func (f *facts) builds(s *Stack) {
	first := map[string]Service{}
	for _, name := range s.Group {
		svc, ok := s.Service(name)
		if !ok || svc.Container == nil || svc.Container.ImageID == "" || svc.Version.Source == fromTag {
			continue
		}
		r := f.repoOf(f.model(name))
		key := r.full() + ":" + r.tag
		other, seen := first[key]
		if !seen {
			first[key] = svc
			continue
		}
		if other.Container.ImageID != svc.Container.ImageID && other.Version.Text == svc.Version.Text {
			s.Skew = append(s.Skew, fmt.Sprintf("%s and %s run two different builds of %s:%s",
				other.Name, name, r.repo, svc.Version.Tag))
		}
	}
}

// lead is the service of the group that people see: the first that publishes a
// port, else the first that stays up, else the first.
func (f *facts) lead(s *Stack) (Service, bool) {
	var first, stays *Service
	for _, name := range s.Group {
		svc, ok := s.Service(name)
		if !ok {
			continue
		}
		if len(f.model(name).Ports) > 0 || svc.Container != nil && len(svc.Container.Ports) > 0 {
			return svc, true
		}
		if first == nil {
			first = &svc
		}
		if stays == nil && svc.Container != nil && svc.Container.State == dockerx.Running {
			stays = &svc
		}
	}
	switch {
	case stays != nil:
		return *stays, true
	case first != nil:
		return *first, true
	default:
		return Service{}, false
	}
}
