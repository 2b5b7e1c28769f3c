package demo

import (
	"time"

	"belay/dockerx/local"
	"belay/dockerx/local/demoapp"
)

const day = 24 * time.Hour

// version is one release of Tidepool.
type version struct {
	number string
	age    time.Duration // when the demo is made
	size   int64         // of the image, compressed
	body   string
}

// versions are newest first.
func versions() []version {
	return []version{
		{"2.0.0", 2 * day, 71 << 20, notes200},
		{"1.3.0", 12 * day, 64 << 20, notes130},
		{"1.2.5", 21 * day, 62 << 20, notes125},
		{"1.2.4", 38 * day, 62 << 20, notes124},
		{Installed, 60 * day, 61 << 20, notes123},
	}
}

func images(made settings) []local.ImageSpec {
	var out []local.ImageSpec
	for _, v := range versions() {
		spec := local.ImageSpec{
			Repo: Image, Tag: v.number, Size: v.size, Created: made.Made.Add(-v.age), Local: v.number == Installed,
			Labels: map[string]string{
				"org.opencontainers.image.title":   "Tidepool",
				"org.opencontainers.image.version": v.number,
				"org.opencontainers.image.source":  source,
			},
			Env: []string{demoapp.EnvVersion + "=" + v.number},
		}
		if v.number == "1.3.0" && made.Fail != "" {
			spec.Env = append(spec.Env, demoapp.EnvFail+"="+made.Fail)
		}
		if made.Fast {
			spec.Env = append(spec.Env, demoapp.EnvPace+"=0s", demoapp.EnvNotes+"=200")
		}
		out = append(out, spec)
	}
	return out
}

// Release is one release as a forge would tell it.
type Release struct {
	Tag        string // "v1.3.0"
	Name       string
	Body       string // Markdown
	URL        string // page for people
	Published  time.Time
	Prerelease bool
}

func notes(made time.Time) []Release {
	var out []Release
	for _, v := range versions() {
		tag := "v" + v.number
		out = append(out, Release{
			Tag: tag, Name: "Tidepool " + v.number, Body: v.body,
			URL: source + "/releases/tag/" + tag, Published: made.Add(-v.age),
		})
	}
	return out
}

const notes123 = `## What's Changed

- Notes open faster when there are thousands of them (#141)
- German translation, thanks to a new contributor (#138)

**Full Changelog**: ` + source + `/compare/v1.2.2...v1.2.3
`

const notes124 = `## What's Changed

### Changed

- Reminders are now **off by default** for new notes (#152)

### Fixed

- Uploads with a space in their name could not be opened (#149)
- The search box kept the words of the note before (#150)

**Full Changelog**: ` + source + `/compare/v1.2.3...v1.2.4
`

const notes125 = `## Security

- A shared note showed its drafts to everybody who had the link. If you share notes, please update (#161)

## Fixed

- Times were an hour off in the week after a clock change (#158)

No migration, no new settings.

**Full Changelog**: ` + source + `/compare/v1.2.4...v1.2.5
`

const notes130 = `## Highlights

**Tags.** Labels have become tags: rename one and every note follows. Search for ` + "`tag:garden`" + ` finds them.

### Breaking Changes

- ` + "`TIDEPOOL_MAIL_URL` is renamed to `TIDEPOOL_MAILER_DSN`" + `. The old name still works in 1.3 with a warning and goes away in 2.1 (#170)

### Upgrading

The database is migrated at the first start. The migration ` + "`20261101 add_tags`" + ` moves the labels of every note and drops
the old column, so 1.2 cannot read the database afterwards. Make a backup first. Expect a few seconds per thousand notes.

### Added

- Tags, with their own page (#163, #165)
- ` + "`GET /api/notes`" + ` takes a ` + "`limit`" + ` (#168)

### Fixed

- Two tabs no longer overwrite each other's note (#159)

**Full Changelog**: ` + source + `/compare/v1.2.5...v1.3.0
`

const notes200 = `## Tidepool 2

Sessions are signed now, and every note remembers what it was.

### Breaking Changes

- A new variable is required: set ` + "`TIDEPOOL_SECRET`" + ` to at least 32 random characters. Without it Tidepool does not start (#181)
- Everybody is signed out once by this update (#181)
- The legacy API under ` + "`/notes.json`" + ` is removed; use ` + "`/api/notes`" + ` (#177)

### Upgrading

Upgrade to 1.3 first, then to 2.0. The migration ` + "`20261205 add_revisions`" + ` copies every note once: the database grows
to about twice its size.

### Added

- Revisions: look at a note as it was, and bring it back (#174)

**Full Changelog**: ` + source + `/compare/v1.3.0...v2.0.0
`
