package widget_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"

	"belay/tui/theme"
	"belay/tui/widget"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func fill(l *widget.LogView, from, n int) {
	for i := from; i < from+n; i++ {
		l.Add(noon, "app", fmt.Sprintf("line %d", i))
	}
}

func draw(l *widget.LogView, w, h int) string {
	return strings.Join(l.Lines(theme.New(false, true), w, h), "\n")
}

func TestFollowAndPause(t *testing.T) {
	var l widget.LogView
	fill(&l, 0, 100)
	if v := draw(&l, 40, 6); !strings.Contains(v, "line 99") || !strings.Contains(v, "following") {
		t.Fatalf("not following:\n%s", v)
	}
	l.Pause()
	fill(&l, 100, 12)
	if v := draw(&l, 40, 6); !strings.Contains(v, "line 99") || strings.Contains(v, "line 100") || !strings.Contains(v, "paused · 12 new") {
		t.Fatalf("paused, and yet:\n%s", v)
	}
	l.Scroll(-3)
	if v := draw(&l, 40, 6); !strings.Contains(v, "line 96") || strings.Contains(v, "line 97") {
		t.Fatalf("scrolled up:\n%s", v)
	}
	l.Scroll(100)
	if l.Paused() || !strings.Contains(draw(&l, 40, 6), "line 111") {
		t.Fatalf("the end does not follow:\n%s", draw(&l, 40, 6))
	}
	l.Oldest()
	if v := draw(&l, 40, 6); !strings.Contains(v, "line 0") || !strings.Contains(v, "line 4") {
		t.Fatalf("the start:\n%s", v)
	}
}

func TestRingIsBounded(t *testing.T) {
	var l widget.LogView
	fill(&l, 0, 6000)
	if l.Len() != 5000 {
		t.Errorf("%d lines held", l.Len())
	}
	l.Oldest()
	if v := draw(&l, 40, 5100); !strings.Contains(v, "1,000 earlier lines not shown") || !strings.Contains(v, "line 1000") {
		t.Errorf("the start:\n%.300s", v)
	}
	var big widget.LogView
	for range 3000 {
		big.Add(noon, "app", strings.Repeat("x", 4000))
	}
	if big.Len() > 1100 {
		t.Errorf("%d lines of 4 kB held", big.Len())
	}
}

func TestSearch(t *testing.T) {
	var l widget.LogView
	fill(&l, 0, 50)
	l.Add(noon, "app", "ERROR here")
	fill(&l, 50, 50)
	if !l.Search("error") || !strings.Contains(draw(&l, 40, 5), "ERROR here") {
		t.Errorf("not found:\n%s", draw(&l, 40, 5))
	}
	if l.Match(1) || l.Search("nowhere") {
		t.Error("found what is not there")
	}
	th := theme.New(true, true)
	l.Search("error")
	if v := strings.Join(l.Lines(th, 40, 5), "\n"); !strings.Contains(v, "\x1b[7mERROR") {
		t.Errorf("the match is not shown: %q", v)
	}
}

func TestServices(t *testing.T) {
	var l widget.LogView
	l.Add(noon, "app", "from app")
	l.Add(noon, "db", "from db")
	for _, want := range [][2]bool{{true, true}, {true, false}, {false, true}, {true, true}} {
		v := draw(&l, 60, 5)
		if strings.Contains(v, "from app") != want[0] || strings.Contains(v, "from db") != want[1] {
			t.Errorf("want %v:\n%s", want, v)
		}
		l.NextService()
	}
}

func TestHighlights(t *testing.T) {
	th := theme.New(true, true)
	for line, code := range map[string]string{
		"ERROR 42P07 relation exists": "\x1b[1;31m",
		"== Running 20261101 migrate": "\x1b[1;36m",
		"done with 0 errors":          "",
		"no error at all":             "",
		"hello":                       "",
	} {
		var l widget.LogView
		l.Add(noon, "app", line)
		v := strings.Join(l.Lines(th, 60, 2), "\n")
		if code == "" && strings.Contains(v, "\x1b[1;") || code != "" && !strings.Contains(v, code) {
			t.Errorf("%q is drawn as %q", line, v)
		}
	}
}

// Whatever is written and pressed, the view keeps its size and draws no control
// byte.
func TestLogViewProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l widget.LogView
		th := theme.New(false, true)
		for range rapid.IntRange(0, 60).Draw(t, "acts") {
			switch rapid.IntRange(0, 8).Draw(t, "act") {
			case 0, 1, 2:
				l.Add(noon, rapid.StringN(0, 8, 20).Draw(t, "service"), rapid.String().Draw(t, "line"))
			case 3:
				l.Pause()
			case 4:
				l.Scroll(rapid.IntRange(-20, 20).Draw(t, "by"))
			case 5:
				l.NextService()
			case 6:
				l.Search(rapid.StringN(0, 3, 9).Draw(t, "query"))
			case 7:
				l.Match(rapid.SampledFrom([]int{-1, 1}).Draw(t, "way"))
			case 8:
				l.Lost(rapid.IntRange(0, 5).Draw(t, "lost"))
			}
			w, h := rapid.IntRange(1, 80).Draw(t, "w"), rapid.IntRange(0, 20).Draw(t, "h")
			lines := l.Lines(th, w, h)
			if len(lines) != h {
				t.Fatalf("%d lines in %d", len(lines), h)
			}
			for _, s := range lines {
				if ansi.StringWidth(s) > w {
					t.Fatalf("%d cells in %d: %q", ansi.StringWidth(s), w, s)
				}
				if strings.ContainsAny(s, "\x1b\r\n\x07\u009b") {
					t.Fatalf("a control byte: %q", s)
				}
			}
		}
	})
}

func BenchmarkFlood(b *testing.B) {
	var l widget.LogView
	th := theme.New(true, true)
	for b.Loop() {
		for i := range 5000 {
			l.Add(noon, "app", "2026-01-01 info: line number "+fmt.Sprint(i))
		}
		l.Lines(th, 80, 24)
	}
}
