package words_test

import (
	"testing"
	"time"

	"belay/steps"
	"belay/tui/text"
	"belay/tui/words"
)

func TestWords(t *testing.T) {
	now := time.Date(2026, 11, 20, 20, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) text.Safe { return words.Age(now.Add(-d), now) }
	for want, got := range map[text.Safe]text.Safe{
		"unknown":          words.Bytes(-1),
		"214 MB":           words.Bytes(214e6),
		"128,904":          words.Number(128904),
		"1 release":        words.Plural(1, "release"),
		"1,200 releases":   words.Plural(1200, "release"),
		"412 MB of 1.3 GB": words.Amount(412e6, 1300e6, steps.Bytes),
		"1.3 GB":           words.Amount(1300e6, 1300e6, steps.Bytes),
		"1,000 rows":       words.Amount(1000, 0, steps.Rows),
		"0.4 s":            words.Took(400 * time.Millisecond),
		"0 s":              words.Took(0),
		"21 s":             words.Took(21 * time.Second),
		"1 min 05 s":       words.Took(65 * time.Second),
		"2 h 03 min":       words.Took(123 * time.Minute),
		"01:02":            words.Clock(62 * time.Second),
		"1:01:02":          words.Clock(3662 * time.Second),
		"5 minutes":        ago(5 * time.Minute),
		"26 hours":         ago(26 * time.Hour),
		"12 days":          ago(12 * 24 * time.Hour),
		"3 weeks":          ago(22 * 24 * time.Hour),
		"12 months":        ago(365 * 24 * time.Hour),
		"":                 words.Age(time.Time{}, now),
		"34 %":             words.Percent(34, 100),
		"100 %":            words.Percent(120, 100),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
