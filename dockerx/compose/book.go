package compose

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path/filepath"
	"strings"

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

func (b *book) openIncludes(ctx context.Context, g *group, src *source, doc *yaml.Node, trail []string) error {
	list := child(doc, "include")
	if list == nil || list.Kind != yaml.SequenceNode {
		return nil
	}
	for _, item := range list.Content {
		item = resolved(item)
		inc := include{at: src.place(item)}
		if item.Kind == yaml.ScalarNode {
			inc.paths = []string{g.fill(item.Value)}
		} else {
			inc.paths = g.texts(child(item, "path"))
			inc.env = g.texts(child(item, "env_file"))
			if dir := child(item, "project_directory"); dir != nil {
				inc.dir = g.fill(dir.Value)
			}
		}
		sub, err := b.include(ctx, g, inc, trail)
		if err != nil {
			return err
		}
		if sub != nil {
			g.includes[doc] = append(g.includes[doc], sub)
		}
	}
	return nil
}

type include struct {
	at         Place
	paths, env []string
	dir        string
}

func (b *book) include(ctx context.Context, g *group, inc include, trail []string) (*group, error) {
	if len(inc.paths) == 0 {
		return nil, nil // the loader has a sentence for it
	}
	var files []string
	for _, p := range inc.paths {
		if err := refuseRemote(p, inc.at); err != nil {
			return nil, err
		}
		files = append(files, absIn(g.dir, p))
	}
	dir := filepath.Dir(files[0])
	if inc.dir != "" {
		dir = absIn(g.dir, inc.dir)
	}
	var env []string
	for _, e := range inc.env {
		if e != "/dev/null" {
			env = append(env, absIn(g.dir, e))
		}
	}
	if len(inc.env) == 0 {
		if f := (&layout{}).defaultEnv(dir); f != nil {
			env = f
		}
	}
	s, err := newScope(g.scope, nil, env)
	if err != nil {
		return nil, err
	}
	return b.group(ctx, dir, s, files, inc.at, trail)
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

// refuseRemote says no to files that would have to be fetched: belay reads no
// project from the network.
func refuseRemote(path string, at Place) error {
	remote := strings.Contains(path, "://") || strings.HasPrefix(path, "git@") ||
		strings.HasPrefix(path, "oci:") || strings.HasPrefix(path, "github.com/")
	switch {
	case path == "-":
		return failAt(at, nil, "a compose file on standard input has no line that could be edited; write it to a file")
	case remote:
		return failAt(at, nil, "%q is fetched from the network; belay reads compose files from this host only", path)
	}
	return nil
}
