package releases

import "time"

// Release is one published release of a project, as its forge tells it. All
// text is hostile.
type Release struct {
	Tag        string
	Name       string
	Body       string // Markdown
	URL        string // page for people
	Published  time.Time
	Prerelease bool
}
