package contract

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"belay/dockerx"
)

// patience is how long anything may take on a slow machine.
const patience = 60 * time.Second

// runID marks what these tests make, as a run of belay marks what it makes.
const runID = "contract"

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func ours() map[string]string {
	return map[string]string{dockerx.LabelRun: runID, dockerx.LabelRole: "contract"}
}

// container is the service's one container.
func (s Subject) container(t *testing.T) dockerx.Container {
	t.Helper()
	all, err := s.Engine.Containers(within(t), s.Project.Name)
	if err != nil {
		t.Fatal(err)
	}
	var found []dockerx.Container
	for _, c := range all {
		if c.Service == s.Service && !c.OneOff {
			found = append(found, c)
		}
	}
	if len(found) != 1 {
		t.Fatalf("service %s has %d containers, want one", s.Service, len(found))
	}
	return found[0]
}

// becomes waits until the container is in a state.
func (s Subject) becomes(t *testing.T, id string, want dockerx.State) dockerx.Container {
	t.Helper()
	var c dockerx.Container
	eventually(t, func() bool {
		var err error
		if c, err = s.Engine.Container(within(t), id); err != nil {
			t.Fatal(err)
		}
		return c.State == want
	})
	return c
}

// opens waits until a container has written the line that says that it is ready.
func (s Subject) opens(t *testing.T, id string) {
	t.Helper()
	eventually(t, func() bool { return strings.Contains(s.logged(t, id, dockerx.LogSpec{}), s.Logged) })
}

func (s Subject) logged(t *testing.T, id string, spec dockerx.LogSpec) string {
	t.Helper()
	var b strings.Builder
	err := s.Engine.Logs(within(t), id, spec, func(l dockerx.LogLine) {
		b.Write(l.Text)
		b.WriteByte('\n')
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func (s Subject) store() dockerx.Data {
	return dockerx.Data{Kind: dockerx.VolumeData, Name: s.Volume}
}

func eventually(t *testing.T, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatal("waited too long")
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error %v, want %q", err, want)
	}
}
