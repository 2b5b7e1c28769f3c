package notes

import (
	"slices"
	"strings"

	"belay/releases/version"
)

// mapped finds the version of each release. A tag is a version with a known way
// to begin it: "v1.2.3", "1.2.3", "release-1.2.3", "version/1.2.3", "NAME-1.2.3",
// "NAME/v1.2.3" with a name of this project. Anything else is another component's
// ("api/v3", "android-1.16"): its notes would be wrong ones. Tags are read as a
// whole, so 1.2.3 is never found inside 11.2.3 or 1.2.30.
func mapped(o Options) []candidate {
	names := namesOf(o)
	var known, foreign []candidate
	for i := range o.Releases {
		r := &o.Releases[i]
		t, ok := version.Parse(r.Tag)
		if !ok {
			continue
		}
		if c := (candidate{tag: t, release: r}); ours(t.Prefix, names) {
			known = append(known, c)
		} else {
			foreign = append(foreign, c)
		}
	}
	if len(known) == 0 && onePrefix(foreign) {
		known = foreign // the project's own word, used for all its releases
	}
	return once(known)
}

// once keeps one release per version: without a variant before with one, then
// the better known spelling, then GitHub's order.
func once(list []candidate) []candidate {
	slices.SortStableFunc(list, func(a, b candidate) int {
		return score(a) - score(b)
	})
	var out []candidate
	for _, c := range list {
		if !slices.ContainsFunc(out, func(o candidate) bool { return version.Compare(o.tag, c.tag) == 0 }) {
			out = append(out, c)
		}
	}
	return out
}

func score(c candidate) int {
	n := 0
	if c.tag.Suffix != "" {
		n += 10
	}
	switch c.tag.Prefix {
	case "v":
	case "", "V":
		n++
	default:
		n += 2
	}
	if strings.TrimSpace(c.release.Body) == "" {
		n += 5
	}
	return n
}

func ours(prefix string, names []string) bool {
	switch prefix {
	case "", "v", "V", "v.", "r", "release-", "release/", "release-v", "release/v", "version-", "version/", "RELEASE.":
		return true
	}
	name := strings.TrimRight(strings.TrimSuffix(strings.ToLower(prefix), "v"), "-/@")
	return slices.Contains(names, name)
}

// namesOf lists what a project may call itself in a tag: the repository's name,
// its parts ("paperless-ngx" tags "ngx-1.2.3"), its owner, and what the caller knows.
func namesOf(o Options) []string {
	var out []string
	add := func(s string) {
		if s = strings.ToLower(s); s != "" {
			out = append(out, s)
		}
	}
	parts := strings.Split(o.Repo, "/")
	if len(parts) >= 2 {
		name := parts[len(parts)-1]
		add(name)
		add(parts[len(parts)-2])
		for _, word := range strings.Split(name, "-") {
			add(word)
		}
	}
	for _, name := range o.Names {
		add(name[strings.LastIndex(name, "/")+1:])
	}
	return out
}

func onePrefix(list []candidate) bool {
	for _, c := range list {
		if c.tag.Prefix != list[0].tag.Prefix {
			return false
		}
	}
	return true
}
