//go:build unix && !linux

package tree

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"
)

const (
	keepsLinkTimes = false
	openQuiet      = syscall.O_NONBLOCK | syscall.O_NOFOLLOW
)

// errLinuxOnly is what the parts of a tree answer that only Linux keeps.
var errLinuxOnly = errors.New("only supported on Linux")

func deviceNumbers(dev uint64) (major, minor uint32) {
	return uint32(dev>>24) & 0xff, uint32(dev) & 0xffffff
}

func (d *directory) xattrs(string) (map[string]string, error) { return nil, nil }

func (d *directory) setXattr(name, key, _ string) error {
	return fmt.Errorf("set extended attribute %q of %q: %w", key, join(d.path, name), errLinuxOnly)
}

func (d *directory) removeXattr(string, string) error { return nil }

func (d *directory) chmod(name string, mode uint32) error {
	return d.root.Chmod(name, fileMode(mode))
}

func (d *directory) setTime(name string, t time.Time, k kind) error {
	if k == symlinkKind {
		return nil
	}
	return d.root.Chtimes(name, t, t)
}

func (d *directory) makeNode(n node, _ string) error {
	return fmt.Errorf("make FIFO or device %q: %w", n.path, errLinuxOnly)
}

func fileMode(p uint32) fs.FileMode {
	m := fs.FileMode(p & 0o777)
	if p&0o4000 != 0 {
		m |= fs.ModeSetuid
	}
	if p&0o2000 != 0 {
		m |= fs.ModeSetgid
	}
	if p&0o1000 != 0 {
		m |= fs.ModeSticky
	}
	return m
}

func dataRegions(_ *os.File, size int64) ([]region, error) {
	if size == 0 {
		return nil, nil
	}
	return []region{{0, size}}, nil
}

func (d *directory) flush() error { return d.self.Sync() }

func (d *directory) free() (int64, bool) { return 0, false }

func isBusy(err error) bool { return errors.Is(err, syscall.EBUSY) }
