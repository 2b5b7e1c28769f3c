package notes

import "time"

// Level is how much a flag weighs.
type Level string

// The levels, heaviest first.
const (
	Breaking     Level = "breaking"
	Irreversible Level = "irreversible"
	Blocker      Level = "blocker"
	Attention    Level = "attention"
	Notice       Level = "notice"
)

// Flag is one line of a release's notes that the user should see first.
type Flag struct {
	ID       string    `json:"id"` // stable within a report: version and line
	Level    Level     `json:"level"`
	Version  string    `json:"version"`
	Text     string    `json:"text"` // the exact line, hostile
	Line     int       `json:"line"` // within the release's body, from 1
	Concerns []Concern `json:"concerns"`
}

// Concern ties a flag to something of this installation.
type Concern struct {
	Kind string `json:"kind"` // env, service, image, volume, port
	Name string `json:"name"`
	File string `json:"file"`
	Line int    `json:"line"`
}

// Entry is the notes of one version.
type Entry struct {
	Version    string
	Date       time.Time // zero: unknown
	URL        string
	Source     string // "release"
	Prerelease bool
	Body       string // Markdown, hostile
	Same       string // a newer version whose notes are equal byte for byte; Body then says so, and Flags stand there
	Flags      []Flag
}

// Report is every note in (From, To], newest first. Have counts versions with
// notes, Of all versions known in the range; Missing names those without.
// Incomplete is a sentence when the notes could not all be read.
type Report struct {
	From, To   string
	Repo       string // "github.com/owner/name", "" unknown
	Have, Of   int
	Missing    []string
	Incomplete string
	Entries    []Entry
}

// Flags lists all flags of a report, newest version first, within a version by line.
func (r Report) Flags() []Flag {
	var out []Flag
	for _, e := range r.Entries {
		out = append(out, e.Flags...)
	}
	return out
}

// Breaking lists the flags that --yes refuses: breaking, irreversible, blocker.
func (r Report) Breaking() []Flag {
	var out []Flag
	for _, f := range r.Flags() {
		switch f.Level {
		case Breaking, Irreversible, Blocker:
			out = append(out, f)
		case Attention, Notice:
		}
	}
	return out
}
