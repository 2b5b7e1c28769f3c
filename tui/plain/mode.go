package plain

import "fmt"

// Mode is a front end.
type Mode string

// The front ends.
const (
	TUI        Mode = "tui"
	Plain      Mode = "plain"
	JSON       Mode = "json"
	Accessible Mode = "accessible"
)

// Situation is what the choice of a front end rests on.
type Situation struct {
	Progress   string // of --progress: "", auto, tui, plain, json, accessible
	Stdin      bool   // is a terminal
	Stdout     bool   // is a terminal
	Term       string // TERM
	Accessible string // ACCESSIBLE
	CI         string // CI
}

// ContradictionError is a wish that the situation cannot grant: a usage error.
type ContradictionError struct{ Msg string }

// Error is the sentence.
func (e *ContradictionError) Error() string { return e.Msg }

// Choose picks the front end, and rejects what contradicts itself rather than
// guess. A full screen is never shown where there is no terminal, on a dumb one,
// or to somebody who set ACCESSIBLE.
func Choose(s Situation) (Mode, error) {
	terminal := s.Stdin && s.Stdout
	able := s.Term != "" && s.Term != "dumb"
	switch s.Progress {
	case "", "auto":
	case string(Plain), string(JSON), string(Accessible):
		return Mode(s.Progress), nil
	case string(TUI):
		switch {
		case !terminal:
			return "", contradiction("--progress tui needs a terminal on both input and output")
		case !able:
			return "", contradiction("--progress tui needs more than TERM=%q can do", s.Term)
		case s.Accessible != "":
			return "", contradiction("ACCESSIBLE is set and --progress tui asks for a full screen: leave one of them out")
		}
		return TUI, nil
	default:
		return "", contradiction("--progress is auto, tui, plain, json or accessible, not %q", s.Progress)
	}
	switch {
	case !terminal || s.CI != "":
		return Plain, nil
	case s.Accessible != "" || !able:
		return Accessible, nil
	default:
		return TUI, nil
	}
}

func contradiction(format string, args ...any) error {
	return &ContradictionError{fmt.Sprintf(format, args...)}
}
