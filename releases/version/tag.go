// Package version reads the tags that images and releases carry, orders them and
// picks the ones a user can move to. It must not know where a tag came from: no
// registry, no forge, no files.
//
// Image tags are not semantic versions: "16.4-alpine3.20", "2026-07a",
// "4.0.3-ls215" and "version/2025.2.4" are all real, so the grammar is our own.
package version

import "strings"

// Tag is one tag, taken apart. The zero Tag is not a version; get one from Parse.
type Tag struct {
	Raw     string   // as it was written
	Prefix  string   // verbatim: "", "v", "version/", "ngx-", "api/v"
	Numbers []uint64 // 1 to 6 parts
	Letter  string   // "a" of "2026-07a"
	Pre     string   // without its separator: "rc.1", "beta2"; "" for a release
	Suffix  string   // variant without a build counter: "slim", "alpine3.20"; "" for none

	numText string // the numbers as written, leading zeros and dashes kept
	preSep  string
	preWord string // canonical: "a" is "alpha"
	preNums []uint64
	counter counter
	family  string // suffix with moving parts (distribution version, commit) blanked
	base    string // the distribution part of the suffix: "alpine3.20"
	calver  bool
	dashed  bool // 2026-07, 2025-03-12T18-04-18Z
}

// counter counts builds of one version: "-ls215", "-r3", "-0", "_4".
type counter struct {
	kind string // "ls", "r", "-", "_"; "" when there is none
	n    uint64
	text string // as written, with its separator
}

// Plain is the version alone, as people say it: "1.3.0", "1.3.0-rc.1",
// "4.0.3-ls215". No prefix and no variant; a build counter stays, because it is
// part of the order. Parse reads it back as an equal version.
func (t Tag) Plain() string {
	var pre string
	if t.Pre != "" {
		pre = t.preSep + t.Pre
	}
	return t.numText + t.Letter + pre + t.counter.text
}

// String is the tag as it was written.
func (t Tag) String() string { return t.Raw }

// Prerelease reports whether the tag names something before a release: "-rc.1",
// "b2", or a channel in front ("develop-20260701.1").
func (t Tag) Prerelease() bool {
	if t.Pre != "" {
		return true
	}
	channel := strings.TrimRight(strings.ToLower(t.Prefix), "-/@._")
	return preRank(channel) >= 0 // the whole prefix: "next-auth-1.2.3" is a name
}

// Calver reports whether the numbers are a date: 2026.7, 20240131, 2026-07a.
func (t Tag) Calver() bool { return t.calver }

// Final is the same version without a prerelease part or a build counter: the
// x.y.z that "1.3.0-rc.1" leads to.
func (t Tag) Final() Tag {
	f := t
	f.Pre, f.preSep, f.preWord, f.preNums = "", "", "", nil
	f.counter = counter{}
	f.Raw = f.Prefix + f.numText + f.Letter
	f.Suffix, f.family, f.base = "", "", ""
	return f
}

func isSeparator(r rune) bool { return r == '-' || r == '/' || r == '@' || r == '.' || r == '_' }
