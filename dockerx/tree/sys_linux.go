package tree

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const keepsLinkTimes = true

func deviceNumbers(dev uint64) (major, minor uint32) { return unix.Major(dev), unix.Minor(dev) }

// reach is a path to name in d that goes through d's descriptor: the calls for
// extended attributes take no directory descriptor.
func (d *directory) reach(name string) string {
	return fmt.Sprintf("/proc/self/fd/%d/%s", d.self.Fd(), name)
}

// xattrs reads the extended attributes that are kept, of name itself when it is
// a symbolic link.
func (d *directory) xattrs(name string) (map[string]string, error) {
	path := d.reach(name)
	list, err := grow(func(b []byte) (int, error) { return unix.Llistxattr(path, b) })
	if errors.Is(err, unix.ENOTSUP) || len(list) == 0 && err == nil {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list extended attributes of %q: %w", join(d.path, name), err)
	}
	var out map[string]string
	for raw := range bytes.SplitSeq(bytes.TrimSuffix(list, []byte{0}), []byte{0}) {
		key := string(raw)
		if !kept(key) {
			continue
		}
		value, err := grow(func(b []byte) (int, error) { return unix.Lgetxattr(path, key, b) })
		if errors.Is(err, unix.ENODATA) || errors.Is(err, unix.ENOTSUP) && strings.HasPrefix(key, "system.") {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read extended attribute %q of %q: %w", key, join(d.path, name), err)
		}
		if out == nil {
			out = map[string]string{}
		}
		out[key] = string(value)
	}
	return out, nil
}

// grow calls a sized read until the buffer is large enough.
func grow(read func([]byte) (int, error)) ([]byte, error) {
	buf := make([]byte, 512)
	for {
		n, err := read(buf)
		if err == nil {
			return buf[:n], nil
		}
		if !errors.Is(err, unix.ERANGE) || len(buf) > 1<<20 {
			return nil, err
		}
		buf = make([]byte, 4*len(buf))
	}
}

func (d *directory) setXattr(name, key, value string) error {
	if err := unix.Lsetxattr(d.reach(name), key, []byte(value), 0); err != nil {
		return fmt.Errorf("set extended attribute %q of %q: %w", key, join(d.path, name), err)
	}
	return nil
}

func (d *directory) removeXattr(name, key string) error {
	if err := unix.Lremovexattr(d.reach(name), key); err != nil && !errors.Is(err, unix.ENODATA) {
		return fmt.Errorf("remove extended attribute %q of %q: %w", key, join(d.path, name), err)
	}
	return nil
}

func (d *directory) chmod(name string, mode uint32) error {
	if err := unix.Fchmodat(int(d.self.Fd()), name, mode, 0); err != nil {
		return &os.PathError{Op: "chmod", Path: join(d.path, name), Err: err}
	}
	return nil
}

func (d *directory) setTime(name string, t time.Time, _ kind) error {
	at, err := unix.TimeToTimespec(t)
	if err != nil {
		return fmt.Errorf("time of %q: %w", join(d.path, name), err)
	}
	err = unix.UtimesNanoAt(int(d.self.Fd()), name, []unix.Timespec{at, at}, unix.AT_SYMLINK_NOFOLLOW)
	if err != nil {
		return &os.PathError{Op: "set time of", Path: join(d.path, name), Err: err}
	}
	return nil
}

func (d *directory) makeNode(n node, name string) error {
	types := map[kind]uint32{fifoKind: unix.S_IFIFO, charKind: unix.S_IFCHR, blockKind: unix.S_IFBLK}
	mode, dev := types[n.kind], unix.Mkdev(n.major, n.minor)
	if err := unix.Mknodat(int(d.self.Fd()), name, mode|0o600, int(dev)); err != nil {
		return &os.PathError{Op: "make node", Path: n.path, Err: err}
	}
	return nil
}

// dataRegions asks the file system where f holds data.
func dataRegions(f *os.File, size int64) ([]region, error) {
	var out []region
	fd := int(f.Fd())
	for at := int64(0); at < size; {
		start, err := unix.Seek(fd, at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			break
		}
		if errors.Is(err, unix.EINVAL) && at == 0 {
			return []region{{0, size}}, nil // a file system that does not tell
		}
		if err != nil {
			return nil, err
		}
		end, err := unix.Seek(fd, start, unix.SEEK_HOLE)
		if err != nil {
			return nil, err
		}
		if start >= size {
			break
		}
		end = min(end, size)
		out = append(out, region{start, end - start})
		at = end
	}
	return out, nil
}

// flush makes everything in the tree's file system durable.
func (d *directory) flush() error {
	if err := unix.Syncfs(int(d.self.Fd())); err != nil {
		return fmt.Errorf("flush to disk: %w", err)
	}
	return nil
}

// free is the space left for new content, in bytes.
func (d *directory) free() (int64, bool) {
	var st unix.Statfs_t
	if err := unix.Fstatfs(int(d.self.Fd()), &st); err != nil {
		return 0, false
	}
	return int64(st.Bavail) * st.Bsize, true
}

const openQuiet = unix.O_NONBLOCK | unix.O_NOFOLLOW

func isBusy(err error) bool { return errors.Is(err, unix.EBUSY) }
