package recipe

import (
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// check says what is wrong with a text, "" when nothing is.
type check func(text string) string

func (d *document) text(to *string, checks ...check) func(*yaml.Node, string) error {
	return func(n *yaml.Node, at string) error {
		s, err := d.scalar(n, at, "text")
		if err != nil {
			return err
		}
		for _, c := range checks {
			if msg := c(s); msg != "" {
				return d.errorAt(n, "%s: %s", at, msg)
			}
		}
		*to = s
		return nil
	}
}

// scalar takes any plain value as it is written: `via: 2.20` is text here, not
// a number that would lose its zero.
func (d *document) scalar(n *yaml.Node, at, want string) (string, error) {
	v := resolve(n)
	if v.Kind != yaml.ScalarNode || isNull(v) {
		return "", d.errorAt(n, "%s must be %s, not %s", at, want, kindOf(v))
	}
	if strings.ContainsRune(v.Value, 0) {
		return "", d.errorAt(n, "%s holds a NUL byte", at)
	}
	if v.Value == "" {
		return "", d.errorAt(n, "%s is empty", at)
	}
	return v.Value, nil
}

func (d *document) number(to *int, low, high int) func(*yaml.Node, string) error {
	return func(n *yaml.Node, at string) error {
		v := resolve(n)
		i, err := strconv.Atoi(v.Value)
		if v.Kind != yaml.ScalarNode || v.Tag != "!!int" || err != nil {
			return d.errorAt(n, "%s must be a whole number, not %s", at, shown(v))
		}
		if i < low || i > high {
			return d.errorAt(n, "%s is %d; it must be between %d and %d", at, i, low, high)
		}
		*to = i
		return nil
	}
}

func (d *document) flag(to *bool) func(*yaml.Node, string) error {
	return func(n *yaml.Node, at string) error {
		v := resolve(n)
		if v.Kind != yaml.ScalarNode || v.Tag != "!!bool" {
			return d.errorAt(n, "%s must be true or false, not %s", at, shown(v))
		}
		*to = strings.EqualFold(v.Value, "true")
		return nil
	}
}

func (d *document) duration(to *time.Duration) func(*yaml.Node, string) error {
	return func(n *yaml.Node, at string) error {
		v := resolve(n)
		if v.Kind != yaml.ScalarNode {
			return d.errorAt(n, "%s must be a time like 3s or 2m, not %s", at, kindOf(v))
		}
		t, err := time.ParseDuration(v.Value)
		if err != nil && v.Tag == "!!int" {
			return d.errorAt(n, "%s has no unit; write %ss or %sm", at, v.Value, v.Value)
		}
		if err != nil {
			return d.errorAt(n, "%s is %q; write a time like 3s, 500ms or 2m", at, v.Value)
		}
		if t <= 0 || t > 24*time.Hour {
			return d.errorAt(n, "%s is %q; it must be more than nothing and at most 24h", at, v.Value)
		}
		*to = t
		return nil
	}
}

// list reads a list of texts, one call of checks per item.
func (d *document) list(to *[]string, checks ...check) func(*yaml.Node, string) error {
	return func(n *yaml.Node, at string) error {
		var out []string
		err := d.items(n, at, func(item *yaml.Node, at string) error {
			var s string
			if err := d.text(&s, checks...)(item, at); err != nil {
				return err
			}
			out = append(out, s)
			return nil
		})
		if err != nil {
			return err
		}
		*to = out
		return nil
	}
}

func (d *document) items(n *yaml.Node, at string, each func(item *yaml.Node, at string) error) error {
	v := resolve(n)
	if v.Kind != yaml.SequenceNode {
		return d.errorAt(n, "%s must be a list, not %s", at, kindOf(v))
	}
	for i, item := range v.Content {
		p := fmt.Sprintf("%s[%d]", at, i)
		d.places[p] = d.place(item)
		if err := each(item, p); err != nil {
			return err
		}
	}
	return nil
}

// wanted reads `json: {status: ok, checks.database: ok}`.
func (d *document) wanted(to *map[string]string) func(*yaml.Node, string) error {
	return func(n *yaml.Node, at string) error {
		v := resolve(n)
		if v.Kind != yaml.MappingNode {
			return d.errorAt(n, "%s must be a set of keys like {status: ok}, not %s", at, kindOf(v))
		}
		out := map[string]string{}
		for i := 0; i+1 < len(v.Content); i += 2 {
			key := v.Content[i]
			name, err := d.scalar(key, at, "a set of plain keys")
			if err != nil {
				return err
			}
			if _, ok := out[name]; ok {
				return d.errorAt(key, "the key %q is here a second time", name)
			}
			if out[name], err = d.scalar(v.Content[i+1], join(at, name), "the value to expect"); err != nil {
				return err
			}
		}
		*to = out
		return nil
	}
}

func shown(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode && !isNull(n) {
		return strconv.Quote(n.Value)
	}
	return kindOf(n)
}

func pattern(s string) string {
	if _, err := regexp.Compile(s); err != nil {
		return "this is not a regular expression: " + strings.TrimPrefix(err.Error(), "error parsing regexp: ")
	}
	return ""
}

func glob(s string) string {
	if _, err := path.Match(s, ""); err != nil {
		return fmt.Sprintf("%q is not a pattern: a [ has no end", s)
	}
	return ""
}

func oneOf(names ...string) check {
	return func(s string) string {
		for _, n := range names {
			if s == n {
				return ""
			}
		}
		msg := fmt.Sprintf("%q is not known here; it may be %s", s, strings.Join(names, ", "))
		if near := nearest(s, names); near != "" {
			msg += fmt.Sprintf("; did you mean %q?", near)
		}
		return msg
	}
}

func matching(re *regexp.Regexp, want string) check {
	return func(s string) string {
		if !re.MatchString(s) {
			return fmt.Sprintf("%q is not %s", s, want)
		}
		return ""
	}
}
