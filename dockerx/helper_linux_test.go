package dockerx

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"belay/dockerx/tree"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"golang.org/x/sys/unix"
)

// oddTree fills dir with what Docker's own copying would lose.
func oddTree(t *testing.T, dir string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	must(os.MkdirAll(at("pg/base"), 0o700))
	must(os.WriteFile(at("pg/base/1"), bytes.Repeat([]byte("row "), 100_000), 0o600))
	must(os.Link(at("pg/base/1"), at("pg/again")))
	must(os.Symlink("../gone", at("pg/link")))
	must(syscall.Mkfifo(at("fifo"), 0o640))
	f, err := os.Create(at("sparse"))
	must(err)
	_, err = f.WriteAt([]byte("end"), 100<<20)
	must(err)
	must(f.Close())
	must(os.WriteFile(at("tool"), []byte("x"), 0o755))
	must(unix.Lsetxattr(at("tool"), "security.capability", []byte{1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 0))
	must(unix.Lsetxattr(at("pg"), "user.note", []byte("kept"), 0))
	must(syscall.Mknod(at("null"), syscall.S_IFCHR|0o666, int(unix.Mkdev(1, 3))))
	for _, name := range []string{"pg/base/1", "pg/base", "pg", "pg/link"} {
		must(os.Lchown(at(name), 70, 71))
	}
	must(os.Chown(dir, 999, 998))
	must(os.Chmod(dir, 0o750))
}

func TestVolumeRoundTrip(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: makes files of other owners and looks into volumes")
	}
	e := real(t)
	ctx := t.Context()
	from, to := appVolume(t, e), appVolume(t, e)
	v, err := e.Volume(ctx, from)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(v.Mountpoint); err != nil {
		t.Skipf("volumes of this engine are not on this host: %v", err)
	}
	oddTree(t, v.Mountpoint)
	want, err := tree.Scan(ctx, v.Mountpoint, nil)
	if err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	var told []int64
	on := func(n int64) { told = append(told, n) }
	saved, err := e.SaveTree(ctx, Data{VolumeData, from}, &archive, on)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.IsSorted(told) || len(told) == 0 || told[len(told)-1] != saved.Bytes {
		t.Errorf("progress %v of %d", told, saved.Bytes)
	}
	verified, err := tree.Verify(ctx, bytes.NewReader(archive.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := e.LoadTree(ctx, Data{VolumeData, to}, bytes.NewReader(archive.Bytes()), on)
	if err != nil {
		t.Fatal(err)
	}
	scanned, err := e.ScanTree(ctx, Data{VolumeData, to}, nil)
	if err != nil {
		t.Fatal(err)
	}
	w, err := e.Volume(ctx, to)
	if err != nil {
		t.Fatal(err)
	}
	direct, err := tree.Scan(ctx, w.Mountpoint, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]tree.Summary{"save": saved, "verify": verified, "load": loaded, "scan": scanned, "on the host": direct} {
		if got.Digest != want.Digest || got.Entries != want.Entries {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	// A bind mount is reached by its path.
	bind := Data{BindData, w.Mountpoint}
	if got, err := e.ScanTree(ctx, bind, nil); err != nil || got.Digest != want.Digest {
		t.Errorf("bind: %+v %v", got, err)
	}
	nothingLeft(t, e)
}

func TestVolumeFailures(t *testing.T) {
	e := real(t)
	ctx := t.Context()
	vol := Data{VolumeData, appVolume(t, e)}
	var archive bytes.Buffer
	empty, err := e.SaveTree(ctx, vol, &archive, nil)
	if err != nil || empty.Entries != 1 {
		t.Fatalf("empty volume: %+v %v", empty, err)
	}
	gone := Data{VolumeData, "belay-test-none-" + token(t)}
	if _, err := e.SaveTree(ctx, gone, &archive, nil); !errors.Is(err, ErrNotFound) {
		t.Errorf("missing volume: %v", err)
	}
	if _, err := e.ScanTree(ctx, Data{BindData, "/belay-none"}, nil); err == nil {
		t.Error("missing path: no error")
	}
	if _, err := e.LoadTree(ctx, vol, strings.NewReader("no archive at all, no archive at all"), nil); !errors.Is(err, tree.ErrNotArchive) {
		t.Errorf("garbage: %v", err)
	}
	if _, err := e.LoadTree(ctx, vol, bytes.NewReader(archive.Bytes()[:archive.Len()-3]), nil); !errors.Is(err, tree.ErrTruncated) {
		t.Errorf("cut: %v", err)
	}
	full := errors.New("no room here")
	if _, err := e.SaveTree(ctx, vol, brokenWriter{full}, nil); !errors.Is(err, full) {
		t.Errorf("writer fails: %v", err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	hold := func(p []byte) (int, error) {
		cancel()
		<-cancelled.Done()
		return 0, cancelled.Err()
	}
	if _, err := e.LoadTree(cancelled, vol, readerFunc(hold), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	nothingLeft(t, e)
}

// A helper that a killed belay left at work must not write any more when the
// next one restores.
func TestLoadEndsAnOlderHelper(t *testing.T) {
	e := real(t)
	ctx := t.Context()
	vol := Data{VolumeData, appVolume(t, e)}
	var archive bytes.Buffer
	if _, err := e.SaveTree(ctx, vol, &archive, nil); err != nil {
		t.Fatal(err)
	}
	old, err := e.createHelper(ctx, helperJob{data: vol, args: []string{"load", helperData}, stdin: &archive, writes: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.StartContainer(ctx, old); err != nil { // nobody feeds it
		t.Fatal(err)
	}
	if _, err := e.LoadTree(ctx, vol, bytes.NewReader(archive.Bytes()), nil); err != nil {
		t.Fatal(err)
	}
	nothingLeft(t, e)
}

func TestScanCountsSQLiteRows(t *testing.T) {
	e := real(t)
	ctx := t.Context()
	from := t.TempDir()
	if err := os.Mkdir(filepath.Join(from, "db"), 0o755); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(from, "db", "app.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	for _, q := range []string{"PRAGMA journal_mode=WAL", "CREATE TABLE users(name)", "INSERT INTO users VALUES (1),(2),(3)"} {
		if _, err := db.ExecContext(ctx, q); err != nil {
			t.Fatal(err)
		}
	}
	var archive bytes.Buffer // while it is open: the rows are in the -wal only
	if _, err := tree.Save(ctx, from, &archive, nil); err != nil {
		t.Fatal(err)
	}
	vol := Data{VolumeData, appVolume(t, e)}
	loaded, err := e.LoadTree(ctx, vol, &archive, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := e.ScanTree(ctx, vol, []string{"db/app.sqlite"})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.SQLite) != 1 || got.SQLite[0].Error != "" || got.SQLite[0].Tables["users"] != 3 {
		t.Errorf("%+v", got.SQLite)
	}
	if got.Digest != loaded.Digest {
		t.Error("digest differs")
	}
	nothingLeft(t, e)
}

type brokenWriter struct{ err error }

func (b brokenWriter) Write([]byte) (int, error) { return 0, b.err }

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// nothingLeft waits until no helper of this test is there any more.
func nothingLeft(t *testing.T, e *Engine) {
	t.Helper()
	list, err := e.api.ContainerList(t.Context(), container.ListOptions{
		All: true, Filters: filters.NewArgs(filters.Arg("label", LabelRun+"="+e.Run)),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range list {
		t.Errorf("left behind: %s %v", c.ID[:12], c.Names)
	}
}
