package tree

import (
	"archive/tar"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// PAX records of our own, and the common one for extended attributes.
const (
	recordSize    = "BELAY.size"    // apparent size of a file with holes
	recordMap     = "BELAY.map"     // its data: "offset,length,offset,length"
	recordLinked  = "BELAY.linked"  // more names of this inode may follow
	recordSocket  = "BELAY.socket"  // path of a socket that was skipped
	recordXattr   = "BELAY.xattr."  // + hex of a name that the common record cannot carry
	commonXattr   = "SCHILY.xattr." // + name; GNU tar and bsdtar read it
	maxDepth      = 1000            // directories inside each other
	maxRegions    = 16 << 10        // pieces of data in one sparse file
	maxPath       = 256 << 10       // bytes of a whole path
	maxXattrs     = 512 << 10       // bytes of one node's extended attributes
	maxSkipped    = 10_000          // sockets reported by name
	maxName       = 255             // bytes of one name, as on every file system
	maxEntries    = 1 << 28         // nodes in one archive
	permissionSet = 0o7777
)

// header writes a node as a tar header.
func header(n node, rs []region) (*tar.Header, error) {
	h := &tar.Header{
		Name: n.path, Mode: int64(n.mode), Uid: n.uid, Gid: n.gid, ModTime: n.mtime,
		Format: tar.FormatPAX, PAXRecords: map[string]string{},
	}
	if n.same != "" {
		h.Typeflag, h.Linkname = tar.TypeLink, n.same
		return h, nil
	}
	switch n.kind {
	case dirKind:
		h.Typeflag, h.Name = tar.TypeDir, n.path+"/"
	case fileKind:
		h.Typeflag, h.Size = tar.TypeReg, stored(rs)
		if h.Size != n.size {
			h.PAXRecords[recordSize] = strconv.FormatInt(n.size, 10)
			h.PAXRecords[recordMap] = formatRegions(rs)
		}
	case symlinkKind:
		h.Typeflag, h.Linkname = tar.TypeSymlink, n.target
	case fifoKind:
		h.Typeflag = tar.TypeFifo
	case charKind, blockKind:
		h.Typeflag = tar.TypeChar
		if n.kind == blockKind {
			h.Typeflag = tar.TypeBlock
		}
		h.Devmajor, h.Devminor = int64(n.major), int64(n.minor)
	default:
		return nil, fmt.Errorf("%q is of type %q, which cannot be kept", n.path, n.kind)
	}
	if n.linked {
		h.PAXRecords[recordLinked] = "1"
	}
	total := 0
	for _, key := range slices.Sorted(maps.Keys(n.xattrs)) {
		total += len(key) + len(n.xattrs[key])
		name := commonXattr + key
		if strings.ContainsAny(key, "=") {
			name = recordXattr + hex.EncodeToString([]byte(key))
		}
		h.PAXRecords[name] = n.xattrs[key]
	}
	if total > maxXattrs {
		return nil, fmt.Errorf("%q has %d bytes of extended attributes, more than an archive can hold", n.path, total)
	}
	return h, nil
}

// parse reads a tar header back. It refuses everything that header would not
// have written.
func parse(h *tar.Header) (node, []region, error) {
	n := node{
		mode: uint32(h.Mode) & permissionSet, uid: h.Uid, gid: h.Gid, mtime: h.ModTime,
		linked: h.PAXRecords[recordLinked] != "",
	}
	if h.Mode&^permissionSet != 0 || h.Uid < 0 || h.Gid < 0 {
		return node{}, nil, unsafe("%q has mode %o and owner %d:%d", h.Name, h.Mode, h.Uid, h.Gid)
	}
	name, rs := h.Name, []region(nil)
	switch h.Typeflag {
	case tar.TypeDir:
		n.kind, n.linked, name = dirKind, false, strings.TrimSuffix(name, "/")
	case tar.TypeReg:
		n.kind, n.size, rs = fileKind, h.Size, []region{{0, h.Size}}
		if text, sparse := h.PAXRecords[recordMap]; sparse {
			var err error
			if n.size, rs, err = parseRegions(h, text); err != nil {
				return node{}, nil, err
			}
		}
	case tar.TypeSymlink:
		n.kind, n.target, n.mode = symlinkKind, h.Linkname, 0o777
		if n.target == "" || strings.IndexByte(n.target, 0) >= 0 {
			return node{}, nil, unsafe("symbolic link %q to %q", h.Name, h.Linkname)
		}
	case tar.TypeLink:
		n.same = h.Linkname
	case tar.TypeFifo:
		n.kind = fifoKind
	case tar.TypeChar, tar.TypeBlock:
		n.kind = charKind
		if h.Typeflag == tar.TypeBlock {
			n.kind = blockKind
		}
		if uint64(h.Devmajor) > 1<<31 || uint64(h.Devminor) > 1<<31 {
			return node{}, nil, unsafe("device %q is %d,%d", h.Name, h.Devmajor, h.Devminor)
		}
		n.major, n.minor = uint32(h.Devmajor), uint32(h.Devminor)
	default:
		return node{}, nil, unsafe("%q is of type %q", h.Name, h.Typeflag)
	}
	if n.kind != fileKind && h.Size != 0 {
		return node{}, nil, unsafe("%q is no file and has %d bytes", h.Name, h.Size)
	}
	if err := checkPath(name); err != nil {
		return node{}, nil, err
	}
	n.path = name
	var err error
	n.xattrs, err = parseXattrs(h)
	return n, rs, err
}

func parseXattrs(h *tar.Header) (map[string]string, error) {
	var out map[string]string
	for record, value := range h.PAXRecords {
		key, ok := strings.CutPrefix(record, commonXattr)
		if !ok {
			coded, own := strings.CutPrefix(record, recordXattr)
			if !own {
				continue
			}
			raw, err := hex.DecodeString(coded)
			if err != nil {
				return nil, unsafe("attribute %q of %q", record, h.Name)
			}
			key = string(raw)
		}
		if !kept(key) || strings.IndexByte(key, 0) >= 0 || len(key) > maxName {
			return nil, unsafe("attribute %q of %q", key, h.Name)
		}
		if out == nil {
			out = map[string]string{}
		}
		out[key] = value
	}
	return out, nil
}

// kept tells the extended attributes that are part of a tree from those that
// the host's policy assigns or that need more rights to read.
func kept(name string) bool {
	if name == "security.selinux" || name == "security.evm" {
		return false
	}
	return strings.HasPrefix(name, "user.") || strings.HasPrefix(name, "security.") || strings.HasPrefix(name, "system.") ||
		strings.HasPrefix(name, "btrfs.")
}

func formatRegions(rs []region) string {
	var b strings.Builder
	for i, r := range rs {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%d,%d", r.off, r.len)
	}
	return b.String()
}

func parseRegions(h *tar.Header, text string) (int64, []region, error) {
	bad := func() (int64, []region, error) { return 0, nil, unsafe("the map of sparse file %q", h.Name) }
	size, err := strconv.ParseInt(h.PAXRecords[recordSize], 10, 64)
	if err != nil || size < 0 {
		return bad()
	}
	if text == "" {
		if h.Size != 0 {
			return bad()
		}
		return size, nil, nil
	}
	parts := strings.Split(text, ",")
	if len(parts)%2 != 0 || len(parts) > 2*maxRegions {
		return bad()
	}
	rs, end := make([]region, 0, len(parts)/2), int64(0)
	for i := 0; i < len(parts); i += 2 {
		off, errOff := strconv.ParseInt(parts[i], 10, 64)
		length, errLen := strconv.ParseInt(parts[i+1], 10, 64)
		if errOff != nil || errLen != nil || off < end || length <= 0 || length > size-off {
			return bad()
		}
		end = off + length
		rs = append(rs, region{off, length})
	}
	if stored(rs) != h.Size {
		return bad()
	}
	return size, rs, nil
}

// checkPath accepts "." and relative paths without ".", ".." or empty parts.
func checkPath(path string) error {
	if path == "." {
		return nil
	}
	if len(path) > maxPath || strings.IndexByte(path, 0) >= 0 {
		return unsafe("a path of %d bytes", len(path))
	}
	depth := 0
	for part := range strings.SplitSeq(path, "/") {
		if part == "" || part == "." || part == ".." || len(part) > maxName {
			return unsafe("path %.200q", path)
		}
		if depth++; depth > maxDepth {
			return unsafe("more than %d directories inside each other", maxDepth)
		}
	}
	return nil
}

func unsafe(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, ErrUnsafe)...)
}
