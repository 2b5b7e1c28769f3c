package journal

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
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

// Lock is held by one run. The kernel frees it when the process dies, so it is
// never stale.
type Lock struct{ f *flock.Flock }

// Lock takes the project's lock or says at once who holds it.
func (p *Project) Lock(o Owner) (*Lock, error) {
	path := filepath.Join(p.dir, "lock")
	f := flock.New(path, flock.SetPermissions(0o600))
	ok, err := f.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock project: %w", err)
	}
	if !ok {
		return nil, &LockedError{Owner: readOwner(path)}
	}
	b, err := json.Marshal(o)
	if err != nil {
		_ = f.Unlock()
		return nil, fmt.Errorf("encode lock owner: %w", err)
	}
	// In place, not renamed: the lock is on this very file.
	if err := os.WriteFile(path, append(b, '\n'), 0o600); err != nil {
		_ = f.Unlock()
		return nil, fmt.Errorf("write lock owner: %w", err)
	}
	return &Lock{f: f}, nil
}

// Unlock gives the project free.
func (l *Lock) Unlock() error { return l.f.Unlock() }

func readOwner(path string) Owner {
	var o Owner
	b, err := os.ReadFile(path)
	if err != nil {
		return o
	}
	_ = json.Unmarshal(b, &o) // a half-written owner is no owner: the message does without
	return o
}
