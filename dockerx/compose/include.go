package compose

import (
	"context"
	"path/filepath"
	"strings"

	"gopkg.in/yaml.v3"
)

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
