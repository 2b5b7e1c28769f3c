package github

import (
	"net/url"
	"strings"
)

// RepoFromURL reads the repository ("owner/name") out of an address that an
// image's label gives, such as org.opencontainers.image.source. Labels are
// written by whoever built the image, so only a plain https address on
// github.com counts: no login, no port, no query.
func RepoFromURL(label string) (string, bool) {
	if len(label) > 300 {
		return "", false
	}
	u, err := url.Parse(strings.TrimSpace(label))
	if err != nil || u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Opaque != "" {
		return "", false
	}
	if host := strings.ToLower(u.Host); host != "github.com" && host != "www.github.com" {
		return "", false
	}
	if u.RawPath != "" {
		return "", false // something in it was escaped; no repository needs that
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	if len(parts) < 2 || reserved(parts[0]) {
		return "", false
	}
	repo := parts[0] + "/" + strings.TrimSuffix(parts[1], ".git")
	return repo, validRepo(repo)
}

// RepoFromImage guesses the repository of an image on GitHub's own registry,
// whose names follow it: ghcr.io/OWNER/NAME[/part][:tag][@digest].
func RepoFromImage(ref string) (string, bool) {
	path, ok := strings.CutPrefix(ref, "ghcr.io/")
	if !ok {
		return "", false
	}
	path, _, _ = strings.Cut(path, "@")
	path, _, _ = strings.Cut(path, ":")
	parts := strings.Split(path, "/")
	if len(parts) < 2 {
		return "", false
	}
	repo := parts[0] + "/" + parts[1]
	return repo, validRepo(repo)
}

// reserved lists first path elements of github.com that are no owners.
func reserved(owner string) bool {
	switch strings.ToLower(owner) {
	case "orgs", "users", "apps", "topics", "marketplace", "sponsors", "settings", "features", "search", "login":
		return true
	}
	return false
}
