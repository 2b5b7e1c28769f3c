//go:build unix

package dockerx

import (
	"errors"
	"path/filepath"
	"syscall"
)

// fileSystemSpace looks at path or, where that may not be looked at, at the
// nearest directory above it.
func fileSystemSpace(path string) (free, total int64, ok bool) {
	for {
		var st syscall.Statfs_t
		err := syscall.Statfs(path, &st)
		if err == nil {
			unit := int64(st.Bsize)
			return int64(st.Bavail) * unit, int64(st.Blocks) * unit, true
		}
		up := filepath.Dir(path)
		if !errors.Is(err, syscall.EACCES) || up == path {
			return 0, 0, false
		}
		path = up
	}
}
