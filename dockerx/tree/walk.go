package tree

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// walker meets every node of a tree in the order of comparePaths.
type walker struct {
	ctx   context.Context //nolint:containedctx // lives for one walk, which is one call
	seen  map[inode]node  // inodes with several names
	sums  *digester
	visit func(n *node, f *os.File) error // f is open for regular files that are met first; visit sets n.sum
	skip  func(path string) error         // a socket
}

func walk(ctx context.Context, root string, visit func(*node, *os.File) error, skip func(string) error) (Summary, error) {
	r, err := os.OpenRoot(root)
	if err != nil {
		return Summary{}, fmt.Errorf("open tree: %w", err)
	}
	dir, err := openDirectory(r, ".")
	if err != nil {
		_ = r.Close()
		return Summary{}, fmt.Errorf("open tree: %w", err)
	}
	defer dir.close()
	w := &walker{ctx: ctx, seen: map[inode]node{}, sums: newDigester(), visit: visit, skip: skip}
	info, err := dir.self.Stat()
	if err != nil {
		return Summary{}, fmt.Errorf("look at tree: %w", err)
	}
	n, _, _, err := stat(".", info)
	if err != nil {
		return Summary{}, err
	}
	if n.xattrs, err = dir.xattrs("."); err != nil {
		return Summary{}, err
	}
	if err := w.emit(&n, nil); err != nil {
		return Summary{}, err
	}
	if err := w.inside(dir, 1); err != nil {
		return Summary{}, err
	}
	return w.sums.summary(), nil
}

func (w *walker) emit(n *node, f *os.File) error {
	if err := w.visit(n, f); err != nil {
		return err
	}
	w.sums.add(*n)
	return nil
}

func (w *walker) inside(dir *directory, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("%q: more than %d directories inside each other", dir.path, maxDepth)
	}
	names, err := dir.self.Readdirnames(-1)
	if err != nil {
		return fmt.Errorf("list %q: %w", dir.path, err)
	}
	slices.Sort(names)
	for _, name := range names {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		if err := w.one(dir, name, depth); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) one(dir *directory, name string, depth int) error {
	path := join(dir.path, name)
	info, err := dir.root.Lstat(name)
	if err != nil {
		return fmt.Errorf("look at %q: %w", path, err)
	}
	n, id, links, err := stat(path, info)
	if err != nil {
		return err
	}
	if n.kind == socketKind {
		w.sums.skip(path)
		return w.skip(path)
	}
	if first, ok := w.seen[id]; ok && n.kind != dirKind {
		first.path, first.same, first.linked = path, first.path, false
		return w.emit(&first, nil)
	}
	if n.xattrs, err = dir.xattrs(name); err != nil {
		return err
	}
	n.linked = links > 1 && n.kind != dirKind
	switch n.kind {
	case dirKind:
		if err := w.emit(&n, nil); err != nil {
			return err
		}
		sub, err := dir.child(name)
		if err != nil {
			return fmt.Errorf("open %q: %w", path, err)
		}
		defer sub.close()
		return w.inside(sub, depth+1)
	case fileKind:
		err = w.file(dir, name, id, &n)
	case symlinkKind:
		if n.target, err = dir.root.Readlink(name); err != nil {
			return fmt.Errorf("read link %q: %w", path, err)
		}
		err = w.emit(&n, nil)
	default:
		err = w.emit(&n, nil)
	}
	if err == nil && n.linked {
		w.seen[id] = n
	}
	return err
}

// file opens a regular file and makes sure that it is the one lstat saw, before
// and after.
func (w *walker) file(dir *directory, name string, id inode, n *node) error {
	f, err := dir.root.OpenFile(name, os.O_RDONLY|openQuiet, 0)
	if err != nil {
		return fmt.Errorf("open %q: %w", n.path, err)
	}
	defer func() { _ = f.Close() }()
	same := func() error {
		info, err := f.Stat()
		if err != nil {
			return fmt.Errorf("look at %q: %w", n.path, err)
		}
		now, nowID, _, err := stat(n.path, info)
		if err != nil {
			return err
		}
		if now.kind != fileKind || nowID != id || now.size != n.size || !now.mtime.Equal(n.mtime) {
			return fmt.Errorf("%q: %w", n.path, ErrChanged)
		}
		return nil
	}
	if err := same(); err != nil {
		return err
	}
	if err := w.emit(n, f); err != nil {
		return err
	}
	return same()
}

// copier moves file content and counts it.
type copier struct {
	ctx  context.Context //nolint:containedctx // lives for one call
	buf  []byte
	hash *contentHash
	on   func(int64)
	done int64 // apparent bytes so far
	told int64
}

func newCopier(ctx context.Context, on func(int64)) *copier {
	return &copier{ctx: ctx, buf: make([]byte, 256<<10), hash: newContentHash(), on: on}
}

// count adds apparent bytes and reports the total, not more often than every MiB.
func (c *copier) count(n int64) {
	c.done += n
	if c.on != nil && c.done-c.told >= 1<<20 {
		c.told = c.done
		c.on(c.done)
	}
}

// finish reports the final total.
func (c *copier) finish() {
	if c.on != nil && c.told != c.done {
		c.told = c.done
		c.on(c.done)
	}
}

// regions passes a file of size bytes, whose data lies at rs, through the hash
// and on to sink. read must deliver the next bytes of the data at off.
func (c *copier) regions(size int64, rs []region, read func(p []byte, off int64) (int, error), sink func(p []byte, off int64) error) error {
	c.hash.reset()
	at := int64(0)
	for _, r := range rs {
		c.hash.skip(r.off - at)
		c.count(r.off - at)
		for at = r.off; at < r.off+r.len; {
			if err := c.ctx.Err(); err != nil {
				return err
			}
			n, err := read(c.buf[:min(int64(len(c.buf)), r.off+r.len-at)], at)
			if n > 0 {
				_, _ = c.hash.Write(c.buf[:n])
				if err := sink(c.buf[:n], at); err != nil {
					return err
				}
				at += int64(n)
				c.count(int64(n))
				continue
			}
			if errors.Is(err, io.EOF) {
				return io.ErrUnexpectedEOF
			}
			if err != nil {
				return err
			}
		}
	}
	c.hash.skip(size - at)
	c.count(size - at)
	return nil
}
