package demoapp

import (
	"fmt"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	defaultNotes = 2000
	defaultPace  = 150 * time.Millisecond
	uploads      = 240
)

// config is everything one start of Tidepool depends on.
type config struct {
	version      string
	major, minor int
	fail         string
	pace         time.Duration
	notes        int
	title        string
	mail         string
	mailOld      bool // mail came from the old variable
	secret       string
	data         string // directory on this host
	shown        string // the same as the app calls it: /data
	listen       []string
	command      string
	args         []string
}

func parse(args, environ []string) (config, error) {
	var root string
	mounts := map[string]string{}
	cfg := config{command: "serve", pace: defaultPace, notes: defaultNotes}
	for len(args) > 0 && strings.HasPrefix(args[0], "--") {
		if len(args) == 1 {
			return cfg, fmt.Errorf("%s needs a value", args[0])
		}
		switch value := args[1]; args[0] {
		case "--root":
			root = value
		case "--listen":
			cfg.listen = append(cfg.listen, value)
		case "--mount":
			target, source, ok := strings.Cut(value, "=")
			if !ok {
				return cfg, fmt.Errorf("--mount %s: want TARGET=DIR", value)
			}
			mounts[path.Clean(target)] = source
		default:
			return cfg, fmt.Errorf("unknown option %s", args[0])
		}
		args = args[2:]
	}
	if len(args) > 0 {
		cfg.command, cfg.args = args[0], args[1:]
	}
	return cfg.fromEnv(environ, root, mounts)
}

func (cfg config) fromEnv(environ []string, root string, mounts map[string]string) (config, error) {
	cfg.version = lookup(environ, EnvVersion)
	var patch int
	if _, err := fmt.Sscanf(cfg.version, "%d.%d.%d", &cfg.major, &cfg.minor, &patch); err != nil {
		return cfg, fmt.Errorf("%s=%q is not a version", EnvVersion, cfg.version)
	}
	if v := lookup(environ, EnvPace); v != "" {
		pace, err := time.ParseDuration(v)
		if err != nil {
			return cfg, fmt.Errorf("%s: %w", EnvPace, err)
		}
		cfg.pace = pace
	}
	if v := lookup(environ, EnvNotes); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			return cfg, fmt.Errorf("%s: %w", EnvNotes, err)
		}
		cfg.notes = n
	}
	cfg.fail = lookup(environ, EnvFail)
	cfg.title = lookup(environ, EnvTitle)
	cfg.secret = lookup(environ, EnvSecret)
	cfg.mail = lookup(environ, EnvMail)
	if old := lookup(environ, EnvMailOld); cfg.mail == "" && old != "" {
		cfg.mail, cfg.mailOld = old, true
	}
	cfg.shown = lookup(environ, EnvData)
	if cfg.shown == "" {
		cfg.shown = "/data"
	}
	cfg.data = place(path.Clean(cfg.shown), root, mounts)
	return cfg, nil
}

// place finds where a path of the image lies on this host: below the nearest
// mount, else below the image's own root.
func place(p, root string, mounts map[string]string) string {
	for at, rest := p, ""; ; {
		if source, ok := mounts[at]; ok {
			return filepath.Join(source, filepath.FromSlash(rest))
		}
		if at == "/" || at == "." {
			return filepath.Join(root, filepath.FromSlash(p))
		}
		rest = path.Join(path.Base(at), rest)
		at = path.Dir(at)
	}
}

// has says whether this version is at least major.minor.
func (cfg config) has(major, minor int) bool {
	return cfg.major > major || cfg.major == major && cfg.minor >= minor
}

func (cfg config) database() string { return filepath.Join(cfg.data, "tidepool.db") }
