package tree

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func root(t testing.TB) bool {
	t.Helper()
	return os.Geteuid() == 0
}

// rich fills dir with one of everything that is kept.
func rich(t testing.TB, dir string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	at := func(parts ...string) string { return filepath.Join(append([]string{dir}, parts...)...) }
	must(os.MkdirAll(at("d", "deep", "er"), 0o755))
	must(os.Mkdir(at("empty"), 0o711))
	must(os.WriteFile(at("zero"), nil, 0o640))
	must(os.WriteFile(at("d", "text"), []byte("hello\n"), 0o600))
	must(os.WriteFile(at("d", "deep", "big"), bytes.Repeat([]byte("0123456789abcdef"), 40_000), 0o644))
	must(os.WriteFile(at("d", "zeros"), make([]byte, 300_000), 0o644))
	must(os.WriteFile(at("bad\xff\xfe name\n"), []byte("x"), 0o644))
	must(os.Link(at("d", "text"), at("d", "text-again")))
	must(os.Link(at("d", "text"), at("empty-not"))) // sorts after d/
	must(os.WriteFile(at("plain"), []byte("plain"), 0o600))
	must(os.Link(at("plain"), at("plain-again")))
	must(os.Symlink("d/text", at("link")))
	must(os.Symlink("/etc/passwd", at("outside")))
	must(os.Symlink("gone/\xff", at("dangling")))
	must(syscall.Mkfifo(at("fifo"), 0o620))
	sparse, err := os.Create(at("sparse"))
	must(err)
	_, err = sparse.WriteAt([]byte("head"), 0)
	must(err)
	_, err = sparse.WriteAt([]byte("middle"), 3<<20+17)
	must(err)
	must(sparse.Truncate(64 << 20))
	must(sparse.Close())
	hole, err := os.Create(at("hole"))
	must(err)
	must(hole.Truncate(1<<20 + 1))
	must(hole.Close())
	must(unix.Lsetxattr(at("d", "text"), "user.empty", nil, 0))
	must(unix.Lsetxattr(at("d", "text"), "user.odd=name", []byte{0, 1, 2, '\n', 0xff}, 0))
	must(unix.Lsetxattr(at("d"), "user.dir", []byte("on a directory"), 0))
	must(os.Chmod(at("zero"), 0o4755|os.ModeSetuid))
	must(os.Chmod(at("d"), 0o770|os.ModeSetgid|os.ModeSticky))
	if root(t) {
		must(os.Lchown(at("link"), 70, 71))
		must(os.Chown(at("d", "deep"), 3_000_000, 999))
		must(syscall.Mknod(at("null"), syscall.S_IFCHR|0o666, int(unix.Mkdev(1, 3))))
		must(syscall.Mknod(at("blk"), syscall.S_IFBLK|0o660, int(unix.Mkdev(259, 70000))))
		capability := []byte{1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
		must(unix.Lsetxattr(at("d", "deep", "big"), "security.capability", capability, 0))
		acl := []byte{
			2, 0, 0, 0,
			1, 0, 6, 0, 255, 255, 255, 255, // user::rw-
			2, 0, 7, 0, 70, 0, 0, 0, // user:70:rwx
			4, 0, 4, 0, 255, 255, 255, 255, // group::r--
			16, 0, 7, 0, 255, 255, 255, 255, // mask::rwx
			32, 0, 0, 0, 255, 255, 255, 255, // other::---
		}
		must(unix.Lsetxattr(at("d", "zeros"), "system.posix_acl_access", acl, 0))
		must(unix.Lsetxattr(at("d", "deep"), "system.posix_acl_default", acl, 0))
	}
	old := time.Unix(-12345, 678_901_234)
	must(os.Chtimes(at("zero"), old, old))
	later := time.Unix(1_700_000_000, 1)
	for _, d := range []string{at("d", "deep", "er"), at("d", "deep"), at("d"), dir} {
		must(os.Chtimes(d, later, later))
	}
}

func save(t testing.TB, dir string) ([]byte, Summary) {
	t.Helper()
	var out bytes.Buffer
	sum, err := Save(context.Background(), dir, &out, nil)
	if err != nil {
		t.Fatalf("save: %v", err)
	}
	return out.Bytes(), sum
}

func TestRoundTripKeepsEverything(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	rich(t, from)
	archive, saved := save(t, from)
	if len(archive) > 1<<20 {
		t.Errorf("archive of %d bytes: holes were stored", len(archive))
	}
	scanned, err := Scan(t.Context(), from, nil)
	if err != nil {
		t.Fatal(err)
	}
	verified, err := Verify(t.Context(), bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	// What stood there before must go, whatever it is.
	if err := os.MkdirAll(filepath.Join(to, "d", "text", "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(to, "d", "text"), 0o500); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc", filepath.Join(to, "empty")); err != nil {
		t.Fatal(err)
	}
	before, _ := os.Stat(to)
	loaded, err := Load(t.Context(), to, bytes.NewReader(archive), nil)
	if err != nil {
		t.Fatal(err)
	}
	after, _ := os.Stat(to)
	if !os.SameFile(before, after) {
		t.Error("the root itself was replaced")
	}
	for name, got := range map[string]Summary{"scan": scanned, "verify": verified, "load": loaded} {
		if got.Digest != saved.Digest || got.Entries != saved.Entries || got.Files != saved.Files || got.Bytes != saved.Bytes {
			t.Errorf("%s: %+v, save said %+v", name, got, saved)
		}
	}
	if a, b := blocks(t, from, "sparse"), blocks(t, to, "sparse"); b > a {
		t.Errorf("sparse file takes %d blocks, %d before", b, a)
	}
	a, _ := os.Stat(filepath.Join(to, "d", "text"))
	b, _ := os.Stat(filepath.Join(to, "empty-not"))
	if !os.SameFile(a, b) {
		t.Error("hard link became a copy")
	}
}

func blocks(t *testing.T, parts ...string) int64 {
	t.Helper()
	var st syscall.Stat_t
	if err := syscall.Lstat(filepath.Join(parts...), &st); err != nil {
		t.Fatal(err)
	}
	return st.Blocks
}

// Each of these must change the digest: otherwise something is not looked at.
func TestDigestSees(t *testing.T) {
	later := time.Unix(1_700_000_000, 2)
	changes := map[string]func(dir string) error{
		"content":      func(d string) error { return rewrite(filepath.Join(d, "d", "text"), []byte("hellO\n")) },
		"late content": func(d string) error { return poke(filepath.Join(d, "sparse"), 3<<20+18) },
		"size": func(d string) error {
			return keepTime(filepath.Join(d, "hole"), func(p string) error { return os.Truncate(p, 1<<20+2) })
		},
		"mode":       func(d string) error { return os.Chmod(filepath.Join(d, "zero"), 0o755) },
		"root mode":  func(d string) error { return os.Chmod(d, 0o711) },
		"nanosecond": func(d string) error { return os.Chtimes(filepath.Join(d, "empty"), later, later) },
		"xattr":      func(d string) error { return unix.Lsetxattr(filepath.Join(d, "d"), "user.dir", []byte("other"), 0) },
		"root xattr": func(d string) error { return unix.Lsetxattr(d, "user.root", []byte("x"), 0) },
		"link target": func(d string) error {
			return replace(d, "link", func(p string) error { return os.Symlink("d/texT", p) })
		},
		"hard link cut": func(d string) error { // the same bytes and attributes, but an inode of its own
			return replace(d, "plain-again", func(p string) error {
				return keepTimeOf(filepath.Join(d, "plain"), p, func() error { return os.WriteFile(p, []byte("plain"), 0o600) })
			})
		},
		"name": func(d string) error {
			return keepTime(d, func(string) error { return os.Rename(filepath.Join(d, "zero"), filepath.Join(d, "nil")) })
		},
	}
	if root(t) {
		changes["owner"] = func(d string) error { return os.Lchown(filepath.Join(d, "link"), 71, 71) }
		changes["device"] = func(d string) error {
			return replace(d, "null", func(p string) error { return syscall.Mknod(p, syscall.S_IFCHR|0o644, int(unix.Mkdev(1, 5))) })
		}
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			rich(t, dir)
			before, err := Scan(t.Context(), dir, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := change(dir); err != nil {
				t.Fatal(err)
			}
			after, err := Scan(t.Context(), dir, nil)
			if err != nil {
				t.Fatal(err)
			}
			if before.Digest == after.Digest {
				t.Error("digest is the same")
			}
		})
	}
}

func keepTimeOf(like, path string, change func() error) error {
	info, err := os.Lstat(like)
	if err != nil {
		return err
	}
	if err := change(); err != nil {
		return err
	}
	return os.Chtimes(path, info.ModTime(), info.ModTime())
}

func keepTime(path string, change func(string) error) error {
	return keepTimeOf(path, path, func() error { return change(path) })
}

func rewrite(path string, content []byte) error {
	return keepTime(path, func(p string) error { return os.WriteFile(p, content, 0o600) })
}

func poke(path string, off int64) error {
	return keepTime(path, func(p string) error {
		f, err := os.OpenFile(p, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		_, err = f.WriteAt([]byte{'!'}, off)
		return errors.Join(err, f.Close())
	})
}

func replace(dir, name string, create func(string) error) error {
	return keepTime(dir, func(string) error {
		p := filepath.Join(dir, name)
		if err := os.Remove(p); err != nil {
			return err
		}
		return create(p)
	})
}

func TestSocketIsSkippedAndReported(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(fd) }()
	t.Chdir(from)
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: "sock"}); err != nil {
		t.Fatal(err)
	}
	archive, saved := save(t, from)
	loaded, err := Load(t.Context(), to, bytes.NewReader(archive), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(saved.Skipped, []string{"sock"}) || !slices.Equal(loaded.Skipped, saved.Skipped) {
		t.Errorf("skipped: save %q, load %q", saved.Skipped, loaded.Skipped)
	}
	if saved.Digest != loaded.Digest {
		t.Error("digests differ")
	}
}

func TestProgressEndsAtTotal(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	rich(t, from)
	var out bytes.Buffer
	var told []int64
	on := func(n int64) { told = append(told, n) }
	sum, err := Save(t.Context(), from, &out, on)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.IsSorted(told) || told[len(told)-1] != sum.Bytes {
		t.Errorf("save: %v, total %d", told, sum.Bytes)
	}
	told = nil
	if _, err := Load(t.Context(), to, &out, on); err != nil {
		t.Fatal(err)
	}
	if !slices.IsSorted(told) || told[len(told)-1] != sum.Bytes {
		t.Errorf("load: %v, total %d", told, sum.Bytes)
	}
}

func TestEveryFlipAndCutIsAnError(t *testing.T) {
	from := t.TempDir()
	if err := os.WriteFile(filepath.Join(from, "a"), []byte("some content, some content"), 0o600); err != nil {
		t.Fatal(err)
	}
	archive, _ := save(t, from)
	for i := range archive {
		for _, bit := range []byte{1, 0x20, 0x80} {
			bad := slices.Clone(archive)
			bad[i] ^= bit
			if _, err := Verify(t.Context(), bytes.NewReader(bad)); err == nil {
				t.Fatalf("byte %d of %d flipped by %#x: no error", i, len(archive), bit)
			}
		}
		if _, err := Verify(t.Context(), bytes.NewReader(archive[:i])); err == nil {
			t.Fatalf("cut at %d of %d: no error", i, len(archive))
		}
	}
	if _, err := Verify(t.Context(), bytes.NewReader(append(slices.Clone(archive), 0))); err == nil {
		t.Error("a byte more: no error")
	}
}

func TestWhatKindOfError(t *testing.T) {
	from := t.TempDir()
	rich(t, from)
	archive, _ := save(t, from)
	newer := slices.Clone(archive)
	newer[headSize-1]++
	broken := errors.New("disk fell out")
	for name, c := range map[string]struct {
		in   io.Reader
		want error
	}{
		"newer":      {bytes.NewReader(newer), ErrVersion},
		"empty":      {bytes.NewReader(nil), ErrNotArchive},
		"text":       {bytes.NewReader(bytes.Repeat([]byte("no archive"), 100)), ErrNotArchive},
		"half":       {bytes.NewReader(archive[:len(archive)/2]), ErrTruncated},
		"no tail":    {bytes.NewReader(archive[:len(archive)-tailSize]), ErrTruncated},
		"bad reader": {io.MultiReader(bytes.NewReader(archive[:len(archive)/2]), failing{broken}), broken},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Verify(t.Context(), c.in)
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestNothingIsRemovedForWhatIsNoArchive(t *testing.T) {
	to := t.TempDir()
	keep := filepath.Join(to, "keep")
	if err := os.WriteFile(keep, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(t.Context(), to, bytes.NewReader([]byte("garbage, garbage, garbage, garbage")), nil); err == nil {
		t.Fatal("no error")
	}
	if _, err := os.Stat(keep); err != nil {
		t.Error(err)
	}
}

func TestCancelledContextEnds(t *testing.T) {
	from := t.TempDir()
	rich(t, from)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Save(ctx, from, io.Discard, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("save: %v", err)
	}
	archive, _ := save(t, from)
	if _, err := Verify(ctx, bytes.NewReader(archive)); !errors.Is(err, context.Canceled) {
		t.Errorf("verify: %v", err)
	}
}

func TestFileThatGrowsWhileSavedIsAnError(t *testing.T) {
	from := t.TempDir()
	big := filepath.Join(from, "big")
	if err := os.WriteFile(big, make([]byte, 3<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	grow := func(int64) {
		f, err := os.OpenFile(big, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = f.WriteString("more")
		_ = f.Close()
	}
	if _, err := Save(t.Context(), from, io.Discard, grow); !errors.Is(err, ErrChanged) {
		t.Errorf("got %v", err)
	}
}

func TestOwnerThatCannotBeSetIsAnError(t *testing.T) {
	if root(t) {
		t.Skip("root can set every owner")
	}
	foreign := file("a")
	foreign.Uid++
	archive := forge(t, dir("./"), foreign)
	if _, err := Load(t.Context(), t.TempDir(), bytes.NewReader(archive), nil); !errors.Is(err, os.ErrPermission) {
		t.Errorf("got %v", err)
	}
}
