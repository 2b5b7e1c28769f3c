package recipe

import (
	"sort"
	"strings"

	"gopkg.in/yaml.v3"
)

// field is one key a mapping may have.
type field struct {
	name string
	read func(n *yaml.Node, path string) error
	zero func() // takes the key back when its value is null
}

// mapping reads a mapping by its table of keys.
func (d *document) mapping(n *yaml.Node, path string, fields []field) error {
	n = resolve(n)
	if n.Kind != yaml.MappingNode {
		return d.errorAt(n, "%s must be a set of keys, not %s", subject(path), kindOf(n))
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		f, err := d.lookup(key, path, fields)
		if err != nil {
			return err
		}
		if line, ok := seen[f.name]; ok {
			return d.errorAt(key, "the key %q is here a second time; the first is in line %d", f.name, line)
		}
		seen[f.name] = key.Line
		at := join(path, f.name)
		d.forget(at)
		if isNull(resolve(value)) {
			f.zero()
			continue
		}
		d.places[at] = d.place(value)
		if err := f.read(value, at); err != nil {
			return err
		}
	}
	return nil
}

func (d *document) lookup(key *yaml.Node, path string, fields []field) (field, error) {
	if key.Kind == yaml.ScalarNode {
		for _, f := range fields {
			if f.name == key.Value {
				return f, nil
			}
		}
	}
	names := make([]string, 0, len(fields))
	for _, f := range fields {
		names = append(names, f.name)
	}
	if key.Kind != yaml.ScalarNode || key.Tag == "!!merge" {
		return field{}, d.errorAt(key, "only plain keys can stand here: %s", strings.Join(names, ", "))
	}
	if near := nearest(key.Value, names); near != "" {
		return field{}, d.errorAt(key, "%s has no key %q; did you mean %q?", subject(path), key.Value, near)
	}
	sort.Strings(names)
	return field{}, d.errorAt(key, "%s has no key %q; it may have %s", subject(path), key.Value, strings.Join(names, ", "))
}

// forget drops the places below a key that is read anew.
func (d *document) forget(path string) {
	for p := range d.places {
		rest, ok := strings.CutPrefix(p, path)
		// A mapping keeps its other keys: only list items are replaced.
		if ok && (rest == "" || rest[0] == '[') {
			delete(d.places, p)
		}
	}
}

func resolve(n *yaml.Node) *yaml.Node {
	for range 16 {
		if n.Kind != yaml.AliasNode || n.Alias == nil {
			return n
		}
		n = n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func subject(path string) string {
	if path == "" {
		return "a recipe"
	}
	return path
}

func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a set of keys"
	case yaml.SequenceNode:
		return "a list"
	case yaml.ScalarNode:
		switch n.Tag {
		case "!!int", "!!float":
			return "a number"
		case "!!bool":
			return "yes or no"
		case "!!null":
			return "nothing"
		}
		return "text"
	case yaml.DocumentNode, yaml.AliasNode:
	}
	return "something else"
}
