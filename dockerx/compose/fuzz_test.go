package compose

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"gopkg.in/yaml.v3"
)

// What we locate in an env file must be what compose reads there, and a change at
// that place must change that key and no other.
func FuzzEnvPlace(f *testing.F) {
	for _, s := range []string{
		"TAG=1\n", "\uFEFFTAG: '1' # x\r\nexport B=\"a\nb\"\n", "A\nB=$A\n", "A=\\\n'", "A='\\''\nA=\"\\\\\"\n", "#\n\n A = x #y\nB", "A=1\u00a0\n", "exportA=1\nexport =2\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		found, err := scanEnv(data)
		before, parseErr := dotenv.Parse(bytes.NewReader(data))
		if err != nil || parseErr != nil {
			return
		}
		for _, a := range found {
			last, ok := lastAssignment(found, a.key)
			if !ok || last != a || a.key == "" || !a.literal(data) {
				continue
			}
			if got := string(data[a.start:a.end]); got != before[a.key] {
				t.Fatalf("%q is %q for compose, %q for us", a.key, before[a.key], got)
			}
			if a.start == a.end {
				continue // a tag is never put into an empty value
			}
			changed, ok := spliced(data, []splice{{a.start, a.end, "9.9.9"}})
			if !ok {
				t.Fatal("does not fit")
			}
			after, err := dotenv.Parse(bytes.NewReader(changed))
			if err != nil || after[a.key] != "9.9.9" || len(after) != len(before) {
				t.Fatalf("after the change of %q: %v %v", a.key, after, err)
			}
		}
	})
}

// The place of a scalar must hold the scalar.
func FuzzScalarPlace(f *testing.F) {
	for _, s := range []string{"a: b", "\uFEFFä: 'x'\r\n? - |\r\n   y\r\n: &a !!str z", "{a: \"b\", c: *d}", "a: >-\n\n   b\n", "- &x !<tag:yaml.org,2002:str> y"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var n yaml.Node
		if yaml.Unmarshal(data, &n) != nil {
			return
		}
		findScalar([]*yaml.Node{&n}, func(string) bool { return false })
		var visit func(n *yaml.Node)
		visit = func(n *yaml.Node) {
			if n.Kind == yaml.ScalarNode {
				if pos, ok := scalarAt(data, n); ok && !bytes.HasPrefix(data[pos:], bytes.TrimRight([]byte(n.Value), "\n")) {
					t.Fatalf("%q is not at %d", n.Value, pos)
				}
			}
			for _, c := range n.Content {
				visit(c)
			}
		}
		visit(&n)
	})
}

// Whatever a project looks like: no panic, and an edit that Retag offers does what
// it says and can be taken back.
func FuzzRetag(f *testing.F) {
	for _, s := range shapes {
		f.Add([]byte(s.files["compose.yaml"]), []byte(s.files[".env"]))
	}
	f.Fuzz(func(t *testing.T, yml, env []byte) {
		if bytes.Contains(yml, []byte("/")) && bytes.Contains(yml, []byte("file")) || bytes.Contains(yml, []byte("include")) {
			return // stay inside the directory
		}
		dir := t.TempDir()
		for name, data := range map[string][]byte{"compose.yaml": yml, ".env": env} {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		p, err := Load(t.Context(), Options{Dir: dir})
		if err != nil {
			return
		}
		for _, s := range p.Services {
			edits, err := Retag(t.Context(), p, []Move{{Service: s.Name, Tag: "9.9.9", Digest: newDigest}})
			var e *Error
			if err != nil && !errors.As(err, &e) {
				t.Fatalf("Retag of %s: %v", s.Name, err)
			}
			for _, e := range edits {
				if err := e.Apply(); err != nil {
					t.Fatal(err)
				}
				after, err := Load(t.Context(), Options{Dir: dir})
				if err != nil {
					t.Fatalf("after the edit: %v", err)
				}
				for i, other := range after.Services {
					if other.Name == s.Name && other.Image == s.Image || other.Name != s.Name && other.Image != p.Services[i].Image {
						t.Fatalf("%s is %s after the edit of %s", other.Name, other.Image, s.Name)
					}
				}
				if err := e.Revert(); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}
