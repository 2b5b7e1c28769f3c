package notes

import (
	"fmt"
	"slices"
	"strings"

	"belay/releases"
	"belay/releases/version"
)

// Options say what to merge. From and To are plain versions; Versions are those
// the registry has in between, plain too. Names are further names under which the
// project tags its releases ("NAME-1.2.3"), such as the image's.
type Options struct {
	From, To   string
	Versions   []string
	Releases   []releases.Release
	Repo       string // "github.com/owner/name", "" unknown
	Names      []string
	Incomplete string // what the caller could not read, in a sentence
}

// Merge collects every note in (From, To], newest first by the order of versions
// and never by date, and flags what the user should see. Versions without notes
// are named in Missing; nothing is left out silently.
func Merge(o Options) Report {
	r := Report{From: o.From, To: o.To, Repo: o.Repo, Incomplete: o.Incomplete}
	to, ok := version.Parse(o.To)
	if !ok {
		r.note("%q is not a version, so no notes were looked for", o.To)
		return r
	}
	from, known := version.Parse(o.From)
	if !known {
		r.note("the installed version is not known, so only the notes of %s are shown", o.To)
	}
	span := span{from: from, to: to, known: known}
	all := span.collect(o)
	seen := map[string]string{} // body → the newest version that has it
	for _, c := range all {
		r.Of++
		if c.release == nil || strings.TrimSpace(c.release.Body) == "" {
			r.Missing = append(r.Missing, c.shown)
			continue
		}
		r.Have++
		r.Entries = append(r.Entries, entry(c, span, seen))
		if len(c.release.Body) > maxBody {
			r.note("the notes of %s are longer than 1 MiB; the rest was not read", c.shown)
		}
	}
	return r
}

// note adds a sentence to what is incomplete.
func (r *Report) note(format string, args ...any) {
	if r.Incomplete != "" {
		r.Incomplete += "; "
	}
	r.Incomplete += fmt.Sprintf(format, args...)
}

func entry(c candidate, s span, seen map[string]string) Entry {
	plain := c.shown
	e := Entry{
		Version: plain, Date: c.release.Published, URL: c.release.URL, Source: "release",
		Prerelease: c.tag.Prerelease() || c.release.Prerelease, Body: c.release.Body,
	}
	if newer, ok := seen[e.Body]; ok {
		e.Same, e.Body = newer, "The same notes as "+newer+"."
		return e
	}
	seen[e.Body] = plain
	for _, f := range find(e.Body) {
		f.Version, f.ID = plain, fmt.Sprintf("%s:%d", plain, f.Line)
		if f.cond != nil && s.known && !f.cond.holds(s.from) {
			f.Level = Notice
		}
		if f.Level == Blocker && version.Compare(c.tag, s.to) != 0 {
			f.Level = Notice // withdrawn, but only passed on the way
		}
		e.Flags = append(e.Flags, f.Flag)
	}
	return e
}

// candidate is one version in the range and its release, if it has one.
type candidate struct {
	tag     version.Tag
	release *releases.Release
	shown   string // the version as people here call it: the registry's spelling before the release's
}

// span is (from, to].
type span struct {
	from, to version.Tag
	known    bool // from is
}

// has reports whether a version lies in the span. A target of fewer parts ("34")
// is a moving tag of its line, so what it leads to lies in it as well.
func (s span) has(t version.Tag) bool {
	if s.known && version.Compare(t, s.from) <= 0 {
		return false
	}
	if !s.known {
		return version.Compare(t, s.to) == 0
	}
	return version.Compare(t, s.to) <= 0 || leads(s.to, t)
}

// leads reports whether short ("34", "1.3") is the beginning of long ("1.3.7").
// Three parts are a version of their own: 1.2.3 does not lead to 1.2.3.4.
func leads(short, long version.Tag) bool {
	n := len(short.Numbers)
	return n < 3 && n < len(long.Numbers) && short.Pre == "" && slices.Equal(short.Numbers, long.Numbers[:n])
}

// collect unites the versions of the registry and of the releases, newest first.
func (s span) collect(o Options) []candidate {
	var all []candidate
	for _, m := range mapped(o) {
		// Marked as a prerelease, but the registry has it as a version: it can be installed.
		early := m.release.Prerelease && !m.tag.Prerelease() && !slices.ContainsFunc(append(o.Versions, o.To), func(raw string) bool {
			v, ok := version.Parse(raw)
			return ok && version.Compare(v, m.tag) == 0
		})
		if s.has(m.tag) && (!early || s.early()) {
			m.shown = m.tag.Plain()
			all = append(all, m)
		}
	}
	for _, raw := range append(slices.Clone(o.Versions), o.To) {
		v, ok := version.Parse(raw)
		if !ok || !s.has(v) {
			continue
		}
		if i := slices.IndexFunc(all, func(c candidate) bool { return version.Compare(c.tag, v) == 0 }); i >= 0 {
			others := slices.ContainsFunc(all, func(c candidate) bool { return leads(v, c.tag) && version.Compare(c.tag, v) != 0 })
			if !others { // else "34" leads to more than 34.0.0
				all[i].shown = v.Plain()
			}
			continue
		}
		if !slices.ContainsFunc(all, func(c candidate) bool { return covers(c, v) }) {
			all = append(all, candidate{tag: v, shown: v.Plain()})
		}
	}
	all = slices.DeleteFunc(all, func(c candidate) bool { return c.tag.Prerelease() && !s.wants(c.tag, all) })
	slices.SortStableFunc(all, func(a, b candidate) int { return version.Compare(b.tag, a.tag) })
	return all
}

// covers reports whether a release tells of a registry's version that is not
// spelled as it: without a build counter, or what a shorter tag leads to.
func covers(c candidate, v version.Tag) bool {
	return c.release != nil && (leads(v, c.tag) || upstream(c.tag, v))
}

// upstream reports whether release is what a packager's build ("4.0.3-ls216") was made from.
func upstream(release, v version.Tag) bool {
	return release.Plain() == release.Final().Plain() && v.Pre == "" && version.Compare(release, v.Final()) == 0
}

func (s span) early() bool { return s.known && s.from.Prerelease() || s.to.Prerelease() }

// wants reports whether a prerelease belongs to the way: only when one end is a
// prerelease, and then those of its own version, or of versions without a release.
func (s span) wants(t version.Tag, all []candidate) bool {
	if !s.early() {
		return false
	}
	final := t.Final()
	if version.Compare(final, s.to.Final()) == 0 || s.known && version.Compare(final, s.from.Final()) == 0 {
		return true
	}
	return !slices.ContainsFunc(all, func(c candidate) bool { return version.Compare(c.tag, final) == 0 })
}
