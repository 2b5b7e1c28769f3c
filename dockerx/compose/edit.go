package compose

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// EditState says what a file holds.
type EditState string

// The states of an edit's file.
const (
	EditOld     EditState = "old"     // as it was before the edit
	EditNew     EditState = "new"     // as the edit leaves it
	EditForeign EditState = "foreign" // something else: somebody changed it
)

// State looks at the file. A file that is gone is foreign.
func (e Edit) State() (EditState, error) {
	data, err := os.ReadFile(e.Path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return EditForeign, nil
	case err != nil:
		return "", fmt.Errorf("look at %s: %w", e.Path, err)
	case bytes.Equal(data, e.Old):
		return EditOld, nil
	case bytes.Equal(data, e.New):
		return EditNew, nil
	}
	return EditForeign, nil
}

// Apply writes the new bytes, atomically and durably, keeping mode and owner.
// Done already is fine; ErrForeign when the file holds neither old nor new bytes.
func (e Edit) Apply() error { return e.become(EditOld, EditNew, e.New) }

// Revert puts the old bytes back, in the same way.
func (e Edit) Revert() error { return e.become(EditNew, EditOld, e.Old) }

func (e Edit) become(from, to EditState, data []byte) error {
	state, err := e.State()
	if err != nil {
		return err
	}
	switch state {
	case to:
		return nil
	case from:
		return replaceFile(e.Path, data)
	case EditOld, EditNew, EditForeign:
	}
	return fmt.Errorf("%s: %w", e.Path, ErrForeign)
}

// replaceFile writes beside the file and renames over it. A link stays a link:
// what it points to is replaced.
func replaceFile(path string, data []byte) (err error) {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fmt.Errorf("find the file behind %s: %w", path, err)
	}
	info, err := os.Stat(target)
	if err != nil {
		return fmt.Errorf("look at %s: %w", target, err)
	}
	tmp, err := writeBeside(target, info, data)
	if errors.Is(err, os.ErrPermission) {
		// We may write the file but not its directory, or may not give a new file
		// to its owner.
		return overwrite(target, data)
	}
	if err != nil {
		return err
	}
	err = os.Rename(tmp, target)
	if err != nil {
		err = errors.Join(err, os.Remove(tmp))
	}
	switch {
	case errors.Is(err, syscall.EBUSY):
		return overwrite(target, data) // a bind mount of this one file cannot be renamed over
	case err != nil:
		return fmt.Errorf("replace %s: %w", target, err)
	}
	return syncDir(filepath.Dir(target))
}

// writeBeside makes the new file with the old one's mode and owner.
func writeBeside(target string, info os.FileInfo, data []byte) (name string, err error) {
	f, err := os.CreateTemp(filepath.Dir(target), ".belay-*")
	if err != nil {
		return "", fmt.Errorf("write beside %s: %w", target, err)
	}
	defer func() {
		if closeErr := f.Close(); err == nil && closeErr != nil {
			err = fmt.Errorf("write beside %s: %w", target, closeErr)
		}
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		if err := f.Chown(int(st.Uid), int(st.Gid)); err != nil {
			return "", fmt.Errorf("keep the owner of %s: %w", target, err)
		}
	}
	// After chown, which clears set-id bits.
	if err := f.Chmod(info.Mode()); err != nil {
		return "", fmt.Errorf("keep the mode of %s: %w", target, err)
	}
	if err := copyAttributes(target, f); err != nil {
		return "", err
	}
	if _, err := f.Write(data); err != nil {
		return "", fmt.Errorf("write beside %s: %w", target, err)
	}
	if err := f.Sync(); err != nil {
		return "", fmt.Errorf("write beside %s: %w", target, err)
	}
	return f.Name(), nil
}

// overwrite is not atomic: the last resort, for files that cannot be renamed
// over. A crash in between leaves a foreign file, whose old bytes the edit holds.
func overwrite(target string, data []byte) error {
	f, err := os.OpenFile(target, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("write %s: %w", target, err)
	}
	_, err = f.WriteAt(data, 0)
	if err == nil {
		err = f.Truncate(int64(len(data)))
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", target, err)
	}
	return nil
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("make the change durable: %w", err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("make the change durable: %w", err)
	}
	return nil
}

// copyAttributes keeps extended attributes (ACLs, labels) where the file system
// lets us: without them a rename could change who may read the file.
func copyAttributes(target string, f *os.File) error {
	size, err := unix.Listxattr(target, nil)
	if err != nil || size == 0 {
		return nil //nolint:nilerr // a file system without attributes
	}
	names := make([]byte, size)
	if size, err = unix.Listxattr(target, names); err != nil {
		return nil //nolint:nilerr // changed under us
	}
	for _, name := range bytes.Split(bytes.Trim(names[:size], "\x00"), []byte{0}) {
		value := make([]byte, 64<<10)
		n, err := unix.Getxattr(target, string(name), value)
		if err != nil {
			continue
		}
		if err := unix.Fsetxattr(int(f.Fd()), string(name), value[:n], 0); err != nil && !errors.Is(err, unix.ENOTSUP) && !errors.Is(err, unix.EPERM) {
			return fmt.Errorf("keep the attributes of %s: %w", target, err)
		}
	}
	return nil
}
