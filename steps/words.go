package steps

import (
	"fmt"
	"time"

	"github.com/dustin/go-humanize"
)

// Size says a number of bytes for people: "214 MB". Negative is "unknown size".
func Size(n int64) string {
	if n < 0 {
		return "unknown size"
	}
	return humanize.Bytes(uint64(n))
}

// Plural says a count with its noun: "1 image", "2,113 files".
func Plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return humanize.Comma(int64(n)) + " " + noun + "s"
}

// Lasted says a duration for people: "3 s", "1 min 20 s", "2 h 14 m", "41 days".
func Lasted(d time.Duration) string {
	switch d = d.Round(time.Second); {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d m", int(d.Hours()), int(d.Minutes())%60)
	default:
		return fmt.Sprintf("%d days", int(d.Hours())/24)
	}
}
