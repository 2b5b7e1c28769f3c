package tree

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// loadedFile is a regular file that is being filled.
type loadedFile struct {
	loader *loader
	file   *os.File
	dir    *directory
	node   node
	name   string
}

func (f *loadedFile) WriteAt(p []byte, off int64) (int, error) {
	if err := f.loader.room(int64(len(p))); err != nil {
		return 0, err
	}
	n, err := f.file.WriteAt(p, off)
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		err = fmt.Errorf("%w: %w", ErrNoSpace, err)
	}
	return n, err
}

func (f *loadedFile) finish() error {
	if err := f.file.Truncate(f.node.size); err != nil { // a hole at the end
		return fmt.Errorf("size of %q: %w", f.node.path, err)
	}
	if err := f.file.Close(); err != nil {
		return fmt.Errorf("close %q: %w", f.node.path, err)
	}
	return dress(f.dir, f.node, f.name)
}

func (f *loadedFile) done() { _ = f.file.Close() }

// dress gives name in dir the attributes of n. The order matters: a change of
// owner clears setuid and capabilities; user attributes can be set only while
// the mode lets us write; a change of mode rewrites the ACL's mask; and all of
// them could touch the time.
func dress(dir *directory, n node, name string) error {
	info, err := dir.root.Lstat(name)
	if err != nil {
		return fmt.Errorf("look at %q: %w", n.path, err)
	}
	now, _, _, err := stat(n.path, info)
	if err != nil {
		return err
	}
	if now.uid != n.uid || now.gid != n.gid {
		if err := dir.root.Lchown(name, n.uid, n.gid); err != nil {
			return fmt.Errorf("owner %d:%d of %q: %w", n.uid, n.gid, n.path, err)
		}
	}
	old, err := dir.xattrs(name) // a new name may have inherited an ACL
	if err != nil {
		return err
	}
	for key := range old {
		if _, wanted := n.xattrs[key]; !wanted {
			if err := dir.removeXattr(name, key); err != nil {
				return err
			}
		}
	}
	if err := dressXattrs(dir, n, name, old, true); err != nil {
		return err
	}
	if n.kind != symlinkKind {
		if err := dir.chmod(name, n.mode); err != nil {
			return err
		}
	}
	if err := dressXattrs(dir, n, name, nil, false); err != nil {
		return err
	}
	return dir.setTime(name, n.mtime, n.kind)
}

// dressXattrs sets the attributes that belong before the mode, or the others.
func dressXattrs(dir *directory, n node, name string, old map[string]string, beforeMode bool) error {
	for key, value := range n.xattrs {
		if have, ok := old[key]; ok && have == value {
			continue
		}
		early := !strings.HasPrefix(key, "security.") && !strings.HasPrefix(key, "system.")
		if early != beforeMode {
			continue
		}
		if err := dir.setXattr(name, key, value); err != nil {
			return err
		}
	}
	return nil
}
