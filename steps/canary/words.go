package canary

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
)

// Rows is the number of rows of all tables.
func (d Database) Rows() int64 {
	var n int64
	for _, t := range d.Tables {
		n += t.Rows
	}
	return n
}

// Words is the count in one line: "37 tables, 128,904 rows, 2,113 files".
func (c Canary) Words() string {
	var tables, rows, files int64
	counted := false
	for _, d := range c.Databases {
		counted = counted || d.Note == ""
		tables += int64(len(d.Tables))
		rows += d.Rows()
	}
	for _, s := range c.Stores {
		files += int64(s.Files)
	}
	var parts []string
	if counted {
		parts = append(parts, count(tables, "table"), count(rows, "row"))
	}
	if len(c.Stores) > 0 {
		parts = append(parts, count(files, "file"))
	}
	if len(parts) == 0 {
		return "nothing that belay can count"
	}
	return strings.Join(parts, ", ")
}

// Equal says whether two counts found the same.
func Equal(a, b Canary) bool { return len(Diff(a, b)) == 0 }

// Diff says in words what the count b has other than the count a before it, one
// sentence each; none when they are the same.
func Diff(a, b Canary) []string {
	var out []string
	found := map[string]Database{}
	for _, d := range b.Databases {
		found[d.key()] = d
	}
	for _, d := range a.Databases {
		now, ok := found[d.key()]
		if !ok {
			out = append(out, fmt.Sprintf("%s of %s is gone", name(d), d.Service))
			continue
		}
		delete(found, d.key())
		out = append(out, diffTables(d, now)...)
		out = append(out, diffParts(d, now)...)
	}
	for _, d := range b.Databases {
		if _, ok := found[d.key()]; ok {
			out = append(out, fmt.Sprintf("%s of %s is new", name(d), d.Service))
		}
	}
	return append(out, diffStores(a.Stores, b.Stores)...)
}

func diffTables(a, b Database) []string {
	var out []string
	rows := map[string]int64{}
	for _, t := range b.Tables {
		rows[t.Name] = t.Rows
	}
	for _, t := range a.Tables {
		now, ok := rows[t.Name]
		delete(rows, t.Name)
		switch {
		case !ok:
			out = append(out, fmt.Sprintf("table %s is gone, it had %s", short(t.Name), count(t.Rows, "row")))
		case now != t.Rows:
			out = append(out, fmt.Sprintf("%s: %s before, %s now", short(t.Name), count(t.Rows, "row"), humanize.Comma(now)))
		}
	}
	for _, t := range b.Tables {
		if _, ok := rows[t.Name]; ok {
			out = append(out, fmt.Sprintf("table %s is new, with %s", short(t.Name), count(t.Rows, "row")))
		}
	}
	return out
}

func diffParts(a, b Database) []string {
	if a.Schema == b.Schema {
		return nil
	}
	var out []string
	now := map[string]Part{}
	for _, p := range b.Parts {
		now[p.key()] = p
	}
	rows := map[string]bool{} // tables whose coming and going is said with their rows
	for _, t := range slices.Concat(a.Tables, b.Tables) {
		rows[t.Name] = true
	}
	for _, p := range a.Parts {
		q, ok := now[p.key()]
		delete(now, p.key())
		switch {
		case p.Kind == "table" && rows[p.Name]:
		case !ok:
			out = append(out, p.words()+" is gone")
		case p.Def != q.Def:
			out = append(out, fmt.Sprintf("%s was %q, is now %q", p.words(), p.Def, q.Def))
		}
	}
	for _, p := range b.Parts {
		if _, ok := now[p.key()]; ok && (p.Kind != "table" || !rows[p.Name]) {
			out = append(out, p.words()+" is new")
		}
	}
	if len(out) == 0 && slices.Equal(a.Tables, b.Tables) {
		out = append(out, "the schema of "+name(a)+" is not the same")
	}
	return out
}

func diffStores(a, b []Store) []string {
	var out []string
	now := map[string]Store{}
	for _, s := range b {
		now[s.String()] = s
	}
	for _, s := range a {
		q, ok := now[s.String()]
		delete(now, s.String())
		switch {
		case !ok:
			out = append(out, s.String()+" is gone")
		case s.Files != q.Files || s.Bytes != q.Bytes:
			out = append(out, fmt.Sprintf("%s: %s of %s before, %s of %s now", s.String(),
				count(int64(s.Files), "file"), size(s.Bytes), humanize.Comma(int64(q.Files)), size(q.Bytes)))
		case s.Digest != "" && q.Digest != "" && s.Digest != q.Digest:
			out = append(out, s.String()+": as many files and bytes as before, but not the same ones")
		}
	}
	for _, s := range b {
		if _, ok := now[s.String()]; ok {
			out = append(out, s.String()+" is new")
		}
	}
	return out
}

func (p Part) words() string {
	if p.On == "" {
		return p.Kind + " " + short(p.Name)
	}
	return p.Kind + " " + short(p.Name) + " of " + short(p.On)
}

func name(d Database) string {
	if d.Kind == SQLite {
		return "sqlite " + d.Path
	}
	return strings.TrimSpace(d.Kind + " " + d.Name)
}

func short(name string) string { return strings.TrimPrefix(name, "public.") }

func count(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return humanize.Comma(n) + " " + what + "s"
}

func size(n int64) string { return humanize.Comma(n) + " bytes" }
