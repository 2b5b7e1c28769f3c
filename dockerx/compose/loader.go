package compose

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/sirupsen/logrus"
)

// resolve lets compose's own library load the project: the truth that everything
// else here is checked against. Services of inactive profiles are there too, in
// DisabledServices.
func (l layout) resolve(ctx context.Context) (*types.Project, error) {
	// The library warns through this global logger, straight onto the screen.
	logrus.SetOutput(io.Discard)
	o, err := cli.NewProjectOptions(l.files,
		cli.WithWorkingDirectory(l.dir),
		withEnvironment(l.shell),
		withEnvFiles(l.envFiles),
		cli.WithDotEnv,
		cli.WithProfiles(l.profiles),
		cli.WithName(l.name),
		cli.WithoutEnvironmentResolution,
	)
	if err != nil {
		return nil, err
	}
	p, err := o.LoadProject(ctx)
	if err != nil {
		return nil, err
	}
	return resolveEnvironment(p)
}

func withEnvironment(shell map[string]string) cli.ProjectOptionsFn {
	return func(o *cli.ProjectOptions) error {
		maps.Copy(o.Environment, shell)
		return nil
	}
}

// withEnvFiles sets exactly these files; the library's own option would look into
// this process's environment.
func withEnvFiles(paths []string) cli.ProjectOptionsFn {
	return func(o *cli.ProjectOptions) error {
		o.EnvFiles = slices.Clone(paths)
		return nil
	}
}

// resolveEnvironment fills in the services' env files. Those of a service whose
// profile is inactive may be missing, as they may for compose.
func resolveEnvironment(p *types.Project) (*types.Project, error) {
	for name, s := range p.AllServices() {
		for _, f := range s.EnvFiles {
			if err := checkEnvFile(f, name); err != nil && !isDisabled(p, name) {
				return nil, err
			}
		}
	}
	out, err := p.WithServicesEnvironmentResolved(false)
	if err != nil {
		return nil, err
	}
	for name, s := range p.DisabledServices {
		alone := *p
		alone.Services = types.Services{name: s}
		alone.DisabledServices = nil
		if r, err := alone.WithServicesEnvironmentResolved(false); err == nil {
			out.DisabledServices[name] = r.Services[name]
		}
	}
	return out, nil
}

func isDisabled(p *types.Project, name string) bool {
	_, ok := p.DisabledServices[name]
	return ok
}

// envFileFault is a service's env file that cannot be used.
type envFileFault struct {
	service string
	err     error
}

func (e *envFileFault) Error() string { return fmt.Sprintf("service %q: %v", e.service, e.err) }
func (e *envFileFault) Unwrap() error { return e.err }

func checkEnvFile(f types.EnvFile, service string) error {
	data, err := readLimited(f.Path, Place{})
	if errors.Is(err, fs.ErrNotExist) && !bool(f.Required) {
		return nil
	}
	if err != nil {
		return &envFileFault{service, err}
	}
	if f.Format != "" {
		return nil // "raw" and whatever comes: not our grammar
	}
	if _, err := scanEnv(data); err != nil {
		return envSyntaxAt(f.Path, data, err)
	}
	return nil
}

// under gives the same project with every path beneath another root.
func (l layout) under(root string) layout {
	l.dir = filepath.Join(root, l.dir)
	l.files = beneath(root, l.files)
	l.envFiles = beneath(root, l.envFiles)
	l.shell = maps.Clone(l.shell)
	l.shell["PWD"] = l.dir
	return l
}

func beneath(root string, paths []string) []string {
	out := make([]string, len(paths))
	for i, p := range paths {
		out[i] = filepath.Join(root, p)
	}
	return out
}
