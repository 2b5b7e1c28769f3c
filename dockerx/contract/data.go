package contract

import (
	"bytes"
	"maps"
	"testing"

	"belay/dockerx"
	"belay/dockerx/compose"
	"belay/dockerx/tree"
)

func checkData(t *testing.T, s Subject) {
	must(t, s.Compose.Stop(within(t), s.Project, nil, 0, nil)) // still data, or nothing can be equal
	was, err := s.Engine.ScanTree(within(t), s.store(), s.SQLite)
	must(t, err)
	if was.Digest == "" || was.Files == 0 || len(was.SQLite) != len(s.SQLite) {
		t.Fatalf("scan: %+v", was)
	}
	var archive bytes.Buffer
	var seen int64
	saved, err := s.Engine.SaveTree(within(t), s.store(), &archive, func(n int64) {
		if n < seen {
			t.Errorf("progress went back from %d to %d", seen, n)
		}
		seen = n
	})
	must(t, err)
	if saved.Digest != was.Digest {
		t.Fatalf("saved %s, scanned %s", saved.Digest, was.Digest)
	}

	other := dockerx.Data{Kind: dockerx.VolumeData, Name: "belay-contract-data"}
	must(t, s.Engine.CreateVolume(within(t), dockerx.VolumeSpec{Name: other.Name, Labels: ours()}))
	var empty bytes.Buffer
	nothing, err := s.Engine.SaveTree(within(t), other, &empty, nil)
	must(t, err)
	restored(t, s, other, archive.Bytes(), was)
	restored(t, s, other, empty.Bytes(), nothing) // what was there before is gone
	restored(t, s, other, archive.Bytes(), was)

	half := archive.Bytes()[:archive.Len()/2]
	if _, err := s.Engine.LoadTree(within(t), other, bytes.NewReader(half), nil); err == nil {
		t.Error("half an archive was restored without complaint")
	}
	must(t, s.Engine.RemoveVolume(within(t), other.Name))

	_, err = s.Engine.ScanTree(within(t), dockerx.Data{Kind: dockerx.VolumeData, Name: "belay-contract-none"}, nil)
	wantErr(t, err, dockerx.ErrNotFound)
	if _, err := s.Engine.Volume(within(t), "belay-contract-none"); err == nil {
		t.Error("asking for a volume made it")
	}
	after, err := s.Engine.ScanTree(within(t), s.store(), s.SQLite)
	must(t, err)
	if after.Digest != was.Digest {
		t.Error("reading changed the data")
	}
	must(t, s.Compose.Up(within(t), s.Project, compose.UpSpec{}, nil))
}

func restored(t *testing.T, s Subject, to dockerx.Data, archive []byte, want tree.Summary) {
	t.Helper()
	loaded, err := s.Engine.LoadTree(within(t), to, bytes.NewReader(archive), nil)
	must(t, err)
	scanned, err := s.Engine.ScanTree(within(t), to, nil)
	must(t, err)
	if loaded.Digest != want.Digest || scanned.Digest != want.Digest {
		t.Fatalf("loaded %s, scanned %s, want %s", loaded.Digest, scanned.Digest, want.Digest)
	}
}

func sameRows(t *testing.T, a, b tree.Summary) {
	t.Helper()
	for i, was := range a.SQLite {
		if i >= len(b.SQLite) || !maps.Equal(was.Tables, b.SQLite[i].Tables) || was.Error != "" {
			t.Fatalf("rows before: %+v, after: %+v", a.SQLite, b.SQLite)
		}
	}
}
