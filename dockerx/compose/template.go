package compose

import "strings"

// piece is a part of an interpolated text and says where it came from.
type piece struct {
	text     string
	variable string // set: the value of this variable
	fallback string // set: literal text inside the default of this variable
	at       int    // offset in the template; -1 for a variable's value
}

type lookupFunc func(name string) (string, bool)

// expand interpolates a template as compose does and keeps, for every part of the
// result, where it was written. It says no to a template it does not understand;
// the caller then knows nothing, which is always safe.
func expand(tmpl string, look lookupFunc) ([]piece, bool) {
	return expandAt(tmpl, 0, "", look, 0)
}

// maxNesting bounds ${A:-${B:-…}}: compose files are outside input.
const maxNesting = 50

func expandAt(tmpl string, base int, fallback string, look lookupFunc, depth int) ([]piece, bool) {
	if depth > maxNesting {
		return nil, false
	}
	var out []piece
	for i := 0; i < len(tmpl); {
		j := strings.IndexByte(tmpl[i:], '$')
		if j < 0 {
			return append(out, piece{text: tmpl[i:], at: base + i, fallback: fallback}), true
		}
		if j > 0 {
			out = append(out, piece{text: tmpl[i : i+j], at: base + i, fallback: fallback})
		}
		i += j + 1
		if i >= len(tmpl) {
			return nil, false
		}
		if tmpl[i] == '{' {
			end := closingBrace(tmpl, i)
			if end < 0 {
				return nil, false
			}
			part, ok := braced(tmpl[i+1:end], base+i+1, look, depth)
			if !ok {
				return nil, false
			}
			out = append(out, part...)
			i = end + 1
			continue
		}
		n := nameLen(tmpl[i:])
		if n == 0 {
			return nil, false // "$$" and mistakes: no image has a dollar
		}
		value, _ := look(tmpl[i : i+n])
		out = append(out, piece{text: value, variable: tmpl[i : i+n], at: -1})
		i += n
	}
	return out, true
}

func braced(body string, base int, look lookupFunc, depth int) ([]piece, bool) {
	n := nameLen(body)
	if n == 0 {
		return nil, false
	}
	name, rest := body[:n], body[n:]
	value, set := look(name)
	own := []piece{{text: value, variable: name, at: -1}}
	if rest == "" {
		return own, true
	}
	colon := strings.HasPrefix(rest, ":")
	op := strings.TrimPrefix(rest, ":")
	if op == "" {
		return nil, false
	}
	wordAt := base + len(body) - len(op) + 1
	present := set && (!colon || value != "")
	switch op[0] {
	case '-':
		if present {
			return own, true
		}
		return expandAt(op[1:], wordAt, name, look, depth+1)
	case '+':
		if !present {
			return own, true // compose gives the variable itself here, which is unset or empty
		}
		return expandAt(op[1:], wordAt, name, look, depth+1)
	case '?':
		return own, present
	}
	return nil, false
}

// closingBrace finds the brace that closes the one at open.
func closingBrace(s string, open int) int {
	depth := 0
	for i := open; i < len(s); i++ {
		switch s[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

func nameLen(s string) int {
	for i := range len(s) {
		c := s[i]
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return i
		}
	}
	return len(s)
}

func joined(parts []piece) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.text)
	}
	return b.String()
}
