package version

import (
	"cmp"
	"slices"
	"strings"
)

// Candidates lists the tags an image can move up to: newer than current, of its
// family, newest first, each version once. Prereleases only when current is one.
// An image that changed between "v1.2.3" and "1.2.3" stays one family here,
// because the registry's tags decide what can be installed.
func Candidates(current Tag, tags []string) []Tag {
	var found []Tag
	for _, raw := range tags {
		t, ok := Parse(raw)
		if !ok || Compare(t, current) <= 0 || len(t.Numbers) != len(current.Numbers) || !kin(current, t) {
			continue
		}
		if t.Prerelease() && !current.Prerelease() {
			continue
		}
		found = append(found, t)
	}
	slices.SortFunc(found, func(a, b Tag) int {
		return cmp.Or(Compare(b, a), nearer(current, a, b), strings.Compare(a.Raw, b.Raw))
	})
	return slices.CompactFunc(found, func(a, b Tag) bool { return Compare(a, b) == 0 })
}

// Between lists the tags in (current, target], newest first, by the order of
// versions and never by date. Tags that are equal versions all stay.
func Between(current, target Tag, all []Tag) []Tag {
	var in []Tag
	for _, t := range all {
		if Compare(t, current) > 0 && Compare(t, target) <= 0 {
			in = append(in, t)
		}
	}
	slices.SortStableFunc(in, func(a, b Tag) int { return Compare(b, a) })
	return in
}

// Spelling finds the image tag that means a plain version, spelled as the image
// really has it: "v" or not, with the variant of currentTag. currentTag may be a
// moving tag ("latest", "stable-alpine"). A shorter spelling ("17.0" for
// "17.0.0") counts only when exactly one tag fits; without a build counter the
// newest build is taken.
func Spelling(plain, currentTag string, tags []string) (string, bool) {
	want, ok := Parse(plain)
	if !ok {
		return "", false
	}
	current := likeness(currentTag, tags)
	var exact, padded []Tag
	for _, raw := range tags {
		t, ok := Parse(raw)
		if !ok || !kin(current, t) || !means(want, t) {
			continue
		}
		if len(t.Numbers) == len(want.Numbers) {
			exact = append(exact, t)
		} else {
			padded = append(padded, t)
		}
	}
	if len(exact) == 0 {
		if len(padded) != 1 {
			return "", false
		}
		return padded[0].Raw, true
	}
	best := slices.MinFunc(exact, func(a, b Tag) int {
		return cmp.Or(compareCounter(b.counter, a.counter), nearer(current, a, b), strings.Compare(a.Raw, b.Raw))
	})
	return best.Raw, true
}

// kin is SameFamily for looking a tag up: precision aside, and "v" as good as none.
func kin(current, t Tag) bool {
	samePrefix := current.Prefix == t.Prefix || bare(current.Prefix) && bare(t.Prefix)
	if !samePrefix || current.family != t.family {
		return false
	}
	return current.numText == "" || sameLine(current, t) // a moving tag says nothing of its numbers
}

func bare(prefix string) bool {
	return prefix == "" || prefix == "v" || prefix == "V" || prefix == "v."
}

// means reports whether t is the version that was asked for; a counter counts
// only when it was asked for.
func means(want, t Tag) bool {
	if want.counter.kind == "" {
		t.counter = counter{}
	}
	return Compare(want, t) == 0
}

// nearer orders two spellings of one version: current's prefix first, then its
// exact variant, then the newer distribution.
func nearer(current, a, b Tag) int {
	return cmp.Or(
		first(a.Prefix == current.Prefix, b.Prefix == current.Prefix),
		first(a.Suffix == current.Suffix, b.Suffix == current.Suffix),
		compareNumbers(numbersIn(b.base), numbersIn(a.base)),
	)
}

func first(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	default:
		return 1
	}
}

func numbersIn(base string) []uint64 {
	i := strings.IndexAny(base, "0123456789")
	if i < 0 {
		return nil
	}
	t, _ := Parse(base[i:])
	return t.Numbers
}

// likeness makes a pattern of the tag in use. A moving tag has no numbers, but
// its variant binds: "latest-alpine" and "alpine" ask for "-alpine".
func likeness(currentTag string, tags []string) Tag {
	if t, ok := Parse(currentTag); ok {
		return t
	}
	head, variant, _ := strings.Cut(currentTag, "-")
	if !moving(head) {
		variant = currentTag
	}
	if variant == "" {
		return Tag{}
	}
	var t Tag
	t.takeSuffix("-" + variant)
	for _, raw := range tags {
		if other, ok := Parse(raw); ok && other.family == t.family {
			return t
		}
	}
	if moving(head) {
		return t // a variant was asked for; another one is not the same image
	}
	return Tag{}
}

// moving lists the words that registries use for a tag that moves on.
func moving(word string) bool {
	switch strings.ToLower(word) {
	case "latest", "stable", "main", "master", "edge", "nightly", "release", "lts", "production",
		"testing", "dev", "develop", "rolling", "current", "mainline", "beta", "next":
		return true
	}
	return false
}
