package notes_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"belay/releases/notes"
)

// flags prints what was found: "line level" each.
func flags(body string) []string {
	var out []string
	for _, f := range notes.Find(body) {
		out = append(out, fmt.Sprintf("%d %s", f.Line, f.Level))
	}
	return out
}

func TestFormsSeenInTheWild(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, body string
		want       []string
	}{
		{"woodpecker heading", "### 💥 Breaking changes\n\n- Drop X [#1]\n- Rename Y", []string{"3 breaking", "4 breaking"}},
		{"warning heading", "### ⚠️ BREAKING CHANGES\n* one\n* two\n### Features\n* three", []string{"2 breaking", "3 breaking"}},
		{"text-style warning sign", "⚠︎ Breaking Change: Shortened environment variables ⚠︎", []string{"1 breaking"}},
		{"immich alert", "> [!WARNING]\n> BREAKING CHANGES\n> remove immich-proxy", []string{"2 breaking"}},
		{"immich alert in words", "Warning BREAKING CHANGES\n\nThe proxy is gone.", []string{"1 breaking"}},
		{"vikunja bold", "**BREAKING**: the config moved", []string{"1 breaking"}},
		{"paperless bracket", "- [BREAKING] Remove support for X", []string{"1 breaking"}},
		{"paperless escaped bracket", "**Modified \\[breaking\\]:**\n\n- `x` is now `y`\n- z", []string{"3 breaking", "4 breaking"}},
		{"paperless label", "- Breaking: rename a setting", []string{"1 breaking"}},
		{"bare heading", "### Breaking\n- a\n\n### Other\n- b", []string{"2 breaking"}},
		{"compatibility-breaking", "## Compatibility-breaking changes\n\n1. a\n2. b", []string{"3 breaking", "4 breaking"}},
		{"AdGuard", "#### Removal Of Plain-Text APIs (BREAKING API CHANGE)\n\nThe plain-text API is gone.\n\n#### Added\n- x", []string{"1 breaking"}},
		{"sentry", "- breaking: Upgrade min Compose version", []string{"1 breaking"}},
		{"stalwart", "This version includes **multiple breaking changes**. Please read the [upgrading documentation](https://github.com/x/y/blob/main/UPGRADING.md).", []string{"1 breaking"}},
		{"diun", ":warning: See **Migration notes** in the documentation", []string{"1 attention"}},
		{"SUPLA", "## Manual steps required before the update\n\n- `OLD_NAME` in `.env` is now `NEW_NAME`\n- nothing else", []string{"1 attention", "3 attention"}},
		{"Mediqux", "## Variables Removed\n- `DB_PASS_FILE`\n## Variables Added\n- `DB_SECRET_FILE`\n## Migration Steps\n1. stop", []string{"1 attention", "2 attention", "3 attention", "4 attention", "5 attention"}},
		{"authentik helm", "This upgrades the major Redis version from 6 to 7, and thus no rollback is possible.", []string{"1 irreversible"}},
		{"teslamate", "- (Yes, you will have to erase your data…)", []string{"1 irreversible"}},
		{"conventional feat!", "* feat!: drop the old API by @x in https://github.com/a/b/pull/1", []string{"1 breaking"}},
		{"conventional scope", "- feat(api)!: drop v1\n- fix(ui): a button", []string{"1 breaking"}},
		{"conventional after a commit", "- 1a2b3c4 refactor(db)!: new schema", []string{"1 breaking"}},
		{"footer", "feat: x\n\nBREAKING CHANGE: the schema is new", []string{"3 breaking"}},
		{"footer with a hyphen", "BREAKING-CHANGE: the schema is new", []string{"1 breaking"}},
		{"git-cliff", "- *(api)* [**breaking**] Change the shape", []string{"1 breaking"}},
		{"headscale announces", "## UPCOMING BREAKING changes in the next version\n- x goes away", []string{"2 notice"}},
		{"immich announces", "> [!IMPORTANT] Announcement (Breaking changes next release - v1.91.0)", []string{"1 notice"}},
		{"stalwart conditional", "If you are upgrading from v0.14.x and below, this version includes breaking changes.", []string{"1 notice"}},
		{"gitea list item", "* BREAKING\n  * Remove A\n  * Remove B\n* FEATURES\n  * C", []string{"2 breaking", "3 breaking"}},
		{"gitea list item, longer", "* BREAKING CHANGES\n    * Remove A", []string{"2 breaking"}},
		{"home assistant", "## Backward-incompatible changes\n\n<details>\n<summary>Foo</summary>\nFoo is gone.\n</details>", []string{"4 breaking"}},
		{"summary", "<details><summary>💥 Breaking changes</summary>\n\n- a\n- b\n\n</details>\n\n## More\n- c", []string{"3 breaking", "4 breaking"}},
		{"appstrate parenthesis", "- **BREAKING (API contract)**: the body is checked", []string{"1 breaking"}},
		{"appstrate for", "- **Breaking for anything that registers a public client the old way.**", []string{"1 breaking"}},
		{"appstrate dash", "- Roles are checked — BREAKING for agents in that state", []string{"1 breaking"}},
		{"appstrate behaviour", "- **⚠ Behavior change for existing S3 deployments with a prefix.**", []string{"1 attention"}},
		{"library heading", "### Removed (BREAKING)\n- `a()`", []string{"2 breaking"}},
		{"jellyfin heading", "## Key Release Notes/Breaking Changes\n- a", []string{"2 breaking"}},
		{"printstash", "## 0.13.0\n\n**Back up before upgrading. This release includes additive database migrations.**", []string{"3 attention"}},
		{"tymeslot", "## [1.2.3] — 2026-01-01\n\n### Breaking Changes\n\n- Drop the `old` column\n\n### Features\n\n- New", []string{"5 breaking"}},
		{"setext", "Breaking changes\n----------------\n- a\n\nFixes\n-----\n- b", []string{"3 breaking"}},
		{"label above a list", "Breaking changes:\n- a\n- b\n\nThanks to all.", []string{"2 breaking", "3 breaking"}},
		{"wrapped", "This release makes a number of breaking\nchanges to the API.", []string{"1 breaking"}},
		{"actual", ":::warning\nThis release introduces a breaking change, there is now a requirement for HTTPS\n:::", []string{"2 breaking"}},
		{"actual withdrawn", ":::warning\nPlease **do not install this release**\n:::", []string{"2 blocker"}},
		{"teslamate withdrawn", "## [4.1.0] **YANKED**", []string{"1 blocker"}},
		{"netbox withdrawn", "!!! danger \"Do Not Use\"\n    This release contains a regression.", []string{"1 blocker"}},
		{"linkding withdrawn", "> [!WARNING]\n> Please upgrade to 1.39.1 instead", []string{"2 blocker"}},
		{"no downgrade", "It is not possible to downgrade after this upgrade.", []string{"1 irreversible"}},
		{"downgrading is not supported", "Downgrading to 1.2 is not supported.", []string{"1 irreversible"}},
		{"you must", "After this you must run `reindex` once, and you will need to re-create the index.", []string{"1 attention"}},
		{"plausible", "⚠️ ⚠️ ⚠️ Upgrading to v2.0 requires performing a data migration", []string{"1 attention"}},
		{"variable renamed", "- `DB_PASSWORD` was renamed to `DATABASE_PASSWORD`", []string{"1 attention"}},
		{"required variable", "- The new variable `CONNECT_SESSION_SECRET` is required", []string{"1 attention"}},
		{"minimum version", "- PostgreSQL 14 is now the minimum", []string{"1 attention"}},
		{"dropped support", "- Drop support for MySQL 5.7", []string{"1 attention"}},
		{"deprecated", "- The `x` option is deprecated and will be removed in 3.0", []string{"1 notice"}},
		{"removed heading", "### Removed\n- the old page\n- the older page", []string{"2 notice", "3 notice"}},
		{"base image", "- The base image is now Alpine 3.20", []string{"1 notice"}},
		{"a link to the way up", "See https://docs.example.com/upgrading/v3 for the details.", []string{"1 attention"}},
		{"a link in brackets", "- Read [this](https://example.com/docs/migration-v3), <https://example.com/breaking-changes>", []string{"1 attention"}},
		{"a link within the repository", "More in [here](upgrading/).", []string{"1 attention"}},
		{"a link and nothing else", "https://www.home-assistant.io/blog/2025/05/07/release-20255/", []string{"1 attention"}},
		{"CRLF", "### Breaking\r\n\r\n- a\r\n- b\r\n", []string{"3 breaking", "4 breaking"}},
	} {
		if got := flags(c.body); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v\n%s", c.name, got, c.want, c.body)
		}
	}
}

func TestFalseAlarms(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		"- fix a regression breaking the login page",
		"- Fixed an issue with the parser breaking links",
		"- resize images without breaking the viewer",
		"This is a non-breaking release.",
		"- Non-breaking changes only",
		"- use non-breaking spaces between words",
		"- everything is backwards-compatible",
		"No breaking changes.",
		"There are no known breaking changes in this release.",
		"This release contains no breaking changes",
		"- handle allauth breaking change",
		"- docs: add breaking changes description",
		"- docs(readme): list breaking changes",
		"- improve line/word-breaking in Japanese",
		"- better line-breaking changes in the editor",
		"- Fix federation-breaking regression",
		"* Add a Breaking change note to the changelog by @x",
		"- avoid breaking compatibility with old clients",
		"- ci: run workflows on `breaking` branches",
		"- run workflows on breaking branches",
		"- git-fetch breaking behaviors are now tested",
		"- `detect:breaking` reports more",
		"## Breaking changes\n\nWe have no breaking changes this release!\n\n## Features\n\n- x",
		"## Breaking changes\n\nNone\n",
		"## Breaking changes\n\n- None.\n",
		"## Breaking changes\n\n- N/A\n",
		"### No breaking changes\n- a feature",
		"```\nBREAKING CHANGE: in an example\n```",
		"~~~text\n### Breaking changes\n- x\n~~~",
		"````\n```\nBREAKING: x\n```\n````",
		"<!-- BREAKING: a template -->",
		"<!--\n### Breaking changes\n- describe here\n-->\n- a feature",
		"<!-- summary: this will invalidate all OAuth-tokens -->",
		"- fix: no longer breaking the build\n- this isn't a breaking change",
		"_No user-facing changes in this release._",
		"No action is required.",
		"- bump https://github.com/golang-migrate/migrate from 4.1 to 4.2",
		"* x by @y in https://github.com/a/b/pull/1\n\n**Full Changelog**: https://github.com/a/b/compare/v1...v2",
		"There is no manual step required.",
		"- a\n- b\n- c",
		"",
		"\n\n\n",
	} {
		if got := flags(body); len(got) != 0 {
			t.Errorf("%q: %v", body, got)
		}
	}
}

// What looks like a negation and is none: each of these lines announces a break.
func TestNegationIsTight(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		"This release **is** a breaking change.",
		"This release includes a breaking change",
		"Version 0.14.0 has breaking changes",
		"Nothing was fixed. Breaking change: the API moved",
		"Fixes #12, breaking change for plugin authors",
		"The v1 API is no longer served, this is a breaking change",
		"No action is needed for most, but breaking changes hit plugins",
		"- Fix the cache (breaking change)",
		"- not backwards compatible with 1.x",
		"- Backwards incompatible: the token format",
		"fix!: the schema",
		"fix(db)!: the schema",
	} {
		if got := flags(body); len(got) != 1 || got[0] != "1 breaking" {
			t.Errorf("%q: %v", body, got)
		}
	}
}

func TestFlagsCarryTheExactLine(t *testing.T) {
	t.Parallel()
	body := "Intro\r\n\r\n### Breaking Changes\r\n\r\n  * **Drop** the `a` <b>table</b> &amp; more  \r\n    with a second line\r\n"
	got := notes.Find(body)
	if len(got) != 1 || got[0].Line != 5 || got[0].Text != "  * **Drop** the `a` <b>table</b> &amp; more  " || got[0].Concerns == nil {
		t.Errorf("%+v", got)
	}
}

func TestSections(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, body string
		want       []string
	}{
		{"nested bullets belong to their parent", "## Breaking\n- a\n  - a1\n    - a2\n  - a3\n- b", []string{"2 breaking", "6 breaking"}},
		{"wrapped bullets are one", "## Breaking\n- a is\n  a breaking change\n- b", []string{"2 breaking", "4 breaking"}},
		{"a heavier child counts", "- a\n  - BREAKING: b\n  - c", []string{"2 breaking"}},
		{"prose only: the heading", "## Breaking changes\n\nThe table is gone.\n\n## Fixes\n- x", []string{"1 breaking"}},
		{"nothing below: the heading", "## Breaking changes", []string{"1 breaking"}},
		{"ends at the same rank", "### Breaking\n- a\n### Fixes\n- b", []string{"2 breaking"}},
		{"ends at a higher rank", "### Breaking\n- a\n# 1.2.0\n- b", []string{"2 breaking"}},
		{"goes on below a lower rank", "## Breaking\n### Storage\n- a\n### Redis removal\nIt is gone.\n## Fixes\n- b", []string{"3 breaking", "4 breaking"}},
		{"a code block in a bullet", "## Breaking\n- a\n  ```\n  - no bullet\n  ```\n- b", []string{"2 breaking", "6 breaking"}},
		{"a fence that never closes hides nothing", "```\n## Breaking\n- a", []string{"3 breaking"}},
		{"a comment that never closes hides nothing", "<!-- oops\n## Breaking\n- a", []string{"3 breaking"}},
		{"a comment in code opens nothing", "use `<!--` here\n## Breaking\n- a\nand `-->` there", []string{"3 breaking"}},
		{"after a comment in a line", "<!-- x --> BREAKING: y <!-- z -->", []string{"1 breaking"}},
		{"# in a fence is no heading", "## Breaking\n- a\n```sh\n# comment\n```\n- b", []string{"2 breaking", "6 breaking"}},
		{"version headings do not open a section", "## 2.0.0 (BREAKING)\n### Added\n- a\n- b", []string{"1 breaking"}},
		{"no longer is news", "## Breaking\n- No longer supports X", []string{"2 breaking"}},
		{"some none", "## Breaking\n- None\n- but a", []string{"3 breaking"}},
		{"conditional bullets", "## Breaking\n- If upgrading from 0.14 or below: migrate\n- b", []string{"2 notice", "3 breaking"}},
		{"numbered", "## Breaking\n1. a\n2) b", []string{"2 breaking", "3 breaking"}},
		{"quoted", "> ## Breaking\n> - a\n> - b", []string{"2 breaking", "3 breaking"}},
		{"the heaviest wins", "## Breaking\n- a, and no rollback is possible", []string{"2 irreversible"}},
		{"a fence in a quote ends with it", "> ```\n> code\n\n## Breaking\n- a\n\n```\nx\n```", []string{"5 breaking"}},
	} {
		if got := flags(c.body); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v\n%s", c.name, got, c.want, c.body)
		}
	}
}

func FuzzFind(f *testing.F) {
	for _, body := range []string{
		"## Breaking\n- a\n  - b\n", "```\n~~~\n<!--\n-->\n", "> > ## BREAKING\r\n> * x", "a\n---\n===\n", "BREAKING\x1b[2J\x00", "**b**\n- \n1. x",
		"If you are upgrading from v0.14.x and below, breaking changes", "* BREAKING\n  * a", "`` ` ``<!--`",
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		lines := strings.Split(body, "\n")
		last := 0
		for _, flag := range notes.Find(body) {
			if flag.Line <= last || flag.Line > len(lines) {
				t.Fatalf("line %d after %d of %d", flag.Line, last, len(lines))
			}
			last = flag.Line
			if flag.Text != strings.TrimSuffix(lines[flag.Line-1], "\r") {
				t.Fatalf("line %d is %q, not %q", flag.Line, lines[flag.Line-1], flag.Text)
			}
			if flag.Level == "" || flag.Concerns == nil {
				t.Fatalf("%+v", flag)
			}
		}
	})
}
