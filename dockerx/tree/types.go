package tree

import "errors"

// Summary is what a walk over a directory tree found. Digest is the SHA-256
// over the sorted list of (path, type, mode, uid, gid, size, mtime in ns,
// xattrs, link target, hash of the content): two trees with one digest are
// the same to the last bit that belay keeps. Which names are one inode is part
// of it; where a file's holes lie is not.
type Summary struct {
	Entries int      `json:"entries"` // the root itself included
	Files   int      `json:"files"`   // regular files, hard links counted each
	Bytes   int64    `json:"bytes"`   // apparent size of regular files, hard links counted each
	Digest  string   `json:"digest"`
	Skipped []string `json:"skipped,omitempty"` // sockets: they cannot be kept
	SQLite  []SQLite `json:"sqlite,omitempty"`  // only when asked for
}

// SQLite is the row count of one SQLite file, read without changing it.
type SQLite struct {
	Path   string           `json:"path"` // relative to the tree's root
	Tables map[string]int64 `json:"tables"`
	Error  string           `json:"error,omitempty"` // integrity check or open failed
}

// Why an archive or a tree was refused. Test with errors.Is.
var (
	ErrNotArchive = errors.New("not a belay archive")
	ErrVersion    = errors.New("archive was written by a newer belay")
	ErrTruncated  = errors.New("archive ends too early")
	ErrCorrupt    = errors.New("archive is damaged")
	ErrUnsafe     = errors.New("archive holds what no tree can hold")
	ErrChanged    = errors.New("changed while it was read")
	ErrNoSpace    = errors.New("no space left for the archive's content")
)
