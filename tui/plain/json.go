package plain

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"belay/steps"
	"belay/tui/text"
)

// Outcome writes the last line of `--progress json`. All keys of the promise
// are always there: kind, outcome, from, to, run, backup, exit.
func Outcome(w io.Writer, o steps.Outcome, now time.Time) error {
	return line(w, struct {
		Time    time.Time      `json:"time"`
		Kind    steps.Kind     `json:"kind"`
		Result  steps.Result   `json:"outcome"`
		From    string         `json:"from"`
		To      string         `json:"to"`
		Run     string         `json:"run"`
		Backup  string         `json:"backup"`
		Exit    int            `json:"exit"`
		Message string         `json:"message,omitempty"`
		Next    string         `json:"next,omitempty"`
		Proof   []steps.Signal `json:"proof,omitempty"`
	}{now, steps.KindOutcome, o.Result, o.From, o.To, o.Run, o.Backup, o.Exit, o.Message, o.Next, o.Proof})
}

// line writes one object and its line end in one call.
func line(w io.Writer, v any) error {
	b, err := encode(v, "")
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

// encode is JSON in which every rune that a terminal could act on, or that hides
// what stands there, is escaped: a decoder sees the same text, a terminal only
// letters.
func encode(v any, indent string) ([]byte, error) {
	var raw bytes.Buffer
	e := json.NewEncoder(&raw)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	out := make([]byte, 0, raw.Len())
	for _, r := range raw.String() {
		switch {
		case r == '\n' || text.Visible(r):
			out = append(out, string(r)...)
		case r > 0xffff:
			r -= 0x10000
			out = fmt.Appendf(out, `\u%04x\u%04x`, 0xd800+(r>>10), 0xdc00+(r&0x3ff))
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out, nil
}
