package tree

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Load empties root (root itself stays) and fills it from an archive that Save
// wrote. The returned summary is a fresh reading of what now stands there; a
// difference to the archive is an error, and so is an attribute that cannot be
// set. Nothing is removed before the archive's head has been found good. After
// an error the tree is incomplete: load again.
func Load(ctx context.Context, root string, r io.Reader, on func(int64)) (Summary, error) {
	l := &loader{ctx: ctx, path: root, kept: map[string]bool{}}
	defer l.close()
	want, err := readArchive(ctx, r, l, on)
	if err != nil {
		return Summary{}, fmt.Errorf("load archive: %w", err)
	}
	got, err := Scan(ctx, root, nil)
	if err != nil {
		return Summary{}, fmt.Errorf("read what was loaded: %w", err)
	}
	if got.Digest != want.Digest {
		return got, fmt.Errorf("what stands there (%d entries, %s) is not what the archive holds (%d entries, %s)",
			got.Entries, got.Digest, want.Entries, want.Digest)
	}
	got.Skipped = want.Skipped
	return got, nil
}

// loader is the sink that writes a tree.
type loader struct {
	ctx   context.Context //nolint:containedctx // lives for one call
	path  string
	dirs  []*directory    // those that are open, the root first
	kept  map[string]bool // mount points inside the tree: emptied, not removed
	spare int64           // bytes that may be written before space is looked at again
}

func (l *loader) close() {
	for _, d := range l.dirs {
		d.close()
	}
	l.dirs = nil
}

func (l *loader) begin(node) error {
	root, err := os.OpenRoot(l.path)
	if err != nil {
		return fmt.Errorf("open tree: %w", err)
	}
	dir, err := openDirectory(root, ".")
	if err != nil {
		_ = root.Close()
		return fmt.Errorf("open tree: %w", err)
	}
	l.dirs = append(l.dirs, dir)
	if _, err := l.empty(dir); err != nil {
		return err
	}
	// Until the end nobody else may look into a half-filled tree, and we may.
	return dir.chmod(".", 0o700)
}

// empty removes everything in dir and tells whether all of it went.
func (l *loader) empty(dir *directory) (bool, error) {
	list, err := dir.root.Open(".")
	if err != nil {
		return false, fmt.Errorf("empty %q: %w", dir.path, err)
	}
	names, err := list.Readdirnames(-1)
	_ = list.Close()
	if err != nil {
		return false, fmt.Errorf("empty %q: %w", dir.path, err)
	}
	all := true
	for _, name := range names {
		if err := l.ctx.Err(); err != nil {
			return false, err
		}
		gone, err := l.remove(dir, name)
		if err != nil {
			return false, err
		}
		all = all && gone
	}
	return all, nil
}

func (l *loader) remove(dir *directory, name string) (bool, error) {
	path := join(dir.path, name)
	info, err := dir.root.Lstat(name)
	if err != nil {
		return false, fmt.Errorf("empty %q: %w", path, err)
	}
	if info.IsDir() {
		if info.Mode().Perm()&0o700 != 0o700 {
			if err := dir.chmod(name, 0o700); err != nil {
				return false, err
			}
		}
		sub, err := dir.child(name)
		if err != nil {
			return false, fmt.Errorf("empty %q: %w", path, err)
		}
		all, err := l.empty(sub)
		sub.close()
		if err != nil {
			return false, err
		}
		if !all {
			l.kept[path] = true
			return false, nil
		}
	}
	err = dir.root.Remove(name)
	if err != nil && info.IsDir() && isBusy(err) {
		l.kept[path] = true
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("empty %q: %w", path, err)
	}
	return true, nil
}

func (l *loader) top() *directory { return l.dirs[len(l.dirs)-1] }

func (l *loader) make(n node) (fileSink, error) {
	dir := l.top()
	_, name := parentOf(n.path)
	if n.same != "" {
		if err := l.dirs[0].root.Link(n.same, n.path); err != nil {
			return nil, fmt.Errorf("link %q to %q: %w", n.path, n.same, err)
		}
		return nil, nil
	}
	switch n.kind {
	case dirKind:
		return nil, l.enter(dir, n, name)
	case fileKind:
		return l.create(dir, n, name)
	case symlinkKind:
		if err := dir.root.Symlink(n.target, name); err != nil {
			return nil, fmt.Errorf("make %q: %w", n.path, err)
		}
	default:
		if err := dir.makeNode(n, name); err != nil {
			return nil, err
		}
	}
	return nil, dress(dir, n, name)
}

func (l *loader) enter(dir *directory, n node, name string) error {
	err := dir.root.Mkdir(name, 0o700)
	if err != nil && (!l.kept[n.path] || !errors.Is(err, fs.ErrExist)) {
		return fmt.Errorf("make %q: %w", n.path, err)
	}
	sub, err := dir.child(name)
	if err != nil {
		return fmt.Errorf("open %q: %w", n.path, err)
	}
	l.dirs = append(l.dirs, sub)
	return nil
}

func (l *loader) create(dir *directory, n node, name string) (fileSink, error) {
	f, err := dir.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make %q: %w", n.path, err)
	}
	return &loadedFile{loader: l, file: f, dir: dir, node: n, name: name}, nil
}

// end gives a directory its attributes: only now, when nothing more is made in
// it, will its modification time stay.
func (l *loader) end(n node) error {
	dir := l.top()
	l.dirs = l.dirs[:len(l.dirs)-1]
	defer dir.close()
	err := dress(dir, n, ".")
	if err == nil && n.path == "." {
		err = dir.flush()
	}
	return err
}

// room makes sure that n more bytes fit. The file system is asked again after
// every 64 MiB only.
func (l *loader) room(n int64) error {
	if l.spare -= n; l.spare >= 0 {
		return nil
	}
	free, ok := l.dirs[0].free()
	if ok && free < n {
		return fmt.Errorf("%d bytes are free: %w", free, ErrNoSpace)
	}
	l.spare = 64 << 20
	if ok {
		l.spare = min(l.spare, free-n)
	}
	return nil
}
