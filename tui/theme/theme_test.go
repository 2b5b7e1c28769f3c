package theme_test

import (
	"strings"
	"testing"

	"belay/tui/theme"
)

func TestFromEnv(t *testing.T) {
	for name, c := range map[string]struct {
		env         map[string]string
		color, utf8 bool
	}{
		"usual":          {map[string]string{"TERM": "xterm", "LANG": "de_AT.UTF-8"}, true, true},
		"no colour":      {map[string]string{"TERM": "xterm", "NO_COLOR": "1"}, false, true},
		"dumb":           {map[string]string{"TERM": "dumb"}, false, true},
		"old locale":     {map[string]string{"TERM": "xterm", "LANG": "de_AT.ISO-8859-1"}, true, false},
		"LC_ALL decides": {map[string]string{"TERM": "xterm", "LANG": "en_US.UTF-8", "LC_ALL": "C"}, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			th := theme.FromEnv(func(k string) string { return c.env[k] })
			if th.Color != c.color || th.UTF8 != c.utf8 {
				t.Errorf("color %v, UTF-8 %v", th.Color, th.UTF8)
			}
			if got := strings.Contains(th.Bad.Paint("x"), "\x1b"); got != c.color {
				t.Errorf("painted: %v", got)
			}
		})
	}
}

func TestPlainly(t *testing.T) {
	if got := theme.New(false, false).Plainly("a → b… ─ ü"); got != "a > b~ - ?" {
		t.Errorf("got %q", got)
	}
	if got := theme.New(false, true).Plainly("→ü"); got != "→ü" {
		t.Errorf("got %q", got)
	}
}
