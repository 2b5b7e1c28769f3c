package github_test

import (
	"strings"
	"testing"

	"belay/releases/github"
)

func TestRepoFromURL(t *testing.T) {
	t.Parallel()
	for label, want := range map[string]string{
		"https://github.com/tymeslot/tymeslot":             "tymeslot/tymeslot",
		"https://github.com/xiao-villamor/PrintStash/":     "xiao-villamor/PrintStash",
		"https://github.com/dani-garcia/vaultwarden.git":   "dani-garcia/vaultwarden",
		"https://GitHub.com/a/b.c_d":                       "a/b.c_d",
		"https://www.github.com/a/b":                       "a/b",
		"https://github.com/a/b/tree/main/docker":          "a/b",
		"https://github.com/a/b#readme":                    "a/b",
		" https://github.com/a/b\n":                        "a/b",
		"http://github.com/a/b":                            "",
		"git@github.com:a/b.git":                           "",
		"ssh://git@github.com/a/b":                         "",
		"https://user:pass@github.com/a/b":                 "",
		"https://github.com@evil.example/a/b":              "",
		"https://github.com:8443/a/b":                      "",
		"https://github.com.evil.example/a/b":              "",
		"https://evil.example/github.com/a/b":              "",
		"https://gitlab.com/a/b":                           "",
		"https://127.0.0.1/a/b":                            "",
		"https://github.com/a":                             "",
		"https://github.com/":                              "",
		"https://github.com/a/b?x=1":                       "",
		"https://github.com/a/..":                          "",
		"https://github.com/../../etc":                     "",
		"https://github.com/a/b%2fc":                       "",
		"https://github.com/a/b\x1b[2J":                    "",
		"https://github.com/orgs/a":                        "",
		"https://github.com/a/" + strings.Repeat("b", 400): "",
		"":                     "",
		"github.com/a/b":       "",
		"https:github.com/a/b": "",
	} {
		got, ok := github.RepoFromURL(label)
		if ok != (want != "") || ok && got != want {
			t.Errorf("%q: %q %v, want %q", label, got, ok, want)
		}
	}
}

func TestRepoFromImage(t *testing.T) {
	t.Parallel()
	for ref, want := range map[string]string{
		"ghcr.io/tymeslot/tymeslot:1.2.3":  "tymeslot/tymeslot",
		"ghcr.io/immich-app/immich-server": "immich-app/immich-server",
		"ghcr.io/a/b/c:1@sha256:abc":       "a/b",
		"ghcr.io/a/b@sha256:abc":           "a/b",
		"ghcr.io/a":                        "",
		"docker.io/a/b":                    "",
		"a/b":                              "",
		"notghcr.io/a/b":                   "",
		"ghcr.io//b":                       "",
		"":                                 "",
	} {
		got, ok := github.RepoFromImage(ref)
		if ok != (want != "") || ok && got != want {
			t.Errorf("%q: %q %v, want %q", ref, got, ok, want)
		}
	}
}
