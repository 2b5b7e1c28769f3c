package backup

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"belay/dockerx"
	"belay/steps"
	"belay/steps/canary"
)

// copyList is what the step leaves for the manifest, beside the archives.
const copyList = "volumes/volumes.json"

// copied is the content of copyList.
type copied struct {
	At        time.Time     `json:"at"`
	Took      time.Duration `json:"took_ns"`
	Artefacts []Artefact    `json:"artefacts"`
	Files     canary.Canary `json:"files"`
}

type copyStep struct{ base }

func (s *copyStep) ID() steps.ID  { return steps.Backup }
func (s *copyStep) Title() string { return "copy the data" }

// Do makes an exact copy of every store of the plan. Nothing that could write to
// one may be running.
func (s *copyStep) Do(ctx context.Context, r *steps.Reporter) error {
	if done, err := s.sealed(); done || err != nil {
		return err
	}
	if s.plan.NoBackup != "" {
		r.Warn("No copy of the data is made, as you typed: a rollback will not bring the data back.")
		r.Fact("summary", "skipped, as you typed")
		return writeJSON(s.path(copyList), copied{At: s.Now()})
	}
	if err := Quiet(ctx, s.Engine, s.plan.Stores); err != nil {
		return err
	}
	out := copied{At: s.Now(), Files: canary.Canary{Format: canary.Format, Taken: s.Now()}}
	bar := newBar(r, s.plan.Stores)
	for _, st := range s.plan.Stores {
		a, files, err := s.copyStore(ctx, st, bar.during(st))
		if err != nil {
			return fmt.Errorf("copy %s: %w", st.Data, err)
		}
		bar.past(a.Content)
		out.Artefacts = append(out.Artefacts, a)
		out.Files = canary.Join(out.Files, files)
		for _, skipped := range a.Skipped {
			r.Warn(fmt.Sprintf("%s of %s is a socket and was not copied; the app makes it again when it starts.", skipped, st.Data))
		}
	}
	out.Took = s.Now().Sub(out.At)
	r.Fact("summary", steps.Size(bar.done))
	return writeJSON(s.path(copyList), out)
}

func (s *copyStep) copyStore(ctx context.Context, st steps.Store, on func(int64)) (Artefact, canary.Canary, error) {
	a, sum, err := save(ctx, s.Engine, s.Create, st.Data, s.dir, volumeFile(st.Data), on)
	if err != nil {
		return Artefact{}, canary.Canary{}, err
	}
	if paths := canary.SQLitePaths(s.plan.Databases, st.Data); len(paths) > 0 {
		again, err := s.Engine.ScanTree(ctx, st.Data, paths)
		if err != nil {
			return Artefact{}, canary.Canary{}, fmt.Errorf("count its rows: %w", err)
		}
		if again.Digest != sum.Digest {
			return Artefact{}, canary.Canary{}, errors.New("it changed while it was copied: something still writes to it")
		}
		sum = again
	}
	files, err := canary.FromSummary(s.plan.Databases, st.Data, sum)
	return a, files, err
}

// Observe trusts only what can be read: the archives with their checksums.
func (s *copyStep) Observe(ctx context.Context) (steps.Observation, error) {
	if ok, err := s.standing(); ok || err != nil {
		return observed(ok, err)
	}
	var c copied
	ok, err := readJSON(s.path(copyList), &c)
	if err != nil || !ok {
		return steps.NotDone, err
	}
	if stale, err := s.stale(ctx, c); err != nil {
		return steps.Unclear, err
	} else if stale != "" {
		return steps.NotDone, nil
	}
	p := RestorePoint{Dir: s.dir, Manifest: Manifest{Artefacts: c.Artefacts}}
	if p.Check(ctx) != nil {
		return steps.Partial, nil
	}
	return steps.Done, nil
}

// stale names a container that ran on the data since it was copied, "" for none:
// after a crash somebody may have started the app by hand, and what it wrote is
// not in the copy.
func (b base) stale(ctx context.Context, c copied) (string, error) {
	all, err := b.Engine.Containers(ctx, "")
	if err != nil {
		return "", fmt.Errorf("see who used the data: %w", err)
	}
	for _, box := range all {
		if !box.StartedAt.After(c.At) {
			continue
		}
		for _, m := range box.Mounts {
			if !m.ReadOnly && touches(b.plan.Stores, m.Data) {
				return box.Name, nil
			}
		}
	}
	return "", nil
}

// Undo removes what was half written. Finished archives stay.
func (s *copyStep) Undo(context.Context, *steps.Reporter) error {
	return dropPartials(s.path("volumes"))
}

// Quiet refuses when a container that can write to one of the stores is alive.
func Quiet(ctx context.Context, e interface {
	Containers(ctx context.Context, project string) ([]dockerx.Container, error)
}, stores []steps.Store,
) error {
	all, err := e.Containers(ctx, "")
	if err != nil {
		return fmt.Errorf("see who writes to the data: %w", err)
	}
	var writers []string
	for _, c := range all {
		if c.State != dockerx.Running && c.State != dockerx.Restarting && c.State != dockerx.Paused {
			continue
		}
		for _, m := range c.Mounts {
			if m.ReadOnly || !touches(stores, m.Data) {
				continue
			}
			writers = append(writers, fmt.Sprintf("%s (%s, %s)", c.Name, c.State, m.Data))
			break
		}
	}
	if len(writers) > 0 {
		return fmt.Errorf("the data is in use by %s", strings.Join(writers, ", "))
	}
	return nil
}

// touches says whether d is one of the stores, or a folder inside or around one.
func touches(stores []steps.Store, d dockerx.Data) bool {
	for _, s := range stores {
		if s.Data == d {
			return true
		}
		if s.Kind == dockerx.BindData && d.Kind == dockerx.BindData && (within(s.Name, d.Name) || within(d.Name, s.Name)) {
			return true
		}
	}
	return false
}

func within(path, dir string) bool {
	return strings.HasPrefix(path, strings.TrimSuffix(dir, "/")+"/")
}
