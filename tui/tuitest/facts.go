// Package tuitest holds a made-up installation and a backend that plays scripted
// runs, for the tests of every front end. It must not be used outside tests.
package tuitest

import (
	"time"

	"belay/releases/notes"
	"belay/steps"
	"belay/steps/stack"
	"belay/steps/upgrade"
)

// Now is the moment at which the made-up world stands still.
func Now() time.Time { return time.Date(2026, 11, 20, 20, 14, 10, 0, time.UTC) }

const day = 24 * time.Hour

func ago(d time.Duration) time.Time { return Now().Add(-d) }

// grow appends a zero element and gives it: values of types whose package the
// front ends may not import are made this way.
func grow[T any](list *[]T) *T {
	var zero T
	*list = append(*list, zero)
	return &(*list)[len(*list)-1]
}

func fresh[T any](p **T) *T {
	*p = new(T)
	return *p
}

// Stack is a made-up installation.
func Stack() *stack.Stack {
	s := &stack.Stack{
		Project: "tymeslot", Dir: "/srv/tymeslot", Group: []string{"tymeslot"},
		Version: stack.Version{Text: "1.2.3", Tag: "1.2.3", Source: "tag"},
		Repo:    "github.com/Tymeslot/tymeslot",
	}
	s.Engine.Version, s.Engine.Local = "28.2.2", true
	app := stack.Service{Name: "tymeslot", Role: stack.App, Ref: "tymeslot/tymeslot:1.2.3", Version: s.Version}
	app.Pin.Place.File, app.Pin.Place.Line, app.Pin.Variable = "/srv/tymeslot/.env", 7, "TYMESLOT_TAG"
	c := fresh(&app.Container)
	c.State, c.Health, c.StartedAt = "running", "healthy", ago(41*day)
	db := stack.Service{Name: "postgres", Role: stack.Database, Kind: "postgres", Version: stack.Version{Text: "17.2", Source: "tag"}}
	db.Pin.Place.File, db.Pin.Place.Line = "/srv/tymeslot/compose.yaml", 21
	c = fresh(&db.Container)
	c.State, c.Health, c.StartedAt = "running", "healthy", ago(41*day)
	s.Services = []stack.Service{app, db}
	s.Databases, s.Stores = data()
	s.Probes = []steps.Probe{{Service: "tymeslot", URL: "http://127.0.0.1:4000/healthcheck", Status: 200}}
	return s
}

func data() ([]steps.Database, []steps.Store) {
	d := steps.Database{Kind: "postgres", Service: "postgres", Name: "tymeslot", Bytes: 1_100_000_000, Dumpable: true}
	d.Store.Kind, d.Store.Name = "volume", "tymeslot_pg"
	pg := steps.Store{Services: []string{"postgres"}, Target: "/var/lib/postgresql/data", Bytes: 1_100_000_000}
	pg.Data = d.Store
	up := steps.Store{Services: []string{"tymeslot"}, Target: "/app/uploads", Bytes: 214_000_000}
	up.Kind, up.Name = "volume", "tymeslot_data"
	return []steps.Database{d}, []steps.Store{pg, up}
}

// Choices are three rows and some more versions.
func Choices() upgrade.Choices {
	patch := upgrade.Choice{Level: "patch", Version: "1.2.5", Tag: "1.2.5", Published: ago(22 * day), Crossed: 2, Have: 2, Of: 2}
	minor := upgrade.Choice{Level: "minor", Version: "1.3.0", Tag: "1.3.0", Published: ago(12 * day), Crossed: 5, Have: 5, Of: 5, Breaking: 1, Concerning: 1, Attention: 1}
	major := upgrade.Choice{Level: "major", Version: "2.0.0", Tag: "2.0.0", Published: ago(2*day + time.Hour), Crossed: 6, Have: 5, Of: 6, Breaking: 3}
	all := []upgrade.Choice{major, minor}
	for _, v := range []string{"1.2.7", "1.2.6"} {
		all = append(all, upgrade.Choice{Level: "patch", Version: v, Tag: v, Published: ago(16 * day), Crossed: 3, Have: 3, Of: 4})
	}
	return upgrade.Choices{Rows: []upgrade.Choice{patch, minor, major}, All: append(all, patch), Default: "1.3.0"}
}

// Report is the notes on the way to 1.3.0. One body tries to move the cursor.
func Report() notes.Report {
	smtp := notes.Flag{
		ID: "1.3.0:3", Level: notes.Breaking, Version: "1.3.0", Line: 3,
		Text:     "- `SMTP_URL` is renamed to `MAILER_DSN`",
		Concerns: []notes.Concern{{Kind: "env", Name: "SMTP_URL", File: "/srv/tymeslot/.env", Line: 12}},
	}
	node := notes.Flag{ID: "1.3.0:4", Level: notes.Irreversible, Version: "1.3.0", Line: 4, Text: "- slots are merged; there is no way back without a backup"}
	off := notes.Flag{ID: "1.2.4:1", Level: notes.Attention, Version: "1.2.4", Line: 1, Text: "reminders are now off by default"}
	return notes.Report{
		From: "1.2.3", To: "1.3.0", Repo: "github.com/Tymeslot/tymeslot", Have: 2, Of: 5, Missing: []string{"1.2.5", "1.2.6", "1.2.7"},
		Entries: []notes.Entry{
			{
				Version: "1.3.0", Date: ago(12 * day), URL: "https://github.com/Tymeslot/tymeslot/releases/tag/v1.3.0", Source: "release",
				Body:  "## Breaking Changes\n\n- `SMTP_URL` is renamed to `MAILER_DSN`\n- slots are merged; there is no way back without a backup\n\n## New\n\n- calendar feeds \x1b[2J\x1b]0;owned\x07\n- faster booking page, see [the guide](https://tymeslot.app/guide)\n\n```sh\ndocker compose pull\n```\n",
				Flags: []notes.Flag{smtp, node},
			},
			{
				Version: "1.2.4", Date: ago(30 * day), URL: "https://github.com/Tymeslot/tymeslot/releases/tag/v1.2.4", Source: "release",
				Body: "reminders are now off by default\n\nfixes:\n\n1. time zones\n2. typos\n", Flags: []notes.Flag{off},
			},
		},
	}
}

// Plan is the plan of an upgrade to 1.3.0.
func Plan() *steps.Plan {
	p := &steps.Plan{
		Format: steps.PlanVersion, Run: "01JD0000000000000000000000", Made: Now(), Project: "tymeslot", Dir: "/srv/tymeslot",
		From: "1.2.3", To: "1.3.0", Stop: []string{"tymeslot", "postgres"},
		Group: []steps.Target{{
			Service: "tymeslot", OldRef: "tymeslot/tymeslot:1.2.3", NewRef: "tymeslot/tymeslot:1.3.0",
			OldImage: "sha256:41ca7460a6f541ca7460a6f541ca7460a6f5", Hold: "belay-hold/tymeslot-tymeslot:01jd",
		}},
		Budget: steps.Budget{
			Pull: 214e6, Backup: 1314e6, Free: 48e9, FreeTotal: 120e9,
			Stop: 3 * time.Second, Copy: 22 * time.Second, Start: 15 * time.Second, LastExit: steps.Pin,
		},
		Health:    []steps.Probe{{URL: "http://127.0.0.1:4000/healthcheck", Status: 200}},
		BackupDir: "/root/.local/state/belay/runs/01JD0000000000000000000000/backup",
		Steps: []steps.Planned{
			{ID: steps.Preflight, Title: "look again", Phase: "running"},
			{ID: steps.Pull, Title: "pull 1.3.0", Phase: "running"},
			{ID: steps.Hold, Title: "hold 1.2.3", Phase: "running"},
			{ID: steps.Capture, Title: "keep the files", Phase: "running"},
			{ID: steps.Dump, Title: "dump postgres", Phase: "running"},
			{ID: steps.Stop, Title: "stop tymeslot", Phase: "down"},
			{ID: steps.Backup, Title: "copy data", Phase: "down"},
			{ID: steps.Prove, Title: "prove the copy", Phase: "down"},
			{ID: steps.Pin, Title: "edit .env", Phase: "down"},
			{ID: steps.Start, Title: "start 1.3.0", Phase: "new"},
			{ID: steps.Watch, Title: "watch the migration", Phase: "new"},
			{ID: steps.Health, Title: "check health", Phase: "new"},
			{ID: steps.Commit, Title: "keep restore point", Phase: "new"},
		},
	}
	p.Databases, p.Stores = data()
	e := grow(&p.Edits)
	e.Path, e.Line = "/srv/tymeslot/.env", 7
	e.Before, e.After = `TYMESLOT_TAG="1.2.3"`, `TYMESLOT_TAG="1.3.0"`
	return p
}

// Past is two runs that ended.
func Past() []upgrade.Past {
	return []upgrade.Past{
		{Run: "01JB", From: "1.2.2", To: "1.2.3", When: ago(41 * day), Outcome: "upgraded", Backup: "/b/01JB", Bytes: 1.2e9, Proof: "37 tables, 128,904 rows, 2,113 files match", Restores: true},
		{Run: "01JA", From: "1.2.1", To: "1.2.2", When: ago(80 * day), Outcome: "rolled_back"},
	}
}

// Interrupted is a run that was cut short.
func Interrupted() *upgrade.Interrupted {
	return &upgrade.Interrupted{
		Run: "01JD", From: "1.2.3", To: "1.3.0", Step: "copy data", When: ago(2 * time.Hour),
		Truth: []string{"tymeslot is stopped.", "Its data is untouched.", ".env still says 1.2.3."}, Advice: "resume",
		Why: "Nothing was switched yet: going on copies the data again and costs a minute.",
	}
}
