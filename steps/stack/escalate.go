package stack

import (
	"regexp"
	"strings"

	"belay/releases/notes"
	"belay/releases/version"
)

var (
	goes = regexp.MustCompile(`(?i)\b(renam(e|ed|es|ing)|remov(e|ed|es|al|ing)|drop(s|ped|ping)?|delet(e|ed|es)|replac(e|ed|es)|superseded|obsolete|gone|` +
		`no longer (used|supported|read|accepted|hono[u]?red|recogni[sz]ed|has an?|exists?|works?))\b`)
	later = regexp.MustCompile(`(?i)\b(will be|to be|going to be|scheduled for|in (a|the) (future|next|later))\b`)
	// successor is what stands before the new name of something.
	successor = regexp.MustCompile("(?i)(renamed? to|replaced? (it )?(by|with)|superseded by|in favou?r of|moved to|use|set|→|->|=>|⇒)\\s*(the )?(new )?[`'\"*_]*$")
)

// level is the weight of a flag once it is known what is installed.
func (m *matcher) level(f notes.Flag) notes.Level {
	switch f.Level {
	case notes.Breaking, notes.Irreversible, notes.Blocker:
		return f.Level
	case notes.Attention, notes.Notice:
	}
	switch {
	case m.tooOld(f.Text):
		return notes.Blocker
	case m.losesVariable(f):
		return notes.Breaking
	}
	return f.Level
}

// losesVariable says whether the line takes away a variable that is set here.
// What will go some day, and the name that comes instead, do not count.
func (m *matcher) losesVariable(f notes.Flag) bool {
	if !goes.MatchString(f.Text) || later.MatchString(f.Text) {
		return false
	}
	for _, at := range word.FindAllStringIndex(f.Text, -1) {
		key := f.Text[at[0]:at[1]]
		if m.env[key].set && variableLike(key) && !successor.MatchString(f.Text[:at[0]]) {
			return true
		}
	}
	return false
}

const servers = `(postgres(?:ql)?|mariadb|mysql|mongo(?:db)?|redis|valkey)`

// Three ways to ask for a server of some version.
var (
	wantsVerb = regexp.MustCompile(`(?i)\b(?:minimum|at least|requires?|required|needs?)\b[^.0-9]{0,40}?\b` + servers +
		`\b[^.0-9]{0,30}?([0-9]+(?:\.[0-9]+){0,2})`)
	wantsAtLeast = regexp.MustCompile(`(?i)\b` + servers + `\s*(?:version\s*)?(?:>=?\s*|v)?([0-9]+(?:\.[0-9]+){0,2})\s*` +
		`(?:\+|(?:or|and) (?:newer|later|higher|above|up|greater)|is (?:now )?(?:required|the minimum|needed))`)
	wantsIs = regexp.MustCompile(`(?i)\b(?:minimum|required)\b[^.0-9]{0,20}\b` + servers +
		`\b[^.0-9]{0,40}\b(?:is|to)\b[^.0-9]{0,20}([0-9]+(?:\.[0-9]+){0,2})`)
	drops = regexp.MustCompile(`(?i)\b(?:(?:drop(?:s|ped)?|remove[sd]?|end(?:s|ed)?) support (?:for|of)|no longer supports?)[^.0-9]{0,20}\b` +
		servers + `\b[^.0-9]{0,20}?([0-9]+(?:\.[0-9]+){0,2})`)
)

// tooOld says whether the line asks for a newer database server than runs here.
func (m *matcher) tooOld(text string) bool {
	for _, want := range []*regexp.Regexp{wantsVerb, wantsAtLeast, wantsIs} {
		for _, hit := range want.FindAllStringSubmatch(text, -1) {
			if m.below(hit[1], hit[2], false) {
				return true
			}
		}
	}
	for _, hit := range drops.FindAllStringSubmatch(text, -1) {
		if !later.MatchString(text) && m.below(hit[1], hit[2], true) {
			return true
		}
	}
	return false
}

// below says whether a server of this kind runs here with a version below the
// one named, or at it when equal is given.
func (m *matcher) below(name, numbers string, equal bool) bool {
	want, ok := version.Parse(numbers)
	if !ok {
		return false
	}
	for _, svc := range m.stack.Services {
		if svc.Role != Database || svc.Kind != serverKind(name) {
			continue
		}
		have, ok := version.Parse(svc.Version.Text)
		if !ok {
			continue
		}
		if c := compareTo(have.Numbers, want.Numbers); c < 0 || equal && c == 0 {
			return true
		}
	}
	return false
}

func serverKind(name string) string {
	switch name = strings.ToLower(name); name {
	case "postgresql":
		return "postgres"
	case "mongo":
		return "mongodb"
	}
	return name
}

// compareTo compares as far as both are known: 17.2 is no less than 17, and of
// "15" nobody knows whether it is below 15.3.
func compareTo(have, want []uint64) int {
	for i := range min(len(have), len(want)) {
		if have[i] != want[i] {
			if have[i] < want[i] {
				return -1
			}
			return 1
		}
	}
	return 0
}
