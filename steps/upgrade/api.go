// Package upgrade puts the steps together: what is installed, what can be
// chosen, what it means, the plan, the run, the way back. Front ends speak to a
// Session; it must not know which front end that is.
package upgrade

import "time"

// Choices are the versions a user can go to.
type Choices struct {
	Rows    []Choice // newest patch, newest minor, newest major: those that exist
	All     []Choice // every newer version that has an image, newest first
	Default string   // Version of the row belay proposes; "" when there is none
	Nothing string   // a sentence when there is nothing newer
	Warning string   // a sentence when the list may be incomplete
}

// Choice is one version to go to.
type Choice struct {
	Level      string    // patch, minor, major
	Version    string    // plain: 1.3.0
	Tag        string    // as the image spells it: v1.3.0-slim
	Published  time.Time // zero: unknown
	Crossed    int       // releases between the installed one and this one, this one counted
	Have, Of   int       // notes read, versions crossed
	Breaking   int       // flags that need a tick
	Concerning int       // of those, how many touch this installation
	Attention  int
	Prerelease bool
}

// Interrupted is a run that did not end.
type Interrupted struct {
	Run      string
	From, To string
	Step     string // title of the step it stopped in
	When     time.Time
	Truth    []string // what is true now, one sentence each
	Advice   string   // resume or rollback
	Why      string   // one sentence
}

// Past is one run that ended, newest first in a history.
type Past struct {
	Run      string    `json:"run"`
	From     string    `json:"from"`
	To       string    `json:"to"`
	When     time.Time `json:"when"`
	Outcome  string    `json:"outcome"`
	Backup   string    `json:"backup"` // directory, "" when it made none
	Bytes    int64     `json:"bytes"`
	Proof    string    `json:"proof"`    // "37 tables, 128,904 rows, 2,113 files match"
	Restores bool      `json:"restores"` // a rollback to it is possible
}
