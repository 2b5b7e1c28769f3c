package version_test

import (
	"slices"
	"testing"

	"belay/releases/version"
)

func TestCandidates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		current string
		tags    []string
		want    []string
	}{
		{"newest first, variant kept", "1.2.3-slim", []string{"latest", "1.2.2-slim", "1.2.4", "1.2.4-slim", "2.0.0-slim", "1.10.0-slim", "1.2.3-slim"}, []string{"2.0.0-slim", "1.10.0-slim", "1.2.4-slim"}},
		{"same precision", "12.14", []string{"12", "13", "12.15", "12.15.0", "13.0"}, []string{"13.0", "12.15"}},
		{"no prereleases for a release", "1.2.3", []string{"1.3.0-rc.1", "1.3.0-beta.2", "1.2.4", "1.3.0-dev"}, []string{"1.2.4"}},
		{"prereleases for a prerelease", "1.0.0-beta.9", []string{"1.0.0-beta.10", "1.0.0-beta.8", "1.0.0", "1.0.0-beta.51"}, []string{"1.0.0", "1.0.0-beta.51", "1.0.0-beta.10"}},
		{"the image dropped its v", "v1.2.3", []string{"1.2.4", "v1.2.3"}, []string{"1.2.4"}},
		{"both spellings: the one in use", "v1.2.3", []string{"1.2.4", "v1.2.4"}, []string{"v1.2.4"}},
		{"dates never follow versions", "1.2.3", []string{"20240101", "2024.1.1"}, nil},
		{"builds count", "4.0.3-ls215", []string{"4.0.3-ls214", "4.0.3-ls216", "4.0.3", "4.0.4-ls1"}, []string{"4.0.4-ls1", "4.0.3-ls216"}},
		{"distribution moves: nearest first, once", "16.4-alpine3.19", []string{"16.5-alpine3.20", "16.5-alpine3.19", "16.4-alpine3.20"}, []string{"16.5-alpine3.19"}},
		{"commits and branches are nothing", "1.2.3", []string{"sha-1234567", "3f8a9c1", "main", "1.2.4.sig"}, nil},
		{"another component's tags", "1.2.3", []string{"cli-1.9.0", "api/v2.0.0"}, nil},
		{"calver months", "2025.2.4", []string{"2025.10.1", "2025.4.0"}, []string{"2025.10.1", "2025.4.0"}},
		{"malformed v", "v2.10.0", []string{"v.2.11.0", "v2.9.0"}, []string{"v.2.11.0"}},
		{"nothing", "1.2.3", nil, nil},
	} {
		var got []string
		for _, tag := range version.Candidates(must(t, c.current), c.tags) {
			got = append(got, tag.Raw)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestSpelling(t *testing.T) {
	t.Parallel()
	tags := []string{"latest", "slim", "1.2.3", "1.2.4", "1.2.4-slim", "1.2", "v2.0.0", "3.0-alpine3.19", "3.0-alpine3.20", "4.0.3-ls215", "4.0.3-ls216"}
	for _, c := range []struct {
		plain, current string
		tags           []string
		want           string
	}{
		{"1.2.4", "1.2.3", tags, "1.2.4"},
		{"1.2.4", "v1.2.3", tags, "1.2.4"},
		{"v1.2.4", "v1.2.3", tags, "1.2.4"},
		{"1.2.4", "1.2.3-slim", tags, "1.2.4-slim"},
		{"1.2.3", "1.2.2-slim", tags, ""},
		{"2.0.0", "1.2.3", tags, "v2.0.0"},
		{"1.2.4", "latest", tags, "1.2.4"},
		{"1.2.4", "slim", tags, "1.2.4-slim"},
		{"1.2.4", "latest-slim", tags, "1.2.4-slim"},
		{"1.2.4", "latest-cuda", tags, ""},
		{"1.2.4", "custom", tags, "1.2.4"},
		{"3.0", "2.9-alpine3.19", tags, "3.0-alpine3.19"},
		{"3.0", "2.9-alpine3.18", tags, "3.0-alpine3.20"},
		{"4.0.3", "4.0.2-ls200", tags, "4.0.3-ls216"},
		{"4.0.3-ls215", "4.0.2-ls200", tags, "4.0.3-ls215"},
		{"1.2.0", "1.2.3", tags, "1.2"},
		{"17.0", "16.0", []string{"17.0.0", "17"}, ""},
		{"17.0", "16.0", []string{"17.0.0"}, "17.0.0"},
		{"9.9.9", "1.2.3", tags, ""},
		{"latest", "1.2.3", tags, ""},
		{"2025.2.4", "2025.2.1", []string{"version/2025.2.4", "2025.2.4"}, "2025.2.4"},
		{"1.3.0-rc.1", "1.2.0", []string{"1.3.0-rc.1", "1.3.0"}, "1.3.0-rc.1"},
		{"1.3.0", "v1.2.0", []string{"1.3.0", "v1.3.0"}, "v1.3.0"},
		{"1.2.4", "1.2", []string{"1.2.4", "1.2"}, "1.2.4"},
	} {
		got, ok := version.Spelling(c.plain, c.current, c.tags)
		if got != c.want || ok != (c.want != "") {
			t.Errorf("Spelling(%s, %s) = %q, %v; want %q", c.plain, c.current, got, ok, c.want)
		}
	}
}

func TestBetweenIsHalfOpen(t *testing.T) {
	t.Parallel()
	var all []version.Tag
	for _, raw := range []string{"3.6.24", "3.7.9", "2.11.53", "3.7.8", "3.6.23", "3.8.0"} {
		all = append(all, must(t, raw))
	}
	var got []string
	for _, tag := range version.Between(must(t, "3.6.23"), must(t, "v3.7.9"), all) {
		got = append(got, tag.Raw)
	}
	if want := []string{"3.7.9", "3.7.8", "3.6.24"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if empty := version.Between(must(t, "2.0.0"), must(t, "1.0.0"), all); len(empty) != 0 {
		t.Errorf("going down crosses %v", empty)
	}
}
