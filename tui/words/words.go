// Package words says sizes, counts, times and their like in the words that every
// front end uses. It must not know where they are shown.
package words

import (
	"time"

	"github.com/dustin/go-humanize"

	"belay/steps"
	"belay/tui/text"
)

// Bytes says a size as "214 MB"; -1 is "unknown".
func Bytes(n int64) text.Safe {
	if n < 0 {
		return "unknown"
	}
	return text.Line(humanize.Bytes(uint64(n)))
}

// Number says a count as "128,904".
func Number(n int64) text.Safe { return text.Line(humanize.Comma(n)) }

// Plural says a count with its noun: "1 release", "1,200 releases".
func Plural(n int, noun text.Safe) text.Safe {
	if n == 1 {
		return "1 " + noun
	}
	return Number(int64(n)) + " " + noun + "s"
}

// Amount says how far a step is or how much it did: "412 MB of 1.3 GB".
func Amount(done, total int64, unit steps.Unit) text.Safe {
	one := func(n int64) text.Safe {
		if unit == steps.Bytes {
			return Bytes(n)
		}
		return Number(n)
	}
	s := one(done)
	if total > 0 && done < total {
		s += " of " + one(total)
	}
	if unit == steps.Rows {
		s += " rows"
	}
	return s
}

// Took says a duration as people do: "0.4 s", "21 s", "1 min 05 s", "2 h 03 min".
func Took(d time.Duration) text.Safe {
	switch {
	case d < 0:
		return "unknown"
	case d < time.Second && d > 0:
		return text.Sprintf("%.1f s", max(d.Seconds(), 0.1))
	case d < time.Minute:
		return text.Sprintf("%d s", int(d.Round(time.Second).Seconds()))
	case d < time.Hour:
		return text.Sprintf("%d min %02d s", int(d.Minutes()), int(d.Seconds())%60)
	default:
		return text.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
	}
}

// Clock says a running duration with a fixed width: "01:02", "1:01:02".
func Clock(d time.Duration) text.Safe {
	d = max(d, 0)
	if d >= time.Hour {
		return text.Sprintf("%d:%02d:%02d", int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60)
	}
	return text.Sprintf("%02d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}

// Age says how long something lasts or is ago: "41 days", "3 weeks", "5 minutes".
// A zero time is "".
func Age(t, now time.Time) text.Safe {
	if t.IsZero() {
		return ""
	}
	d := max(now.Sub(t), 0)
	day := 24 * time.Hour
	switch {
	case d < time.Minute:
		return "less than a minute"
	case d < time.Hour:
		return Plural(int(d/time.Minute), "minute")
	case d < 2*day:
		return Plural(int(d/time.Hour), "hour")
	case d < 21*day:
		return Plural(int(d/day), "day")
	case d < 60*day:
		return Plural(int(d/(7*day)), "week")
	case d < 730*day:
		return Plural(int(d/(30*day)), "month")
	default:
		return Plural(int(d/(365*day)), "year")
	}
}

// Date says a day: "8 November 2026".
func Date(t time.Time) text.Safe {
	if t.IsZero() {
		return ""
	}
	return text.Line(t.Format("2 January 2006"))
}

// Time says a moment of the day: "20:30:41".
func Time(t time.Time) text.Safe { return text.Line(t.Format("15:04:05")) }

// Percent says done of total, "" when total is unknown.
func Percent(done, total int64) text.Safe {
	if total <= 0 {
		return ""
	}
	p := float64(min(max(done, 0), total)) / float64(total) * 100
	return text.Sprintf("%d %%", int(p))
}

// Verdict says what a result means for a person.
func Verdict(r steps.Result) text.Safe {
	switch r {
	case steps.Upgraded:
		return "upgraded"
	case steps.NothingToDo:
		return "nothing to do"
	case steps.Aborted:
		return "stopped, nothing changed"
	case steps.RolledBack:
		return "rolled back"
	case steps.NeedsOperator:
		return "needs you"
	}
	return text.Line(string(r))
}
