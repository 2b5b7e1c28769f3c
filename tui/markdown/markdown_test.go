package markdown_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"belay/tui/markdown"
	"belay/tui/text"
)

var anySGR = regexp.MustCompile(`\x1b\[[0-9;:]*m`)

// check asserts the two promises: no control byte but SGR, no line too wide.
func check(t *testing.T, lines []string, width int) {
	t.Helper()
	for _, l := range lines {
		bare := anySGR.ReplaceAllString(l, "")
		for i := range len(bare) {
			if bare[i] < 0x20 || bare[i] == 0x7f || (bare[i] == 0xc2 && bare[i+1] < 0xa0) {
				t.Fatalf("a control byte came through: %q", l)
			}
		}
		if strings.ContainsAny(bare, "\u202e\u2066\u200b\ufeff") {
			t.Fatalf("an invisible character came through: %q", l)
		}
		if w := text.Width(l); w > width {
			t.Fatalf("%d cells in %d: %q", w, width, l)
		}
	}
}

func TestHostile(t *testing.T) {
	for name, src := range map[string]string{
		"raw escape":     "hi \x1b]52;c;ZXZpbA==\x07 there",
		"entities":       "hi &#27;]52;c;ZXZpbA==&#7; there",
		"hex entities":   "hi &#x1b;[2J&#x9b;2J there",
		"code block":     "```\n\x1b[2J &#27;\n```\n",
		"bidi entity":    "exe&#x202e;txt &#8203; &#xFEFF;",
		"return entity":  "evil&#13;good",
		"link":           "[x](https://evil/&#27;[2J)",
		"title":          "[x](https://e \"&#27;]0;t&#7;\")",
		"image":          "![&#27;[2J](x)",
		"table":          "|a|b|\n|-|-|\n|&#27;[2J|x|\n",
		"long code":      "```\n" + strings.Repeat("x", 300) + "\n```\n",
		"long word":      strings.Repeat("w", 300),
		"wide":           strings.Repeat("大", 120),
		"open comment":   "a <!-- never closed \x1b[2J",
		"deep quotes":    strings.Repeat(">", 3000) + " x",
		"deep lists":     strings.Repeat("- ", 500) + "x",
		"stairs":         stairs(200),
		"mixed":          strings.Repeat("> - 1. ", 400) + "x",
		"brackets":       strings.Repeat("[", 1000),
		"emphasis":       strings.Repeat("*a ", 1000),
		"endless osc":    "one \x1b]0;\n\ntwo",
		"nothing at all": "",
	} {
		for _, color := range []bool{true, false} {
			for _, width := range []int{10, 40, 76} {
				t.Run(name, func(t *testing.T) { check(t, markdown.Render(src, width, color), width) })
			}
		}
	}
}

// stairs nests a list by indentation, one level a line.
func stairs(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat("  ", i) + "- x\n")
	}
	return b.String()
}

func TestNothingIsHidden(t *testing.T) {
	got := strings.Join(markdown.Render("one \x1b]0;\n\ntwo\n\n<details><summary>sum</summary>body</details>", 40, false), "\n")
	for _, want := range []string{"one ^[]0;", "two", "sum\n", "body"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in %q", want, got)
		}
	}
}

func TestLook(t *testing.T) {
	got := markdown.Render("## Breaking Changes\n\n- `SMTP_URL` is renamed to `MAILER_DSN`\n- see [guide](https://x.org/g)\n\n```sh\ndocker compose up\n```\n", 60, false)
	want := []string{"Breaking Changes", "", "• `SMTP_URL` is renamed to `MAILER_DSN`", "• see guide https://x.org/g", "", "  docker compose up"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, l := range got {
		if strings.Contains(l, "\x1b") {
			t.Errorf("a style without colour: %q", l)
		}
	}
}

func TestLongNotesAreCut(t *testing.T) {
	got := markdown.Render(strings.Repeat("line of words\n\n", 20000), 40, false)
	if last := got[len(got)-1]; !strings.Contains(last, "cut here") || len(got) > markdown.MaxLines+1 {
		t.Errorf("%d lines, the last is %q", len(got), last)
	}
}

func FuzzRender(f *testing.F) {
	f.Add("# a &#27;[2J\n```\nx\n```")
	f.Add("|a|\n|-|\n|\u009b|")
	f.Fuzz(func(t *testing.T, src string) {
		if len(src) > 2000 {
			t.Skip("slow, and bounded elsewhere")
		}
		done := make(chan []string, 1)
		go func() { done <- markdown.Render(src, 30, true) }()
		select {
		case lines := <-done:
			check(t, lines, 30)
		case <-time.After(10 * time.Second):
			t.Fatalf("drawing takes for ever: %q", src)
		}
	})
}
