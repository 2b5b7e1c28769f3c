package compose

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// bom is the byte order mark that some editors put first.
const bom = "\uFEFF"

// assignment is one KEY=VALUE of an env file, with where its parts lie.
type assignment struct {
	key       string
	keyAt     int  // offset of the key
	start     int  // the value's text, inside the quotes
	end       int  //
	quote     byte // 0, ' or "
	inherited bool // KEY alone: the value comes from the process environment
}

// literal says whether the value's text is the value: nothing is expanded or
// escaped in it.
func (a assignment) literal(data []byte) bool {
	if a.inherited {
		return false
	}
	text := data[a.start:a.end]
	if bytes.IndexByte(text, '\\') >= 0 && a.quote != 0 {
		return false
	}
	return a.quote == '\'' || bytes.IndexByte(text, '$') < 0
}

// envSyntax is a mistake in an env file. It never repeats the value: it may be a secret.
type envSyntax struct {
	offset int
	msg    string
}

func (e *envSyntax) Error() string { return e.msg }

// scanEnv finds the assignments of an env file by the grammar that compose uses:
// BOM, CRLF, export, `KEY: value`, quotes that span lines, ` #` comments.
func scanEnv(data []byte) ([]assignment, error) {
	s := envScanner{src: data}
	if bytes.HasPrefix(data, []byte(bom)) {
		s.pos = len(bom)
	}
	var found []assignment
	for s.skipToStatement() {
		a, err := s.statement()
		if err != nil {
			return found, err
		}
		found = append(found, a)
	}
	return found, nil
}

// lastAssignment is the one that counts: a later duplicate wins.
func lastAssignment(found []assignment, key string) (assignment, bool) {
	for i := len(found) - 1; i >= 0; i-- {
		if found[i].key == key {
			return found[i], true
		}
	}
	return assignment{}, false
}

type envScanner struct {
	src []byte
	pos int
}

func (s *envScanner) skipToStatement() bool {
	for s.pos < len(s.src) {
		r, n := utf8.DecodeRune(s.src[s.pos:])
		switch {
		case unicode.IsSpace(r):
			s.pos += n
		case r == '#':
			s.toLineEnd()
		default:
			return true
		}
	}
	return false
}

func (s *envScanner) toLineEnd() {
	if i := bytes.IndexByte(s.src[s.pos:], '\n'); i >= 0 {
		s.pos += i
		return
	}
	s.pos = len(s.src)
}

func (s *envScanner) statement() (assignment, error) {
	s.skipExport()
	a := assignment{keyAt: s.pos}
	end, sep, err := s.keyEnd()
	if err != nil {
		return a, err
	}
	if sep == 0 {
		// A last line without '=' and without a line end: compose reads it as the
		// value of the empty name. Harmless, so it must not stop us either.
		return s.plain(a), nil
	}
	a.key = strings.TrimRightFunc(string(s.src[a.keyAt:end]), unicode.IsSpace)
	if strings.Contains(a.key, " ") {
		return a, &envSyntax{a.keyAt, "the name of a variable cannot hold a space"}
	}
	s.pos = min(end+1, len(s.src))
	if sep == '\n' {
		a.inherited, a.start, a.end = true, end, end
		return a, nil
	}
	s.skipBlanks()
	if s.pos < len(s.src) && (s.src[s.pos] == '"' || s.src[s.pos] == '\'') {
		return s.quoted(a)
	}
	return s.plain(a), nil
}

func (s *envScanner) skipExport() {
	rest := s.src[s.pos:]
	if !bytes.HasPrefix(rest, []byte("export")) {
		return
	}
	after := rest[len("export"):]
	if len(after) == 0 || !strings.ContainsRune(" \t\n\f\r", rune(after[0])) {
		return
	}
	s.pos += len("export")
	s.skipBlanks()
}

// keyEnd gives the offset where the key ends and what ends it: '=', ':', '\n', or
// 0 at the end of the file.
func (s *envScanner) keyEnd() (int, byte, error) {
	for i := s.pos; i < len(s.src); {
		r, n := utf8.DecodeRune(s.src[i:])
		switch {
		case r == '=' || r == ':' || r == '\n':
			return i, byte(r), nil
		case isBlank(r), unicode.IsLetter(r), unicode.IsNumber(r), strings.ContainsRune("_.-[]", r):
			i += n
		default:
			return i, 0, &envSyntax{i, fmt.Sprintf("a variable's name cannot hold %q", r)}
		}
	}
	return len(s.src), 0, nil
}

func (s *envScanner) skipBlanks() {
	for s.pos < len(s.src) {
		r, n := utf8.DecodeRune(s.src[s.pos:])
		if !isBlank(r) {
			return
		}
		s.pos += n
	}
}

func (s *envScanner) plain(a assignment) assignment {
	a.start = s.pos
	s.toLineEnd()
	text := s.src[a.start:s.pos]
	if i := bytes.Index(text, []byte(" #")); i >= 0 {
		text = text[:i]
	}
	a.end = a.start + len(bytes.TrimRightFunc(text, unicode.IsSpace))
	return a
}

func (s *envScanner) quoted(a assignment) (assignment, error) {
	a.quote = s.src[s.pos]
	a.start = s.pos + 1
	escaped := false
	for i := a.start; i < len(s.src); i++ {
		switch {
		case s.src[i] == a.quote && !escaped:
			a.end, s.pos = i, i+1
			return a, nil
		case s.src[i] == '\\' && !escaped:
			escaped = true
		default:
			escaped = false
		}
	}
	return a, &envSyntax{s.pos, "the quote that opens here is never closed"}
}

// isBlank is white space inside a line, as compose's env grammar has it.
func isBlank(r rune) bool {
	return strings.ContainsRune("\t\v\f\r \u0085\u00A0", r)
}
