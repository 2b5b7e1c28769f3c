package upgrade

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"belay/dockerx"
	"belay/dockerx/compose"
	"belay/dockerx/registry"
	"belay/releases/version"
	"belay/steps"
	"belay/steps/journal"
	"belay/steps/stack"
)

// Wish is what the user wants of a plan.
type Wish struct {
	To        string
	Accepted  []string // IDs of flags that were ticked off
	BackupDir string   // "" = inside the run's directory
	NoBackup  string   // the sentence typed to skip the backup
}

// measureWithin is how long a plan may take to find out how much is to be copied.
const measureWithin = 10 * time.Second

// ErrNothing is returned by Plan when the target is what runs already.
var ErrNothing = errors.New("nothing to do")

// Plan decides everything that a run will do. It changes nothing.
func (s *Session) Plan(ctx context.Context, w Wish) (*steps.Plan, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := s.known(ctx)
	if err != nil {
		return nil, err
	}
	to, err := s.target(v, w.To)
	if err != nil {
		return nil, err
	}
	switch c := version.Compare(to, v.current); {
	case c == 0 && s.stack.Version.Source == "tag":
		return nil, fmt.Errorf("%s runs %s already: %w", s.stack.Project, to.Plain(), ErrNothing)
	case c < 0:
		return nil, &steps.RefusedError{
			Msg:  fmt.Sprintf("%s is older than the installed %s; data goes back only with a restore point.", to.Plain(), v.current.Plain()),
			Next: s.next("rollback"),
		}
	}
	if err := s.allowed(v.current, to); err != nil {
		return nil, err
	}
	if err := undone(s.recipe); err != nil {
		return nil, err
	}
	if len(s.stack.Skew) > 0 {
		return nil, &steps.RefusedError{Msg: "The services of this app are not on one version: " + strings.Join(s.stack.Skew, "; ") + ".", Next: "docker compose up -d"}
	}
	stack.Measure(ctx, s.d.Engine, s.stack, measureWithin)
	p := s.blank(v, to, w)
	if err := s.aim(ctx, p, v, to); err != nil {
		return nil, err
	}
	s.data(p)
	s.lookFor(p)
	p.Budget.LastExit = steps.Pin
	p.Steps = planned(p)
	return p, nil
}

func (s *Session) blank(v *versions, to version.Tag, w Wish) *steps.Plan {
	st := s.stack
	now := s.d.Now()
	run := ulid.MustNew(ulid.Timestamp(now), rand.Reader).String()
	p := &steps.Plan{
		Format: steps.PlanVersion, Run: run, Belay: s.d.Version, Made: now,
		Project: st.Project, Dir: st.Dir, Engine: st.Engine.ID,
		From: v.current.Plain(), To: to.Plain(),
		Stop: stack.StopOrder(st, s.recipe), Databases: st.Databases, Stores: st.Stores, Left: st.Left,
		Health: st.Probes, Accepted: w.Accepted, NoBackup: w.NoBackup,
		Warnings: slices.Clone(st.Warnings),
	}
	p.Warnings = append(p.Warnings, st.Drift...)
	p.BackupDir = w.BackupDir
	if w.BackupDir != "" {
		p.BackupDir = filepath.Join(w.BackupDir, st.Project+"-"+run)
	}
	return p
}

// aim finds the image of every group service and the edits that bring it there.
func (s *Session) aim(ctx context.Context, p *steps.Plan, v *versions, to version.Tag) error {
	var moves []compose.Move
	sizes := map[string]int64{}
	for i, svc := range group(s.stack) {
		if svc.Pin.Kind == compose.PinBuild {
			return &steps.RefusedError{Msg: fmt.Sprintf("%s is built here from source; belay can only change images that are pulled.", svc.Name), Next: "docker compose build --pull"}
		}
		if !svc.Pin.Editable() {
			return &steps.RefusedError{Msg: fmt.Sprintf("Belay cannot write the version of %s: %s", svc.Name, svc.Pin.Why), Next: s.next("doctor")}
		}
		tag := to.Raw
		if i > 0 {
			var err error
			if tag, err = s.spell(ctx, svc, to); err != nil {
				return err
			}
		}
		ref := svc.Pin.Repo + ":" + tag
		remote, err := s.resolve(ctx, p, ref)
		if err != nil {
			return err
		}
		sizes[ref] = remote.Size
		if img, err := s.d.Engine.Image(ctx, ref); err == nil && (remote.Digest == "" || hasDigest(img, remote.Digest)) {
			sizes[ref] = 0
		}
		p.Group = append(p.Group, s.aimOne(p, svc, ref, remote.Digest))
		moves = append(moves, compose.Move{Service: svc.Name, Tag: tag, Digest: remote.Digest})
	}
	for _, n := range sizes {
		p.Budget.Pull += n
	}
	edits, err := compose.Retag(ctx, s.stack.Model, moves)
	if err != nil {
		return &steps.RefusedError{Msg: err.Error(), Next: s.next("doctor"), Err: err}
	}
	p.Edits = edits
	return nil
}

func (s *Session) aimOne(p *steps.Plan, svc stack.Service, ref, digest string) steps.Target {
	t := steps.Target{
		Service: svc.Name, OldRef: svc.Ref, NewRef: ref, Digest: digest, OneShot: svc.OneShot,
		Hold: dockerx.HoldPrefix + strings.ToLower(p.Project+"-"+svc.Name) + ":" + strings.ToLower(p.Run),
	}
	if svc.Container != nil {
		t.OldImage, t.OldHash = svc.Container.ImageID, svc.Container.ConfigHash
	}
	return t
}

// spell finds the target's tag in the repository of another service of the group.
func (s *Session) spell(ctx context.Context, svc stack.Service, to version.Tag) (string, error) {
	tags, err := s.d.Registry.Tags(ctx, svc.Pin.Repo)
	if err != nil {
		return "", &steps.RefusedError{Msg: fmt.Sprintf("The registry could not be asked for %s: %s.", svc.Pin.Repo, reason(err)), Next: s.next("doctor"), Err: err}
	}
	tag, ok := version.Spelling(to.Plain(), svc.Version.Tag, tags)
	if !ok {
		return "", &steps.RefusedError{Msg: fmt.Sprintf("The registry has no image of %s for version %s; the app must move as one.", svc.Name, to.Plain()), Next: s.next("check")}
	}
	return tag, nil
}

// resolve asks the registry for the very image. Without a registry an image that
// is here already (loaded from a package) will do.
func (s *Session) resolve(ctx context.Context, p *steps.Plan, ref string) (registry.Remote, error) {
	info := s.stack.Engine
	remote, err := s.d.Registry.Resolve(ctx, ref, info.OS, info.Arch)
	switch {
	case err == nil:
		return remote, nil
	case errors.Is(err, registry.ErrUnreachable):
		if _, lerr := s.d.Engine.Image(ctx, ref); lerr == nil {
			p.Warnings = append(p.Warnings, fmt.Sprintf("The registry does not answer; %s is here already and is used as it is.", ref))
			return registry.Remote{}, nil
		}
		return remote, &steps.RefusedError{Msg: fmt.Sprintf("The registry of %s does not answer.", ref), Next: s.next("doctor"), Err: err}
	case errors.Is(err, registry.ErrNoTag):
		return remote, &steps.RefusedError{Msg: fmt.Sprintf("The registry has no image %s.", ref), Next: s.next("check"), Err: err}
	case errors.Is(err, registry.ErrNoPlatform):
		return remote, &steps.RefusedError{Msg: fmt.Sprintf("%s is not published for this engine's platform (%s/%s).", ref, info.OS, info.Arch), Next: s.next("check"), Err: err}
	default:
		return remote, &steps.RefusedError{Msg: fmt.Sprintf("The registry could not be asked for %s: %s.", ref, reason(err)), Next: s.next("doctor"), Err: err}
	}
}

// data estimates what the restore point takes and how long the app is away.
func (s *Session) data(p *steps.Plan) {
	for _, st := range p.Stores {
		if st.Bytes < 0 {
			p.Budget.Backup = -1
			break
		}
		p.Budget.Backup += st.Bytes
	}
	dir := p.BackupDir
	if dir == "" {
		dir = s.d.Store.Root()
	}
	p.Budget.Free, p.Budget.FreeTotal = -1, -1
	if free, total, err := s.d.Free(dir); err == nil {
		p.Budget.Free, p.Budget.FreeTotal = free, total
	}
	p.Budget.Stop = time.Duration(len(p.Stop)) * 2 * time.Second
	p.Budget.Start = 15 * time.Second
	if p.Budget.Backup > 0 {
		// Copy, read back and trial restore: measured at about 100 MB/s together.
		p.Budget.Copy = time.Duration(p.Budget.Backup/100_000_000+1) * time.Second
	}
}

// lookFor takes over from the recipe what the run watches, runs and captures.
func (s *Session) lookFor(p *steps.Plan) {
	r := s.recipe
	p.Ready, p.Failed, p.Danger = r.Logs.Ready, r.Logs.Failed, r.Logs.Danger
	if m := r.Migrate; m != nil && !m.Unless.ImageMigrates {
		p.Migrate = &steps.Command{Service: m.Service, Argv: m.Run}
	}
	files := slices.Concat(s.stack.Model.Files, s.stack.Model.EnvFiles)
	for _, name := range append([]string{"belay.yaml"}, r.Config...) {
		path := name
		if !filepath.IsAbs(path) {
			path = filepath.Join(s.stack.Dir, name)
		}
		if _, err := os.Stat(path); err == nil {
			files = append(files, path)
		}
	}
	slices.Sort(files)
	p.Config = slices.Compact(files)
}

func hasDigest(img dockerx.Image, digest string) bool {
	return slices.ContainsFunc(img.Digests, func(d string) bool { return strings.HasSuffix(d, "@"+digest) })
}

// planned is the list that the plan screen shows.
func planned(p *steps.Plan) []steps.Planned {
	var names []string
	for _, e := range p.Edits {
		if n := filepath.Base(e.Path); !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	list := []steps.Planned{
		{ID: steps.Preflight, Title: "look around first", Phase: "running"},
		{ID: steps.Pull, Title: "pull " + p.To, Phase: "running"},
		{ID: steps.Hold, Title: "hold " + p.From, Phase: "running"},
		{ID: steps.Capture, Title: "capture the configuration", Phase: "running"},
	}
	if dumps(p) {
		list = append(list, steps.Planned{ID: steps.Dump, Title: "dump the databases", Phase: "running"})
	}
	list = append(list, steps.Planned{ID: steps.Stop, Title: "stop " + strings.Join(p.Stop, ", "), Phase: "down"})
	if p.NoBackup == "" {
		list = append(list,
			steps.Planned{ID: steps.Backup, Title: "copy the data", Phase: "down"},
			steps.Planned{ID: steps.Prove, Title: "prove the copy", Phase: "down"})
	}
	list = append(list, steps.Planned{ID: steps.Pin, Title: "edit " + strings.Join(names, ", "), Phase: "down"})
	if p.Migrate != nil {
		list = append(list, steps.Planned{ID: steps.Migrate, Title: "migrate with " + p.Migrate.Service, Phase: "new"})
	}
	return append(list,
		steps.Planned{ID: steps.Start, Title: "start " + p.To, Phase: "new"},
		steps.Planned{ID: steps.Watch, Title: "watch the start", Phase: "new"},
		steps.Planned{ID: steps.Health, Title: "check health", Phase: "new"},
		steps.Planned{ID: steps.Commit, Title: "keep the restore point", Phase: "new"})
}

// dumps says whether there is a database of which a portable dump is made.
func dumps(p *steps.Plan) bool {
	return p.NoBackup == "" && slices.ContainsFunc(p.Databases, func(d steps.Database) bool { return d.Dumpable })
}

// save writes the plan into its run's directory, durably.
func save(p *steps.Plan, dir string) error {
	b, err := encodePlan(p)
	if err != nil {
		return err
	}
	return journal.WriteFile(filepath.Join(dir, "plan.json"), b)
}
