package compose

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestEditKeepsModeOwnerAndLink(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "real.env")
	if err := os.WriteFile(target, []byte("old"), 0o640); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(target, 1234, 4321); err != nil {
			t.Fatal(err)
		}
	}
	before, err := os.Stat(target)
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, ".env")
	if err := os.Symlink("real.env", link); err != nil {
		t.Fatal(err)
	}
	e := Edit{Path: link, Old: []byte("old"), New: []byte("new")}
	for range 2 { // the second time there is nothing to do
		if err := e.Apply(); err != nil {
			t.Fatal(err)
		}
		wantState(t, e, EditNew)
	}
	after, err := os.Lstat(target)
	if err != nil {
		t.Fatal(err)
	}
	a, b := before.Sys().(*syscall.Stat_t), after.Sys().(*syscall.Stat_t)
	if after.Mode() != before.Mode() || a.Uid != b.Uid || a.Gid != b.Gid {
		t.Errorf("mode %v owner %d:%d, want %v %d:%d", after.Mode(), b.Uid, b.Gid, before.Mode(), a.Uid, a.Gid)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v %v", info, err)
	}
	for range 2 {
		if err := e.Revert(); err != nil {
			t.Fatal(err)
		}
		wantState(t, e, EditOld)
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".belay-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func TestEditRefusesForeign(t *testing.T) {
	path := filepath.Join(t.TempDir(), ".env")
	e := Edit{Path: path, Old: []byte("old"), New: []byte("new")}
	for _, text := range []string{"", "newer"} {
		if text != "" {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		wantState(t, e, EditForeign)
		for _, do := range []func() error{e.Apply, e.Revert} {
			if err := do(); !errors.Is(err, ErrForeign) {
				t.Errorf("with %q: %v, want ErrForeign", text, err)
			}
		}
	}
	if got := content(t, path); got != "newer" {
		t.Errorf("the foreign file was changed to %q", got)
	}
}

// A bind-mounted single file cannot be renamed over.
func TestEditWritesInPlaceOnBindMount(t *testing.T) {
	dir := t.TempDir()
	under, over := filepath.Join(dir, "under"), filepath.Join(dir, "over")
	for _, path := range []string{under, over} {
		if err := os.WriteFile(path, []byte("older"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mount(under, over, "", syscall.MS_BIND, ""); err != nil {
		t.Skipf("this process may not mount: %v", err)
	}
	defer func() {
		if err := syscall.Unmount(over, 0); err != nil {
			t.Error(err)
		}
	}()
	e := Edit{Path: over, Old: []byte("older"), New: []byte("new")}
	if err := e.Apply(); err != nil {
		t.Fatal(err)
	}
	if got := content(t, under); got != "new" {
		t.Errorf("behind the mount: %q, want %q", got, "new")
	}
	if err := e.Revert(); err != nil {
		t.Fatal(err)
	}
	if got := content(t, under); got != "older" {
		t.Errorf("behind the mount: %q, want %q", got, "older")
	}
}

func wantState(t *testing.T, e Edit, want EditState) {
	t.Helper()
	if got, err := e.State(); err != nil || got != want {
		t.Fatalf("state %q (%v), want %q", got, err, want)
	}
}
