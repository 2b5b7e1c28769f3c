package journal

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const run = "01JD0000000000000000000000"

func clock() time.Time { return time.Date(2026, 11, 20, 20, 30, 0, 0, time.UTC) }

func write(t *testing.T, dir string, n int) {
	t.Helper()
	l, err := Create(dir, run, clock)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := l.Append("pull", Intent, i, map[string]string{"n": strings.Repeat("x", i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, 5)
	records, err := Read(dir, run)
	if err != nil || len(records) != 5 {
		t.Fatalf("got %d records, %v", len(records), err)
	}
	for i, r := range records {
		if r.Seq != uint64(i+1) || r.Attempt != i || r.Facts["n"] != strings.Repeat("x", i) || !r.Wall.Equal(clock()) {
			t.Errorf("record %d: %+v", i, r)
		}
	}
}

// A journal cut, zeroed or overwritten anywhere keeps its valid prefix and never panics.
func TestDamagedTailKeepsThePrefix(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, 8)
	whole, err := os.ReadFile(filepath.Join(dir, "journal"))
	if err != nil {
		t.Fatal(err)
	}
	all, _, _ := Decode(whole, run)
	rapid.Check(t, func(rt *rapid.T) {
		at := rapid.IntRange(0, len(whole)-1).Draw(rt, "at")
		data := append([]byte(nil), whole...)
		switch rapid.SampledFrom([]string{"cut", "zero", "flip"}).Draw(rt, "damage") {
		case "cut":
			data = data[:at]
		case "zero":
			clear(data[at:])
		case "flip":
			data[at] ^= 1 << rapid.IntRange(0, 7).Draw(rt, "bit")
		}
		got, good, err := Decode(data, run)
		if err != nil {
			rt.Fatalf("damage must not be an error: %v", err)
		}
		if len(got) >= len(all) || good > at {
			rt.Fatalf("%d records and %d good bytes survive damage at %d", len(got), good, at)
		}
		for i := range got {
			if got[i].Seq != all[i].Seq {
				rt.Fatalf("record %d differs", i)
			}
		}
	})
}

func TestReopenCutsTheTailAndGoesOn(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, 3)
	f, err := os.OpenFile(filepath.Join(dir, "journal"), os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = f.Write(make([]byte, 512)) // what a power cut leaves
	_ = f.Close()
	l, records, repaired, err := Reopen(dir, run, clock)
	if err != nil || len(records) != 3 || repaired != 512 {
		t.Fatalf("%d records, %d repaired, %v", len(records), repaired, err)
	}
	if err := l.Append("stop", Done, 1, nil); err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	records, err = Read(dir, run)
	if err != nil || len(records) != 4 || records[3].Seq != 4 || records[3].Step != "stop" {
		t.Fatalf("after going on: %+v, %v", records, err)
	}
}

func TestForeignAndRepeatedRecords(t *testing.T) {
	one := func(run string, seq uint64) []byte {
		b, err := encode(Record{V: Format, Seq: seq, Run: run, Phase: Note})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	cat := func(parts ...[]byte) (out []byte) {
		for _, p := range parts {
			out = append(out, p...)
		}
		return out
	}
	for name, c := range map[string]struct {
		data []byte
		want int
	}{
		"repeated":    {cat(one(run, 1), one(run, 1), one(run, 2)), 2},
		"other run":   {cat(one(run, 1), one("01JD0000000000000000000009", 2)), 1},
		"gap":         {cat(one(run, 1), one(run, 3)), 1},
		"backwards":   {cat(one(run, 1), one(run, 2), one(run, 1)), 2},
		"starts late": {one(run, 7), 0},
	} {
		got, _, err := Decode(c.data, run)
		if err != nil || len(got) != c.want {
			t.Errorf("%s: %d records, %v; want %d", name, len(got), err, c.want)
		}
	}
}

func TestNewerFormatIsRefusedByName(t *testing.T) {
	body, _ := json.Marshal(map[string]any{"v": Format + 1, "seq": 1, "run": run})
	frame := binary.LittleEndian.AppendUint32(nil, uint32(len(body)))
	frame = binary.LittleEndian.AppendUint32(frame, crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
	_, _, err := Decode(append(frame, body...), run)
	var newer *NewerError
	if !errors.As(err, &newer) || newer.Have != Format+1 {
		t.Fatalf("got %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	good, _ := encode(Record{V: 1, Seq: 1, Run: run, Phase: Intent})
	f.Add(good)
	f.Add(make([]byte, 64))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, good, _ := Decode(data, "")
		if good > len(data) {
			t.Fatal("more good bytes than bytes")
		}
	})
}

func TestOneWinnerTakesTheLock(t *testing.T) {
	s, err := OpenStore(filepath.Join(t.TempDir(), "state"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Project(Key("engine", "app", "/srv/app"))
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var won []*Lock
	var lost []*LockedError
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			l, err := p.Lock(Owner{PID: os.Getpid(), Run: run, Since: clock(), TTY: "pts/3"})
			mu.Lock()
			defer mu.Unlock()
			var held *LockedError
			switch {
			case err == nil:
				won = append(won, l)
			case errors.As(err, &held):
				lost = append(lost, held)
			default:
				t.Errorf("unexpected: %v", err)
			}
		})
	}
	wg.Wait()
	if len(won) != 1 || len(lost) != 99 {
		t.Fatalf("%d won, %d lost", len(won), len(lost))
	}
	if err := won[0].Unlock(); err != nil {
		t.Fatal(err)
	}
	l, err := p.Lock(Owner{PID: 1})
	if err != nil {
		t.Fatalf("free lock refused: %v", err)
	}
	_ = l.Unlock()
}

// A compose that outlives a killed belay is still at work: it holds the lock.
func TestChildKeepsTheLock(t *testing.T) {
	s, err := OpenStore(filepath.Join(t.TempDir(), "state"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Project("k")
	if err != nil {
		t.Fatal(err)
	}
	l, err := p.Lock(Owner{PID: os.Getpid()})
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command("cat")
	stdin, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	child.ExtraFiles = []*os.File{l.File()}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	if err := l.Unlock(); err != nil {
		t.Fatal(err)
	}
	var held *LockedError
	if _, err := p.Lock(Owner{}); !errors.As(err, &held) || held.Owner.PID != os.Getpid() {
		t.Errorf("taken while a child is at work: %v", err)
	}
	_ = stdin.Close()
	if err := child.Wait(); err != nil {
		t.Fatal(err)
	}
	again, err := p.Lock(Owner{})
	if err != nil {
		t.Fatal(err)
	}
	_ = again.Unlock()
}

func TestHeadNamesTheOpenRun(t *testing.T) {
	s, err := OpenStore(filepath.Join(t.TempDir(), "state"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Project("k")
	if err != nil {
		t.Fatal(err)
	}
	if h, err := p.Head(); h != "" || err != nil {
		t.Fatalf("fresh head %q %v", h, err)
	}
	if _, err := p.MakeRun("../../etc"); err == nil {
		t.Fatal("a path is no run ID")
	}
	dir, err := p.MakeRun(run)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Fatalf("%v %v", info.Mode(), err)
	}
	if err := p.SetHead(run); err != nil {
		t.Fatal(err)
	}
	if h, err := p.Head(); h != run || err != nil {
		t.Fatalf("head %q %v", h, err)
	}
	if err := os.WriteFile(filepath.Join(p.dir, "head"), []byte("../../x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Head(); err == nil {
		t.Fatal("a planted head is refused")
	}
	runs, err := p.Runs()
	if err != nil || len(runs) != 1 || runs[0] != run {
		t.Fatalf("%v %v", runs, err)
	}
}

func TestStoreOfAnotherKindIsRefused(t *testing.T) {
	dir := t.TempDir()
	real := filepath.Join(dir, "real")
	if err := os.Mkdir(real, 0o755); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenStore(link); err == nil {
		t.Fatal("a symbolic link is refused")
	}
	if _, err := OpenStore(real); err != nil {
		t.Fatal(err)
	}
	if info, _ := os.Stat(real); info.Mode().Perm() != 0o700 {
		t.Fatalf("mode %v", info.Mode())
	}
}
