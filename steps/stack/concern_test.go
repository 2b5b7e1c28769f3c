package stack

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"belay/dockerx/compose"
	"belay/releases/notes"
)

// installed is a stack whose .env sets SMTP_URL in line 4.
func installed(t *testing.T) *Stack {
	t.Helper()
	env := filepath.Join(t.TempDir(), ".env")
	text := "# SMTP_URL=old\nKEY=\"-----\nSMTP_URL=inside a value\n-----\"\r\nexport SMTP_URL='smtp://x'\nEMPTY_ONE=\n"
	if err := os.WriteFile(env, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	stack := tymeslot("1.2.3")
	app := &stack[0].Service
	app.Environment["SMTP_URL"] = "smtp://x"
	app.Environment["EMAIL_ADAPTER"] = "smtp"
	app.Environment["PORT"] = "4000"
	app.EnvSources = map[string]compose.Place{
		"SMTP_URL":      {File: "/srv/app/compose.yaml", Line: 7},
		"EMAIL_ADAPTER": {File: "/srv/app/compose.yaml", Line: 8},
		"PORT":          {File: "/srv/app/compose.yaml", Line: 9},
	}
	d, _ := fixture(stack...)
	d.Model.EnvFiles = []string{env}
	d.Model.Variables = map[string]string{"SMTP_URL": "smtp://x", "KEY": "-", "EMPTY_ONE": ""}
	return inspect(t, d)
}

func TestConcernsAndLevels(t *testing.T) {
	s := installed(t)
	tests := []struct {
		text  string
		level notes.Level
		want  []string // kind name file:line
		after notes.Level
	}{
		{"`SMTP_URL` is renamed to `MAILER_DSN`", notes.Attention, []string{"env SMTP_URL .env:5"}, notes.Breaking},
		{"Removed SMTP_URL.", notes.Notice, []string{"env SMTP_URL .env:5"}, notes.Breaking},
		{"`MAILER_DSN` is renamed to `SMTP_URL`", notes.Attention, []string{"env SMTP_URL .env:5"}, notes.Attention},
		{"`MAILER_DSN` was removed, use `SMTP_URL`", notes.Attention, []string{"env SMTP_URL .env:5"}, notes.Attention},
		{"SMTP_URL is deprecated and will be removed in 2.0", notes.Notice, []string{"env SMTP_URL .env:5"}, notes.Notice},
		{"`EMPTY_ONE` was removed", notes.Attention, []string{"env EMPTY_ONE .env:6"}, notes.Attention},
		{"`NOT_HERE` was removed", notes.Attention, nil, notes.Attention},
		{"set MY_SMTP_URL_2 for it", notes.Attention, nil, notes.Attention},
		{"BREAKING: EMAIL_ADAPTER no longer defaults to smtp", notes.Breaking, []string{"env EMAIL_ADAPTER compose.yaml:8"}, notes.Breaking},
		{"rollback is not possible once `SMTP_URL` is removed", notes.Irreversible, []string{"env SMTP_URL .env:5"}, notes.Irreversible},
		{"PostgreSQL 18 or newer is required", notes.Attention, []string{"service postgres compose.yaml:12"}, notes.Blocker},
		{"requires PostgreSQL 17.1", notes.Attention, []string{"service postgres compose.yaml:12"}, notes.Attention},
		{"Minimum version of Postgres is now 18", notes.Notice, []string{"service postgres compose.yaml:12"}, notes.Blocker},
		{"Dropped support for PostgreSQL 17", notes.Notice, []string{"service postgres compose.yaml:12"}, notes.Blocker},
		{"Dropped support for PostgreSQL 13", notes.Notice, []string{"service postgres compose.yaml:12"}, notes.Notice},
		{"The `tymeslot` container runs as another user", notes.Attention, []string{"service tymeslot compose.yaml:2"}, notes.Attention},
		{"Tymeslot is faster", notes.Notice, nil, notes.Notice},
		{"the image luka1thb/tymeslot moves to another registry", notes.Attention, []string{"image luka1thb/tymeslot compose.yaml:3"}, notes.Attention},
		{"thanks, luka1thb/tymeslot#42", notes.Notice, nil, notes.Notice},
		{"files in /app/data now belong to user 1000", notes.Notice, []string{"volume /app/data compose.yaml:2"}, notes.Notice},
		{"rename the volume `tymeslot_data` first", notes.Attention, []string{"volume tymeslot_data compose.yaml:2"}, notes.Attention},
		{"see https://example.org/app/data", notes.Notice, nil, notes.Notice},
		{"the default port changes from 4000 to 4001", notes.Attention, []string{"port 4000 compose.yaml:2"}, notes.Attention},
		{"4000 lines were deleted", notes.Notice, nil, notes.Notice},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			report := &notes.Report{Entries: []notes.Entry{{Flags: []notes.Flag{{Level: tt.level, Text: tt.text}}}}}
			Concerns(report, s)
			Concerns(report, s) // a second look finds the same
			flag := report.Entries[0].Flags[0]
			var got []string
			for _, c := range flag.Concerns {
				got = append(got, fmt.Sprintf("%s %s %s:%d", c.Kind, c.Name, filepath.Base(c.File), c.Line))
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if flag.Level != tt.after {
				t.Errorf("level: got %s, want %s", flag.Level, tt.after)
			}
		})
	}
}

func TestConcernsNeverShowAValue(t *testing.T) {
	s := installed(t)
	report := &notes.Report{Entries: []notes.Entry{{Flags: []notes.Flag{{Text: "SECRET_KEY_BASE and POSTGRES_PASSWORD are removed"}}}}}
	Concerns(report, s)
	if text := fmt.Sprint(report); strings.Contains(text, "s3cret") {
		t.Error("the value of a variable is in the report")
	}
	if got := len(report.Entries[0].Flags[0].Concerns); got != 2 {
		t.Errorf("got %d concerns, want 2", got)
	}
}

func TestConcernsOfNothing(t *testing.T) {
	Concerns(nil, nil)
	Concerns(&notes.Report{Entries: []notes.Entry{{}}}, &Stack{})
}

func FuzzConcerns(f *testing.F) {
	f.Add("`SMTP_URL` is renamed to `MAILER_DSN`")
	f.Add("requires Postgres 99999999999999999999.1\xff")
	d, _ := fixture(tymeslot("1.2.3")...)
	s, err := Inspect(f.Context(), d)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		report := &notes.Report{Entries: []notes.Entry{{Flags: []notes.Flag{{Level: notes.Breaking, Text: text}}}}}
		Concerns(report, s)
		if report.Entries[0].Flags[0].Level != notes.Breaking {
			t.Error("a flag became lighter")
		}
	})
}
