package stack

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"belay/dockerx/compose"
)

// belonging lists the database services whose data is the group's: those it
// depends on or names as a host in its environment, and those that nobody else
// claims either. Too much in a restore point is better than too little.
func (f *facts) belonging(s *Stack) []string {
	var others []string
	for _, svc := range s.Services {
		if svc.Role == App && !slices.Contains(s.Group, svc.Name) {
			others = append(others, svc.Name)
		}
	}
	ours, theirs := f.claims(s.Group), f.claims(others)
	var out []string
	for _, svc := range s.Services {
		if svc.Role != Database {
			continue
		}
		if slices.Contains(s.Group, svc.Name) || ours(svc) || !theirs(svc) {
			out = append(out, svc.Name)
		}
	}
	return out
}

// claims says of a service whether one of group needs it or names it as a host.
func (f *facts) claims(group []string) func(Service) bool {
	hosts, needs := f.hosts(group), f.needs(group)
	return func(svc Service) bool {
		if needs[svc.Name] || hosts[strings.ToLower(svc.Name)] {
			return true
		}
		return svc.Container != nil && hosts[strings.ToLower(svc.Container.Name)]
	}
}

// needs is everything the group depends on, directly or through others.
func (f *facts) needs(group []string) map[string]bool {
	out := map[string]bool{}
	todo := slices.Clone(group)
	for len(todo) > 0 {
		name := todo[0]
		todo = todo[1:]
		for _, dep := range f.model(name).DependsOn {
			if !out[dep] {
				out[dep] = true
				todo = append(todo, dep)
			}
		}
	}
	return out
}

var hostLike = regexp.MustCompile(`[A-Za-z0-9][A-Za-z0-9._-]*`)

// hosts are all words in the group's environment that could be a host's name.
func (f *facts) hosts(group []string) map[string]bool {
	out := map[string]bool{}
	for _, name := range group {
		for _, value := range f.env(name) {
			for _, word := range hostWords(value) {
				out[strings.ToLower(word)] = true
			}
		}
	}
	return out
}

// hostWords picks what can be a host from a variable's value: the host of an
// address, or a value that is nothing but host and port. User names and
// database names are often called like the service and are no sign.
func hostWords(value string) []string {
	var out []string
	for _, part := range strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ';' || r == ' ' }) {
		if strings.Contains(part, "://") {
			if u, err := url.Parse(part); err == nil {
				out = append(out, u.Hostname())
			} else if at := strings.LastIndexByte(part, '@'); at >= 0 { // a password with odd letters
				out = append(out, hostLike.FindString(part[at+1:]))
			}
			continue
		}
		// "host=db port=5432", "Server=db;Database=x"
		if key, v, ok := strings.Cut(part, "="); ok {
			switch strings.ToLower(key) {
			case "host", "server", "data source", "addr":
				part = v
			default:
				continue
			}
		}
		host, _, _ := strings.Cut(part, ":")
		if host != "" && hostLike.FindString(host) == host {
			out = append(out, host)
		}
	}
	return out
}

var (
	databaseHost = regexp.MustCompile(`^(.*_)?(DATABASE|DB|POSTGRES|PG|MYSQL|MARIADB|MONGO|MONGODB)_?(HOST|HOSTNAME|URL|URI|SERVER)$`)
	serverURL    = regexp.MustCompile(`^(postgres|postgresql|postgis|ecto|mysql|mariadb|mongodb)(\+\w+)?://`)
)

// outside warns of a database that is not part of the project: a restore point
// cannot hold it. Only the variable is named; its value may be secret.
func (f *facts) outside(s *Stack) {
	for _, name := range s.Group {
		m := f.model(name)
		for _, key := range sortedKeys(m.Environment) {
			value := m.Environment[key]
			if !databaseHost.MatchString(key) || value == "" || strings.HasSuffix(key, "_URL") && !serverURL.MatchString(value) {
				continue
			}
			hosts := hostWords(value)
			if len(hosts) == 0 || slices.ContainsFunc(hosts, func(h string) bool { return h == "" || f.inside(h) }) {
				continue
			}
			f.warn("%s of %s names a host that is no service here: the data behind it is in no restore point.", key, name)
			return
		}
	}
}

// inside says whether a host is part of the project or the container itself.
func (f *facts) inside(host string) bool {
	host = strings.ToLower(host)
	if host == "localhost" || strings.HasPrefix(host, "127.") || host == "::1" {
		return true
	}
	return slices.ContainsFunc(f.Model.Services, func(m compose.Service) bool {
		c := f.containers[m.Name]
		return strings.ToLower(m.Name) == host || c != nil && strings.ToLower(c.Name) == host
	})
}
