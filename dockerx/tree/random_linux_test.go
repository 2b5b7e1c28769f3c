package tree

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

func TestRandomTreesComeBackEqual(t *testing.T) {
	base := t.TempDir()
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		from, to := filepath.Join(base, fmt.Sprint(n, "a")), filepath.Join(base, fmt.Sprint(n, "b"))
		for _, d := range []string{from, to} {
			if err := os.Mkdir(d, 0o755); err != nil {
				rt.Fatal(err)
			}
		}
		randomTree(rt, from)
		randomTree(rt, to) // to be emptied
		archive, saved := save(t, from)
		loaded, err := Load(context.Background(), to, bytes.NewReader(archive), nil)
		if err != nil {
			rt.Fatal(err)
		}
		if loaded.Digest != saved.Digest {
			rt.Fatalf("saved %+v, loaded %+v", saved, loaded)
		}
		again, _ := save(t, to)
		if !bytes.Equal(archive, again) {
			rt.Fatal("the archive of the loaded tree is another one")
		}
		bad := slices.Clone(archive)
		bad[rapid.IntRange(0, len(bad)-1).Draw(rt, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(rt, "bit")
		if _, err := Verify(context.Background(), bytes.NewReader(bad)); err == nil {
			rt.Fatal("a flipped bit was not seen")
		}
		if err := errors.Join(os.RemoveAll(from), os.RemoveAll(to)); err != nil {
			rt.Fatal(err)
		}
	})
}

// randomTree draws a random tree into dir.
func randomTree(rt *rapid.T, dir string) {
	dirs, files := []string{dir}, []string(nil)
	name := rapid.Custom(func(rt *rapid.T) string {
		s := []byte(rapid.StringN(1, 20, 60).Draw(rt, "text"))
		if rapid.Bool().Draw(rt, "bytes") {
			s = append(s, rapid.SliceOfN(rapid.Byte(), 1, 8).Draw(rt, "raw")...)
		}
		s = bytes.ReplaceAll(bytes.ReplaceAll(s, []byte{0}, []byte{1}), []byte("/"), []byte("-"))
		if string(s) == "." || string(s) == ".." {
			return "..."
		}
		return string(s)
	})
	for range rapid.IntRange(0, 12).Draw(rt, "nodes") {
		path := filepath.Join(rapid.SampledFrom(dirs).Draw(rt, "in"), name.Draw(rt, "name"))
		if _, err := os.Lstat(path); err == nil {
			continue
		}
		var err error
		switch rapid.IntRange(0, 6).Draw(rt, "kind") {
		case 0:
			err = os.Mkdir(path, os.FileMode(rapid.IntRange(0o700, 0o777).Draw(rt, "mode")))
			dirs = append(dirs, path)
		case 1:
			err = os.Symlink(name.Draw(rt, "target"), path)
		case 2:
			err = syscall.Mkfifo(path, 0o600)
		case 3:
			if len(files) > 0 {
				err = os.Link(rapid.SampledFrom(files).Draw(rt, "file"), path)
			}
		default:
			err = randomFile(rt, path)
			files = append(files, path)
		}
		if err != nil {
			rt.Fatal(err)
		}
	}
}

func randomFile(rt *rapid.T, path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	for range rapid.IntRange(0, 3).Draw(rt, "pieces") {
		off := rapid.Int64Range(0, 1<<22).Draw(rt, "offset")
		if _, err := f.WriteAt(rapid.SliceOfN(rapid.Byte(), 1, 9000).Draw(rt, "data"), off); err != nil {
			return err
		}
	}
	if rapid.Bool().Draw(rt, "tail") {
		if err := f.Truncate(rapid.Int64Range(0, 1<<23).Draw(rt, "size")); err != nil {
			return err
		}
	}
	if rapid.Bool().Draw(rt, "xattr") {
		value := rapid.SliceOfN(rapid.Byte(), 0, 50).Draw(rt, "value")
		if err := unix.Fsetxattr(int(f.Fd()), "user."+rapid.StringMatching(`[a-z=.]{1,9}`).Draw(rt, "key"), value, 0); err != nil {
			return err
		}
	}
	if os.Geteuid() == 0 {
		if err := f.Chown(rapid.IntRange(0, 1<<31).Draw(rt, "uid"), rapid.IntRange(0, 1<<31).Draw(rt, "gid")); err != nil {
			return err
		}
	}
	if err := errors.Join(f.Chmod(os.FileMode(rapid.IntRange(0o400, 0o777).Draw(rt, "mode"))), f.Close()); err != nil {
		return err
	}
	at := time.Unix(rapid.Int64Range(-1<<31, 1<<33).Draw(rt, "sec"), rapid.Int64Range(0, 999_999_999).Draw(rt, "nsec"))
	return os.Chtimes(path, at, at)
}
