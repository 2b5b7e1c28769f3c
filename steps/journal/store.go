package journal

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/renameio/v2"
)

// Store is belay's state directory.
type Store struct{ root string }

// OpenStore makes the state directory private to its owner. A directory of
// another user is refused: its content could have been planted.
func OpenStore(root string) (*Store, error) {
	if err := os.MkdirAll(root, 0o700); err != nil {
		return nil, fmt.Errorf("make state directory: %w", err)
	}
	if err := checkOwner(root); err != nil {
		return nil, err
	}
	if err := os.Chmod(root, 0o700); err != nil { //nolint:gosec // a directory needs x
		return nil, fmt.Errorf("make state directory private: %w", err)
	}
	return &Store{root: root}, nil
}

// Key is the name of a project's folder: the same engine, project and directory
// always have the same one.
func Key(engine, project, dir string) string {
	sum := sha256.Sum256([]byte(engine + "\x00" + project + "\x00" + dir))
	return hex.EncodeToString(sum[:])[:16]
}

// Project is one project's folder in the store.
type Project struct{ dir string }

// Project gives the folder of a key and makes it.
func (s *Store) Project(key string) (*Project, error) {
	p := &Project{dir: filepath.Join(s.root, "projects", key)}
	if err := os.MkdirAll(filepath.Join(p.dir, "runs"), 0o700); err != nil {
		return nil, fmt.Errorf("make project folder: %w", err)
	}
	return p, nil
}

var runName = regexp.MustCompile(`^[0-9A-Z]{26}$`)

// RunDir is where a run keeps its plan, journal and, by default, its restore point.
func (p *Project) RunDir(run string) string { return filepath.Join(p.dir, "runs", run) }

// MakeRun makes the folder of a new run, durably.
func (p *Project) MakeRun(run string) (string, error) {
	if !runName.MatchString(run) {
		return "", fmt.Errorf("%q is no run ID", run)
	}
	dir := p.RunDir(run)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", fmt.Errorf("make run folder: %w", err)
	}
	return dir, SyncDir(filepath.Dir(dir))
}

// Runs lists the runs of a project, newest first.
func (p *Project) Runs() ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(p.dir, "runs"))
	if err != nil {
		return nil, fmt.Errorf("list runs: %w", err)
	}
	var runs []string
	for _, e := range entries {
		if e.IsDir() && runName.MatchString(e.Name()) {
			runs = append(runs, e.Name())
		}
	}
	slices.Sort(runs)
	slices.Reverse(runs)
	return runs, nil
}

// Head is the run that is open, "" when none is.
func (p *Project) Head() (string, error) {
	b, err := os.ReadFile(filepath.Join(p.dir, "head"))
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read head: %w", err)
	}
	run := strings.TrimSpace(string(b))
	if run != "" && !runName.MatchString(run) {
		return "", fmt.Errorf("head %q is no run ID", run)
	}
	return run, nil
}

// SetHead opens a run, or closes the open one with "".
func (p *Project) SetHead(run string) error {
	return WriteFile(filepath.Join(p.dir, "head"), []byte(run+"\n"))
}

// WriteFile replaces a private file durably: temporary file, fsync, rename,
// fsync of the directory.
func WriteFile(path string, data []byte) error {
	if err := renameio.WriteFile(path, data, 0o600, renameio.WithStaticPermissions(0o600)); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return SyncDir(filepath.Dir(path))
}

// Root is the state directory itself.
func (s *Store) Root() string { return s.root }
