package version

import (
	"cmp"
	"slices"
	"strings"
)

// Level is how far an upgrade goes.
type Level string

// The levels.
const (
	Patch Level = "patch"
	Minor Level = "minor"
	Major Level = "major"
)

// Compare orders two tags: -1, 0 or 1. Numbers count part by part (a missing
// part is 0), then the letter, then prerelease before release, then the build
// counter. Prefix and variant do not count: "v1.2.3" and "1.2.3-slim" are equal.
// The order is total; whether a move makes sense is SameFamily's question.
func Compare(a, b Tag) int {
	return cmp.Or(
		compareNumbers(a.Numbers, b.Numbers),
		strings.Compare(a.Letter, b.Letter),
		comparePre(a, b),
		compareCounter(a.counter, b.counter),
	)
}

// SameFamily reports whether two tags belong to one line of images: same prefix,
// variant, precision (12.14 and 12.15, not 12.15.0), kind of date, kind of build
// counter. The version of the distribution in a variant may differ.
func SameFamily(a, b Tag) bool {
	return a.Prefix == b.Prefix && sameLine(a, b) && len(a.Numbers) == len(b.Numbers)
}

// BaseChanges reports whether a move between two tags also moves the image to
// another version of its distribution (alpine3.19 to alpine3.20).
func BaseChanges(from, to Tag) bool { return from.base != to.base }

// LevelOf tells how far a move goes, from the first number that differs. A minor
// of 0.x is a Minor. Dates in one number count as year, month, day.
func LevelOf(from, to Tag) Level {
	a, b := levelParts(from), levelParts(to)
	switch {
	case part(a, 0) != part(b, 0):
		return Major
	case part(a, 1) != part(b, 1):
		return Minor
	default:
		return Patch
	}
}

// sameLine is SameFamily without prefix and precision.
func sameLine(a, b Tag) bool {
	return a.family == b.family && a.counter.kind == b.counter.kind &&
		a.calver == b.calver && a.dashed == b.dashed
}

func levelParts(t Tag) []uint64 {
	if !t.calver || t.Numbers[0] < 10_000_000 {
		return t.Numbers
	}
	day := t.Numbers[0]
	for day >= 100_000_000 { // cut hours, minutes and seconds
		day /= 100
	}
	return append([]uint64{day / 10_000, day / 100 % 100, day % 100}, t.Numbers[1:]...)
}

func compareNumbers(a, b []uint64) int {
	for i := range max(len(a), len(b)) {
		if c := cmp.Compare(part(a, i), part(b, i)); c != 0 {
			return c
		}
	}
	return 0
}

func part(numbers []uint64, i int) uint64 {
	if i < len(numbers) {
		return numbers[i]
	}
	return 0
}

func comparePre(a, b Tag) int {
	switch {
	case a.Pre == "" && b.Pre == "":
		return 0
	case a.Pre == "":
		return 1
	case b.Pre == "":
		return -1
	}
	return cmp.Or(
		cmp.Compare(preRank(a.preWord), preRank(b.preWord)),
		compareNumbers(a.preNums, b.preNums),
	)
}

func compareCounter(a, b counter) int {
	return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.n, b.n))
}

// preWords lists what stands before a release, earliest first: snapshots of
// work, then the steps towards the release.
func preWords() []string {
	return []string{
		"snapshot", "nightly", "unstable", "develop", "dev", "edge", "canary", "test", "next", "ea",
		"alpha", "beta", "pre", "rc",
	}
}

func preRank(word string) int { return slices.Index(preWords(), word) }

func canonical(word string) string {
	switch w := strings.ToLower(word); w {
	case "a":
		return "alpha"
	case "b":
		return "beta"
	case "preview":
		return "pre"
	case "testing":
		return "test"
	default:
		return w
	}
}
