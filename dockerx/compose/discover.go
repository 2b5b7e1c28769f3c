package compose

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
)

// layout is which files make the project: found once, loaded many times.
type layout struct {
	dir         string
	files       []string
	envFiles    []string
	explicit    bool // files were named by somebody
	envExplicit bool // env files are not just the .env beside the project
	name        string
	profiles    []string
	shell       map[string]string
}

// discover finds the files of a project as compose does.
func discover(o Options) (layout, error) {
	start, err := filepath.Abs(o.Dir)
	if err != nil {
		return layout{}, err
	}
	l := layout{shell: envMap(o.Environ), name: o.Name}
	named, err := l.envFilesNamed(o, start)
	if err != nil {
		return layout{}, err
	}
	first := named // what COMPOSE_FILE may be written in
	if named == nil {
		first = l.defaultEnv(start)
	}
	s, err := newScope(nil, l.shell, first)
	if err != nil {
		return layout{}, err
	}
	if err := l.findFiles(o, start, s); err != nil {
		return layout{}, err
	}
	l.envExplicit = named != nil
	l.envFiles = named
	if named == nil {
		l.envFiles = l.defaultEnv(l.dir)
		if l.dir != start && l.explicit && len(o.Files) == 0 && len(first) > 0 {
			// COMPOSE_FILE stood in the .env of the directory we started in: that
			// file was read first, so it wins over the one beside the compose file.
			l.envFiles = append(l.envFiles, first...)
			l.envExplicit = true
		}
	}
	if s, err = newScope(nil, l.shell, l.envFiles); err != nil {
		return layout{}, err
	}
	l.profiles = activeProfiles(o.Profiles, s)
	// A user runs compose inside the project, so ${PWD} means the project.
	l.shell["PWD"] = l.dir
	return l, nil
}

// envFilesNamed gives the env files that were asked for, nil when none were.
func (l *layout) envFilesNamed(o Options, start string) ([]string, error) {
	names := o.EnvFiles
	if len(names) == 0 {
		for _, n := range strings.Split(l.shell["COMPOSE_ENV_FILES"], ",") {
			if n != "" {
				names = append(names, n)
			}
		}
	}
	if len(names) > 0 {
		abs := make([]string, len(names))
		for i, n := range names {
			abs[i] = absIn(start, n)
		}
		return abs, nil
	}
	v, ok := l.shell["COMPOSE_DISABLE_ENV_FILE"]
	if !ok {
		return nil, nil
	}
	off, err := strconv.ParseBool(v)
	if err != nil {
		return nil, failAt(Place{}, err, "COMPOSE_DISABLE_ENV_FILE is %q, which is neither true nor false", v)
	}
	if off {
		return []string{}, nil
	}
	return nil, nil
}

func (l *layout) defaultEnv(dir string) []string {
	path := filepath.Join(dir, ".env")
	info, err := os.Stat(path)
	if err != nil || info.IsDir() {
		return nil
	}
	return []string{path}
}

func (l *layout) findFiles(o Options, start string, s *scope) error {
	names := o.Files
	if len(names) == 0 {
		if v, ok := s.lookup("COMPOSE_FILE"); ok && v != "" {
			sep, _ := s.lookup("COMPOSE_PATH_SEPARATOR")
			if sep == "" {
				sep = string(os.PathListSeparator)
			}
			names = strings.Split(v, sep)
		}
	}
	if len(names) > 0 {
		l.explicit = true
		for _, n := range names {
			if err := refuseRemote(n, Place{}); err != nil {
				return err
			}
			l.files = append(l.files, absIn(start, n))
		}
		l.dir = filepath.Dir(l.files[0])
		if len(o.Files) > 0 {
			// Files named by the caller belong to the directory named by the caller:
			// a label's working_dir, a --project-directory.
			l.dir = start
		}
		return nil
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if found := firstExisting(dir, cli.DefaultFileNames); found != "" {
			l.dir, l.files = dir, []string{found}
			if over := firstExisting(dir, cli.DefaultOverrideFileNames); over != "" {
				l.files = append(l.files, over)
			}
			return nil
		}
		if dir == filepath.Dir(dir) {
			return failAt(Place{}, ErrNoFile, "no compose file (compose.yaml, docker-compose.yml, …) in %s or above it", start)
		}
	}
}

func firstExisting(dir string, names []string) string {
	for _, n := range names {
		path := filepath.Join(dir, n)
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return ""
}

func activeProfiles(asked []string, s *scope) []string {
	all := slices.Clone(asked)
	if v, ok := s.lookup("COMPOSE_PROFILES"); ok {
		for _, p := range strings.Split(v, ",") {
			all = append(all, strings.TrimSpace(p))
		}
	}
	var out []string
	for _, p := range all {
		if p != "" && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}
