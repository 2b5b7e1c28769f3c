package stack

import (
	"strings"

	"belay/releases/github"
)

const labelSource = "org.opencontainers.image.source"

// repo finds where the app's releases are: the recipe's word, the image's
// source label, the path of an image on ghcr.io.
func (f *facts) repo(s *Stack) string {
	if name := f.Recipe.Releases.GitHub; name != "" {
		return "github.com/" + name
	}
	lead, ok := f.lead(s)
	if !ok {
		return ""
	}
	understand := f.RepoOf
	if understand == nil {
		understand = github.RepoFromURL
	}
	for _, name := range append([]string{lead.Name}, s.Group...) {
		labels := f.images[name].Labels
		if label := labels[labelSource]; label != "" && !ofBase(labels, f.repoOf(f.model(name))) {
			if repo, ok := understand(label); ok {
				return onForge(repo)
			}
		}
	}
	return f.fromPath(s, lead)
}

// onForge puts the forge before a bare owner/name.
func onForge(repo string) string {
	if strings.Count(repo, "/") == 1 {
		return "github.com/" + repo
	}
	return repo
}

// fromPath guesses by ghcr.io/owner/name. Several images of one repository are
// called name-part: what they share is the name.
func (f *facts) fromPath(s *Stack, lead Service) string {
	r := f.repoOf(f.model(lead.Name))
	parts := strings.Split(r.full(), "/")
	if len(parts) < 3 || parts[0] != "ghcr.io" {
		return ""
	}
	name := parts[2]
	for _, member := range s.Group {
		other := f.repoOf(f.model(member))
		if other.owner() == r.owner() && len(parts) == 3 {
			name = shared(name, other.base())
		}
	}
	if name == "" {
		name = parts[2]
	}
	return "github.com/" + parts[1] + "/" + name
}

// shared is what two names begin with, in whole words.
func shared(a, b string) string {
	x, y := strings.Split(a, "-"), strings.Split(b, "-")
	n := 0
	for n < len(x) && n < len(y) && x[n] == y[n] {
		n++
	}
	return strings.Join(x[:n], "-")
}
