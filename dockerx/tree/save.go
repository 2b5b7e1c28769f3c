package tree

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"
)

// Save writes the tree under root to w as one archive stream and returns what
// it found. on, if given, hears the apparent bytes done so far. A file that
// changes meanwhile is an error: the tree must stand still.
func Save(ctx context.Context, root string, w io.Writer, on func(int64)) (Summary, error) {
	raw := sha256.New()
	out := io.MultiWriter(w, raw)
	if _, err := out.Write(head()); err != nil {
		return Summary{}, fmt.Errorf("write archive: %w", err)
	}
	// Two goroutines: reading and hashing overlap with compression, memory stays small.
	packer, err := zstd.NewWriter(out, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithWindowSize(windowSize),
		zstd.WithEncoderConcurrency(2), zstd.WithEncoderCRC(true))
	if err != nil {
		return Summary{}, err
	}
	// Close ends the packer's goroutines; after a good end it does nothing.
	defer func() { _ = packer.Close() }()
	s := &saver{copier: newCopier(ctx, on), tar: tar.NewWriter(packer)}
	sum, err := walk(ctx, root, s.visit, s.skip)
	if err != nil {
		return Summary{}, err
	}
	if err := errors.Join(s.tar.Close(), packer.Close()); err != nil {
		return Summary{}, fmt.Errorf("write archive: %w", err)
	}
	end, err := tail{entries: sum.Entries, raw: [sha256.Size]byte(raw.Sum(nil)), digest: sum.Digest}.bytes()
	if err != nil {
		return Summary{}, err
	}
	if _, err := w.Write(end); err != nil {
		return Summary{}, fmt.Errorf("write archive: %w", err)
	}
	s.finish()
	return sum, nil
}

// Scan returns the summary of the tree under root, reading all of it and
// changing nothing. sqlite names SQLite files, relative to root, whose tables
// are counted as well.
func Scan(ctx context.Context, root string, sqlite []string) (Summary, error) {
	return scan(ctx, root, sqlite, nil)
}

func scan(ctx context.Context, root string, sqlite []string, on func(int64)) (Summary, error) {
	c := newCopier(ctx, on)
	visit := func(n *node, f *os.File) error {
		if f == nil {
			c.count(n.size)
			return nil
		}
		rs, err := dataRegions(f, n.size)
		if err != nil {
			return fmt.Errorf("read %q: %w", n.path, err)
		}
		err = c.regions(n.size, rs, f.ReadAt, func([]byte, int64) error { return nil })
		if err != nil {
			return readError(n.path, err)
		}
		n.sum = c.hash.finish()
		return nil
	}
	sum, err := walk(ctx, root, visit, func(string) error { return nil })
	if err != nil {
		return Summary{}, err
	}
	c.finish()
	for _, path := range sqlite {
		if err := ctx.Err(); err != nil {
			return Summary{}, err
		}
		sum.SQLite = append(sum.SQLite, countTables(ctx, root, path))
	}
	return sum, nil
}

type saver struct {
	*copier
	tar *tar.Writer
}

func (s *saver) visit(n *node, f *os.File) error {
	var rs []region
	if f != nil {
		var err error
		if rs, err = dataRegions(f, n.size); err != nil {
			return fmt.Errorf("read %q: %w", n.path, err)
		}
		rs = thin(rs, maxRegions)
	} else {
		s.count(n.size)
	}
	h, err := header(*n, rs)
	if err != nil {
		return err
	}
	if err := s.tar.WriteHeader(h); err != nil {
		return fmt.Errorf("write %q to archive: %w", n.path, err)
	}
	if f == nil {
		return nil
	}
	err = s.regions(n.size, rs, f.ReadAt, func(p []byte, _ int64) error {
		if _, err := s.tar.Write(p); err != nil {
			return fmt.Errorf("write archive: %w", err)
		}
		return nil
	})
	if err != nil {
		return readError(n.path, err)
	}
	n.sum = s.hash.finish()
	return nil
}

func (s *saver) skip(path string) error {
	return s.tar.WriteHeader(&tar.Header{
		Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{recordSocket: path}, Format: tar.FormatPAX,
	})
}

func readError(path string, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%q got shorter: %w", path, ErrChanged)
	}
	return fmt.Errorf("read %q: %w", path, err)
}
