package compose

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// drawn is a file made of random lines with one marked place in it.
type drawn struct{ before, tag, after string }

func (d drawn) with(tag string) string { return d.before + tag + d.after }

func lineEnd(t *rapid.T) string {
	return rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(t, "end")
}

// drawEnv makes an .env file whose last TAG is d.tag.
func drawEnv(t *rapid.T) drawn {
	end := lineEnd(t)
	noise := rapid.SampledFrom([]string{
		"", "# TAG=7", "  # ünïcode", "A=1", "export B='x # y'", "C: \"two" + end + "TAG=8" + end + "lines\" # c",
		"D=v1# literal", "E=\"a \\\" b\"", "F=${A}-x", "TAG", "INHERITED", "\tG = 3  # tail", "H=", "K='it''s", "L=\"$$\"",
	})
	noise = noise.Filter(func(s string) bool { return s != "K='it''s" }) // an open quote eats the rest
	lines := func(name string) string {
		var b strings.Builder
		for _, n := range rapid.SliceOfN(noise, 0, 6).Draw(t, name) {
			b.WriteString(n + end)
		}
		return b.String()
	}
	var d drawn
	if rapid.Bool().Draw(t, "bom") {
		d.before = bom
	}
	d.before += lines("head")
	if rapid.Bool().Draw(t, "duplicate") {
		d.before += "TAG=0.0.1" + end
	}
	d.before += rapid.SampledFrom([]string{"", "  ", "export ", "export\t"}).Draw(t, "lead") + "TAG" +
		rapid.SampledFrom([]string{"=", " = ", ":", ": ", "=\t"}).Draw(t, "sep")
	quote := rapid.SampledFrom([]string{"", "'", "\""}).Draw(t, "quote")
	d.before += quote
	d.tag = rapid.StringMatching(`v?[0-9]{1,2}\.[0-9]{1,3}\.[0-9](-slim)?`).Draw(t, "tag")
	d.after = quote + rapid.SampledFrom([]string{"", " ", " # pinned", "  # 9.9.9"}).Draw(t, "comment")
	if rapid.Bool().Draw(t, "last line open") {
		return d
	}
	// A bare TAG after it would take the value away to the process environment.
	d.after += end + strings.ReplaceAll(lines("foot"), "TAG"+end, "T"+end)
	return d
}

// drawCompose makes a compose file with the reference of app in some style.
func drawCompose(t *rapid.T, before, after string) drawn {
	end := lineEnd(t)
	var d drawn
	if rapid.Bool().Draw(t, "bom") {
		d.before = bom
	}
	d.before += rapid.SampledFrom([]string{"", "# ä" + end, "x-a: &x {b: \"ü\"}" + end, "name: shop" + end + end}).Draw(t, "head")
	image := rapid.SampledFrom([][2]string{
		{"    image: ", ""},
		{"    image:   '", "'"},
		{"    image: \"", "\" # 1.2.3"},
		{"    \"image\": &img ", "  # c"},
		{"    image: !!str ", ""},
		{"    image: >-" + end + "        ", ""},
		{"    image: |-" + end + "     ", ""},
	}).Draw(t, "style")
	d.before += "services:" + end + "  # app" + end + "  app:" + end
	if rapid.Bool().Draw(t, "restart first") {
		d.before += "    restart: always   # 1.2.3" + end
	}
	d.before += image[0] + before
	d.after = after + image[1] + end + rapid.SampledFrom([]string{"", end + end, "    command: [\"--tag\", \"1.2.3\"]" + end}).Draw(t, "foot") +
		"  db: {image: \"postgres:17\", environment: {V: '1.2.3'}}" + end
	return d
}

func TestRetagChangesOnlyTheTag(t *testing.T) {
	base := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp(base, "p")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		var d drawn
		file, other := "compose.yaml", ""
		switch rapid.SampledFrom([]string{"literal", "default", "env"}).Draw(t, "kind") {
		case "literal":
			d = drawCompose(t, "repo/app:", "")
			d.tag = "1.2.3"
		case "default":
			d = drawCompose(t, "repo/app:${TAG:-", "}")
			d.tag = "1.2.3"
		case "env":
			d, file = drawEnv(t), ".env"
			c := drawCompose(t, "repo/app:", "")
			other = c.with("${TAG}")
		}
		write := func(name, text string) {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write(file, d.with(d.tag))
		if other != "" {
			write("compose.yaml", other)
		}
		p, err := Load(t.Context(), Options{Dir: dir})
		if err != nil {
			t.Fatalf("Load: %v", err)
		}
		to := rapid.StringMatching(`[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}`).Draw(t, "to")
		edits, err := Retag(t.Context(), p, []Move{{Service: "app", Tag: to}})
		if err != nil {
			t.Fatalf("Retag: %v", err)
		}
		if to == d.tag && len(edits) == 0 {
			return
		}
		if len(edits) != 1 || string(edits[0].Old) != d.with(d.tag) || string(edits[0].New) != d.with(to) {
			t.Fatalf("edits %+v", edits)
		}
		if err := edits[0].Apply(); err != nil {
			t.Fatal(err)
		}
		if p, err = Load(t.Context(), Options{Dir: dir}); err != nil || p.Services[0].Image != "repo/app:"+to {
			t.Fatalf("after Apply: %+v, %v", p, err)
		}
		if err := edits[0].Revert(); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(dir, file)); err != nil || string(got) != d.with(d.tag) {
			t.Fatalf("after Revert: %q, %v", got, err)
		}
	})
}
