package upgrade

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"belay/dockerx"
	"belay/dockerx/compose"
	"belay/steps"
)

// Found is a compose project that the engine knows by its containers' labels.
// Dir may not exist on this host: another host or a container may have made it.
type Found struct {
	Name  string   `json:"name"`
	Dir   string   `json:"dir"`
	Files []string `json:"files"`
	Env   []string `json:"env_files,omitempty"`
	Here  bool     `json:"here"` // its compose files exist on this host
}

// Lister lists containers.
type Lister interface {
	Containers(ctx context.Context, project string) ([]dockerx.Container, error)
}

// Projects lists the compose projects on an engine by name.
func Projects(ctx context.Context, e Lister) ([]Found, error) {
	all, err := e.Containers(ctx, "")
	if err != nil {
		return nil, fmt.Errorf("list containers: %w", err)
	}
	var out []Found
	for _, c := range all {
		if c.Project == "" || slices.ContainsFunc(out, func(f Found) bool { return f.Name == c.Project && f.Dir == c.WorkingDir }) {
			continue
		}
		out = append(out, Found{Name: c.Project, Dir: c.WorkingDir, Files: c.ConfigFiles, Env: c.EnvFiles, Here: exist(c.ConfigFiles)})
	}
	slices.SortFunc(out, func(a, b Found) int { return strings.Compare(a.Name+a.Dir, b.Name+b.Dir) })
	return out, nil
}

// locate loads the project that the user means. What runs has the last word: a
// stack that was started with -f, --env-file or -p is loaded the same way.
func locate(ctx context.Context, e Lister, o compose.Options) (*compose.Project, compose.Options, error) {
	p, err := compose.Load(ctx, o)
	if err != nil && !errors.Is(err, compose.ErrNoFile) {
		return nil, o, usage(err)
	}
	found, ferr := Projects(ctx, e)
	if ferr != nil {
		return nil, o, ferr
	}
	if err != nil {
		i := slices.IndexFunc(found, func(f Found) bool {
			return f.Here && (f.Dir == o.Dir || f.Name == filepath.Base(o.Dir) && !isDir(o.Dir))
		})
		if i < 0 {
			return nil, o, nothingHere(o.Dir, found, err)
		}
		return again(ctx, o, found[i])
	}
	i := slices.IndexFunc(found, func(f Found) bool { return f.Name == p.Name && f.Dir == p.Dir })
	if i < 0 {
		i = slices.IndexFunc(found, func(f Found) bool { return f.Dir == p.Dir })
	}
	if i < 0 || !found[i].Here || found[i].Name == p.Name && slices.Equal(found[i].Files, p.Files) && len(found[i].Env) == 0 {
		return p, o, nil
	}
	return again(ctx, o, found[i])
}

// again loads a project the way its containers were made.
func again(ctx context.Context, o compose.Options, f Found) (*compose.Project, compose.Options, error) {
	o.Dir, o.Files, o.EnvFiles, o.Name = f.Dir, f.Files, f.Env, f.Name
	p, err := compose.Load(ctx, o)
	if err != nil {
		return nil, o, usage(err)
	}
	return p, o, nil
}

func nothingHere(dir string, found []Found, err error) error {
	msg := fmt.Sprintf("There is no compose project in %s.", dir)
	next := "belay DIR"
	if len(found) > 0 {
		var names []string
		for _, f := range found {
			names = append(names, fmt.Sprintf("%s (%s)", f.Name, f.Dir))
		}
		msg += " On this engine run: " + strings.Join(names, ", ") + "."
		next = "belay " + found[0].Dir
	}
	return &steps.RefusedError{Msg: msg, Next: next, Usage: true, Err: err}
}

func exist(files []string) bool {
	for _, f := range files {
		if info, err := os.Stat(f); err != nil || info.IsDir() {
			return false
		}
	}
	return len(files) > 0
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
