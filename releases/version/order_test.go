package version_test

import (
	"testing"

	"pgregory.net/rapid"

	"belay/releases/version"
)

func TestCompareOrdersByVersion(t *testing.T) {
	t.Parallel()
	for _, line := range [][]string{
		{"0.9.0", "0.10.0", "1.0.0", "v1.2.3", "1.2.4", "1.10.0", "2.0.0", "10.0.0"},
		{"1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-beta.9", "1.0.0-beta.10", "1.0.0-rc.1", "1.0.0", "1.0.1-rc.1"},
		{"1.157.0rc1", "1.157.0rc2", "1.157.0", "1.157.1"},
		{"1.0.0-nightly.20240101", "1.0.0-alpha1", "1.0.0-b2", "1.0.0-pre1", "1.0.0"},
		{"2.11.53", "3.6.24", "3.7.9"},
		{"4.0.3-ls9", "4.0.3-ls215", "4.0.4-ls1"},
		{"1.9.2", "1.9.2-0", "1.9.2-1", "1.9.3-0"},
		{"2026-06c", "2026-07", "2026-07a", "2026-07b", "2026-08"},
		{"RELEASE.2025-03-12T18-04-18Z", "RELEASE.2025-03-12T18-04-19Z", "RELEASE.2025-04-01T00-00-00Z"},
		{"v1.9.2", "v.2.11.0", "v2.16.1"},
		{"34.0.2", "34.0.2.1"},
		{"20231120", "20240101"},
	} {
		for i, a := range line {
			for j, b := range line {
				want := 0
				switch {
				case i < j:
					want = -1
				case i > j:
					want = 1
				}
				if got := version.Compare(must(t, a), must(t, b)); got != want {
					t.Errorf("Compare(%s, %s) = %d, want %d", a, b, got, want)
				}
			}
		}
	}
}

func TestCompareIgnoresPrefixAndVariant(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]string{{"v1.2.3", "1.2.3"}, {"1.2.3-slim", "1.2.3"}, {"17.0", "17.0.0"}, {"22.12.03", "22.12.3"}, {"16.4-alpine3.19", "16.4-alpine3.20"}, {"1.0.0-a1", "1.0.0-alpha.1"}} {
		if version.Compare(must(t, pair[0]), must(t, pair[1])) != 0 {
			t.Errorf("%s and %s are not one version", pair[0], pair[1])
		}
	}
}

func TestSameFamily(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"12.14", "12.15", true},
		{"12.14", "12.15.0", false},
		{"12", "13", true},
		{"1.2.3-slim", "1.2.4-slim", true},
		{"1.2.3-slim", "1.2.4", false},
		{"1.2.3", "v1.2.4", false},
		{"v1.2.3", "v1.2.4", true},
		{"1.2.3", "20240101", false},
		{"2024.1.1", "3.0.0", false},
		{"16.4-alpine3.19", "16.5-alpine3.20", true},
		{"16.4-alpine", "16.5-alpine3.20", false},
		{"17.0.0-debian-11-r3", "17.0.1-debian-12-r0", true},
		{"4.0.3-ls215", "4.0.4-ls216", true},
		{"4.0.3-ls215", "4.0.4", false},
		{"1.40.0.7998-c29d4c0c8-ls215", "1.40.1.8227-f00fee123-ls216", true},
		{"2026-07a", "2026-08", true},
		{"2026-07", "2026.08", false},
		{"ngx-1.2.3", "ngx-1.2.4", true},
		{"ngx-1.2.3", "Ngx-1.2.4", false},
		{"1.0.0-beta.1", "1.0.0", true},
	} {
		if got := version.SameFamily(must(t, c.a), must(t, c.b)); got != c.want {
			t.Errorf("SameFamily(%s, %s) = %v", c.a, c.b, got)
		}
	}
	if !version.BaseChanges(must(t, "1.0-alpine3.19"), must(t, "1.1-alpine3.20")) || version.BaseChanges(must(t, "1.0-alpine3.19"), must(t, "1.1-alpine3.19")) {
		t.Error("the move of the base image is not seen")
	}
}

func TestLevelOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to string
		want     version.Level
	}{
		{"1.2.3", "1.2.4", version.Patch},
		{"1.2.3", "1.3.0", version.Minor},
		{"0.12.1", "0.13.0", version.Minor},
		{"0.12.1", "0.12.2", version.Patch},
		{"1.9.0", "2.0.0", version.Major},
		{"33", "34", version.Major},
		{"12.14", "12.15", version.Minor},
		{"1.2.3.4", "1.2.3.5", version.Patch},
		{"1.0.0-beta.9", "1.0.0-beta.10", version.Patch},
		{"4.0.3-ls1", "4.0.3-ls2", version.Patch},
		{"20240131", "20240201", version.Minor},
		{"20240131", "20250131", version.Major},
		{"202401311200", "202401311300", version.Patch},
		{"2025.2.4", "2025.4.0", version.Minor},
		{"17.0", "17.0.1", version.Patch},
	} {
		if got := version.LevelOf(must(t, c.from), must(t, c.to)); got != c.want {
			t.Errorf("LevelOf(%s, %s) = %s, want %s", c.from, c.to, got, c.want)
		}
	}
}

// tags draws tags from the grammar, so that the laws of an order meet equal
// numbers, prereleases and counters often.
func tags() *rapid.Generator[string] {
	return rapid.StringMatching(`(v|V|release-|api/v)?(20(1[5-9]|2[0-9])|[0-3])(\.[0-3]){0,4}(-?(alpha|b|beta|rc|dev)\.?[0-3]?)?(-slim|-alpine3\.(19|20))?(-ls[0-9]|-r[0-9])?`)
}

func TestCompareIsATotalOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := must(t, tags().Draw(t, "a")), must(t, tags().Draw(t, "b")), must(t, tags().Draw(t, "c"))
		ab, ba := version.Compare(a, b), version.Compare(b, a)
		if ab != -ba {
			t.Fatalf("%s, %s: %d one way, %d the other", a, b, ab, ba)
		}
		if version.Compare(a, a) != 0 {
			t.Fatalf("%s differs from itself", a)
		}
		if ab <= 0 && version.Compare(b, c) <= 0 && version.Compare(a, c) > 0 {
			t.Fatalf("%s <= %s <= %s and yet %s > %s", a, b, c, a, c)
		}
		if ab == 0 && version.Compare(a, c) != version.Compare(b, c) {
			t.Fatalf("%s equals %s, but not for %s", a, b, c)
		}
	})
}

func TestPlainReadsBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) { readsBack(t, must(t, tags().Draw(t, "tag"))) })
}

func FuzzParse(f *testing.F) {
	for _, raw := range []string{"v1.2.3-rc.1-slim", "RELEASE.2025-03-12T18-04-18Z", "2026-07a", "1.40.0.7998-c29d4c0c8-ls215", "api/v3", "20240101123059", "17.0.0-debian-12-r3", "1.2.3_4", "@a/b@1", "latest", "1.1.1w-0"} {
		f.Add(raw, raw)
	}
	f.Fuzz(func(t *testing.T, x, y string) {
		a, ok := version.Parse(x)
		if !ok {
			return
		}
		readsBack(t, a)
		b, ok := version.Parse(y)
		if !ok {
			return
		}
		if version.Compare(a, b) != -version.Compare(b, a) {
			t.Fatalf("%q and %q do not compare", x, y)
		}
		version.LevelOf(a, b)
		version.Candidates(a, []string{x, y})
		if got, ok := version.Spelling(a.Plain(), x, []string{y, x}); ok {
			if version.Compare(must(t, got).Final(), a.Final()) != 0 {
				t.Fatalf("%q is spelled %q", a.Plain(), got)
			}
		}
	})
}

func readsBack(t interface {
	Helper()
	Fatalf(string, ...any)
}, tag version.Tag,
) {
	t.Helper()
	again, ok := version.Parse(tag.Plain())
	if !ok {
		t.Fatalf("%q: its plain form %q is not a version", tag.Raw, tag.Plain())
	}
	if version.Compare(tag, again) != 0 || again.Plain() != tag.Plain() {
		t.Fatalf("%q: plain %q reads back as %q", tag.Raw, tag.Plain(), again.Plain())
	}
}
