package contract

import (
	"context"
	"slices"
	"testing"

	"belay/dockerx"
)

func checkEngine(t *testing.T, s Subject) {
	info, err := s.Engine.Info(within(t))
	must(t, err)
	again, err := s.Engine.Info(within(t))
	must(t, err)
	if info.ID == "" || info.ID != again.ID || info.OS == "" || info.Arch == "" || info.Version == "" {
		t.Fatalf("info: %+v", info)
	}
	free, total, err := s.Engine.FreeSpace(within(t))
	must(t, err)
	if info.Local && (free <= 0 || total < free) || !info.Local && (free != -1 || total != -1) {
		t.Fatalf("free %d of %d, local %v", free, total, info.Local)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Engine.Info(ended); err == nil {
		t.Fatal("Info does not mind that its context is over")
	}
}

func checkContainers(t *testing.T, s Subject) {
	c := s.container(t)
	if c.State != dockerx.Running || c.Number != 1 || c.OneOff || len(c.ID) != 64 {
		t.Fatalf("container: %s %s number %d one-off %v", c.ID, c.State, c.Number, c.OneOff)
	}
	if c.Name == "" || c.Name[0] == '/' || c.StartedAt.IsZero() || c.CreatedAt.IsZero() || c.StopTimeout <= 0 {
		t.Fatalf("container: name %q, created %v, started %v, stop timeout %v", c.Name, c.CreatedAt, c.StartedAt, c.StopTimeout)
	}
	if c.Project != s.Project.Name || c.Labels["com.docker.compose.service"] != s.Service || c.WorkingDir != s.Project.Dir {
		t.Fatalf("labels: %v", c.Labels)
	}
	if !slices.Equal(c.ConfigFiles, s.Project.Files) {
		t.Fatalf("config files %v, want %v", c.ConfigFiles, s.Project.Files)
	}
	if !slices.ContainsFunc(c.Mounts, func(m dockerx.Mount) bool {
		return m.Data == s.store() && m.Target == s.Mount && !m.Anonymous
	}) {
		t.Fatalf("no volume %s at %s in %+v", s.Volume, s.Mount, c.Mounts)
	}
	byID, err := s.Engine.Container(within(t), c.ID)
	must(t, err)
	if byID.Name != c.Name || byID.ImageID != c.ImageID {
		t.Fatalf("by ID: %s %s", byID.Name, byID.ImageID)
	}
	all, err := s.Engine.Containers(within(t), "")
	must(t, err)
	if !slices.ContainsFunc(all, func(o dockerx.Container) bool { return o.ID == c.ID }) {
		t.Fatal("not among the containers of all projects")
	}
	none, err := s.Engine.Containers(within(t), "no-such-project")
	if err != nil || len(none) != 0 {
		t.Fatalf("of a project that does not exist: %v %v", none, err)
	}
	_, err = s.Engine.Container(within(t), "no-such-container")
	wantErr(t, err, dockerx.ErrNotFound)
}

func checkConfigHash(t *testing.T, s Subject) {
	hashes, err := s.Compose.ConfigHash(within(t), s.Project)
	must(t, err)
	if c := s.container(t); hashes[s.Service] == "" || hashes[s.Service] != c.ConfigHash {
		t.Fatalf("files %q, container %q", hashes[s.Service], c.ConfigHash)
	}
	next, err := s.Compose.ConfigHash(within(t), s.Next)
	must(t, err)
	if next[s.Service] == hashes[s.Service] {
		t.Fatal("another image, the same hash")
	}
}

func checkImages(t *testing.T, s Subject) {
	c := s.container(t)
	byID, err := s.Engine.Image(within(t), c.ImageID)
	must(t, err)
	if byID.ID != c.ImageID || byID.Size <= 0 || !slices.Contains(byID.Tags, c.Image) {
		t.Fatalf("by ID: %+v", byID)
	}
	byTag, err := s.Engine.Image(within(t), c.Image)
	must(t, err)
	if byTag.ID != c.ImageID {
		t.Fatalf("by tag: %s, want %s", byTag.ID, c.ImageID)
	}
	for _, digest := range byID.Digests {
		byDigest, err := s.Engine.Image(within(t), digest)
		must(t, err)
		if byDigest.ID != c.ImageID {
			t.Fatalf("by digest: %s, want %s", byDigest.ID, c.ImageID)
		}
	}
	_, err = s.Engine.Image(within(t), "belay.invalid/nothing:0")
	wantErr(t, err, dockerx.ErrNotFound)
	if err := s.Engine.Pull(within(t), "127.0.0.1:1/nothing:0", nil); err == nil {
		t.Fatal("pulled what no registry has")
	}
	if s.Pull != "" {
		checkPull(t, s)
	}
}

func checkPull(t *testing.T, s Subject) {
	_, err := s.Engine.Image(within(t), s.Pull)
	wantErr(t, err, dockerx.ErrNotFound)
	last := map[string]dockerx.PullProgress{}
	must(t, s.Engine.Pull(within(t), s.Pull, func(p dockerx.PullProgress) {
		if had := last[p.Layer]; had.Phase == p.Phase && p.Current < had.Current {
			t.Errorf("layer %s went back from %d to %d", p.Layer, had.Current, p.Current)
		}
		last[p.Layer] = p
	}))
	for id, p := range last {
		if p.Phase != "complete" && p.Phase != "exists" {
			t.Errorf("layer %s ended %s", id, p.Phase)
		}
	}
	img, err := s.Engine.Image(within(t), s.Pull)
	must(t, err)
	if len(img.Digests) == 0 || !slices.Contains(img.Tags, s.Pull) {
		t.Fatalf("pulled image: tags %v, digests %v", img.Tags, img.Digests)
	}
}

func checkHold(t *testing.T, s Subject) {
	c := s.container(t)
	hold := dockerx.HoldPrefix + "contract-" + s.Service + ":01ABC"
	must(t, s.Engine.TagImage(within(t), c.ImageID, hold))
	must(t, s.Engine.TagImage(within(t), c.ImageID, hold)) // once more is no mistake
	img, err := s.Engine.Image(within(t), hold)
	must(t, err)
	if img.ID != c.ImageID {
		t.Fatalf("held %s, want %s", img.ID, c.ImageID)
	}
	wantErr(t, s.Engine.UntagImage(within(t), c.Image), dockerx.ErrNotOurs)
	must(t, s.Engine.UntagImage(within(t), hold))
	_, err = s.Engine.Image(within(t), hold)
	wantErr(t, err, dockerx.ErrNotFound)
	if _, err := s.Engine.Image(within(t), c.Image); err != nil {
		t.Fatalf("the image's own tag is gone: %v", err)
	}
	wantErr(t, s.Engine.TagImage(within(t), "sha256:"+zeros, hold), dockerx.ErrNotFound)
}

const zeros = "0000000000000000000000000000000000000000000000000000000000000000"

func checkVolumes(t *testing.T, s Subject) {
	const name = "belay-contract-volume"
	v, err := s.Engine.Volume(within(t), s.Volume)
	must(t, err)
	if v.Name != s.Volume || v.Labels[dockerx.LabelRun] != "" {
		t.Fatalf("volume: %+v", v)
	}
	wantErr(t, s.Engine.RemoveVolume(within(t), s.Volume), dockerx.ErrNotOurs)
	wantErr(t, s.Engine.RemoveVolume(within(t), name), dockerx.ErrNotFound)
	wantErr(t, s.Engine.CreateVolume(within(t), dockerx.VolumeSpec{Name: name}), dockerx.ErrNotOurs)
	must(t, s.Engine.CreateVolume(within(t), dockerx.VolumeSpec{Name: name, Labels: ours()}))
	all, err := s.Engine.Volumes(within(t))
	must(t, err)
	for _, want := range []string{name, s.Volume} {
		if !slices.ContainsFunc(all, func(v dockerx.Volume) bool { return v.Name == want }) {
			t.Fatalf("%s is not listed", want)
		}
	}
	must(t, s.Engine.RemoveVolume(within(t), name))
	_, err = s.Engine.Volume(within(t), name)
	wantErr(t, err, dockerx.ErrNotFound)
	if _, err := s.Engine.Volume(within(t), s.Volume); err != nil {
		t.Fatalf("the service's volume: %v", err)
	}
}
