package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"belay/steps"
	"belay/steps/canary"
)

type proveStep struct{ base }

func (s *proveStep) ID() steps.ID  { return steps.Prove }
func (s *proveStep) Title() string { return "prove the copy" }

// Do reads every archive back, opens every database from its copy in isolation,
// compares what it finds with what was counted before, and seals the restore
// point. Any difference fails the step, and with it the run.
func (s *proveStep) Do(ctx context.Context, r *steps.Reporter) error {
	if done, err := s.sealed(); err != nil {
		return err
	} else if done {
		return s.retell(r)
	}
	began := s.Now()
	m, err := s.collect(ctx)
	if err != nil {
		return err
	}
	if s.plan.NoBackup == "" {
		if err := s.prove(ctx, r, &m); err != nil {
			return err
		}
	}
	m.Made, m.ProofTime = s.Now(), s.Now().Sub(began)
	if err := writeManifest(s.dir, m); err != nil {
		return fmt.Errorf("seal the restore point: %w", err)
	}
	return s.retell(r)
}

func (s *proveStep) retell(r *steps.Reporter) error {
	p, err := Open(s.dir)
	if err != nil {
		return err
	}
	if err := p.present(); err != nil {
		return err
	}
	for i, line := range p.Proven {
		r.Fact(fmt.Sprintf("proof.%d", i+1), line)
	}
	if p.Skipped != "" {
		r.Fact("summary", "nothing to prove: the backup was skipped")
		return nil
	}
	r.Fact("summary", p.Proof)
	return nil
}

func (s *proveStep) prove(ctx context.Context, r *steps.Reporter, m *Manifest) error {
	if err := s.complete(*m); err != nil {
		return err
	}
	if err := s.readBack(ctx, r, m); err != nil {
		return err
	}
	return s.openAll(ctx, r, m)
}

// complete sees that every store of the plan has its archive and nothing is empty.
func (s *proveStep) complete(m Manifest) error {
	p := RestorePoint{Dir: s.dir, Manifest: m}
	for _, st := range s.plan.Stores {
		a, ok := p.Volume(st.Data)
		if !ok || a.Bytes == 0 || a.Digest == "" {
			return fmt.Errorf("there is no copy of %s", st.Data)
		}
	}
	for _, db := range s.plan.Databases {
		if _, ok := p.Volume(db.Store); !ok {
			return fmt.Errorf("there is no copy of %s, which holds %s", db.Store, canary.Label(db))
		}
	}
	return p.present()
}

// readBack reads every file to its end; of the archives, all that is inside too.
func (s *proveStep) readBack(ctx context.Context, r *steps.Reporter, m *Manifest) error {
	p := RestorePoint{Dir: s.dir, Manifest: *m}
	total, before := p.Size(), int64(0)
	volumes := 0
	for _, a := range m.Artefacts {
		on := func(n int64) { r.Progress(before+n, total, steps.Bytes, "reading back "+a.File) }
		if a.Role != RoleVolume {
			if sum, err := p.hash(ctx, a.File, on); err != nil {
				return err
			} else if sum != a.SHA256 {
				return &DamagedError{a.File, "does not read back as it was written"}
			}
			before += a.Bytes
			continue
		}
		if err := s.readArchive(ctx, p, a, on); err != nil {
			return err
		}
		before += a.Bytes
		volumes++
	}
	for _, c := range m.Config {
		if sum, err := p.hash(ctx, c.File, func(int64) {}); err != nil {
			return err
		} else if sum != c.SHA256 {
			return &DamagedError{c.File, "does not read back as it was written"}
		}
	}
	m.Proven = append(m.Proven, fmt.Sprintf("%s and %s read back whole, with the checksums they were written with",
		steps.Plural(volumes, "archive"), steps.Plural(len(m.Config), "configuration file")))
	return nil
}

// readArchive reads one archive in one pass: its bytes must have the SHA-256 they
// were written with, its content the digest of the store it was taken from.
func (s *proveStep) readArchive(ctx context.Context, p RestorePoint, a Artefact, on func(int64)) error {
	f, err := os.Open(p.Path(a.File))
	if err != nil {
		return &DamagedError{a.File, "cannot be opened: " + err.Error()}
	}
	defer func() { _ = f.Close() }()
	sum := sha256.New()
	in := io.TeeReader(&meter{ctx: ctx, r: f, on: on}, sum)
	found, err := s.Verify(ctx, in)
	if err == nil {
		_, err = io.Copy(io.Discard, in) // whatever a reader leaves at the end
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return &DamagedError{a.File, "cannot be read back: " + err.Error()}
	case hex.EncodeToString(sum.Sum(nil)) != a.SHA256:
		return &DamagedError{a.File, "does not read back as it was written"}
	case found.Digest != a.Digest || found.Entries != a.Entries || found.Bytes != a.Content:
		return &DamagedError{a.File, "does not hold what the store held"}
	}
	return nil
}

// openAll opens the databases from their copies and completes the canary.
func (s *proveStep) openAll(ctx context.Context, r *steps.Reporter, m *Manifest) error {
	before := m.Canary
	verdict := " match"
	for _, g := range s.servers(m) {
		found, err := s.openServer(ctx, r, g)
		if err != nil {
			return err
		}
		if compared, err := s.compare(r, m, before, found, g.words()); err != nil {
			return err
		} else if !compared {
			verdict = " are in the copy"
		}
	}
	for _, st := range s.plan.Stores {
		if len(canary.SQLitePaths(s.plan.Databases, st.Data)) == 0 {
			continue
		}
		found, err := s.openFiles(ctx, r, m, st)
		if err != nil {
			return err
		}
		if _, err := s.compare(r, m, before, found, "the SQLite files of "+st.Name); err != nil {
			return err
		}
	}
	for _, db := range s.plan.Databases {
		if canary.Served(db) && db.Kind != canary.Postgres {
			m.Proven = append(m.Proven, fmt.Sprintf("%s: its files are copied bit for bit; belay cannot open %s itself",
				canary.Label(db), db.Kind))
		}
	}
	m.Proof = m.Canary.Words() + verdict
	return nil
}

// compare holds the count of a copy against the one taken before. False: there
// was none, so that the copy's own count is what a rollback will be held against.
func (s *proveStep) compare(
	r *steps.Reporter, m *Manifest, before, found canary.Canary, what string,
) (compared bool, err error) {
	opened := func(d canary.Database) bool {
		for _, f := range found.Databases {
			if f.Service == d.Service && f.Kind == d.Kind && f.Name == d.Name && f.Path == d.Path && f.Store == d.Store {
				return true
			}
		}
		return false
	}
	counted := before.Only(opened)
	if len(counted.Databases) == 0 {
		r.Warn("Nothing was counted in " + what + " before the copy: what the copy holds counts from now on.")
		m.Canary = canary.Join(m.Canary, canary.Canary{Databases: found.Databases})
		m.Proven = append(m.Proven, fmt.Sprintf("%s opened from the copy: %s, not counted before", what, found.Words()))
		return false, nil
	}
	if diff := canary.Diff(canary.Canary{Databases: counted.Databases}, canary.Canary{Databases: found.Databases}); len(diff) > 0 {
		return false, fmt.Errorf("the copy of %s is not what was there: %s", what, strings.Join(diff, "; "))
	}
	m.Proven = append(m.Proven, fmt.Sprintf("%s opened from the copy in isolation: %s, as before", what, found.Words()))
	return true, nil
}

func (s *proveStep) Observe(context.Context) (steps.Observation, error) {
	ok, err := s.standing()
	return observed(ok, err)
}

// Undo takes away the scratch volumes and containers of this run. A sealed
// restore point stays: it may still be wanted.
func (s *proveStep) Undo(ctx context.Context, _ *steps.Reporter) error {
	var errs []error
	for _, g := range s.scratchNames() {
		errs = append(errs, s.clear(ctx, g))
	}
	return errors.Join(errs...)
}

// scratchTime bounds taking scratch objects away, on a context of its own.
const scratchTime = 2 * time.Minute
