package compose

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// CLI is the user's own compose program: `docker compose`, or a standalone
// docker-compose of version 2 or newer. It brings services up, stops them and
// runs one-off commands; it is never asked to remove anything but the one-off
// container that Run made.
type CLI struct {
	// ExtraFiles are inherited by the child as descriptors 3 and up: the run's lock
	// lives on while a child lives, even when belay itself was killed.
	ExtraFiles []*os.File
	// Grace is how long a child may take to end after it was told to, before it is
	// killed. Zero means 30 seconds: `up` may be in the middle of a recreate.
	Grace time.Duration

	argv    []string
	environ []string
	version string
}

// FindCLI finds the compose program with the given environment (PATH, HOME,
// DOCKER_HOST, DOCKER_CONTEXT …), which its children get too. ErrComposeV1 when
// there is only the Python tool, ErrComposeMissing when there is nothing.
func FindCLI(ctx context.Context, environ []string) (*CLI, error) {
	var old string
	for _, argv := range [][]string{{"docker", "compose"}, {"docker-compose"}} {
		path, ok := lookPath(environ, argv[0])
		if !ok {
			continue
		}
		c := &CLI{argv: append([]string{path}, argv[1:]...), environ: environ}
		version, err := c.Version(ctx)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			continue // docker without the plugin
		}
		if major(version) < 2 {
			old = path + " " + version
			continue
		}
		c.version = version
		return c, nil
	}
	const way = "install the compose plugin (package docker-compose-plugin or docker-compose-v2; https://docs.docker.com/compose/install/linux/), so that `docker compose version` answers"
	if old != "" {
		return nil, fmt.Errorf("%w: %s is the Python tool, which ended in 2023; %s", ErrComposeV1, old, way)
	}
	return nil, fmt.Errorf("%w: %s", ErrComposeMissing, way)
}

// Version asks the program for its version: "5.5.1".
func (c *CLI) Version(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	var out bytes.Buffer
	if err := c.start(ctx, call{args: []string{"version", "--short"}, stdout: &out}); err != nil {
		return "", err
	}
	version := strings.TrimPrefix(strings.TrimSpace(out.String()), "v")
	if major(version) == 0 {
		return "", fmt.Errorf("%s names no version but %q", strings.Join(c.argv, " "), version)
	}
	return version, nil
}

// Up creates or recreates services and starts them. It pulls nothing, builds
// nothing and removes no orphans.
func (c *CLI) Up(ctx context.Context, p *Project, spec UpSpec, on func(line string)) error {
	// Said out loud because COMPOSE_REMOVE_ORPHANS could ask for the opposite.
	args := []string{"up", "-d", "--no-build", "--pull", "never", "--remove-orphans=false"}
	if spec.NoDeps {
		args = append(args, "--no-deps")
	}
	return c.project(ctx, p, args, spec.Services, nil, call{on: on})
}

// Stop stops services and leaves their containers. Every container gets timeout
// to end by itself; zero leaves that to the project.
func (c *CLI) Stop(ctx context.Context, p *Project, services []string, timeout time.Duration, on func(line string)) error {
	args := []string{"stop"}
	if timeout > 0 {
		args = append(args, "--timeout", strconv.Itoa(int((timeout+time.Second-1)/time.Second)))
	}
	return c.project(ctx, p, args, services, nil, call{on: on})
}

// Run runs a command in a new container of a service, without its dependencies,
// and gives the command's exit code. A code other than 0 is not an error.
func (c *CLI) Run(ctx context.Context, p *Project, service string, argv []string, on func(line string)) (int, error) {
	args := []string{"run", "--rm", "--no-deps", "-T"}
	var help bytes.Buffer
	if err := c.start(ctx, call{args: []string{"run", "--help"}, stdout: &help}); err == nil && strings.Contains(help.String(), "--pull ") {
		args = append(args, "--pull", "never") // not in every v2
	}
	err := c.project(ctx, p, args, []string{service}, argv, call{on: on})
	var exit *exec.ExitError
	if ctx.Err() == nil && errors.As(err, &exit) && exit.Exited() {
		return exit.ExitCode(), nil
	}
	return 0, err
}

// ConfigHash gives the hash compose would label each active service's containers
// with: it equals Container.ConfigHash when files and environment still describe
// what runs.
func (c *CLI) ConfigHash(ctx context.Context, p *Project) (map[string]string, error) {
	var out bytes.Buffer
	if err := c.project(ctx, p, []string{"config", "--hash", "*"}, nil, nil, call{stdout: &out}); err != nil {
		return nil, err
	}
	hashes := map[string]string{}
	for line := range strings.Lines(out.String()) {
		if f := strings.Fields(line); len(f) == 2 {
			hashes[f[0]] = f[1]
		}
	}
	return hashes, nil
}

// serviceName is compose's own rule, except that a name may not look like a flag.
var serviceName = regexp.MustCompile(`^[A-Za-z0-9._][A-Za-z0-9._-]*$`)

func (c *CLI) project(ctx context.Context, p *Project, args, services, argv []string, k call) error {
	for _, s := range services {
		if !serviceName.MatchString(s) {
			return fmt.Errorf("%q is no name of a service", s)
		}
	}
	k.args = append(c.flags(p), args...)
	k.args = append(append(k.args, services...), argv...)
	k.dir = p.Dir
	return c.start(ctx, k)
}

// flags name the project exactly as it was loaded. The files are always passed,
// so a file that appears in between cannot slip in; the env files only when they
// are not the default, since compose writes that flag into a label.
func (c *CLI) flags(p *Project) []string {
	args := []string{"--project-directory", p.Dir, "-p", p.Name}
	for _, f := range p.Files {
		args = append(args, "-f", f)
	}
	if p.EnvExplicit {
		for _, f := range p.EnvFiles {
			args = append(args, "--env-file", f)
		}
	}
	for _, f := range p.Profiles {
		args = append(args, "--profile", f)
	}
	args = append(args, "--ansi", "never")
	if hasProgress(c.version) {
		args = append(args, "--progress", "plain")
	}
	return args
}

// hasProgress says whether --progress is a flag of compose itself: since 2.19.
func hasProgress(version string) bool {
	if m := major(version); m != 2 {
		return m > 2
	}
	_, rest, _ := strings.Cut(version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	n, err := strconv.Atoi(minor)
	return err == nil && n >= 19
}

func major(version string) int {
	first, _, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(first)
	if err != nil {
		return 0
	}
	return n
}
