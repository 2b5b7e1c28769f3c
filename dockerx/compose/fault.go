package compose

import (
	"errors"
	"regexp"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/template"
	"gopkg.in/yaml.v3"
)

var (
	yamlLine     = regexp.MustCompile(`line (\d+)(?:, column (\d+))?:`)
	modelPath    = regexp.MustCompile(`(services|volumes|networks|configs|secrets)(?:\.[A-Za-z0-9_./-]+|\[\d+\])+`)
	extraKey     = regexp.MustCompile(`additional properties '([^']+)'`)
	firstWord    = regexp.MustCompile(`^[a-z_]+`)
	namedService = regexp.MustCompile(`service "([^"]+)"`)
)

func envSyntaxAt(path string, data []byte, err error) error {
	var bad *envSyntax
	if !errors.As(err, &bad) {
		return failAt(Place{File: path}, err, "the env file cannot be read: %v", err)
	}
	return failAt(placeAt(path, data, min(bad.offset, len(data))), err, "broken env file: %s", bad.msg)
}

// yamlFault puts a parser's error into a sentence with its line. The parser says
// "while scanning X at line A: line B: what" or "while parsing X at line A: line B:
// what", B counted from 0 in the second form.
func yamlFault(path string, data []byte, err error) error {
	at := Place{File: path}
	msg := strings.Join(strings.Fields(strings.TrimPrefix(err.Error(), "yaml: ")), " ")
	all := yamlLine.FindAllStringSubmatchIndex(msg, -1)
	if len(all) == 0 {
		return failAt(at, err, "this is not valid YAML: %s", msg)
	}
	pick, off := all[len(all)-1], 0
	switch {
	case strings.Contains(msg, "while parsing"):
		off = 1
	case strings.Contains(msg, "while scanning"):
		pick = all[0]
	}
	number := func(i int) int {
		if pick[i] < 0 {
			return 0
		}
		n, _ := strconv.Atoi(msg[pick[i]:pick[i+1]])
		return n
	}
	at.Line, at.Col = number(2)+off, number(4)
	msg = strings.TrimSpace(msg[all[len(all)-1][1]:])
	if n, start, end := lineOf(data, at.Line); n > 0 && at.Col == 0 {
		line := string(data[start:end])
		at.Col = 1 + len(line) - len(strings.TrimLeft(line, " \t"))
	}
	return failAt(at, err, "this is not valid YAML: %s", msg)
}

// lineOf gives the bounds of a line by its number.
func lineOf(data []byte, number int) (n, start, end int) {
	pos, ok := offsetOf(data, number, 1)
	if !ok {
		return 0, 0, 0
	}
	return lineAt(data, pos)
}

// envFault explains what the expansion of an env file found.
func (s *scope) envFault(f *envFile, err error) error {
	at := Place{File: f.path}
	var missing *template.MissingRequiredError
	if errors.As(err, &missing) {
		if i := requiredAt(string(f.data), missing.Variable); i >= 0 {
			at = placeAt(f.path, f.data, i)
		}
		return failAt(at, err, "%s", missingSentence(missing))
	}
	// The parser repeats the value, which may be a secret: say no more than this.
	return failAt(at, nil, "broken env file: a value has a ${…} that compose does not understand")
}

func missingSentence(m *template.MissingRequiredError) string {
	if m.Reason == "" {
		return "the variable " + m.Variable + " must be set"
	}
	return "the variable " + m.Variable + " must be set: " + m.Reason
}

// requiredAt finds ${NAME?…} or ${NAME:?…}.
func requiredAt(text, name string) int {
	for _, op := range []string{":?", "?"} {
		if i := strings.Index(text, "${"+name+op); i >= 0 {
			return i
		}
	}
	return -1
}

// explain turns an error of the compose library into one with a place.
func (b *book) explain(l layout, err error) error {
	var own *Error
	if errors.As(err, &own) {
		return own
	}
	var missing *template.MissingRequiredError
	if errors.As(err, &missing) {
		return failAt(b.required(missing.Variable), err, "%s", missingSentence(missing))
	}
	msg := plainModelError(err)
	if strings.Contains(msg, "failed to parse") {
		for path, src := range b.sources {
			if strings.Contains(msg, path) {
				return yamlFault(path, src.data, errors.New(msg[strings.Index(msg, path)+len(path)+2:]))
			}
		}
	}
	return failAt(b.placeOf(l, msg), err, "compose cannot use this project: %s", msg)
}

func plainModelError(err error) string {
	msg := strings.Join(strings.Fields(err.Error()), " ")
	return strings.TrimSuffix(msg, ": invalid compose project")
}

func (b *book) required(name string) Place {
	for _, g := range b.groups {
		for _, src := range b.inGroup(g) {
			if n := findScalar(src.docs, func(v string) bool { return requiredAt(v, name) >= 0 }); n != nil {
				if pos, ok := scalarAt(src.data, n); ok {
					return placeAt(src.path, src.data, pos+requiredAt(n.Value, name))
				}
				return src.place(n)
			}
		}
	}
	return Place{}
}

// inGroup gives the group's files, then all others (extended ones).
func (b *book) inGroup(g *group) []*source {
	out := append([]*source{}, g.sources...)
	for _, src := range b.sources {
		out = append(out, src)
	}
	return out
}

func findScalar(nodes []*yaml.Node, match func(string) bool) *yaml.Node {
	for _, n := range nodes {
		if n.Kind == yaml.ScalarNode && match(n.Value) {
			return n
		}
		if found := findScalar(n.Content, match); found != nil {
			return found
		}
	}
	return nil
}

// placeOf looks for what a message talks about: a path in the model, or a service.
func (b *book) placeOf(l layout, msg string) Place {
	keys := strings.Split(modelPath.FindString(msg), ".")
	if len(keys) < 2 {
		if m := namedService.FindStringSubmatch(msg); m != nil {
			keys = []string{"services", m[1]}
		} else {
			keys = nil
		}
	}
	if len(keys) == 0 {
		keys = []string{firstWord.FindString(msg)}
	}
	if m := extraKey.FindStringSubmatch(msg); m != nil {
		keys = append(keys, m[1])
	}
	best, depth := Place{}, 0
	for _, path := range l.files {
		src, ok := b.sources[path]
		if !ok {
			continue
		}
		if best.File == "" {
			best.File = path
		}
		for _, doc := range src.docs {
			if n, d := deepest(doc, keys); d > depth {
				best, depth = src.place(n), d
			}
		}
	}
	return best
}

// deepest walks a path as far as it goes and gives the last key found.
func deepest(n *yaml.Node, keys []string) (*yaml.Node, int) {
	var last *yaml.Node
	for i, key := range keys {
		name, _, _ := strings.Cut(key, "[")
		k, v := pairOf(n, name)
		if k == nil {
			return last, i
		}
		last, n = k, v
	}
	return last, len(keys)
}
