package tree

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// sink takes what an archive holds, in the archive's order.
type sink interface {
	// begin is called once, when the head and the root's entry were read and
	// are good.
	begin(root node) error
	// make takes a node other than the root. For a regular file it returns where
	// the content goes, or nil to let it pass.
	make(n node) (fileSink, error)
	// end is called when nothing more follows inside dir.
	end(dir node) error
}

// fileSink takes the content of one regular file.
type fileSink interface {
	WriteAt(p []byte, off int64) (int, error)
	// finish is called after the last byte, done when no more will come.
	finish() error
	done()
}

// Verify reads a whole archive, writes nothing, and returns what it holds: the
// proof that it can be read back.
func Verify(ctx context.Context, r io.Reader) (Summary, error) {
	return readArchive(ctx, r, nothing{}, nil)
}

type nothing struct{}

func (nothing) begin(node) error            { return nil }
func (nothing) make(node) (fileSink, error) { return nil, nil }
func (nothing) end(node) error              { return nil }

// reader is the state of reading one archive.
type reader struct {
	*copier
	tar   *tar.Reader
	sink  sink
	sums  *digester
	stack []node          // the directories that are open, the root first
	last  string          // path of the entry before
	links map[string]node // by path: inodes that may have more names
}

func readArchive(ctx context.Context, src io.Reader, to sink, on func(int64)) (Summary, error) {
	raw := newTailReader(src)
	if err := readHead(raw); err != nil {
		return Summary{}, err
	}
	unpacker, err := zstd.NewReader(raw, zstd.WithDecoderMaxWindow(2*windowSize), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderConcurrency(2))
	if err != nil {
		return Summary{}, err
	}
	defer unpacker.Close()
	r := &reader{
		copier: newCopier(ctx, on), tar: tar.NewReader(unpacker), sink: to, sums: newDigester(), links: map[string]node{},
	}
	for {
		if err := ctx.Err(); err != nil {
			return Summary{}, err
		}
		h, err := r.tar.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Summary{}, archiveError(raw, err)
		}
		if err := r.entry(h); err != nil {
			return Summary{}, archiveError(raw, err)
		}
	}
	if len(r.stack) == 0 {
		return Summary{}, unsafe("an archive without a root")
	}
	rest, err := io.Copy(io.Discard, unpacker)
	if err == nil && rest > 0 {
		err = fmt.Errorf("%d bytes after the last entry: %w", rest, ErrCorrupt)
	}
	if err != nil {
		return Summary{}, archiveError(raw, err)
	}
	sum := r.sums.summary()
	if err := raw.check(sum); err != nil {
		return Summary{}, err
	}
	if err := r.leave(0); err != nil {
		return Summary{}, err
	}
	r.finish()
	return sum, nil
}

// errSink marks an error as the sink's own: the archive is not to blame.
type errSink struct{ error }

func (e errSink) Unwrap() error { return e.error }

func archiveError(raw *tailReader, err error) error {
	var own errSink
	switch {
	case errors.As(err, &own):
		return own.error
	case raw.fail != nil:
		return raw.fail
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded),
		errors.Is(err, ErrUnsafe), errors.Is(err, ErrCorrupt):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w (%w)", ErrTruncated, err)
	}
	return fmt.Errorf("%w: %w", ErrCorrupt, err)
}

func (r *reader) entry(h *tar.Header) error {
	if h.Typeflag == tar.TypeXGlobalHeader {
		path, ok := h.PAXRecords[recordSocket]
		if !ok || len(r.sums.out.Skipped) >= maxSkipped {
			return unsafe("a global header")
		}
		r.sums.skip(path)
		return nil
	}
	n, rs, err := parse(h)
	if err != nil {
		return err
	}
	if r.sums.out.Entries >= maxEntries {
		return unsafe("more than %d entries", maxEntries)
	}
	if err := r.place(&n); err != nil {
		return err
	}
	r.last = n.path
	if n.path == "." {
		if err := r.sink.begin(n); err != nil {
			return errSink{err}
		}
	} else if err := r.content(&n, rs); err != nil {
		return err
	}
	if n.kind == dirKind {
		r.stack = append(r.stack, n)
	}
	if n.linked {
		r.links[n.path] = n
	}
	r.sums.add(n)
	return nil
}

// place checks that the entry stands where the archive's order wants it: after
// the one before, in a directory that the archive itself made. This is what
// makes writing through a symbolic link, or twice to one name, impossible.
func (r *reader) place(n *node) error {
	if len(r.stack) == 0 {
		if n.path != "." || n.kind != dirKind {
			return unsafe("an archive that begins with %.200q instead of its root", n.path)
		}
		return nil
	}
	if comparePaths(n.path, r.last) <= 0 {
		return unsafe("%.200q after %.200q", n.path, r.last)
	}
	dir, _ := parentOf(n.path)
	depth := len(r.stack)
	for depth > 0 && r.stack[depth-1].path != dir {
		depth--
	}
	if depth == 0 {
		return unsafe("%.200q, whose parent is no directory of the archive", n.path)
	}
	if err := r.leave(depth); err != nil {
		return err
	}
	if n.same != "" {
		first, ok := r.links[n.same]
		if !ok {
			return unsafe("%.200q, a hard link to %.200q", n.path, n.same)
		}
		first.path, first.same, first.linked = n.path, n.same, false
		*n = first
	}
	return nil
}

// leave ends directories until depth of them are open.
func (r *reader) leave(depth int) error {
	for len(r.stack) > depth {
		dir := r.stack[len(r.stack)-1]
		r.stack = r.stack[:len(r.stack)-1]
		if err := r.sink.end(dir); err != nil {
			return errSink{err}
		}
	}
	return nil
}

func (r *reader) content(n *node, rs []region) error {
	to, err := r.sink.make(*n)
	if err != nil {
		return errSink{err}
	}
	if n.kind != fileKind || n.same != "" {
		r.count(n.size)
		return nil
	}
	write := func([]byte, int64) error { return nil }
	if to != nil {
		defer to.done()
		write = func(p []byte, off int64) error {
			if _, err := to.WriteAt(p, off); err != nil {
				return errSink{fmt.Errorf("write %q: %w", n.path, err)}
			}
			return nil
		}
	}
	err = r.regions(n.size, rs, func(p []byte, _ int64) (int, error) { return r.tar.Read(p) }, write)
	if err != nil {
		return err
	}
	n.sum = r.hash.finish()
	if to != nil {
		if err := to.finish(); err != nil {
			return errSink{err}
		}
	}
	return nil
}
