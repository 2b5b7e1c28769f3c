package stack

import (
	"os"
	"regexp"
	"strings"

	"belay/dockerx/compose"
)

var assignment = regexp.MustCompile(`^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*[=:]\s*(.*)$`)

// assignments finds the line on which each variable of the .env files gets its
// value: the last one counts. Files that cannot be read are left out; nothing
// but line numbers is kept of them.
func assignments(files []string) map[string]compose.Place {
	out := map[string]compose.Place{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		n, open := 0, byte(0) // open: the quote of a value that spans lines
		for line := range strings.Lines(strings.TrimPrefix(string(data), "\ufeff")) {
			n++
			if open != 0 {
				if closes(line, open) {
					open = 0
				}
				continue
			}
			m := assignment.FindStringSubmatchIndex(strings.TrimRight(line, "\r\n"))
			if m == nil {
				continue
			}
			out[line[m[2]:m[3]]] = compose.Place{File: file, Line: n, Col: m[2] + 1}
			if value := line[m[4]:m[5]]; value != "" && (value[0] == '"' || value[0] == '\'') && !closes(value[1:], value[0]) {
				open = value[0]
			}
		}
	}
	return out
}

// closes says whether a quote ends within the text.
func closes(text string, quote byte) bool {
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\' && quote == '"':
			i++
		case text[i] == quote:
			return true
		}
	}
	return false
}
