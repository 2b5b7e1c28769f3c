package recipe

import (
	"fmt"

	"gopkg.in/yaml.v3"
)

// Error is a mistake in a recipe or in belay.yaml. Line and Col count from 1;
// zero means unknown.
type Error struct {
	File string
	Line int
	Col  int
	Msg  string // a sentence for people
	Err  error
}

// Error is "FILE:LINE:COL: MSG" with what is known.
func (e *Error) Error() string {
	switch {
	case e.File == "":
		return e.Msg
	case e.Line == 0:
		return e.File + ": " + e.Msg
	case e.Col == 0:
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg)
	default:
		return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Col, e.Msg)
	}
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// place is where a value is written. user is false for embedded recipes.
type place struct {
	file      string
	line, col int
	user      bool
}

func (p place) errorf(format string, args ...any) *Error {
	return &Error{File: p.file, Line: p.line, Col: p.col, Msg: fmt.Sprintf(format, args...)}
}

func (d *document) errorAt(n *yaml.Node, format string, args ...any) *Error {
	return d.place(n).errorf(format, args...)
}

func (d *document) place(n *yaml.Node) place {
	return place{file: d.file, line: n.Line, col: n.Column, user: d.user}
}
