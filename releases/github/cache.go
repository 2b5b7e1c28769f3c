package github

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/renameio/v2"

	"belay/releases"
)

const (
	cacheFormat  = 1
	maxCacheFile = 16 << 20
	maxCache     = 64 << 20
)

// page is one page of a listing, as it is kept.
type page struct {
	Format   int
	Key      string
	ETag     string
	Fetched  time.Time // last time GitHub confirmed it
	More     bool      // another page follows
	Releases []releases.Release
}

// cache keeps pages as files that only the user can read. It is a help and never
// an error: what cannot be read is a miss, what cannot be written is not kept.
type cache struct {
	dir  string
	host string
}

func (c cache) key(repo string, n int) string {
	return fmt.Sprintf("%s/%s/releases/%d", c.host, strings.ToLower(repo), n)
}

func (c cache) file(key string) string {
	sum := sha256.Sum256([]byte(key))
	return filepath.Join(c.dir, hex.EncodeToString(sum[:16])+".json")
}

func (c cache) load(repo string, n int) (page, bool) {
	if c.dir == "" {
		return page{}, false
	}
	key := c.key(repo, n)
	name := c.file(key)
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxCacheFile {
		return page{}, false
	}
	data, err := os.ReadFile(name) //nolint:gosec // a name made here, in belay's own directory
	if err != nil {
		return page{}, false
	}
	var p page
	if json.Unmarshal(data, &p) != nil || p.Format != cacheFormat || p.Key != key {
		return page{}, false
	}
	return p, true
}

func (c cache) store(repo string, n int, p page) {
	if c.dir == "" {
		return
	}
	p.Format, p.Key = cacheFormat, c.key(repo, n)
	data, err := json.Marshal(p)
	if err != nil || os.MkdirAll(c.dir, 0o700) != nil {
		return
	}
	if renameio.WriteFile(c.file(p.Key), data, 0o600) == nil {
		c.shrink()
	}
}

// shrink drops the pages that were not confirmed for longest, until the rest is
// small enough to be left on somebody's disk.
func (c cache) shrink() {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return
	}
	var files []fs.FileInfo
	var total int64
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && info.Mode().IsRegular() && strings.HasSuffix(e.Name(), ".json") {
			files = append(files, info)
			total += info.Size()
		}
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int {
		return cmp.Or(a.ModTime().Compare(b.ModTime()), strings.Compare(a.Name(), b.Name()))
	})
	for _, f := range files {
		if total <= maxCache {
			return
		}
		if os.Remove(filepath.Join(c.dir, f.Name())) == nil {
			total -= f.Size()
		}
	}
}
