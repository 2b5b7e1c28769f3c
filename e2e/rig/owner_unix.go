//go:build unix

package rig

import (
	"io/fs"
	"strconv"
	"syscall"
)

// owner is the owner of a file as numbers.
func owner(info fs.FileInfo) string {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "?"
	}
	return strconv.Itoa(int(st.Uid)) + ":" + strconv.Itoa(int(st.Gid))
}
