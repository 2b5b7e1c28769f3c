//go:build unix

package tree

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// inode identifies a file on the host while it is walked.
type inode struct{ dev, ino uint64 }

// stat turns what lstat said into a node. links is the number of names the
// inode has, in the tree or outside of it.
func stat(path string, info fs.FileInfo) (n node, id inode, links uint64, err error) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return node{}, inode{}, 0, fmt.Errorf("%q: the system does not tell its owner", path)
	}
	n = node{path: path, uid: int(st.Uid), gid: int(st.Gid), mtime: info.ModTime(), mode: permissions(info.Mode())}
	switch info.Mode().Type() {
	case 0:
		n.kind, n.size = fileKind, info.Size()
	case fs.ModeDir:
		n.kind = dirKind
	case fs.ModeSymlink:
		n.kind, n.mode = symlinkKind, 0o777
		if !keepsLinkTimes {
			n.mtime = time.Unix(0, 0)
		}
	case fs.ModeNamedPipe:
		n.kind = fifoKind
	case fs.ModeSocket:
		n.kind = socketKind
	case fs.ModeDevice:
		n.kind = blockKind
		n.major, n.minor = deviceNumbers(uint64(st.Rdev))
	case fs.ModeDevice | fs.ModeCharDevice:
		n.kind = charKind
		n.major, n.minor = deviceNumbers(uint64(st.Rdev))
	default:
		return node{}, inode{}, 0, fmt.Errorf("%q is of an unknown type (%v)", path, info.Mode())
	}
	return n, inode{uint64(st.Dev), uint64(st.Ino)}, uint64(st.Nlink), nil
}

func permissions(m fs.FileMode) uint32 {
	p := uint32(m.Perm())
	if m&fs.ModeSetuid != 0 {
		p |= 0o4000
	}
	if m&fs.ModeSetgid != 0 {
		p |= 0o2000
	}
	if m&fs.ModeSticky != 0 {
		p |= 0o1000
	}
	return p
}

// directory is an open directory of the tree: names are looked up in it and
// nowhere else, whatever symbolic links stand in it.
type directory struct {
	root *os.Root
	self *os.File // the same directory, for what os.Root does not offer
	path string
}

func openDirectory(root *os.Root, path string) (*directory, error) {
	self, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	return &directory{root: root, self: self, path: path}, nil
}

// child opens a directory that stands in d under name.
func (d *directory) child(name string) (*directory, error) {
	info, err := d.root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%q is no directory any more: %w", join(d.path, name), ErrChanged)
	}
	root, err := d.root.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	sub, err := openDirectory(root, join(d.path, name))
	if err != nil {
		_ = root.Close()
		return nil, err
	}
	return sub, nil
}

func (d *directory) close() {
	_ = d.self.Close()
	_ = d.root.Close()
}
