package rollback

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"belay/dockerx"
	"belay/steps/canary"
	"belay/steps/journal"
)

// record is what the way back remembers across a crash, in the run's directory.
type record struct {
	Format int `json:"format"`
	// Kept are the states that were put aside, oldest first. There are several
	// when the way back ran again after the old version had run in between.
	Kept []kept `json:"kept,omitempty"`
	// Restoring is durable before the first store is emptied and gone when all
	// are whole again: meanwhile a store may hold half of the restore point, and
	// nothing in it is worth keeping.
	Restoring bool `json:"restoring,omitempty"`
	// After is the count of what was put back.
	After *canary.Canary `json:"after,omitempty"`
}

// kept is one state put aside.
type kept struct {
	Dir    string      `json:"dir"` // relative to the run's directory
	At     time.Time   `json:"at"`
	Stores []keptStore `json:"stores"`
	Logs   []string    `json:"logs,omitempty"` // files
}

type keptStore struct {
	Store  dockerx.Data `json:"store"`
	File   string       `json:"file,omitempty"` // "" when Same
	SHA256 string       `json:"sha256,omitempty"`
	Bytes  int64        `json:"bytes,omitempty"`
	Digest string       `json:"digest"`
	Same   string       `json:"same,omitempty"` // where the same state stands already
}

// recordFormat is the version of rollback.json.
const recordFormat = 1

func (w *way) recordFile() string { return filepath.Join(w.dir, "rollback.json") }

func (w *way) recall() (record, error) {
	rec := record{Format: recordFormat}
	b, err := os.ReadFile(w.recordFile())
	if errors.Is(err, fs.ErrNotExist) {
		return rec, nil
	}
	if err != nil {
		return rec, fmt.Errorf("read the record of the way back: %w", err)
	}
	if err := json.Unmarshal(b, &rec); err != nil {
		return rec, fmt.Errorf("read %s: %w", w.recordFile(), err)
	}
	if rec.Format > recordFormat {
		return rec, fmt.Errorf("%s has format %d, this belay reads up to %d: use the belay that wrote it",
			w.recordFile(), rec.Format, recordFormat)
	}
	return rec, nil
}

func (w *way) remember(rec record) error {
	b, err := json.MarshalIndent(rec, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the record of the way back: %w", err)
	}
	return journal.WriteFile(w.recordFile(), append(b, '\n'))
}
