package stack

import (
	"regexp"
	"strings"

	"belay/dockerx"
)

// ref is an image reference, taken apart.
type ref struct{ repo, tag, digest string }

func splitRef(s string) ref {
	var r ref
	s, r.digest, _ = strings.Cut(s, "@")
	if i := strings.LastIndexByte(s, ':'); i > strings.LastIndexByte(s, '/') {
		s, r.tag = s[:i], s[i+1:]
	}
	r.repo = s
	return r
}

// base is the last part of the repository: "postgres" of "ghcr.io/x/postgres".
func (r ref) base() string { return r.repo[strings.LastIndexByte(r.repo, '/')+1:] }

// full is the repository with its registry: "docker.io/library/postgres".
func (r ref) full() string {
	host, rest, ok := strings.Cut(r.repo, "/")
	switch {
	case r.repo == "":
		return ""
	case !ok:
		return "docker.io/library/" + r.repo
	case host == "index.docker.io" || host == "registry-1.docker.io" || host == "docker.io":
		if !strings.Contains(rest, "/") {
			rest = "library/" + rest
		}
		return "docker.io/" + rest
	case host == "localhost" || strings.ContainsAny(host, ".:"):
		return r.repo
	default:
		return "docker.io/" + r.repo
	}
}

// owner is registry and owner: "docker.io/library", "ghcr.io/immich-app".
func (r ref) owner() string {
	full := r.full()
	i := strings.LastIndexByte(full, '/')
	if i < 0 {
		return ""
	}
	return full[:i]
}

var imageID = regexp.MustCompile(`^(sha256:)?[0-9a-f]{12,64}$`)

// runningRef is the reference a container was made from. Engines show an image
// ID once a tag has moved on, and a hold tag of our own says nothing: then the
// image's own tags are asked, and the files last.
func runningRef(c *dockerx.Container, image dockerx.Image, model string) ref {
	want := splitRef(model)
	if c == nil {
		return want
	}
	if c.Image != "" && !imageID.MatchString(c.Image) && !strings.HasPrefix(c.Image, dockerx.HoldPrefix) {
		return splitRef(c.Image)
	}
	for _, tag := range image.Tags {
		if tag == model {
			return want
		}
	}
	for _, tag := range image.Tags {
		if r := splitRef(tag); r.full() == want.full() {
			return r
		}
	}
	return ref{repo: want.repo}
}

func pairs(env []string) map[string]string {
	out := make(map[string]string, len(env))
	for _, kv := range env {
		k, v, _ := strings.Cut(kv, "=")
		out[k] = v
	}
	return out
}

func words(s string) []string {
	return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return r == '-' || r == '_' || r == '.' })
}
