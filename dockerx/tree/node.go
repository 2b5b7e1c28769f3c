package tree

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"maps"
	"slices"
	"strings"
	"time"
)

// kind is the type of a node, spelled as in the digest.
type kind byte

const (
	dirKind     kind = 'd'
	fileKind    kind = 'f'
	symlinkKind kind = 'l'
	fifoKind    kind = 'p'
	charKind    kind = 'c'
	blockKind   kind = 'b'
	socketKind  kind = 's'
)

// node is one name in a tree with all that is kept of it.
type node struct {
	path   string // slash-separated, relative; "." is the root
	kind   kind
	mode   uint32 // permission bits with setuid, setgid, sticky
	uid    int
	gid    int
	size   int64 // of regular files
	mtime  time.Time
	xattrs map[string]string
	target string // of symbolic links
	same   string // the first path of this inode, when this is a later one
	major  uint32 // of device nodes
	minor  uint32
	sum    [sha256.Size]byte // of the content of regular files
	linked bool              // more names of this inode may follow
}

// digester adds nodes, in walk order, to a Summary.
type digester struct {
	sum  hash.Hash
	head []byte
	out  Summary
}

func newDigester() *digester { return &digester{sum: sha256.New()} }

func (d *digester) add(n node) {
	d.out.Entries++
	if n.kind == fileKind {
		d.out.Files++
		d.out.Bytes += n.size
	}
	b := d.head[:0]
	text := func(s string) {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	text(n.path)
	b = append(b, byte(n.kind))
	b = binary.AppendUvarint(b, uint64(n.mode))
	b = binary.AppendVarint(b, int64(n.uid))
	b = binary.AppendVarint(b, int64(n.gid))
	b = binary.AppendVarint(b, n.size)
	b = binary.AppendVarint(b, n.mtime.Unix())
	b = binary.AppendVarint(b, int64(n.mtime.Nanosecond()))
	b = binary.AppendUvarint(b, uint64(len(n.xattrs)))
	for _, key := range slices.Sorted(maps.Keys(n.xattrs)) {
		text(key)
		text(n.xattrs[key])
	}
	text(n.target)
	text(n.same)
	b = binary.AppendUvarint(b, uint64(n.major))
	b = binary.AppendUvarint(b, uint64(n.minor))
	b = append(b, n.sum[:]...)
	d.sum.Write(b)
	d.head = b
}

func (d *digester) skip(path string) { d.out.Skipped = append(d.out.Skipped, path) }

func (d *digester) summary() Summary {
	s := d.out
	s.Digest = "sha256:" + hex.EncodeToString(d.sum.Sum(nil))
	return s
}

// comparePaths orders paths as a walk meets them: a directory before what is in
// it, names by their bytes.
func comparePaths(a, b string) int {
	if a == "." || b == "." {
		return cmp.Compare(btoi(a != "."), btoi(b != "."))
	}
	for {
		x, restA, moreA := strings.Cut(a, "/")
		y, restB, moreB := strings.Cut(b, "/")
		if c := cmp.Compare(x, y); c != 0 {
			return c
		}
		if !moreA || !moreB {
			return cmp.Compare(btoi(moreA), btoi(moreB))
		}
		a, b = restA, restB
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// parentOf is the directory a path is in; the root's is "".
func parentOf(path string) (dir, name string) {
	if path == "." {
		return "", "."
	}
	i := strings.LastIndexByte(path, '/')
	if i < 0 {
		return ".", path
	}
	return path[:i], path[i+1:]
}

func join(dir, name string) string {
	if dir == "." {
		return name
	}
	return dir + "/" + name
}
