package backup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"belay/dockerx"
	"belay/steps"
	"belay/steps/canary"
)

// server is one database server to be opened from its copy: all its databases
// that can be counted, and all stores that its container mounts.
type server struct {
	service   string
	databases []steps.Database
	stores    []steps.Store
}

func (g server) words() string {
	var w []string
	for _, db := range g.databases {
		w = append(w, canary.Label(db))
	}
	return strings.Join(w, " and ")
}

// scratch names the objects that opening one copy needs.
type scratch struct {
	container string
	volumes   []string
}

func (s *proveStep) servers(_ *Manifest) []server {
	var out []server
	for _, db := range s.plan.Databases {
		if db.Kind != canary.Postgres {
			continue
		}
		i := slices.IndexFunc(out, func(g server) bool { return g.service == db.Service })
		if i < 0 {
			out = append(out, server{service: db.Service})
			i = len(out) - 1
			for _, st := range s.plan.Stores {
				if st.Data == db.Store || slices.Contains(st.Services, db.Service) {
					out[i].stores = append(out[i].stores, st)
				}
			}
		}
		out[i].databases = append(out[i].databases, db)
	}
	return out
}

// scratchNames are fixed by the plan, so that a later attempt finds what an
// earlier one left behind.
func (s *proveStep) scratchNames() []scratch {
	var out []scratch
	n := 0
	next := func(what string) string {
		n++
		return fmt.Sprintf("belay-%s-%s-%d", what, strings.ToLower(s.plan.Run), n)
	}
	for _, g := range s.servers(nil) {
		one := scratch{container: next("scratch")}
		for range g.stores {
			one.volumes = append(one.volumes, next("scratch"))
		}
		out = append(out, one)
	}
	for _, st := range s.plan.Stores {
		if len(canary.SQLitePaths(s.plan.Databases, st.Data)) > 0 {
			out = append(out, scratch{volumes: []string{next("scratch")}})
		}
	}
	return out
}

func (s *proveStep) namesFor(service string) scratch {
	all := s.scratchNames()
	for i, g := range s.servers(nil) {
		if g.service == service {
			return all[i]
		}
	}
	return scratch{}
}

func (s *proveStep) labels() map[string]string {
	return map[string]string{dockerx.LabelRun: s.plan.Run, dockerx.LabelRole: "scratch"}
}

// openServer fills scratch volumes from the archives, starts the database's own
// image on them without a network, and counts.
func (s *proveStep) openServer(ctx context.Context, r *steps.Reporter, g server) (found canary.Canary, err error) {
	names := s.namesFor(g.service)
	if err := s.clear(ctx, names); err != nil { // of an attempt that was cut short
		return canary.Canary{}, err
	}
	defer s.tidy(ctx, names, &err)
	box, err := s.original(ctx, g.service)
	if err != nil {
		return canary.Canary{}, err
	}
	var mounts []dockerx.Mount
	for i, st := range g.stores {
		d, err := s.fill(ctx, r, st, names.volumes[i])
		if err != nil {
			return canary.Canary{}, err
		}
		mounts = append(mounts, dockerx.Mount{Data: d, Target: target(box, st)})
	}
	r.Progress(0, 0, "", "opening the copy of "+g.words())
	id, err := s.Engine.RunScratch(ctx, dockerx.ScratchSpec{
		Name: names.container, ImageID: box.ImageID, Env: scratchEnv(box), Mounts: mounts, Labels: s.labels(),
	})
	if err != nil {
		return canary.Canary{}, fmt.Errorf("open the copy of %s: %w", g.words(), err)
	}
	for _, db := range g.databases {
		if err := s.waitOpen(ctx, id, box, db); err != nil {
			return canary.Canary{}, err
		}
		r.Progress(0, 0, steps.Rows, "counting "+canary.Label(db)+" in the copy")
		copied := box
		copied.ID = id
		d, err := canary.Count(ctx, s.Engine, copied, db)
		if err != nil {
			return canary.Canary{}, fmt.Errorf("in the copy: %w", err)
		}
		found.Databases = append(found.Databases, d)
	}
	return found, nil
}

// openFiles fills a scratch volume and counts the rows of its SQLite files, with
// their own integrity check.
func (s *proveStep) openFiles(ctx context.Context, r *steps.Reporter, m *Manifest, st steps.Store) (found canary.Canary, err error) {
	names := s.namesOf(st)
	if err := s.clear(ctx, names); err != nil {
		return canary.Canary{}, err
	}
	defer s.tidy(ctx, names, &err)
	d, err := s.fill(ctx, r, st, names.volumes[0])
	if err != nil {
		return canary.Canary{}, err
	}
	sum, err := s.Engine.ScanTree(ctx, d, canary.SQLitePaths(s.plan.Databases, st.Data))
	if err != nil {
		return canary.Canary{}, fmt.Errorf("open the SQLite files of the copy of %s: %w", st.Data, err)
	}
	all, err := canary.FromSummary(s.plan.Databases, st.Data, sum)
	if err != nil {
		return canary.Canary{}, fmt.Errorf("in the copy: %w", err)
	}
	return canary.Canary{Databases: all.Databases}, nil
}

func (s *proveStep) namesOf(st steps.Store) scratch {
	all := s.scratchNames()[len(s.servers(nil)):]
	i := 0
	for _, other := range s.plan.Stores {
		if len(canary.SQLitePaths(s.plan.Databases, other.Data)) == 0 {
			continue
		}
		if other.Data == st.Data {
			return all[i]
		}
		i++
	}
	return scratch{}
}

// fill makes a scratch volume from the archive of a store; what stands in it
// must be the store to the last bit.
func (s *proveStep) fill(ctx context.Context, r *steps.Reporter, st steps.Store, name string) (dockerx.Data, error) {
	d := dockerx.Data{Kind: dockerx.VolumeData, Name: name}
	p, err := s.unsealed()
	if err != nil {
		return d, err
	}
	a, ok := p.Volume(st.Data)
	if !ok {
		return d, fmt.Errorf("there is no copy of %s", st.Data)
	}
	if err := s.Engine.CreateVolume(ctx, dockerx.VolumeSpec{Name: name, Labels: s.labels()}); err != nil {
		return d, fmt.Errorf("make a scratch volume: %w", err)
	}
	f, err := os.Open(p.Path(a.File))
	if err != nil {
		return d, &DamagedError{a.File, "cannot be opened: " + err.Error()}
	}
	defer func() { _ = f.Close() }()
	sum, err := s.Engine.LoadTree(ctx, d, f, func(n int64) {
		r.Progress(n, Whole(n, a.Content), steps.Bytes, "unpacking the copy of "+st.Name)
	})
	if err != nil {
		return d, fmt.Errorf("unpack the copy of %s: %w", st.Data, err)
	}
	if sum.Digest != a.Digest {
		return d, fmt.Errorf("the copy of %s does not unpack to what the store held", st.Data)
	}
	return d, nil
}

// unsealed is the restore point as it lies there before its manifest.
func (s *proveStep) unsealed() (*RestorePoint, error) {
	var c copied
	if _, err := readJSON(s.path(copyList), &c); err != nil {
		return nil, err
	}
	return &RestorePoint{Dir: s.dir, Manifest: Manifest{Artefacts: c.Artefacts}}, nil
}

// tidy takes scratch objects away even when the run is being stopped.
func (s *proveStep) tidy(ctx context.Context, names scratch, err *error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), scratchTime)
	defer cancel()
	if e := s.clear(ctx, names); e != nil {
		*err = errors.Join(*err, e)
	}
}

// clear removes scratch objects, and only such: the engine refuses what does not
// carry belay's label.
func (s *proveStep) clear(ctx context.Context, names scratch) error {
	if names.container != "" {
		if err := s.Engine.RemoveContainer(ctx, names.container); err != nil && !errors.Is(err, dockerx.ErrNotFound) {
			return fmt.Errorf("remove scratch container %s: %w", names.container, err)
		}
	}
	for _, v := range names.volumes {
		if err := s.Engine.RemoveVolume(ctx, v); err != nil && !errors.Is(err, dockerx.ErrNotFound) {
			return fmt.Errorf("remove scratch volume %s: %w", v, err)
		}
	}
	return nil
}
