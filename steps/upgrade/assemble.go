package upgrade

import (
	"context"
	"fmt"
	"time"

	"belay/dockerx/compose"
	"belay/dockerx/tree"
	"belay/recipes"
	"belay/releases/github"
	"belay/steps"
	"belay/steps/backup"
	"belay/steps/canary"
	"belay/steps/drain"
	"belay/steps/health"
	"belay/steps/migrate"
	"belay/steps/pin"
	"belay/steps/preflight"
	"belay/steps/pull"
	"belay/steps/recipe"
	"belay/steps/rollback"
	"belay/steps/stack"
	"belay/steps/start"
	"belay/steps/watch"
)

// loadRecipe finds what is known about this project and checks the user's own words.
func loadRecipe(p *compose.Project) (recipe.Recipe, error) {
	var images, services []string
	for _, svc := range p.Services {
		services = append(services, svc.Name)
		if svc.Pin.Repo != "" {
			images = append(images, svc.Pin.Repo)
		}
	}
	r, err := recipe.Load(p.Dir, images, recipes.FS())
	if err != nil {
		return r, err
	}
	if err := recipe.Check(r, services); err != nil {
		return r, err
	}
	return recipe.Fit(r, services), nil
}

// matcher finds the version tag that a digest stands for. Not every registry can.
type matcher interface {
	MatchDigest(ctx context.Context, repo, digest string, tags []string) (tag string, ok bool, err error)
}

func (s *Session) stackDeps(p *compose.Project, r recipe.Recipe) stack.Deps {
	d := stack.Deps{Engine: s.d.Engine, Model: p, Recipe: r, Now: s.d.Now}
	d.RepoOf = func(label string) (string, bool) {
		repo, ok := github.RepoFromURL(label)
		return "github.com/" + repo, ok
	}
	if s.d.Compose != nil {
		d.Hashes = func(ctx context.Context) (map[string]string, error) { return s.d.Compose.ConfigHash(ctx, p) }
	}
	if m, ok := s.d.Registry.(matcher); ok {
		d.Tags = func(ctx context.Context, repo, digest string) (string, bool) {
			tags, err := s.d.Registry.Tags(ctx, repo)
			if err != nil {
				return "", false
			}
			tag, ok, err := m.MatchDigest(ctx, repo, digest, tags)
			return tag, ok && err == nil
		}
	}
	return d
}

// engine puts the steps of a plan together, forward and back.
func (s *Session) engine(ctx context.Context, w *work, p *steps.Plan) (*steps.Engine, error) {
	model, err := s.model(ctx)
	if err != nil {
		return nil, err
	}
	points := backup.Deps{Engine: s.d.Engine, Verify: tree.Verify, Now: s.d.Now, After: s.d.After}
	capture, dump, copies, prove := backup.New(points, p, w.dir)
	starts := start.Deps{Engine: s.d.Engine, Compose: w.compose, Model: s.model, Dir: w.dir}
	stops := drain.Deps{
		Engine: s.d.Engine, Compose: w.compose, Model: model, Dir: w.dir,
		Between: func(ctx context.Context, r *steps.Reporter) error { return backup.Count(ctx, points, p, w.dir, r) },
	}
	forward := []steps.Step{
		preflight.New(preflight.Deps{Engine: s.d.Engine, Free: func() (int64, int64, error) { return s.d.Free(p.BackupDir) }, Login: s.login(p)}, p),
		pull.New(s.d.Engine, p), pull.Hold(s.d.Engine, p), capture,
	}
	if dumps(p) {
		forward = append(forward, dump)
	}
	forward = append(forward, drain.New(stops, p))
	if p.NoBackup == "" {
		forward = append(forward, copies)
	}
	forward = append(forward, prove, pin.New(p))
	if p.Migrate != nil {
		wake := func(ctx context.Context) error { return start.WakeDatabases(ctx, starts, p) }
		forward = append(forward, migrate.New(w.compose, s.model, wake, p))
	}
	forward = append(forward,
		start.New(starts, p),
		watch.New(watch.Deps{Engine: s.d.Engine, Now: s.d.Now, After: s.d.After}, p),
		health.New(s.gate(p, p.To, s.newImages(p), s.compare(p)), p),
		&keep{plan: p},
	)
	ways := rollback.Deps{
		Engine: s.d.Engine, Compose: w.compose, Model: s.model, Verify: tree.Verify, Now: s.d.Now, After: s.d.After,
		Gate: s.gate(p, p.From, oldImages(p), nil).Wait,
	}
	return &steps.Engine{
		Plan: p, Forward: forward, Back: rollback.New(ways, p, w.dir),
		Log: w.log, Head: w.project, Events: w.events, Now: s.d.Now, Command: s.d.Command,
		Loss: func(ctx context.Context, failure string, switched time.Time) steps.Loss {
			return rollback.Loss(ctx, ways, p, w.dir, failure, switched)
		},
	}, nil
}

// login reads one row from a database, so that a refused login is known before
// anything stops.
func (s *Session) login(p *steps.Plan) func(ctx context.Context, db steps.Database) error {
	return func(ctx context.Context, db steps.Database) error {
		all, err := s.d.Engine.Containers(ctx, p.Project)
		if err != nil {
			return fmt.Errorf("list containers: %w", err)
		}
		box, ok := canary.Running(all, db.Service)
		if !ok {
			return fmt.Errorf("service %s is not running", db.Service)
		}
		_, err = canary.Script(ctx, s.d.Engine, box, db, "select 1")
		return err
	}
}

// gate is the health gate for one version of the group.
func (s *Session) gate(p *steps.Plan, version string, images func(context.Context) ([]health.Expect, error), extra func(context.Context) ([]steps.Signal, error)) *health.Gate {
	t := s.d.Timing
	return &health.Gate{
		Engine: s.d.Engine, HTTP: s.d.HTTP, Project: p.Project, Probes: p.Health, Version: version,
		Window: t.Window, Limit: t.Limit, Tick: t.Tick, Now: s.d.Now, After: s.d.After,
		Expect: images, Extra: extra,
	}
}

// newImages are what the group must run after the upgrade.
func (s *Session) newImages(p *steps.Plan) func(context.Context) ([]health.Expect, error) {
	return func(ctx context.Context) ([]health.Expect, error) {
		var out []health.Expect
		for _, t := range p.Group {
			img, err := s.d.Engine.Image(ctx, t.NewRef)
			if err != nil {
				return nil, fmt.Errorf("look at %s: %w", t.NewRef, err)
			}
			out = append(out, health.Expect{Service: t.Service, Image: img.ID, OneShot: t.OneShot})
		}
		return append(out, servers(p)...), nil
	}
}

// oldImages are what the group must run after a rollback.
func oldImages(p *steps.Plan) func(context.Context) ([]health.Expect, error) {
	return func(context.Context) ([]health.Expect, error) {
		var out []health.Expect
		for _, t := range p.Group {
			out = append(out, health.Expect{Service: t.Service, Image: t.OldImage, OneShot: t.OneShot})
		}
		return append(out, servers(p)...), nil
	}
}

// servers are the databases, which must run whatever their image.
func servers(p *steps.Plan) []health.Expect {
	var out []health.Expect
	seen := map[string]bool{}
	for _, t := range p.Group {
		seen[t.Service] = true
	}
	for _, db := range p.Databases {
		if canary.Served(db) && !seen[db.Service] {
			seen[db.Service] = true
			out = append(out, health.Expect{Service: db.Service})
		}
	}
	return out
}

// keep is the last step: it says what is kept and for how to go back.
type keep struct{ plan *steps.Plan }

func (k *keep) ID() steps.ID  { return steps.Commit }
func (k *keep) Title() string { return "keep the restore point" }

func (k *keep) Do(_ context.Context, r *steps.Reporter) error {
	point, err := backup.Open(k.plan.BackupDir)
	if err != nil {
		return fmt.Errorf("look at the restore point: %w", err)
	}
	if point.Skipped != "" {
		r.Fact("summary", "no restore point: you skipped it")
		return nil
	}
	r.Fact("summary", steps.Size(point.Size())+" in "+k.plan.BackupDir)
	return nil
}

func (k *keep) Observe(context.Context) (steps.Observation, error) { return steps.NotDone, nil }
func (k *keep) Undo(context.Context, *steps.Reporter) error        { return nil }
