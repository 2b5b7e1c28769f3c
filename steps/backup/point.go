package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"belay/dockerx"
	"belay/steps"
)

// RestorePoint is a finished restore point on disk.
type RestorePoint struct {
	Dir string
	Manifest
}

// Open reads the manifest of a restore point. ErrNone when it was never finished,
// *NewerError when a newer belay made it. The files are not read: see Check.
func Open(dir string) (*RestorePoint, error) {
	m, err := readManifest(dir)
	if err != nil {
		return nil, err
	}
	return &RestorePoint{Dir: dir, Manifest: m}, nil
}

// DamagedError is a restore point that must not be used. File is relative to it.
type DamagedError struct{ File, Why string }

// Error names the file and what is wrong with it.
func (e *DamagedError) Error() string {
	return fmt.Sprintf("the restore point is damaged: %s %s", e.File, e.Why)
}

// Belongs refuses a restore point of another run, project or engine.
func (p *RestorePoint) Belongs(plan *steps.Plan) error {
	for _, c := range []struct{ what, have, want string }{
		{"run", p.Run, plan.Run}, {"project", p.Project, plan.Project}, {"engine", p.Manifest.Engine, plan.Engine},
	} {
		if c.have != c.want {
			return fmt.Errorf("the restore point in %s is of %s %q, not of %q", p.Dir, c.what, c.have, c.want)
		}
	}
	return nil
}

// Check reads every file and compares size and SHA-256 with the manifest. The
// first one that is missing, cut short, changed or swapped is a *DamagedError.
func (p *RestorePoint) Check(ctx context.Context) error {
	return p.CheckProgress(ctx, func(int64) {})
}

// CheckProgress is Check that says how many bytes were read so far, of Size.
func (p *RestorePoint) CheckProgress(ctx context.Context, on func(read int64)) error {
	if err := p.present(); err != nil {
		return err
	}
	var read int64
	for _, f := range p.files() {
		sum, err := p.hash(ctx, f.file, func(n int64) { on(read + n) })
		if err != nil {
			return err
		}
		read += f.bytes
		if sum != f.sha256 {
			return &DamagedError{f.file, "does not have the content it was sealed with"}
		}
	}
	return nil
}

// Size is how many bytes the restore point holds.
func (p *RestorePoint) Size() int64 {
	var n int64
	for _, f := range p.files() {
		n += f.bytes
	}
	return n
}

// Volume finds the copy of a store.
func (p *RestorePoint) Volume(d dockerx.Data) (Artefact, bool) {
	for _, a := range p.Artefacts {
		if a.Role == RoleVolume && a.Store != nil && *a.Store == d {
			return a, true
		}
	}
	return Artefact{}, false
}

// Path is where a file of the restore point lies.
func (p *RestorePoint) Path(file string) string {
	return filepath.Join(p.Dir, filepath.FromSlash(file))
}

// present is the quick look: all files there, with the sizes they had.
func (p *RestorePoint) present() error {
	for _, f := range p.files() {
		info, err := os.Lstat(p.Path(f.file))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return &DamagedError{f.file, "is missing"}
		case err != nil:
			return fmt.Errorf("look at the restore point: %w", err)
		case !info.Mode().IsRegular():
			return &DamagedError{f.file, "is not a plain file"}
		case info.Size() != f.bytes:
			return &DamagedError{f.file, fmt.Sprintf("has %d bytes instead of %d", info.Size(), f.bytes)}
		}
	}
	return nil
}

func (p *RestorePoint) hash(ctx context.Context, file string, on func(int64)) (string, error) {
	f, err := os.Open(p.Path(file))
	if err != nil {
		return "", &DamagedError{file, "cannot be opened: " + err.Error()}
	}
	defer func() { _ = f.Close() }()
	sum := sha256.New()
	if _, err := io.Copy(sum, &meter{ctx: ctx, r: f, on: on}); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", &DamagedError{file, "cannot be read: " + err.Error()}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

type listed struct {
	file, sha256 string
	bytes        int64
}

func (m Manifest) files() []listed {
	var out []listed
	for _, a := range m.Artefacts {
		out = append(out, listed{a.File, a.SHA256, a.Bytes})
	}
	for _, c := range m.Config {
		out = append(out, listed{c.File, c.SHA256, c.Bytes})
	}
	return out
}

// tellEvery is how many bytes go by between two reports: more would only fill
// the run's record.
const tellEvery = 4 << 20

// meter counts what is read and stops when the context ends.
type meter struct {
	ctx  context.Context
	r    io.Reader
	n    int64
	told int64
	on   func(int64)
}

func (m *meter) Read(b []byte) (int, error) {
	if err := m.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := m.r.Read(b)
	m.n += int64(n)
	if err != nil || m.n-m.told >= tellEvery {
		m.told = m.n
		m.on(m.n)
	}
	return n, err
}
