package text_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"belay/tui/text"
)

func TestLine(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"plain":            {"hello", "hello"},
		"line end":         {"hello\r\n", "hello"},
		"overwritten":      {"10 %\r55 %\rdone", "done"},
		"colour":           {"\x1b[32minfo\x1b[0m ok", "info ok"},
		"cursor up":        {"a\x1b[2Ab", "ab"},
		"csi cut short":    {"a\x1b[2", "a^[[2"},
		"clipboard":        {"x\x1b]52;c;ZXZpbA==\x07y", "x^[]52;c;ZXZpbA==^Gy"},
		"endless osc":      {"a \x1b]0;title and the rest", "a ^[]0;title and the rest"},
		"lone esc":         {"a\x1bc", "a^[c"},
		"c1 as utf-8":      {"a\u009b2Jb", "a<U+009B>2Jb"},
		"c1 as a byte":     {"a\x9b2Jb", `a\x9B2Jb`},
		"broken lead byte": {"\xe1\x1b", `\xE1^[`},
		"delete":           {"a\x7fb\x08", "a^?b^H"},
		"bidi":             {"exe\u202etxt", "exe<U+202E>txt"},
		"zero width":       {"pay\u200bpal", "pay<U+200B>pal"},
		"tags":             {"a\U000e0041", "a<U+E0041>"},
		"separator":        {"a\u2028b", "a<U+2028>b"},
		"filler":           {"a\u3164b", "a<U+3164>b"},
		"tab":              {"ab\tc", "ab      c"},
		"odd space":        {"a\u00a0b\u3000c", "a b c"},
		"joined picture":   {"\U0001f469\u200d\U0001f4bb", "\U0001f469\u200d\U0001f4bb"},
		"joiner in a word": {"a\u200db", "a<U+200D>b"},
		"a few marks":      {"e\u0301", "e\u0301"},
		"many marks":       {"e\u0301\u0301\u0301\u0301", "e\u0301\u0301\u0301<U+0301>"},
		"umlauts":          {"Größe 大", "Größe 大"},
		"newline inside":   {"a\nb", "a^Jb"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := text.Line(c.in); string(got) != c.want {
				t.Errorf("Line(%q) = %q, want %q", c.in, got, c.want)
			}
		})
	}
}

func TestLineIsCapped(t *testing.T) {
	got := text.Line(strings.Repeat("ä", text.MaxLine))
	if len(got) > text.MaxLine+3 || !strings.HasSuffix(string(got), "...") || !utf8.ValidString(string(got)) {
		t.Errorf("a long line ends as %q with %d bytes", got[len(got)-9:], len(got))
	}
}

func TestLinesStandAlone(t *testing.T) {
	got := text.Lines("one\x1b]52;\ntwo\n")
	if len(got) != 2 || got[1] != "two" {
		t.Errorf("an open sequence reached the next line: %q", got)
	}
}

func TestWidths(t *testing.T) {
	if got := text.Cut(text.Safe("大大大"), 4); text.Width(got) > 4 {
		t.Errorf("Cut = %q, %d cells", got, text.Width(got))
	}
	if got := text.Pad("ab", 4); got != "ab  " {
		t.Errorf("Pad = %q", got)
	}
	if got := text.PadLeft("ab", 4); got != "  ab" {
		t.Errorf("PadLeft = %q", got)
	}
	for _, l := range text.Wrap("a sentence and averyveryverylongword", 8) {
		if text.Width(l) > 8 {
			t.Errorf("Wrap left %q with %d cells", l, text.Width(l))
		}
	}
}

// FuzzLine looks at bytes, not at how Line thinks: whatever goes in, nothing that
// a terminal acts on comes out, and a second pass changes nothing.
func FuzzLine(f *testing.F) {
	for _, s := range []string{
		"\x1b]52;c;x\x07", "\x1bP1$r\x1b\\", "\x1b_apc\x1b\\", "\u009d0;t\u009c", "\xe1\r", "\u202e",
		"a\x1b[38;5;1m", "\x1b[\x1b[mm", "\xc2\x1b[m\x9b", "\t\t", "\U0001f469\u200d\x1b", "\xf3\xa0\x81\x81",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		out := string(text.Line(in))
		if !utf8.ValidString(out) {
			t.Fatalf("%q became invalid UTF-8: %q", in, out)
		}
		for i := range len(out) {
			if b := out[i]; b < 0x20 || b == 0x7f {
				t.Fatalf("%q let byte %#x through: %q", in, b, out)
			}
			if out[i] == 0xc2 && out[i+1] < 0xa0 {
				t.Fatalf("%q let a C1 through: %q", in, out)
			}
			if rest := out[i:]; strings.HasPrefix(rest, "\u202e") || strings.HasPrefix(rest, "\u2066") ||
				strings.HasPrefix(rest, "\u200b") || strings.HasPrefix(rest, "\ufeff") || strings.HasPrefix(rest, "\U000e0041") {
				t.Fatalf("%q let an invisible through: %q", in, out)
			}
		}
		if ansi.Strip(out) != out {
			t.Fatalf("%q still holds a sequence: %q", in, out)
		}
	})
}
