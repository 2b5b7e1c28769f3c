package stack

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"belay/dockerx"
	"belay/dockerx/compose"
	"belay/steps/recipe"
)

// Engine is what Inspect asks of an engine.
type Engine interface {
	Info(ctx context.Context) (dockerx.EngineInfo, error)
	Containers(ctx context.Context, project string) ([]dockerx.Container, error)
	Image(ctx context.Context, ref string) (dockerx.Image, error)
	Volumes(ctx context.Context) ([]dockerx.Volume, error)
	Sizes(ctx context.Context, stores []dockerx.Data) map[dockerx.Data]int64
}

// Deps are what Inspect works with. Engine and Model are needed, the rest may
// be zero.
type Deps struct {
	Engine Engine
	Model  *compose.Project
	Recipe recipe.Recipe

	// Tags names the version tag whose digest this is, for tags that move.
	// repo comes without a tag, digest as "sha256:…".
	Tags func(ctx context.Context, repo, digest string) (tag string, ok bool)
	// Hashes gives compose's config hash of every service's files; nil: no
	// drift is reported.
	Hashes func(ctx context.Context) (map[string]string, error)
	// RepoOf turns an image's source label into "github.com/owner/name" or
	// "owner/name"; nil: github.RepoFromURL.
	RepoOf func(label string) (repo string, ok bool)
	// Stat and FSType look at this host when the engine is here too: what a path
	// is, and the type of the file system that holds it ("" unknown). nil: the
	// host itself is asked.
	Stat   func(path string) (fs.FileInfo, error)
	FSType func(path string) string
	Now    func() time.Time // nil: time.Now
}

// Inspect looks at an installed project. It fails only when the engine does not
// answer; everything it cannot find out is said in the Stack's own words.
func Inspect(ctx context.Context, d Deps) (*Stack, error) {
	if d.Engine == nil || d.Model == nil {
		return nil, errors.New("inspect: an engine and a compose model are needed")
	}
	if d.Stat == nil {
		d.Stat = os.Stat
	}
	if d.FSType == nil {
		d.FSType = hostFSType()
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	f, err := look(ctx, d)
	if err != nil {
		return nil, err
	}
	s := &Stack{Project: d.Model.Name, Dir: d.Model.Dir, Engine: f.info, Model: d.Model}
	s.Services = f.services()
	f.group(s)
	f.versions(ctx, s)
	f.databases(s)
	f.stores(s)
	Measure(ctx, d.Engine, s, sizesWithin)
	f.probes(s)
	s.Repo = f.repo(s)
	f.drift(s)
	f.state(s)
	s.Warnings = append(s.Warnings, f.warnings...)
	return s, nil
}
