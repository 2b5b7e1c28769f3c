package recipe

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// sizeLimit bounds what is read as a recipe; a real one has a few kilobytes.
const sizeLimit = 1 << 20

// Parse reads one recipe. Every mistake (unknown or repeated key, wrong type,
// bad duration, pattern or version) is an *Error with its place.
func Parse(file string, data []byte) (Recipe, error) {
	var r Recipe
	if err := r.overlay(file, data, true); err != nil {
		return Recipe{}, err
	}
	return r, nil
}

// overlay reads data on top of r: scalars and lists replace what is there,
// mappings go on key by key, null takes a key back to "discover it".
func (r *Recipe) overlay(file string, data []byte, user bool) error {
	if len(data) > sizeLimit {
		return &Error{File: file, Msg: "the file is larger than 1 MiB: this cannot be a recipe"}
	}
	root, err := document1(file, data)
	if err != nil {
		return err
	}
	r.Files = append(slices.Clone(r.Files), file)
	if root == nil {
		return nil
	}
	places := maps.Clone(r.places)
	if places == nil {
		places = map[string]place{}
	}
	d := &document{file: file, user: user, places: places}
	if err := d.recipe(root, r); err != nil {
		return err
	}
	r.places = places
	return nil
}

// document is one YAML file while it is read.
type document struct {
	file   string
	user   bool
	places map[string]place
}

// document1 gives the top node of the only document in data, nil when it is empty.
func document1(file string, data []byte) (*yaml.Node, error) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, more yaml.Node
	err := dec.Decode(&doc)
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil {
		return nil, syntaxError(file, err)
	}
	switch err := dec.Decode(&more); {
	case err == nil:
		return nil, &Error{
			File: file, Line: more.Line, Col: more.Column,
			Msg: "a second document starts here; a recipe is one document",
		}
	case !errors.Is(err, io.EOF):
		return nil, syntaxError(file, err)
	}
	if len(doc.Content) == 0 || isNull(doc.Content[0]) {
		return nil, nil
	}
	return doc.Content[0], nil
}

var yamlLine = regexp.MustCompile(`^(?:yaml: )?line (\d+): `)

func syntaxError(file string, err error) *Error {
	e := &Error{File: file, Err: err}
	msg := err.Error()
	if m := yamlLine.FindStringSubmatch(msg); m != nil {
		e.Line, _ = strconv.Atoi(m[1])
		msg = msg[len(m[0]):]
	}
	e.Msg = "this is not valid YAML: " + strings.TrimPrefix(msg, "yaml: ")
	return e
}
