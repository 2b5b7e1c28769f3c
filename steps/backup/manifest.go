package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"belay/dockerx"
	"belay/steps/canary"
	"belay/steps/journal"
)

// Format is the version of manifest.json; a newer one is refused by name.
const Format = 1

// manifestFile is written last: a restore point without it does not exist.
const manifestFile = "manifest.json"

// ErrNone means that there is no restore point: it was never finished.
var ErrNone = errors.New("there is no restore point")

// Manifest says what a restore point holds. Files are relative to its directory.
type Manifest struct {
	Belay     string        `json:"belay"`
	Run       string        `json:"run"`
	Project   string        `json:"project"`
	Engine    string        `json:"engine"`
	From      string        `json:"from"`
	To        string        `json:"to"`
	Made      time.Time     `json:"made"`
	Copied    time.Time     `json:"copied"`   // the moment the data goes back to
	CopyTime  time.Duration `json:"copy_ns"`  // how long the cold copy took
	ProofTime time.Duration `json:"proof_ns"` // how long the proof took
	Images    []Image       `json:"images,omitempty"`
	Databases []Database    `json:"databases,omitempty"`
	Artefacts []Artefact    `json:"artefacts,omitempty"`
	Config    []Config      `json:"config,omitempty"`
	Canary    canary.Canary `json:"canary"`
	Proof     string        `json:"proof,omitempty"`   // "37 tables, 128,904 rows, 2,113 files match"
	Proven    []string      `json:"proven,omitempty"`  // what was proven and how, one sentence each
	Skipped   string        `json:"skipped,omitempty"` // the sentence the user typed: no data in here
}

// Image is one image the installation ran on.
type Image struct {
	Service string   `json:"service"`
	Ref     string   `json:"ref"`
	ID      string   `json:"id"`
	Digests []string `json:"digests,omitempty"`
	Hold    string   `json:"hold,omitempty"`
}

// Database is one database of the installation.
type Database struct {
	Kind    string       `json:"kind"`
	Service string       `json:"service"`
	Name    string       `json:"name,omitempty"`
	Version string       `json:"version,omitempty"` // the server's major
	Store   dockerx.Data `json:"store"`
	Path    string       `json:"path,omitempty"`
}

// Role says what an artefact is for.
type Role string

// The roles of artefacts.
const (
	RoleVolume  Role = "volume"  // exact copy of one store; what a rollback uses
	RoleDump    Role = "dump"    // portable dump of one database
	RoleGlobals Role = "globals" // roles of a database server, plain SQL
	RoleInspect Role = "inspect" // how containers, images and volumes stood
)

// Artefact is one file of a restore point.
type Artefact struct {
	Role     Role          `json:"role"`
	File     string        `json:"file"`
	SHA256   string        `json:"sha256"`
	Bytes    int64         `json:"bytes"`              // of the file
	Store    *dockerx.Data `json:"store,omitempty"`    // RoleVolume
	Entries  int           `json:"entries,omitempty"`  // RoleVolume
	Files    int           `json:"files,omitempty"`    // RoleVolume
	Content  int64         `json:"content,omitempty"`  // RoleVolume: bytes of its files
	Digest   string        `json:"digest,omitempty"`   // RoleVolume: of the tree
	Skipped  []string      `json:"skipped,omitempty"`  // RoleVolume: sockets
	Service  string        `json:"service,omitempty"`  // RoleDump, RoleGlobals
	Database string        `json:"database,omitempty"` // RoleDump
}

// Config is one captured configuration file.
type Config struct {
	Path   string      `json:"path"` // where it belongs, absolute, links resolved
	File   string      `json:"file"`
	SHA256 string      `json:"sha256"`
	Bytes  int64       `json:"bytes"`
	Mode   fs.FileMode `json:"mode"`
	UID    int         `json:"uid"` // -1 unknown
	GID    int         `json:"gid"`
}

// envelope carries the manifest with a checksum over its exact bytes: a flipped
// bit in the name of a volume must not send data into another one.
type envelope struct {
	Format   int             `json:"format"`
	SHA256   string          `json:"sha256"`
	Manifest json.RawMessage `json:"manifest"`
}

// NewerError is a restore point of a newer belay.
type NewerError struct{ Format int }

// Error names both formats.
func (e *NewerError) Error() string {
	return fmt.Sprintf("the restore point has format %d, this belay reads up to %d: use the belay that made it", e.Format, Format)
}

func writeManifest(dir string, m Manifest) error {
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode manifest: %w", err)
	}
	return journal.WriteFile(filepath.Join(dir, manifestFile), enclose(body))
}

// enclose writes the envelope by hand, so that there is one right form of it.
func enclose(body []byte) []byte {
	sum := sha256.Sum256(body)
	head := fmt.Sprintf(`{"format":%d,"sha256":"%s","manifest":`, Format, hex.EncodeToString(sum[:]))
	return slices.Concat([]byte(head), body, []byte("}\n"))
}

func readManifest(dir string) (Manifest, error) {
	path := filepath.Join(dir, manifestFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Manifest{}, fmt.Errorf("%w in %s: it has no %s", ErrNone, dir, manifestFile)
	}
	if err != nil {
		return Manifest{}, fmt.Errorf("read the restore point: %w", err)
	}
	m, err := parseManifest(b)
	if err != nil {
		return Manifest{}, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

func parseManifest(b []byte) (Manifest, error) {
	var e envelope
	if err := json.Unmarshal(b, &e); err != nil {
		return Manifest{}, fmt.Errorf("the manifest is damaged: %w", err)
	}
	if e.Format > Format {
		return Manifest{}, &NewerError{Format: e.Format}
	}
	if !bytes.Equal(b, enclose(e.Manifest)) {
		return Manifest{}, errors.New("the manifest is damaged: its checksum does not match")
	}
	var m Manifest
	dec := json.NewDecoder(bytes.NewReader(e.Manifest))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&m); err != nil {
		return Manifest{}, fmt.Errorf("the manifest is damaged: %w", err)
	}
	return m, m.valid()
}

// valid refuses file names that lead outside, or two entries for one file.
func (m Manifest) valid() error {
	seen := map[string]bool{}
	for _, f := range m.files() {
		if !filepath.IsLocal(filepath.FromSlash(f.file)) || seen[f.file] || f.file == manifestFile {
			return fmt.Errorf("the manifest names %q, which cannot be right", f.file)
		}
		seen[f.file] = true
	}
	return nil
}

func isMissing(err error) bool { return errors.Is(err, ErrNone) }
