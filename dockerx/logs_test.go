package dockerx

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const stamp = "2026-11-20T23:00:00.000000001Z"

func TestLineSplitter(t *testing.T) {
	for name, c := range map[string]struct {
		writes []string
		want   []string
	}{
		"one line":               {[]string{stamp + " a\n"}, []string{"a"}},
		"two in one write":       {[]string{stamp + " a\n" + stamp + " b\n"}, []string{"a", "b"}},
		"in pieces":              {[]string{stamp + " a", stamp + " b", stamp + " c\n"}, []string{"abc"}},
		"no end":                 {[]string{stamp + " a"}, []string{"a"}},
		"empty line":             {[]string{stamp + " \n"}, []string{""}},
		"carriage return":        {[]string{stamp + " a\r\n"}, []string{"a"}},
		"a time in the text":     {[]string{stamp + " " + stamp + " a\n"}, []string{stamp + " a"}},
		"no timestamp":           {[]string{"what is this\n"}, []string{"what is this"}},
		"long":                   {[]string{stamp + " " + strings.Repeat("x", 100<<10) + "\n", stamp + " next\n"}, []string{strings.Repeat("x", maxLine), "next"}},
		"long in many pieces":    {append(slices.Repeat([]string{stamp + " " + strings.Repeat("y", 16<<10)}, 9), stamp+" \n", stamp+" next\n"), []string{strings.Repeat("y", maxLine), "next"}},
		"bytes that are no text": {[]string{stamp + " \xff\x00\x1b[2J\n"}, []string{"\xff\x00\x1b[2J"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			s := &lineSplitter{framed: true, emit: func(_ time.Time, text []byte) { got = append(got, string(text)) }}
			for _, w := range c.writes {
				if n, err := s.Write([]byte(w)); n != len(w) || err != nil {
					t.Fatal(n, err)
				}
			}
			s.flush()
			s.flush()
			if !slices.Equal(got, c.want) {
				t.Errorf("got %.200q", got)
			}
		})
	}
}

// Wherever a terminal's stream is cut, the lines are the same.
func TestLineSplitterDoesNotCareForCuts(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		want := rapid.SliceOf(rapid.StringMatching(`[a-z ]{0,40}`)).Draw(rt, "lines")
		var text strings.Builder
		for _, l := range want {
			text.WriteString(stamp + " " + l + "\n")
		}
		var got []string
		s := &lineSplitter{emit: func(at time.Time, text []byte) {
			if at.Nanosecond() != 1 {
				rt.Errorf("time %v", at)
			}
			got = append(got, string(text))
		}}
		for rest := []byte(text.String()); len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(rt, "cut")
			_, _ = s.Write(rest[:n])
			rest = rest[n:]
		}
		s.flush()
		if !slices.Equal(got, want) {
			rt.Fatalf("got %q, want %q", got, want)
		}
	})
}

// What a broken-off reading has delivered is not delivered again, and nothing
// after it is left out, also where many lines have one time.
func TestSecondReadingDeliversTheRest(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		times := rapid.SliceOf(rapid.IntRange(0, 5)).Draw(rt, "times")
		slices.Sort(times)
		cut := rapid.IntRange(0, len(times)).Draw(rt, "cut")
		var got, want []string
		r := logReading{}
		r.streams[0].deliver = func(_ time.Time, text []byte) { got = append(got, string(text)) }
		at := func(i int) time.Time { return time.Unix(int64(1+times[i]), 0) }
		for i := range times {
			want = append(want, fmt.Sprint(i))
			if i < cut {
				r.streams[0].line(at(i), []byte(fmt.Sprint(i)))
			}
		}
		spec := r.rest(LogSpec{Follow: true, Tail: 3})
		if spec.Follow || cut > 0 && spec.Tail != 0 {
			rt.Fatalf("%+v", spec)
		}
		for i := range times {
			if !at(i).Before(spec.Since) {
				r.streams[0].line(at(i), []byte(fmt.Sprint(i)))
			}
		}
		if !slices.Equal(got, want) {
			rt.Fatalf("times %v cut at %d: got %v", times, cut, got)
		}
	})
}
