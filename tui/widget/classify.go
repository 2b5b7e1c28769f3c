package widget

import (
	"strings"

	"belay/tui/theme"
)

// class is what a log line seems to be about. It only helps the eye: no decision
// rests on it.
type class int

const (
	ordinary class = iota
	migration
	trouble
)

func (c class) style(th theme.Theme) theme.Style {
	switch c {
	case migration:
		return th.Here
	case trouble:
		return th.Bad
	case ordinary:
	}
	return th.Text
}

// classify reads a line in lower case. "0 errors" and "no error" are good news.
func classify(lower string) class {
	for _, w := range []string{"error", "fatal", "panic", "exception", "traceback", "segfault", "critical"} {
		if i := strings.Index(lower, w); i >= 0 && !denied(lower[:i]) {
			return trouble
		}
	}
	if strings.Contains(lower, "migrat") || strings.Contains(lower, "alembic") || strings.Contains(lower, "schema") {
		return migration
	}
	return ordinary
}

func denied(before string) bool {
	before = strings.TrimRight(before, " ")
	for _, no := range []string{"0", "no", "without"} {
		if rest, ok := strings.CutSuffix(before, no); ok && (rest == "" || strings.HasSuffix(rest, " ")) {
			return true
		}
	}
	return false
}
