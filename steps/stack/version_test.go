package stack

import (
	"context"
	"testing"

	"belay/dockerx"
	"belay/dockerx/compose"
)

func byDigest(repo, digest, tag string) func(context.Context, string, string) (string, bool) {
	return func(_ context.Context, r, d string) (string, bool) { return tag, r == repo && d == digest }
}

func TestVersionOf(t *testing.T) {
	label := func(v string, more ...string) map[string]string {
		m := map[string]string{labelVersion: v}
		for i := 0; i+1 < len(more); i += 2 {
			m[more[i]] = more[i+1]
		}
		return m
	}
	tests := []struct {
		name, image string
		labels      map[string]string
		env         []string
		text, tag   string
		source      string
	}{
		{"tag", "acme/shop:1.2.3", nil, nil, "1.2.3", "1.2.3", "tag"},
		{"tag with v and suffix", "acme/shop:v1.2.3-slim", nil, nil, "1.2.3", "v1.2.3-slim", "tag"},
		{"prerelease", "acme/shop:1.0.0-beta.41", nil, nil, "1.0.0-beta.41", "1.0.0-beta.41", "tag"},
		{"registry with a port", "127.0.0.1:5000/shop:1.2.3", nil, nil, "1.2.3", "1.2.3", "tag"},
		{"registry with a port, no tag", "127.0.0.1:5000/shop", label("1.2.3"), nil, "1.2.3", "latest", "label"},
		{"tag and digest", "acme/shop:1.2.3@sha256:ab", nil, nil, "1.2.3", "1.2.3", "tag"},
		{"digest alone", "acme/shop@sha256:ab", label("v1.2.3"), nil, "1.2.3", "", "label"},
		{"digest alone, unlabelled", "acme/shop@sha256:ab", nil, nil, "unknown", "", "unknown"},
		{"latest, labelled", "acme/shop:latest", label("1.2.3"), nil, "1.2.3", "latest", "label"},
		{"moving within a major", "nextcloud:32-apache", label("32.0.2"), nil, "32.0.2", "32-apache", "label"},
		{"label of another version", "acme/shop:1.2", label("24.04"), nil, "1.2", "1.2", "tag"},
		{"exact tag against the label", "acme/shop:1.2.3", label("1.2.4"), nil, "1.2.3", "1.2.3", "tag"},
		{"label is a branch", "acme/shop:latest", label("main"), nil, "unknown", "latest", "unknown"},
		{"label of ubuntu", "acme/shop:latest", label("22.04", "org.opencontainers.image.ref.name", "ubuntu"), nil, "unknown", "latest", "unknown"},
		{"ubuntu's label without its name", "acme/shop:latest", label("24.04"), nil, "unknown", "latest", "unknown"},
		{"a version that looks like ubuntu's", "acme/shop:latest", label("24.10", "org.opencontainers.image.source", "https://github.com/acme/shop"), nil, "24.10", "latest", "label"},
		{"server says it in a variable", "postgres:17-alpine", nil, []string{"PG_VERSION=17.2-1.pgdg120+1"}, "17.2", "17-alpine", "label"},
		{"server without a tag", "mariadb", nil, []string{"MARIADB_VERSION=1:11.4.2+maria~ubu2404"}, "11.4.2", "latest", "label"},
		{"another image's variable", "acme/shop:latest", nil, []string{"PG_VERSION=17.2"}, "unknown", "latest", "unknown"},
		{"a commit", "acme/shop:sha-0a1b2c3", nil, nil, "unknown", "sha-0a1b2c3", "unknown"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := versionOf(splitRef(tt.image), dockerx.Image{ID: "sha256:1", Labels: tt.labels, Env: tt.env}, compose.Pin{})
			if v.Text != tt.text || v.Tag != tt.tag || v.Source != tt.source {
				t.Errorf("got %+v, want %s %q from %s", v, tt.text, tt.tag, tt.source)
			}
			if v.Known() == (v.Why != "") {
				t.Errorf("a reason belongs to an unknown version only: %+v", v)
			}
		})
	}
}

// What runs is what counts: the files may have been edited since, and an engine
// shows an image ID once its tag has moved on.
func TestVersionIsOfWhatRuns(t *testing.T) {
	tests := []struct {
		name   string
		change func(c *dockerx.Container)
		tags   []string
		want   string
		drift  string
	}{
		{"as the files say", nil, nil, "1.3.0", ""},
		{
			"the files were edited", func(c *dockerx.Container) { c.Image = "acme/shop:1.2.3" }, nil,
			"1.2.3", "shop: runs 1.2.3, compose.yaml:3 says 1.3.0",
		},
		{
			"an image ID, the tag still its own", func(c *dockerx.Container) { c.Image = "sha256:0123456789abcdef" },
			[]string{"other:9", "acme/shop:1.3.0"},
			"1.3.0", "",
		},
		{
			"an image ID, another tag of it", func(c *dockerx.Container) { c.Image = "0123456789ab" },
			[]string{"acme/shop:1.2.9"},
			"1.2.9", "shop: runs 1.2.9, compose.yaml:3 says 1.3.0",
		},
		{
			"started from a hold", func(c *dockerx.Container) { c.Image = dockerx.HoldPrefix + "app-shop:01J" },
			[]string{dockerx.HoldPrefix + "app-shop:01J", "acme/shop:1.3.0"},
			"1.3.0", "",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, e := fixture(svc{Service: compose.Service{Name: "shop", Image: "acme/shop:1.3.0"}, change: tt.change})
			for id, image := range e.images {
				if tt.tags != nil {
					image.Tags = tt.tags
					e.images[id] = image
				}
			}
			s := inspect(t, d)
			if s.Version.Text != tt.want {
				t.Errorf("got %+v, want %s", s.Version, tt.want)
			}
			if got := first(s.Drift); got != tt.drift {
				t.Errorf("drift: got %q, want %q", got, tt.drift)
			}
		})
	}
}

func first(all []string) string {
	if len(all) == 0 {
		return ""
	}
	return all[0]
}
