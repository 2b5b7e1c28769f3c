package compose

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// scalarAt finds where the text of a scalar lies in its file: the offset of the
// first byte of the value, such that data[offset:offset+len(value)] is the value.
// It says no for anything that is not written as it is read: escapes, folded
// lines, other line separators.
func scalarAt(data []byte, n *yaml.Node) (int, bool) {
	pos, ok := offsetOf(data, n.Line, n.Column)
	if !ok {
		return 0, false
	}
	pos = skipProperties(data, pos)
	if pos >= len(data) {
		return 0, false
	}
	switch data[pos] {
	case '"', '\'':
		quote := data[pos]
		pos++
		end := pos + len(n.Value)
		return pos, holds(data, pos, n.Value) && end < len(data) && data[end] == quote
	case '|', '>':
		return blockAt(data, pos, n.Value)
	}
	return pos, holds(data, pos, n.Value)
}

// offsetOf turns a line and a column in characters, both from 1, into a byte
// offset. A byte order mark is not counted by the parser.
func offsetOf(data []byte, line, column int) (int, bool) {
	if line < 1 || column < 1 {
		return 0, false
	}
	pos := 0
	for ; line > 1; line-- {
		i := bytes.IndexByte(data[pos:], '\n')
		if i < 0 {
			return 0, false
		}
		pos += i + 1
	}
	if pos == 0 && bytes.HasPrefix(data, []byte(bom)) {
		pos = len(bom)
	}
	for ; column > 1; column-- {
		if pos >= len(data) || data[pos] == '\n' {
			return 0, false
		}
		_, n := utf8.DecodeRune(data[pos:])
		pos += n
	}
	return pos, pos <= len(data)
}

// skipProperties goes over tags and anchors: a scalar's position is that of its
// first property.
func skipProperties(data []byte, pos int) int {
	for pos < len(data) && (data[pos] == '!' || data[pos] == '&') {
		for pos < len(data) && !strings.ContainsRune(" \t\r\n", rune(data[pos])) {
			pos++
		}
		for pos < len(data) && (data[pos] == ' ' || data[pos] == '\t') {
			pos++
		}
	}
	return pos
}

func holds(data []byte, pos int, value string) bool {
	return value != "" && bytes.HasPrefix(data[pos:], []byte(value))
}

// blockAt finds the only line of a block scalar.
func blockAt(data []byte, pos int, value string) (int, bool) {
	value = strings.TrimRight(value, "\n")
	i := bytes.IndexByte(data[pos:], '\n')
	if i < 0 || strings.Contains(value, "\n") {
		return 0, false
	}
	pos += i + 1
	for pos < len(data) && strings.ContainsRune(" \r\n", rune(data[pos])) {
		pos++
	}
	_, _, end := lineAt(data, min(pos, len(data)))
	return pos, holds(data, pos, value) && end == pos+len(value)
}
