package tree

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

// forge makes an archive of these headers, right in every checksum that an
// attacker can compute. Only the tree's digest is not.
func forge(t testing.TB, headers ...*tar.Header) []byte {
	t.Helper()
	var body bytes.Buffer
	w := tar.NewWriter(&body)
	for _, h := range headers {
		h.Format = tar.FormatPAX
		if h.ModTime.IsZero() && h.Typeflag != tar.TypeXGlobalHeader {
			h.ModTime = time.Unix(1, 0)
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(bytes.Repeat([]byte{'!'}, int(h.Size))); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return pack(t, body.Bytes(), len(headers))
}

func pack(t testing.TB, body []byte, entries int) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	out := z.EncodeAll(body, head())
	end, err := tail{entries: entries, raw: sha256.Sum256(out), digest: "sha256:" + strings.Repeat("00", 32)}.bytes()
	if err != nil {
		t.Fatal(err)
	}
	return append(out, end...)
}

func dir(name string) *tar.Header {
	return &tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: 0o755, Uid: os.Geteuid(), Gid: os.Getegid()}
}

func file(name string) *tar.Header {
	return &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: 4, Uid: os.Geteuid(), Gid: os.Getegid()}
}

func link(kind byte, name, target string) *tar.Header {
	return &tar.Header{Typeflag: kind, Name: name, Linkname: target, Mode: 0o777, Uid: os.Geteuid(), Gid: os.Getegid()}
}

func with(h *tar.Header, records ...string) *tar.Header {
	h.PAXRecords = map[string]string{}
	for i := 0; i < len(records); i += 2 {
		h.PAXRecords[records[i]] = records[i+1]
	}
	return h
}

func sized(h *tar.Header, size int64) *tar.Header {
	h.Size = size
	return h
}

func TestHostileArchivesAreRefused(t *testing.T) {
	top := func(more ...*tar.Header) []*tar.Header { return append([]*tar.Header{dir("./")}, more...) }
	for name, headers := range map[string][]*tar.Header{
		"up":                         top(file("../evil")),
		"up inside":                  top(dir("a/"), file("a/../../evil")),
		"absolute":                   top(file("/tmp/belay-evil")),
		"dot":                        top(file("./evil")),
		"twice slash":                top(dir("a/"), file("a//evil")),
		"empty name":                 top(dir("/")),
		"through a link":             top(link(tar.TypeSymlink, "a", "OUTSIDE"), file("a/evil")),
		"through a link inside":      top(dir("a/"), link(tar.TypeSymlink, "b", "a"), file("b/evil")),
		"link replaced by file":      top(link(tar.TypeSymlink, "a", "OUTSIDE/evil"), file("a")),
		"link replaced by directory": top(link(tar.TypeSymlink, "a", "OUTSIDE"), dir("a/"), file("a/evil")),
		"hard link out":              top(link(tar.TypeLink, "a", "/etc/passwd")),
		"hard link up":               top(link(tar.TypeLink, "a", "../evil")),
		"hard link through a link":   top(link(tar.TypeSymlink, "a", "OUTSIDE"), link(tar.TypeLink, "b", "a/secret")),
		"hard link to itself":        top(link(tar.TypeLink, "a", "a")),
		"hard link to a directory":   top(with(dir("a/"), recordLinked, "1"), link(tar.TypeLink, "b", "a")),
		"parent missing":             top(file("a/evil")),
		"parent is a file":           top(file("a"), file("a/evil")),
		"wrong order":                top(file("b"), file("a")),
		"same name twice":            top(file("a"), file("a")),
		"root twice":                 top(dir("./")),
		"no root":                    {file("a")},
		"root is a file":             {file(".")},
		"root is a link":             {link(tar.TypeSymlink, ".", "OUTSIDE")},
		"nothing":                    {},
		"long name":                  top(file(strings.Repeat("x", 256))),
		"too deep":                   top(deep(maxDepth + 2)...),
		"negative owner":             top(&tar.Header{Typeflag: tar.TypeReg, Name: "a", Uid: -1}),
		"odd mode":                   top(&tar.Header{Typeflag: tar.TypeReg, Name: "a", Mode: 0o200644}),
		"map beyond the size":        top(with(file("a"), recordSize, "10", recordMap, "8,4")),
		"map overlaps":               top(with(file("a"), recordSize, "10", recordMap, "0,2,1,2")),
		"map negative":               top(with(file("a"), recordSize, "10", recordMap, "-4,4")),
		"map overflows":              top(with(file("a"), recordSize, "9223372036854775807", recordMap, "9223372036854775806,4")),
		"map of another length":      top(with(file("a"), recordSize, "100", recordMap, "0,5")),
		"map without size":           top(with(file("a"), recordMap, "0,4")),
		"map of nonsense":            top(with(file("a"), recordSize, "100", recordMap, "0;4")),
		"trusted attribute":          top(with(file("a"), commonXattr+"trusted.overlay.redirect", "/etc")),
		"unknown global header":      {dir("./"), {Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"path": "../evil"}}},
		"unknown type":               top(&tar.Header{Typeflag: tar.TypeCont, Name: "a"}),
	} {
		t.Run(name, func(t *testing.T) {
			base := t.TempDir()
			outside, to := filepath.Join(base, "outside"), filepath.Join(base, "to")
			for _, d := range []string{outside, to} {
				if err := os.Mkdir(d, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("s"), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, h := range headers {
				h.Linkname = strings.ReplaceAll(h.Linkname, "OUTSIDE", outside)
			}
			before, err := Scan(t.Context(), outside, nil)
			if err != nil {
				t.Fatal(err)
			}
			archive := forge(t, headers...)
			if _, err := Verify(t.Context(), bytes.NewReader(archive)); !errors.Is(err, ErrUnsafe) {
				t.Errorf("verify: %v", err)
			}
			if _, err := Load(t.Context(), to, bytes.NewReader(archive), nil); !errors.Is(err, ErrUnsafe) {
				t.Errorf("load: %v", err)
			}
			after, err := Scan(t.Context(), outside, nil)
			if err != nil || after.Digest != before.Digest {
				t.Errorf("something outside was touched (%v)", err)
			}
			names, err := os.ReadDir(base)
			if err != nil || len(names) != 2 {
				t.Errorf("%v %v", names, err)
			}
			if _, err := os.Lstat("/tmp/belay-evil"); err == nil {
				t.Error("/tmp/belay-evil was made")
			}
		})
	}
}

func deep(n int) []*tar.Header {
	var out []*tar.Header
	for i := 1; i <= n; i++ {
		out = append(out, dir(strings.Repeat("d/", i)))
	}
	return out
}

// A forged archive that only fails at its digest shows that the tests above are
// refused for what they hold.
func TestForgeryIsOtherwiseSound(t *testing.T) {
	archive := forge(t, dir("./"), dir("a/"), file("a/b"), link(tar.TypeSymlink, "c", "/etc"))
	if _, err := Verify(t.Context(), bytes.NewReader(archive)); !errors.Is(err, ErrCorrupt) || errors.Is(err, ErrUnsafe) {
		t.Errorf("got %v", err)
	}
}

// Megabytes that claim to be petabytes must not fill the disk or take hours.
func TestBombs(t *testing.T) {
	t.Run("huge hole", func(t *testing.T) {
		archive := forge(t, dir("./"), with(sized(file("a"), 0), recordSize, fmt.Sprint(int64(1)<<62), recordMap, ""))
		if _, err := Verify(t.Context(), bytes.NewReader(archive)); !errors.Is(err, ErrCorrupt) { // its digest: nothing was read for it
			t.Errorf("got %v", err)
		}
	})
	t.Run("more data than disk", func(t *testing.T) {
		to := t.TempDir()
		root, err := os.OpenRoot(to)
		if err != nil {
			t.Fatal(err)
		}
		d, err := openDirectory(root, ".")
		if err != nil {
			t.Fatal(err)
		}
		defer d.close()
		l := &loader{dirs: []*directory{d}}
		if err := l.room(1 << 60); !errors.Is(err, ErrNoSpace) {
			t.Errorf("got %v", err)
		}
		if err := l.room(1); err != nil {
			t.Errorf("got %v", err)
		}
	})
	t.Run("window", func(t *testing.T) {
		// A frame that wants 1 GiB of memory to be read.
		frame := []byte{0x28, 0xb5, 0x2f, 0xfd, 0, 0xa0, 1, 0, 0}
		archive := append(head(), frame...)
		archive = append(archive, make([]byte, tailSize)...)
		if _, err := Verify(t.Context(), bytes.NewReader(archive)); !errors.Is(err, ErrCorrupt) {
			t.Errorf("got %v", err)
		}
	})
}

func FuzzLoad(f *testing.F) {
	// Bodies only: the frame around them is made right, so that the fuzzer gets
	// to what matters. Small ones: it is slow with large ones.
	add := func(headers ...*tar.Header) {
		archive := forge(f, append([]*tar.Header{dir("./")}, headers...)...)
		z, err := zstd.NewReader(nil)
		if err != nil {
			f.Fatal(err)
		}
		defer z.Close()
		body, err := z.DecodeAll(archive[headSize:len(archive)-tailSize], nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	add(file("a"), link(tar.TypeSymlink, "b", "/"), file("c"))
	add(dir("a/"), with(file("a/s"), recordSize, "99", recordMap, "1,2,5,2"))
	add(with(file("a"), recordLinked, "1", commonXattr+"user.x", "y"), link(tar.TypeLink, "b", "a"))
	add(&tar.Header{Typeflag: tar.TypeFifo, Name: "p", Mode: 0o600}, &tar.Header{Typeflag: tar.TypeChar, Name: "q", Devmajor: 1, Devminor: 3})
	fast := "/dev/shm" // Load flushes to disk, which is not what is tested here
	if _, err := os.Stat(fast); err != nil {
		fast = ""
	}
	f.Fuzz(func(t *testing.T, tarBytes []byte) {
		base, err := os.MkdirTemp(fast, "belay-fuzz-")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = os.RemoveAll(base) }()
		to := filepath.Join(base, "to")
		if err := os.Mkdir(to, 0o755); err != nil {
			t.Fatal(err)
		}
		archive := pack(t, tarBytes, 1)
		loaded, loadErr := Load(t.Context(), to, bytes.NewReader(archive), nil)
		verified, verifyErr := Verify(t.Context(), bytes.NewReader(archive))
		if loadErr == nil && (verifyErr != nil || loaded.Digest != verified.Digest) {
			t.Errorf("loaded %+v, verified %+v %v", loaded, verified, verifyErr)
		}
		if names, err := os.ReadDir(base); err != nil || len(names) != 1 {
			t.Errorf("outside: %v %v", names, err)
		}
	})
}
