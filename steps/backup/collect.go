package backup

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"belay/dockerx"
	"belay/steps"
	"belay/steps/canary"
)

// collect puts together what the earlier steps left beside their files.
func (s *proveStep) collect(ctx context.Context) (Manifest, error) {
	p := s.plan
	m := Manifest{
		Belay: p.Belay, Run: p.Run, Project: p.Project, Engine: p.Engine, From: p.From, To: p.To, Skipped: p.NoBackup,
	}
	if ok, err := readJSON(s.path(configList), &m.Config); err != nil {
		return Manifest{}, err
	} else if !ok {
		return Manifest{}, errors.New("the configuration was not captured")
	}
	for _, f := range []string{inspectContainers, inspectImages, inspectVolumes} {
		a, err := s.smallArtefact(RoleInspect, f)
		if err != nil {
			return Manifest{}, err
		}
		m.Artefacts = append(m.Artefacts, a)
	}
	var dumps []Artefact
	if _, err := readJSON(s.path(dumpList), &dumps); err != nil {
		return Manifest{}, err
	}
	if err := s.dumped(dumps); err != nil {
		return Manifest{}, err
	}
	var c copied
	if ok, err := readJSON(s.path(copyList), &c); err != nil {
		return Manifest{}, err
	} else if !ok && p.NoBackup == "" {
		return Manifest{}, errors.New("the data was not copied")
	}
	if name, err := s.stale(ctx, c); err != nil {
		return Manifest{}, err
	} else if name != "" && p.NoBackup == "" {
		return Manifest{}, fmt.Errorf("%s was started since the data was copied: the copy is not what is there now", name)
	}
	m.Artefacts = slices.Concat(m.Artefacts, dumps, c.Artefacts)
	m.Copied, m.CopyTime = c.At, c.Took
	var rows canary.Canary
	if _, err := readJSON(s.path(databaseCanary), &rows); err != nil {
		return Manifest{}, err
	}
	m.Canary = canary.Join(rows, c.Files)
	for _, db := range p.Databases {
		m.Databases = append(m.Databases, Database{db.Kind, db.Service, db.Name, db.Version, db.Store, db.Path})
	}
	images, err := s.images(ctx)
	m.Images = images
	return m, errors.Join(err, m.valid())
}

// dumped sees that no dump of the plan is missing.
func (s *proveStep) dumped(dumps []Artefact) error {
	if s.plan.NoBackup != "" {
		return nil
	}
	for _, db := range s.plan.Databases {
		if !dumpable(db) {
			continue
		}
		if !slices.ContainsFunc(dumps, func(a Artefact) bool { return a.File == dumpFile(db) && a.Bytes > 0 }) {
			return fmt.Errorf("there is no dump of %s", canary.Label(db))
		}
	}
	return nil
}

// images are the images of the group and of everything else that runs in the
// project, with their digests: what a move to another host would need.
func (s *proveStep) images(ctx context.Context) ([]Image, error) {
	var out []Image
	for _, t := range s.plan.Group {
		img, err := s.Engine.Image(ctx, t.OldImage)
		if err != nil && !errors.Is(err, dockerx.ErrNotFound) {
			return nil, fmt.Errorf("look at the image of %s: %w", t.Service, err)
		}
		out = append(out, Image{Service: t.Service, Ref: t.OldRef, ID: t.OldImage, Digests: img.Digests, Hold: t.Hold})
	}
	all, err := s.Engine.Containers(ctx, s.plan.Project)
	if err != nil {
		return nil, fmt.Errorf("list containers: %w", err)
	}
	for _, c := range all {
		if c.OneOff || slices.ContainsFunc(out, func(i Image) bool { return i.Service == c.Service }) {
			continue
		}
		img, err := s.Engine.Image(ctx, c.ImageID)
		if err != nil && !errors.Is(err, dockerx.ErrNotFound) {
			return nil, fmt.Errorf("look at the image of %s: %w", c.Service, err)
		}
		out = append(out, Image{Service: c.Service, Ref: c.Image, ID: c.ImageID, Digests: img.Digests})
	}
	return out, nil
}

var _ steps.Step = (*proveStep)(nil)
