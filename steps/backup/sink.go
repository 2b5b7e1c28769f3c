package backup

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"belay/steps/journal"
)

// partial ends the name of a file that is still being written.
const partial = ".part"

// sink writes one file of a restore point: beside, hashed while it goes, durable
// before it gets its name.
type sink struct {
	path string
	file File
	sum  hash.Hash
	n    int64
	err  error
}

func newSink(create func(string) (File, error), path string) (*sink, error) {
	if create == nil {
		create = createFile
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the restore point's folder: %w", err)
	}
	if err := os.Remove(path + partial); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("clear an unfinished file: %w", err)
	}
	f, err := create(path + partial)
	if err != nil {
		return nil, fmt.Errorf("write the restore point: %w", err)
	}
	return &sink{path: path, file: f, sum: sha256.New()}, nil
}

func createFile(path string) (File, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
}

// Write remembers the first error: who writes may hide it.
func (s *sink) Write(b []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.file.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	s.sum.Write(b[:n])
	s.n += int64(n)
	s.err = err
	return n, err
}

// seal makes the file durable under its name and gives its SHA-256.
func (s *sink) seal() (sum string, bytes int64, err error) {
	if s.err != nil {
		s.drop()
		return "", 0, fmt.Errorf("write %s: %w", filepath.Base(s.path), s.err)
	}
	err = errors.Join(s.file.Sync(), s.file.Close())
	if err == nil {
		err = os.Rename(s.path+partial, s.path)
	}
	if err == nil {
		err = journal.SyncDir(filepath.Dir(s.path))
	}
	if err != nil {
		_ = os.Remove(s.path + partial)
		return "", 0, fmt.Errorf("write %s: %w", filepath.Base(s.path), err)
	}
	return hex.EncodeToString(s.sum.Sum(nil)), s.n, nil
}

// drop takes the unfinished file away.
func (s *sink) drop() {
	_ = s.file.Close()
	_ = os.Remove(s.path + partial)
}

// dropPartials removes what was being written when a step was cut short.
func dropPartials(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for unfinished files: %w", err)
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), partial) && e.Type().IsRegular() {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				return fmt.Errorf("remove an unfinished file: %w", err)
			}
		}
	}
	return nil
}

func writeJSON(path string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", filepath.Base(path), err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make the restore point's folder: %w", err)
	}
	return journal.WriteFile(path, append(b, '\n'))
}

// readJSON says false when the file does not exist.
func readJSON(path string, v any) (bool, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read %s: %w", filepath.Base(path), err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		return false, fmt.Errorf("read %s: %w", path, err)
	}
	return true, nil
}
