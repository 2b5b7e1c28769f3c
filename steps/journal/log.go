package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// ballastSize is given back to the file system when it is full, so that the end
// of a run can still be recorded.
const ballastSize = 1 << 20

// Log is the journal of one run, open for appending.
type Log struct {
	mu   sync.Mutex
	f    *os.File
	dir  string
	run  string
	seq  uint64
	boot string
	now  func() time.Time
	bad  error // the first write that failed: a journal is never trusted again after it
}

// Create starts the journal of a new run in its directory.
func Create(dir, run string, now func() time.Time) (*Log, error) {
	f, err := os.OpenFile(filepath.Join(dir, "journal"), os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create journal: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ballast"), make([]byte, ballastSize), 0o600); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("write ballast: %w", err)
	}
	if err := SyncDir(dir); err != nil {
		_ = f.Close()
		return nil, err
	}
	return &Log{f: f, dir: dir, run: run, boot: bootID(), now: now}, nil
}

// Reopen opens the journal of an earlier run. A damaged tail is cut off;
// repaired says how many bytes. The caller must hold the project's lock.
func Reopen(dir, run string, now func() time.Time) (l *Log, records []Record, repaired int64, err error) {
	records, good, size, err := read(dir, run)
	if err != nil {
		return nil, nil, 0, err
	}
	f, err := os.OpenFile(filepath.Join(dir, "journal"), os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, 0, fmt.Errorf("open journal: %w", err)
	}
	if size > int64(good) {
		if err := errors.Join(f.Truncate(int64(good)), f.Sync()); err != nil {
			_ = f.Close()
			return nil, nil, 0, fmt.Errorf("cut damaged journal tail: %w", err)
		}
	}
	if _, err := f.Seek(int64(good), 0); err != nil {
		_ = f.Close()
		return nil, nil, 0, fmt.Errorf("seek journal: %w", err)
	}
	l = &Log{f: f, dir: dir, run: run, boot: bootID(), now: now}
	if n := len(records); n > 0 {
		l.seq = records[n-1].Seq
	}
	return l, records, size - int64(good), nil
}

// Read gives the records of a run without changing anything.
func Read(dir, run string) ([]Record, error) {
	records, _, _, err := read(dir, run)
	return records, err
}

func read(dir, run string) ([]Record, int, int64, error) {
	data, err := os.ReadFile(filepath.Join(dir, "journal"))
	if err != nil {
		return nil, 0, 0, fmt.Errorf("read journal: %w", err)
	}
	records, good, err := Decode(data, run)
	return records, good, int64(len(data)), err
}

// Append makes one record durable. After an error the log refuses everything:
// an fsync that failed once is never retried as if it had succeeded.
func (l *Log) Append(step string, phase Phase, attempt int, facts map[string]string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bad != nil {
		return fmt.Errorf("journal failed earlier: %w", l.bad)
	}
	r := Record{
		V: Format, Seq: l.seq + 1, Run: l.run, Step: step, Phase: phase, Attempt: attempt,
		Boot: l.boot, PID: os.Getpid(), Wall: l.now(), Facts: facts,
	}
	frame, err := encode(r)
	if err != nil {
		return err
	}
	if err := l.write(frame); err != nil {
		l.bad = err
		return fmt.Errorf("append to journal: %w", err)
	}
	l.seq++
	if phase == End {
		_ = os.Remove(filepath.Join(l.dir, "ballast")) // its work is done; a leftover costs only space
	}
	return nil
}

// write appends one frame; when the disk is full the ballast makes room once.
func (l *Log) write(frame []byte) error {
	end, err := l.f.Seek(0, 2)
	if err != nil {
		return err
	}
	if _, err = l.f.Write(frame); errors.Is(err, syscall.ENOSPC) {
		if rerr := os.Remove(filepath.Join(l.dir, "ballast")); rerr != nil {
			return err
		}
		if terr := l.f.Truncate(end); terr != nil {
			return terr
		}
		if _, terr := l.f.Seek(end, 0); terr != nil {
			return terr
		}
		_, err = l.f.Write(frame)
	}
	if err != nil {
		return err
	}
	return l.f.Sync()
}

// Close closes the file.
func (l *Log) Close() error { return l.f.Close() }

// SyncDir makes a directory's entries durable.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("open directory: %w", err)
	}
	defer func() { _ = d.Close() }()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync directory %s: %w", dir, err)
	}
	return nil
}

// bootID tells one boot of the host from another; "" where the system has none.
func bootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}
