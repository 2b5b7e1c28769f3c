package compose

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path/filepath"

	yamlv4 "go.yaml.in/yaml/v4"
	"gopkg.in/yaml.v3"
)

// source is one compose file as it lies on disk.
type source struct {
	path string
	data []byte
	docs []*yaml.Node // roots of its documents
}

// group is a set of compose files that are merged under one scope: the project
// itself, or one include.
type group struct {
	dir      string // where relative paths in its files start
	scope    *scope
	sources  []*source
	includes map[*yaml.Node][]*group // by document
}

// book holds every file that takes part in a project.
type book struct {
	root    *group
	sources map[string]*source
	groups  []*group
}

// maxIncludes bounds what a hostile tree of includes can make us read.
const maxIncludes = 500

// openBook reads the compose files and everything they include or extend.
func openBook(ctx context.Context, l layout) (*book, error) {
	s, err := newScope(nil, l.shell, l.envFiles)
	if err != nil {
		return nil, err
	}
	b := &book{sources: map[string]*source{}}
	b.root, err = b.group(ctx, l.dir, s, l.files, Place{}, nil)
	return b, err
}

func (b *book) group(ctx context.Context, dir string, s *scope, files []string, at Place, trail []string) (*group, error) {
	g := &group{dir: dir, scope: s, includes: map[*yaml.Node][]*group{}}
	b.groups = append(b.groups, g)
	if len(b.groups) > maxIncludes {
		return nil, failAt(at, nil, "more than %d includes: that is not a compose project", maxIncludes)
	}
	for _, path := range files {
		for _, t := range trail {
			if t == path {
				return nil, failAt(at, nil, "%s includes itself", path)
			}
		}
		src, err := b.open(ctx, path, at)
		if err != nil {
			return nil, err
		}
		g.sources = append(g.sources, src)
		for _, doc := range src.docs {
			if err := b.openIncludes(ctx, g, src, doc, append(trail[:len(trail):len(trail)], path)); err != nil {
				return nil, err
			}
			if err := b.openExtends(ctx, g, src, doc, 0); err != nil {
				return nil, err
			}
		}
	}
	return g, nil
}

// open reads and parses one file, once.
func (b *book) open(ctx context.Context, path string, at Place) (*source, error) {
	if src, ok := b.sources[path]; ok {
		return src, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	data, err := readLimited(path, at)
	if err != nil {
		return nil, err
	}
	src := &source{path: path, data: data}
	d := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var n yaml.Node
		err := d.Decode(&n)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, yamlFault(path, data, betterError(data, err))
		}
		if n.Kind == yaml.DocumentNode && len(n.Content) == 1 {
			src.docs = append(src.docs, n.Content[0])
		}
	}
	b.sources[path] = src
	return src, nil
}

// betterError lets the parser that compose itself uses explain a mistake: the one
// with the right positions often names the wrong line for it.
func betterError(data []byte, err error) error {
	var any any
	if again := yamlv4.Unmarshal(data, &any); again != nil {
		return again
	}
	return err
}

// maxExtends bounds a chain of extends; the loader reports a circle by itself.
const maxExtends = 30

// openExtends reads the files that the services of a document extend.
func (b *book) openExtends(ctx context.Context, g *group, src *source, doc *yaml.Node, depth int) error {
	services := child(doc, "services")
	if services == nil || depth > maxExtends {
		return nil
	}
	var all []*yaml.Node
	eachPair(services, func(_, svc *yaml.Node) bool {
		all = append(all, svc)
		return true
	})
	for _, svc := range all {
		file := child(child(svc, "extends"), "file")
		if file == nil {
			continue
		}
		path := g.fill(file.Value)
		if err := refuseRemote(path, src.place(file)); err != nil {
			return err
		}
		path = absIn(extendsBase(g, src), path)
		if _, seen := b.sources[path]; seen {
			continue
		}
		base, err := b.open(ctx, path, src.place(file))
		if err != nil {
			return err
		}
		for _, d := range base.docs {
			if err := b.openExtends(ctx, g, base, d, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// extendsBase is where `extends: file:` starts: the project directory for files
// of the group, the file's own directory for files that are only extended.
func extendsBase(g *group, src *source) string {
	for _, s := range g.sources {
		if s == src {
			return g.dir
		}
	}
	return filepath.Dir(src.path)
}

func (s *source) place(n *yaml.Node) Place {
	if n == nil {
		return Place{File: s.path}
	}
	return Place{File: s.path, Line: n.Line, Col: n.Column}
}

// fill interpolates a path; text it cannot make out stays as it is.
func (g *group) fill(text string) string {
	if parts, ok := expand(text, g.scope.lookup); ok {
		return joined(parts)
	}
	return text
}

// texts reads a string or a list of strings.
func (g *group) texts(n *yaml.Node) []string {
	switch {
	case n == nil:
		return nil
	case n.Kind == yaml.ScalarNode:
		return []string{g.fill(n.Value)}
	case n.Kind != yaml.SequenceNode:
		return nil
	}
	var out []string
	for _, item := range n.Content {
		if item = resolved(item); item.Kind == yaml.ScalarNode {
			out = append(out, g.fill(item.Value))
		}
	}
	return out
}
