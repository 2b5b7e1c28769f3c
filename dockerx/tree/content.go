package tree

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"hash"
)

// blockSize is the unit in which content is hashed.
const blockSize = 4096

// region is a stretch of a file that holds data; between regions are holes.
type region struct{ off, len int64 }

// contentHash is a SHA-256 over a file's blocks that are not all zero, each with
// its offset. A hole and written zeros therefore hash the same, and a hole of a
// terabyte costs nothing.
type contentHash struct {
	sum  hash.Hash
	off  int64 // of buf
	n    int
	buf  [blockSize]byte
	zero [blockSize]byte
}

func newContentHash() *contentHash { return &contentHash{sum: sha256.New()} }

func (c *contentHash) reset() {
	c.sum.Reset()
	c.off, c.n = 0, 0
}

// Write adds data that stands at the current offset. It never fails.
func (c *contentHash) Write(p []byte) (int, error) {
	total := len(p)
	for len(p) > 0 {
		if c.n == 0 && len(p) >= blockSize {
			c.block(p[:blockSize])
			p = p[blockSize:]
			continue
		}
		k := copy(c.buf[c.n:], p)
		c.n += k
		p = p[k:]
		if c.n == blockSize {
			c.n = 0
			c.block(c.buf[:])
		}
	}
	return total, nil
}

// skip adds n zero bytes.
func (c *contentHash) skip(n int64) {
	if c.n > 0 {
		k := min(n, int64(blockSize-c.n))
		_, _ = c.Write(c.zero[:k])
		n -= k
	}
	whole := n / blockSize * blockSize
	c.off += whole
	_, _ = c.Write(c.zero[:n-whole])
}

func (c *contentHash) block(p []byte) {
	if !bytes.Equal(p, c.zero[:len(p)]) {
		var head [8]byte
		binary.BigEndian.PutUint64(head[:], uint64(c.off))
		c.sum.Write(head[:])
		c.sum.Write(p)
	}
	c.off += int64(len(p))
}

// finish returns the hash; the size is a field of its own in the digest.
func (c *contentHash) finish() [sha256.Size]byte {
	c.block(c.buf[:c.n])
	c.n = 0
	return [sha256.Size]byte(c.sum.Sum(nil))
}

// thin merges regions with small holes between them until there are at most
// most of them: a map of millions of pieces does not fit into a header.
func thin(rs []region, most int) []region {
	for hole := int64(blockSize); len(rs) > most; hole *= 2 {
		out := rs[:1]
		for _, r := range rs[1:] {
			last := &out[len(out)-1]
			if r.off-(last.off+last.len) <= hole {
				last.len = r.off + r.len - last.off
				continue
			}
			out = append(out, r)
		}
		rs = out
	}
	return rs
}

func stored(rs []region) (total int64) {
	for _, r := range rs {
		total += r.len
	}
	return total
}
