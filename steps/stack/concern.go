package stack

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"belay/dockerx/compose"
	"belay/releases/notes"
)

// Kinds of concerns.
const (
	concernEnv     = "env"
	concernService = "service"
	concernImage   = "image"
	concernVolume  = "volume"
	concernPort    = "port"
)

// Concerns ties every flag of a report to what it names of this installation:
// variables, services, images, volumes and ports, with the place in the files
// where that is known. A flag that says that a variable set here is renamed or
// removed becomes breaking; one that asks for a newer server than runs here
// becomes a blocker. No flag is ever made lighter.
func Concerns(report *notes.Report, s *Stack) {
	if report == nil || s == nil || s.Model == nil {
		return
	}
	m := newMatcher(s)
	for i := range report.Entries {
		flags := report.Entries[i].Flags
		for j := range flags {
			flags[j].Concerns = m.concerns(flags[j].Text)
			flags[j].Level = m.level(flags[j])
		}
	}
}

// matcher knows the words of an installation.
type matcher struct {
	stack *Stack
	env   map[string]variable
}

type variable struct {
	place compose.Place
	set   bool // to something
}

func newMatcher(s *Stack) *matcher {
	m := &matcher{stack: s, env: map[string]variable{}}
	// Later entries win: other services, the group, and .env, which is where a
	// variable is really set when the compose file only passes it on.
	services := slices.Clone(s.Model.Services)
	slices.SortStableFunc(services, func(a, b compose.Service) int {
		return btoi(slices.Contains(s.Group, a.Name)) - btoi(slices.Contains(s.Group, b.Name))
	})
	for _, svc := range services {
		for key, value := range svc.Environment {
			place, known := svc.EnvSources[key]
			if !known {
				place = svc.Place
			}
			m.env[key] = variable{place, value != ""}
		}
	}
	lines := assignments(s.Model.EnvFiles)
	for key, value := range s.Model.Variables {
		v := variable{lines[key], value != ""}
		if old, ok := m.env[key]; ok {
			v.set = v.set || old.set
			if v.place.File == "" {
				v.place = old.place
			}
		}
		m.env[key] = v
	}
	return m
}

var word = regexp.MustCompile(`[A-Za-z0-9_]+`)

// concerns lists what a line names, each once: variables first.
func (m *matcher) concerns(text string) []notes.Concern {
	var out []notes.Concern
	add := func(kind, name string, at compose.Place) {
		c := notes.Concern{Kind: kind, Name: name, File: at.File, Line: at.Line}
		if !slices.ContainsFunc(out, func(o notes.Concern) bool { return o.Kind == kind && o.Name == name }) {
			out = append(out, c)
		}
	}
	for _, key := range word.FindAllString(text, -1) {
		if v, ok := m.env[key]; ok && variableLike(key) {
			add(concernEnv, key, v.place)
		}
	}
	for _, svc := range m.stack.Services {
		model := m.model(svc.Name)
		if namesService(text, svc.Name) || svc.Role == Database && namesServer(text, svc.Kind) {
			add(concernService, svc.Name, model.Place)
		}
		if repo := svc.Pin.Repo; repo != "" && namesImage(text, repo) {
			at := svc.Pin.Place
			if at.File == "" {
				at = model.Place
			}
			add(concernImage, repo, at)
		}
	}
	for _, model := range m.stack.Model.Services {
		for _, v := range model.Volumes {
			if namesPath(text, v.Target) {
				add(concernVolume, v.Target, model.Place)
			} else if name := m.volumeName(text, v); name != "" {
				add(concernVolume, name, model.Place)
			}
		}
		for _, p := range model.Ports {
			if n := namedPort(text, p); n != "" {
				add(concernPort, n, model.Place)
			}
		}
	}
	return out
}

func (m *matcher) model(name string) compose.Service {
	for _, s := range m.stack.Model.Services {
		if s.Name == name {
			return s
		}
	}
	return compose.Service{Name: name}
}

// volumeName finds a named volume, with or without the project's prefix.
func (m *matcher) volumeName(text string, v compose.Volume) string {
	if v.Type != "volume" || v.Source == "" {
		return ""
	}
	for _, name := range []string{v.Source, strings.TrimPrefix(v.Source, m.stack.Project+"_")} {
		if quoted(text, name) || strings.ContainsAny(name, "-_") && whole(text, name) {
			return name
		}
	}
	return ""
}

// variableLike keeps words that are variables by their look: four characters
// and a capital first.
func variableLike(key string) bool { return len(key) >= 4 && key[0] >= 'A' && key[0] <= 'Z' }

// namesService takes a service's name for one when it could be nothing else:
// set as code, beside the word service, or no word of everyday language.
func namesService(text, name string) bool {
	if quoted(text, name) || strings.ContainsAny(name, "-_") && whole(text, name) {
		return true
	}
	lower, name := strings.ToLower(text), strings.ToLower(name)
	for _, noun := range []string{"service", "container"} {
		if whole(lower, name+" "+noun) || whole(lower, noun+" "+name) {
			return true
		}
	}
	return false
}

// namesServer looks for a database by the name people call it.
func namesServer(text, kind string) bool {
	text = strings.ToLower(text)
	switch kind {
	case "postgres":
		return whole(text, "postgres") || whole(text, "postgresql")
	case "mongodb":
		return whole(text, "mongodb") || whole(text, "mongo")
	case "":
		return false
	}
	return whole(text, kind)
}

func namesImage(text, repo string) bool {
	r := splitRef(repo)
	short := repo
	if i := strings.IndexByte(repo, '/'); i >= 0 && strings.ContainsAny(repo[:i], ".:") {
		short = repo[i+1:]
	}
	for _, name := range []string{r.full(), repo, short} {
		if strings.Contains(name, "/") && whole(text, name) {
			return true
		}
	}
	return false
}

func namesPath(text, target string) bool {
	target = strings.TrimSuffix(target, "/")
	return len(target) >= 4 && whole(text, target) || len(target) >= 4 && strings.Contains(text, "`"+target+"/")
}

var portLike = regexp.MustCompile(`(?i)\bports?\b[^0-9]{0,20}([0-9]{2,5})\b|:([0-9]{2,5})\b|\b([0-9]{2,5})/(?:tcp|udp)\b`)

func namedPort(text string, p compose.Port) string {
	for _, m := range portLike.FindAllStringSubmatch(text, -1) {
		for _, n := range m[1:] {
			if n != "" && (n == p.Host || n == strconv.Itoa(p.Container)) {
				return n
			}
		}
	}
	return ""
}

func quoted(text, name string) bool {
	return strings.Contains(text, "`"+name+"`") || strings.Contains(text, `"`+name+`"`) || strings.Contains(text, "'"+name+"'")
}

// whole finds name where it is not a part of a longer name, path or reference.
func whole(text, name string) bool {
	for at := 0; name != ""; {
		i := strings.Index(text[at:], name)
		if i < 0 {
			return false
		}
		i += at
		end := i + len(name)
		before := i == 0 || !strings.ContainsRune("/.-_", rune(text[i-1])) && !letter(text[i-1])
		after := end == len(text) || !strings.ContainsRune("/-_#@", rune(text[end])) && !letter(text[end])
		if before && after {
			return true
		}
		at = i + 1
	}
	return false
}

func letter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
