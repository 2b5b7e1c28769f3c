package tree

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
)

// An archive is
//
//	head   a zstd skippable frame: "belay-tree", format version
//	body   one zstd frame holding a PAX tar
//	tail   a zstd skippable frame: mark, entries, SHA-256 of head and body, digest of the tree
//
// so `zstd -dc FILE | tar -x` still gets the files out when belay is not at hand.
const (
	formatVersion = 1

	skippable = 0x184D2A5B // one of the sixteen magic numbers of skippable frames
	headMark  = "belay-tree"
	tailMark  = "belay-tree-end"

	headSize = 8 + len(headMark) + 2
	tailSize = 8 + len(tailMark) + 8 + sha256.Size + sha256.Size

	windowSize = 4 << 20 // of the compressor; what a reader must hold in memory
)

func head() []byte {
	b := binary.LittleEndian.AppendUint32(nil, skippable)
	b = binary.LittleEndian.AppendUint32(b, uint32(headSize-8))
	b = append(b, headMark...)
	return binary.BigEndian.AppendUint16(b, formatVersion)
}

func readHead(r io.Reader) error {
	got := make([]byte, headSize)
	if _, err := io.ReadFull(r, got); err != nil {
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("it is empty: %w", ErrNotArchive)
		}
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("not even its head is whole: %w", ErrNotArchive)
		}
		return err
	}
	want := head()
	if !bytes.Equal(got[:headSize-2], want[:headSize-2]) {
		return ErrNotArchive
	}
	if v := binary.BigEndian.Uint16(got[headSize-2:]); v > formatVersion {
		return fmt.Errorf("format version %d, this belay reads up to %d: %w", v, formatVersion, ErrVersion)
	} else if v != formatVersion {
		return fmt.Errorf("format version %d: %w", v, ErrNotArchive)
	}
	return nil
}

// tail is what the end of an archive says of the rest.
type tail struct {
	entries int
	raw     [sha256.Size]byte
	digest  string
}

func (t tail) bytes() ([]byte, error) {
	digest, err := hex.DecodeString(t.digest[len("sha256:"):])
	if err != nil {
		return nil, err
	}
	b := binary.LittleEndian.AppendUint32(nil, skippable)
	b = binary.LittleEndian.AppendUint32(b, uint32(tailSize-8))
	b = append(b, tailMark...)
	b = binary.BigEndian.AppendUint64(b, uint64(t.entries))
	b = append(b, t.raw[:]...)
	return append(b, digest...), nil
}

// tailReader passes on all but the tail, which it keeps back, and sums what it
// passes on.
type tailReader struct {
	src   io.Reader
	sum   hash.Hash
	buf   []byte
	start int // of what is not yet passed on, in buf
	eof   bool
	fail  error
}

func newTailReader(src io.Reader) *tailReader {
	return &tailReader{src: src, sum: sha256.New(), buf: make([]byte, 0, 256<<10)}
}

func (t *tailReader) Read(p []byte) (int, error) {
	for !t.eof && t.fail == nil && len(t.buf)-t.start <= tailSize {
		t.buf = t.buf[:copy(t.buf, t.buf[t.start:])]
		t.start = 0
		n, err := t.src.Read(t.buf[len(t.buf):cap(t.buf)])
		t.buf = t.buf[:len(t.buf)+n]
		if errors.Is(err, io.EOF) {
			t.eof = true
		} else if err != nil {
			t.fail = fmt.Errorf("read archive: %w", err)
		}
	}
	if end := len(t.buf) - tailSize; end > t.start {
		n := copy(p, t.buf[t.start:end])
		t.start += n
		t.sum.Write(p[:n])
		return n, nil
	}
	if t.fail != nil {
		return 0, t.fail
	}
	return 0, io.EOF
}

// check reads to the end and compares the tail with what was read.
func (t *tailReader) check(s Summary) error {
	left, err := io.Copy(io.Discard, t)
	if err != nil {
		return err
	}
	if left > 0 {
		return fmt.Errorf("%d bytes follow the last entry: %w", left, ErrCorrupt)
	}
	got := t.buf[t.start:]
	if len(got) < tailSize || !bytes.Equal(got[8:8+len(tailMark)], []byte(tailMark)) {
		return ErrTruncated
	}
	want, err := tail{entries: s.Entries, raw: [sha256.Size]byte(t.sum.Sum(nil)), digest: s.Digest}.bytes()
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("its checksum does not match: %w", ErrCorrupt)
	}
	return nil
}
