package journal

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Owner says who holds a project's lock.
type Owner struct {
	PID   int       `json:"pid"`
	Run   string    `json:"run"`
	Since time.Time `json:"since"`
	TTY   string    `json:"tty"`
}

// LockedError is returned when another belay works on the project.
type LockedError struct{ Owner Owner }

// Error says who and since when.
func (e *LockedError) Error() string {
	if e.Owner.PID == 0 {
		return "another belay is working on this project"
	}
	where := ""
	if e.Owner.TTY != "" {
		where = " on " + e.Owner.TTY
	}
	return fmt.Sprintf("another belay (process %d%s) has been working on this project since %s",
		e.Owner.PID, where, e.Owner.Since.Local().Format("15:04:05 on 2 January"))
}

// Lock is held by one run. The kernel frees it when the last process that holds
// its file has ended, so it is never stale. A child that inherits File keeps it:
// a compose that outlives a killed belay is still at work on the project.
type Lock struct{ f *os.File }

// Lock takes the project's lock or says at once who holds it.
func (p *Project) Lock(o Owner) (*Lock, error) {
	path := filepath.Join(p.dir, "lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	ok, err := tryLock(f)
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("lock project: %w", err)
	}
	if !ok {
		_ = f.Close()
		return nil, &LockedError{Owner: readOwner(path)}
	}
	l := &Lock{f: f}
	if err := l.sign(o); err != nil {
		_ = l.Unlock()
		return nil, err
	}
	return l, nil
}

// sign writes the owner in place: the lock is on this very file.
func (l *Lock) sign(o Owner) error {
	b, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("encode lock owner: %w", err)
	}
	if err := l.f.Truncate(0); err != nil {
		return fmt.Errorf("write lock owner: %w", err)
	}
	if _, err := l.f.WriteAt(append(b, '\n'), 0); err != nil {
		return fmt.Errorf("write lock owner: %w", err)
	}
	return nil
}

// File is the locked file, for a child to inherit.
func (l *Lock) File() *os.File { return l.f }

// Unlock gives the project free, unless a child still holds it.
func (l *Lock) Unlock() error { return l.f.Close() }

func readOwner(path string) Owner {
	var o Owner
	b, err := os.ReadFile(path)
	if err != nil {
		return o
	}
	_ = json.Unmarshal(b, &o) // a half-written owner is no owner: the message does without
	return o
}
