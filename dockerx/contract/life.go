package contract

import (
	"strings"
	"testing"

	"belay/dockerx"
	"belay/dockerx/compose"
)

func checkScratch(t *testing.T, s Subject) {
	c := s.container(t)
	copied := dockerx.Data{Kind: dockerx.VolumeData, Name: "belay-contract-scratch"}
	must(t, s.Engine.CreateVolume(within(t), dockerx.VolumeSpec{Name: copied.Name, Labels: ours()}))
	_, err := s.Engine.RunScratch(within(t), dockerx.ScratchSpec{Name: "belay-contract-unmarked", ImageID: c.ImageID})
	wantErr(t, err, dockerx.ErrNotOurs)
	id, err := s.Engine.RunScratch(within(t), dockerx.ScratchSpec{
		Name: "belay-contract-scratch", ImageID: c.ImageID, Labels: ours(),
		Mounts: []dockerx.Mount{{Data: copied, Target: s.Mount}},
	})
	must(t, err)
	s.opens(t, id)
	scratch, err := s.Engine.Container(within(t), id)
	must(t, err)
	if scratch.ImageID != c.ImageID || len(scratch.Ports) != 0 || scratch.Labels[dockerx.LabelRun] != runID {
		t.Fatalf("scratch: image %s, ports %v, labels %v", scratch.ImageID, scratch.Ports, scratch.Labels)
	}
	if scratch.RestartPolicy != "" && scratch.RestartPolicy != "no" {
		t.Fatalf("scratch restarts: %s", scratch.RestartPolicy)
	}
	wantErr(t, s.Engine.RemoveContainer(within(t), c.ID), dockerx.ErrNotOurs)
	must(t, s.Engine.RemoveContainer(within(t), id)) // it runs: force
	_, err = s.Engine.Container(within(t), id)
	wantErr(t, err, dockerx.ErrNotFound)
	must(t, s.Engine.RemoveVolume(within(t), copied.Name))
	if after := s.container(t); after.ID != c.ID || after.State != dockerx.Running {
		t.Fatalf("the service's own container: %s", after.State)
	}
}

func checkStopStart(t *testing.T, s Subject) {
	c := s.container(t)
	if u, err := s.Engine.Usage(within(t), c.ID); err != nil || u.At.IsZero() || u.CPU < 0 {
		t.Fatalf("usage: %+v %v", u, err)
	}
	ended := make(chan error, 1)
	ctx := within(t)
	followed := 0
	go func() {
		ended <- s.Engine.Logs(ctx, c.ID, dockerx.LogSpec{Follow: true}, func(dockerx.LogLine) { followed++ })
	}()
	must(t, s.Compose.Stop(within(t), s.Project, []string{s.Service}, 0, nil))
	stopped := s.container(t)
	if stopped.ID != c.ID || stopped.State != dockerx.Exited || stopped.FinishedAt.Before(c.StartedAt) {
		t.Fatalf("stopped: %s, finished %v", stopped.State, stopped.FinishedAt)
	}
	if err := <-ended; err != nil {
		t.Fatalf("following a container that stops: %v", err)
	}
	if all := strings.Count(s.logged(t, c.ID, dockerx.LogSpec{}), "\n"); followed != all {
		t.Fatalf("followed %d lines of %d", followed, all)
	}
	if _, err := s.Engine.Exec(within(t), c.ID, dockerx.ExecSpec{Argv: s.Exec.Argv}); err == nil {
		t.Fatal("exec in a stopped container")
	}
	s.opens(t, c.ID) // its log outlives it

	must(t, s.Engine.StartContainer(within(t), c.ID))
	must(t, s.Engine.StartContainer(within(t), c.ID)) // once more is no mistake
	again := s.becomes(t, c.ID, dockerx.Running)
	if !again.StartedAt.After(stopped.StartedAt) {
		t.Fatalf("started %v, before %v", again.StartedAt, stopped.StartedAt)
	}
	must(t, s.Engine.StopContainer(within(t), c.ID, patience/4))
	if now := s.container(t); now.State != dockerx.Exited {
		t.Fatalf("stopped: %s", now.State)
	}
	must(t, s.Engine.StopContainer(within(t), c.ID, patience/4)) // once more is no mistake
	must(t, s.Engine.StartContainer(within(t), c.ID))
	s.becomes(t, c.ID, dockerx.Running)
	wantErr(t, s.Engine.StopContainer(within(t), "no-such-container", patience), dockerx.ErrNotFound)
	wantErr(t, s.Engine.StartContainer(within(t), "no-such-container"), dockerx.ErrNotFound)
}

func checkPolicyAndName(t *testing.T, s Subject) {
	c := s.container(t)
	must(t, s.Engine.SetRestart(within(t), c.ID, "no"))
	if now := s.container(t); now.RestartPolicy != "no" {
		t.Fatalf("policy %q", now.RestartPolicy)
	}
	must(t, s.Compose.Up(within(t), s.Project, compose.UpSpec{Services: []string{s.Service}, NoDeps: true}, nil))
	if now := s.container(t); now.ID != c.ID || now.RestartPolicy != "no" {
		t.Fatalf("up put the policy back to %q", now.RestartPolicy)
	}
	must(t, s.Engine.SetRestart(within(t), c.ID, "unless-stopped"))
	if now := s.container(t); now.RestartPolicy != "unless-stopped" {
		t.Fatalf("policy %q", now.RestartPolicy)
	}
	must(t, s.Engine.RenameContainer(within(t), c.ID, c.Name+"-x"))
	if now := s.container(t); now.Name != c.Name+"-x" {
		t.Fatalf("name %q", now.Name)
	}
	must(t, s.Engine.RenameContainer(within(t), c.ID, c.Name))
}

func checkUpSame(t *testing.T, s Subject) {
	before := s.container(t)
	must(t, s.Compose.Up(within(t), s.Project, compose.UpSpec{}, nil))
	if after := s.container(t); after.ID != before.ID || !after.StartedAt.Equal(before.StartedAt) {
		t.Fatal("up recreated or restarted a container that was as it should be")
	}
	must(t, s.Compose.Stop(within(t), s.Project, nil, 0, nil))
	must(t, s.Compose.Up(within(t), s.Project, compose.UpSpec{Services: []string{s.Service}, NoDeps: true}, nil))
	if after := s.becomes(t, before.ID, dockerx.Running); after.ImageID != before.ImageID {
		t.Fatal("up did not start the same container again")
	}
	if err := s.Compose.Up(within(t), s.Project, compose.UpSpec{Services: []string{"no-such-service"}}, nil); err == nil {
		t.Fatal("up of a service that does not exist")
	}
}

func checkUpNext(t *testing.T, s Subject) {
	before := s.container(t)
	must(t, s.Compose.Stop(within(t), s.Project, nil, 0, nil))
	data, err := s.Engine.ScanTree(within(t), s.store(), s.SQLite)
	must(t, err)

	must(t, s.Compose.Up(within(t), s.Next, compose.UpSpec{Services: []string{s.Service}, NoDeps: true}, nil))
	after := s.container(t)
	if after.ID == before.ID || after.ImageID == before.ImageID || after.Name != before.Name {
		t.Fatalf("after: %s %s %s", after.ID[:12], after.ImageID, after.Name)
	}
	s.opens(t, after.ID)
	if _, err := s.Engine.Image(within(t), before.Image); err != nil {
		t.Fatalf("the old tag is gone: %v", err)
	}
	must(t, s.Compose.Stop(within(t), s.Next, nil, 0, nil))
	kept, err := s.Engine.ScanTree(within(t), s.store(), s.SQLite)
	must(t, err)
	if kept.Files < data.Files {
		t.Fatalf("%d files, before %d", kept.Files, data.Files)
	}
	sameRows(t, data, kept)
	must(t, s.Compose.Up(within(t), s.Next, compose.UpSpec{}, nil))
	s.becomes(t, after.ID, dockerx.Running)
}
