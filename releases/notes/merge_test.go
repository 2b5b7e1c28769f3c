package notes_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"belay/releases"
	"belay/releases/notes"
	"belay/releases/version"
)

func release(tag, body string) releases.Release {
	return releases.Release{Tag: tag, Body: body, URL: "https://github.com/o/app/releases/tag/" + tag, Published: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)}
}

func list(tags ...string) []releases.Release {
	var out []releases.Release
	for _, tag := range tags {
		out = append(out, release(tag, "- notes of "+tag))
	}
	return out
}

func versions(r notes.Report) []string {
	var out []string
	for _, e := range r.Entries {
		out = append(out, e.Version)
	}
	return out
}

func TestMergeTakesTheHalfOpenRangeByVersion(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		from, to string
		versions []string
		releases []releases.Release
		want     []string
		missing  []string
	}{
		{"backports interleave by date", "3.6.23", "3.7.9", nil, list("v3.7.9", "v3.6.24", "v2.11.53", "v3.7.8", "v3.6.23", "v3.8.0"), []string{"3.7.9", "3.7.8", "3.6.24"}, nil},
		{"versions without a release", "1.2.3", "1.4.0", []string{"1.2.4", "1.3.0", "1.4.0"}, list("v1.4.0", "v1.3.0"), []string{"1.4.0", "1.3.0"}, []string{"1.2.4"}},
		{"the target itself counts", "1.2.3", "1.2.4", nil, nil, nil, []string{"1.2.4"}},
		{"releases the registry does not have", "1.2.3", "1.3.0", []string{"1.3.0"}, list("v1.3.0", "v1.2.4"), []string{"1.3.0", "1.2.4"}, nil},
		{"never a part of a number", "1.2.2", "1.2.3", nil, list("v11.2.3", "v1.2.30", "1.2.3.4"), nil, []string{"1.2.3"}},
		{"empty bodies are missing", "1.0.0", "1.1.0", nil, []releases.Release{release("v1.1.0", " \r\n\t")}, nil, []string{"1.1.0"}},
		{"same version: nothing", "1.1.0", "1.1.0", []string{"1.1.0"}, list("v1.1.0"), nil, nil},
		{"down: nothing", "1.1.0", "1.0.0", []string{"1.0.0"}, list("v1.1.0", "v1.0.0"), nil, nil},
		{"no prereleases on a release's way", "1.0.0", "1.1.0", []string{"1.1.0-rc.1", "1.1.0"}, list("v1.1.0", "v1.1.0-rc.1"), []string{"1.1.0"}, nil},
		{"prereleases on their way", "1.0.0-beta.9", "1.0.0-beta.11", nil, list("v1.0.0-beta.11", "v1.0.0-beta.10", "v1.0.0-beta.9"), []string{"1.0.0-beta.11", "1.0.0-beta.10"}, nil},
		{"a release between prereleases stands for its own", "1.0.0-rc.1", "2.0.0-rc.1", nil, list("v2.0.0-rc.1", "v1.5.0", "v1.5.0-rc.1", "v1.0.0", "v1.0.0-rc.2"), []string{"2.0.0-rc.1", "1.5.0", "1.0.0", "1.0.0-rc.2"}, nil},
		{"17.0 is 17.0.0", "16.0", "17.0", []string{"17.0"}, list("v17.0.0"), []string{"17.0"}, nil},
		{"a tag that leads on", "33", "34", []string{"34"}, list("v34.0.2", "v34.0.0", "v35.0.0", "v33.0.1"), []string{"34.0.2", "34.0.0", "33.0.1"}, nil},
		{"a packager's build", "4.0.2-ls200", "4.0.3-ls216", []string{"4.0.3-ls216"}, list("4.0.3", "4.0.2"), []string{"4.0.3"}, nil},
		{"the registry's spelling", "1.2.0", "1.3.0-rc.1", []string{"1.3.0-rc.1"}, list("v1.3.0-rc1"), []string{"1.3.0-rc.1"}, nil},
		{"dates", "2025.2.4", "2025.10.1", []string{"2025.4.0", "2025.10.1"}, list("version/2025.10.1", "version/2025.4.0"), []string{"2025.10.1", "2025.4.0"}, nil},
	} {
		r := notes.Merge(notes.Options{From: c.from, To: c.to, Versions: c.versions, Releases: c.releases, Repo: "github.com/o/app"})
		if got := versions(r); !slices.Equal(got, c.want) || !slices.Equal(r.Missing, c.missing) {
			t.Errorf("%s: %v missing %v, want %v missing %v", c.name, got, r.Missing, c.want, c.missing)
		}
		if r.Have != len(c.want) || r.Of != len(c.want)+len(c.missing) {
			t.Errorf("%s: %d of %d", c.name, r.Have, r.Of)
		}
	}
}

func TestReleaseTagsAreReadOnBoundaries(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		tag, repo string
		names     []string
		want      bool
	}{
		{"v1.2.3", "github.com/o/app", nil, true},
		{"1.2.3", "github.com/o/app", nil, true},
		{"V1.2.3", "github.com/o/app", nil, true},
		{"release-1.2.3", "github.com/o/app", nil, true},
		{"release/1.2.3", "github.com/o/app", nil, true},
		{"version/1.2.3", "github.com/goauthentik/authentik", nil, true},
		{"version-1.2.3", "github.com/o/app", nil, true},
		{"app-1.2.3", "github.com/o/app", nil, true},
		{"app-v1.2.3", "github.com/o/app", nil, true},
		{"App/v1.2.3", "github.com/o/app", nil, true},
		{"app@1.2.3", "github.com/o/app", nil, true},
		{"ngx-1.2.3", "github.com/paperless-ngx/paperless-ngx", nil, true},
		{"server/v1.2.3", "github.com/o/app", []string{"ghcr.io/o/server"}, true},
		{"android-1.2.3", "github.com/binwiederhier/ntfy", nil, false},
		{"api/v1.2.3", "github.com/etcd-io/etcd", nil, false},
		{"v11.2.3", "github.com/o/app", nil, false},
		{"v1.2.30", "github.com/o/app", nil, false},
		{"v1.2.3.1", "github.com/o/app", nil, false},
		{"v1.2.3-rc.1", "github.com/o/app", nil, false},
		{"app1.2.3", "github.com/o/app", nil, false},
	} {
		r := notes.Merge(notes.Options{From: "1.2.2", To: "1.2.3", Releases: list(c.tag, "v1.2.2"), Repo: c.repo, Names: c.names})
		if got := r.Have == 1; got != c.want {
			t.Errorf("%s in %s: %v, want %v", c.tag, c.repo, got, c.want)
		}
	}
	r := notes.Merge(notes.Options{From: "1.2.2", To: "1.2.3", Releases: list("zulu-1.2.3", "zulu-1.2.2"), Repo: "github.com/o/app"})
	if r.Have != 1 {
		t.Error("a project that always uses one word of its own is not understood")
	}
	r = notes.Merge(notes.Options{From: "1.2.2", To: "1.2.3", Releases: []releases.Release{release("v1.2.3-slim", "slim"), release("v1.2.3", "full")}})
	if r.Have != 1 || r.Entries[0].Body != "full" {
		t.Errorf("%+v", r.Entries)
	}
}

func TestMarkedAsPrerelease(t *testing.T) {
	t.Parallel()
	early := release("v1.3.0", "soon")
	early.Prerelease = true
	r := notes.Merge(notes.Options{From: "1.2.0", To: "1.4.0", Releases: append(list("v1.4.0"), early)})
	if got := versions(r); !slices.Equal(got, []string{"1.4.0"}) {
		t.Errorf("not released: %v", got)
	}
	r = notes.Merge(notes.Options{From: "1.2.0", To: "1.3.0", Versions: []string{"1.3.0"}, Releases: []releases.Release{early}})
	if r.Have != 1 || !r.Entries[0].Prerelease {
		t.Errorf("installable all the same: %+v", r)
	}
}

func TestEqualBodiesAreFolded(t *testing.T) {
	t.Parallel()
	body := "### Breaking\n- x"
	r := notes.Merge(notes.Options{From: "1.0.0", To: "1.2.0", Releases: []releases.Release{release("v1.1.0", body), release("v1.2.0", body)}})
	if r.Have != 2 || len(r.Entries) != 2 || len(r.Flags()) != 1 {
		t.Fatalf("%+v", r)
	}
	if e := r.Entries[1]; e.Same != "1.2.0" || e.Body != "The same notes as 1.2.0." || r.Flags()[0].ID != "1.2.0:2" {
		t.Errorf("%+v", e)
	}
}

func TestFlagsOfAReport(t *testing.T) {
	t.Parallel()
	r := notes.Merge(notes.Options{From: "1.2.0", To: "2.0.0", Releases: []releases.Release{
		release("v2.0.0", "## Breaking Changes\n\n- Drop `a`\n- Drop `b`\n"),
		release("v1.3.0", "- BREAKING: c\n- you must set X\n\nNo rollback is possible."),
	}})
	var got []string
	for _, f := range r.Flags() {
		got = append(got, fmt.Sprint(f.ID, " ", f.Version, " ", f.Level, " ", f.Text))
	}
	want := []string{
		"2.0.0:3 2.0.0 breaking - Drop `a`", "2.0.0:4 2.0.0 breaking - Drop `b`",
		"1.3.0:1 1.3.0 breaking - BREAKING: c", "1.3.0:2 1.3.0 attention - you must set X", "1.3.0:4 1.3.0 irreversible No rollback is possible.",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if n := len(r.Breaking()); n != 4 {
		t.Errorf("%d flags hold --yes back", n)
	}
}

func TestConditionsAreWeighedAgainstTheInstalledVersion(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, body string
		want       notes.Level
	}{
		{"0.14.5", "If you are upgrading from v0.14.x and below, this version includes breaking changes.", notes.Breaking},
		{"0.13.0", "If you are upgrading from v0.14.x and below, this version includes breaking changes.", notes.Breaking},
		{"0.15.0", "If you are upgrading from v0.14.x and below, this version includes breaking changes.", notes.Notice},
		{"0.14.5", "This includes breaking changes when you come from 0.14 or earlier.", notes.Breaking},
		{"0.15.0", "This includes breaking changes when you come from 0.14 or earlier.", notes.Notice},
		{"0.15.0", "Breaking changes for those upgrading from versions prior to 0.15.0", notes.Notice},
		{"0.14.9", "Breaking changes for those upgrading from versions prior to 0.15.0", notes.Breaking},
		{"0.15.0", "If you are upgrading from v0.14.x and below, read the guide. This release has breaking changes.", notes.Breaking},
		{"0.15.0", "## Breaking changes if you are upgrading from 0.14 or below\n- a", notes.Notice},
		{"0.14.0", "## Breaking changes if you are upgrading from 0.14 or below\n- a", notes.Breaking},
		{"unknown", "If you are upgrading from v0.14.x and below, this version includes breaking changes.", notes.Breaking},
	} {
		r := notes.Merge(notes.Options{From: c.from, To: "0.16.0", Releases: []releases.Release{release("v0.16.0", c.body)}})
		worst := notes.Notice
		for _, f := range r.Flags() {
			if f.Level == notes.Breaking {
				worst = f.Level
			}
		}
		if worst != c.want || len(r.Flags()) == 0 {
			t.Errorf("from %s, %q: %v", c.from, c.body, r.Flags())
		}
	}
}

func TestAWithdrawnReleaseBlocksOnlyAsTheTarget(t *testing.T) {
	t.Parallel()
	rel := []releases.Release{release("v1.1.0", "## **YANKED**"), release("v1.2.0", "- x")}
	for to, want := range map[string]int{"1.1.0": 1, "1.2.0": 0} {
		if r := notes.Merge(notes.Options{From: "1.0.0", To: to, Releases: rel}); len(r.Breaking()) != want {
			t.Errorf("to %s: %+v", to, r.Flags())
		}
	}
}

func TestIncompleteIsSaid(t *testing.T) {
	t.Parallel()
	r := notes.Merge(notes.Options{From: "nothing known", To: "1.3.0", Releases: list("v1.3.0", "v1.2.0"), Incomplete: "GitHub's limit"})
	if !strings.HasPrefix(r.Incomplete, "GitHub's limit; the installed version is not known") || !slices.Equal(versions(r), []string{"1.3.0"}) {
		t.Errorf("%q %v", r.Incomplete, versions(r))
	}
	if r := notes.Merge(notes.Options{From: "1.0.0", To: "latest"}); r.Incomplete == "" || r.Of != 0 {
		t.Errorf("%+v", r)
	}
	long := release("v1.1.0", "- BREAKING: a\n"+strings.Repeat("x", 1<<20)+"\n- BREAKING: b")
	if r := notes.Merge(notes.Options{From: "1.0.0", To: "1.1.0", Releases: []releases.Release{long}}); len(r.Flags()) != 1 || !strings.Contains(r.Incomplete, "1 MiB") {
		t.Errorf("%d %q", len(r.Flags()), r.Incomplete)
	}
}

// Whatever the releases are: entries go down in version and lie in the range, and
// every version is either told or named as missing.
func TestMergeKeepsItsBooks(t *testing.T) {
	t.Parallel()
	tag := rapid.StringMatching(`(v|app-|api/v)?[0-2]\.[0-2]\.[0-2](-rc\.[0-2])?`)
	rapid.Check(t, func(t *rapid.T) {
		o := notes.Options{From: tag.Draw(t, "from"), To: tag.Draw(t, "to"), Versions: rapid.SliceOf(tag).Draw(t, "versions"), Repo: "github.com/o/app"}
		for _, name := range rapid.SliceOf(tag).Draw(t, "releases") {
			o.Releases = append(o.Releases, release(name, rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "body")))
		}
		r := notes.Merge(o)
		if r.Have != len(r.Entries) || r.Of != r.Have+len(r.Missing) {
			t.Fatalf("%d of %d, %d entries, missing %v", r.Have, r.Of, len(r.Entries), r.Missing)
		}
		from, _ := version.Parse(o.From)
		to, _ := version.Parse(o.To)
		seen := map[string]bool{}
		last := version.Tag{}
		for i, v := range append(versions(r), r.Missing...) {
			got, ok := version.Parse(v)
			if !ok || version.Compare(got, from) <= 0 || version.Compare(got, to) > 0 {
				t.Fatalf("%s is outside (%s, %s]", v, o.From, o.To)
			}
			if seen[v] {
				t.Fatalf("%s twice", v)
			}
			seen[v] = true
			if i > 0 && i < r.Have && version.Compare(got, last) >= 0 {
				t.Fatalf("not newest first: %v", versions(r))
			}
			last = got
		}
	})
}
