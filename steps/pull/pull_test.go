package pull_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"belay/dockerx"
	"belay/steps"
	"belay/steps/pull"
)

type engine struct {
	images map[string]dockerx.Image
	comes  map[string]dockerx.Image // what a pull brings
	fail   error
	pulled []string
}

func (e *engine) Image(_ context.Context, ref string) (dockerx.Image, error) {
	if i, ok := e.images[ref]; ok {
		return i, nil
	}
	return dockerx.Image{}, dockerx.ErrNotFound
}

func (e *engine) Pull(_ context.Context, ref string, on func(dockerx.PullProgress)) error {
	e.pulled = append(e.pulled, ref)
	for _, p := range []dockerx.PullProgress{
		{Layer: "a", Phase: "waiting"},
		{Layer: "a", Phase: "downloading", Current: 40, Total: 100},
		{Layer: "b", Phase: "downloading", Current: 10, Total: 50},
		{Layer: "a", Phase: "downloading", Current: 98, Total: 100},
		{Layer: "a", Phase: "extracting", Current: 3, Total: 300},
		{Layer: "b", Phase: "complete"},
	} {
		on(p)
	}
	if e.fail == nil {
		e.images[ref] = e.comes[ref]
	}
	return e.fail
}

func (e *engine) TagImage(_ context.Context, id, ref string) error {
	e.images[ref] = dockerx.Image{ID: id}
	return nil
}

func (e *engine) UntagImage(_ context.Context, ref string) error {
	if !strings.HasPrefix(ref, dockerx.HoldPrefix) {
		return dockerx.ErrNotOurs
	}
	delete(e.images, ref)
	return nil
}

var plan = &steps.Plan{From: "1.2.3", To: "1.3.0", Group: []steps.Target{
	{Service: "app", NewRef: "r/app:1.3.0", Digest: "sha256:new", OldImage: "sha256:old", Hold: "belay-hold/p-app:run"},
	{Service: "worker", NewRef: "r/app:1.3.0", Digest: "sha256:new", OldImage: "sha256:old", Hold: "belay-hold/p-worker:run"},
}}

func TestPullBringsThePlannedImageOnce(t *testing.T) {
	e := &engine{images: map[string]dockerx.Image{}, comes: map[string]dockerx.Image{"r/app:1.3.0": {Digests: []string{"r/app@sha256:new"}}}}
	var last, most int64
	r := steps.NewReporter(steps.Pull, func(ev steps.Event) {
		if ev.Kind != steps.KindProgress {
			return
		}
		if ev.Done < last {
			t.Errorf("went back from %d to %d", last, ev.Done)
		}
		last, most = ev.Done, max(most, ev.Total)
	}, nil)
	step := pull.New(e, plan)
	if o, _ := step.Observe(t.Context()); o != steps.NotDone {
		t.Errorf("before: %s", o)
	}
	for range 2 {
		if err := step.Do(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if len(e.pulled) != 1 || last != 150 || most != 150 {
		t.Errorf("pulled %v, %d of %d", e.pulled, last, most)
	}
	if o, _ := step.Observe(t.Context()); o != steps.Done {
		t.Errorf("after: %s", o)
	}
}

func TestMovedTagIsRefused(t *testing.T) {
	e := &engine{images: map[string]dockerx.Image{}, comes: map[string]dockerx.Image{"r/app:1.3.0": {Digests: []string{"r/app@sha256:other"}}}}
	err := pull.New(e, plan).Do(t.Context(), steps.NewReporter(steps.Pull, nil, nil))
	var refused *steps.RefusedError
	if !errors.As(err, &refused) {
		t.Fatal(err)
	}
}

func TestFailedPullIsAFailure(t *testing.T) {
	e := &engine{images: map[string]dockerx.Image{}, fail: errors.New("unexpected EOF")}
	if err := pull.New(e, plan).Do(t.Context(), steps.NewReporter(steps.Pull, nil, nil)); err == nil {
		t.Fatal("no error")
	}
}

func TestHoldIsOursAndComesOff(t *testing.T) {
	e := &engine{images: map[string]dockerx.Image{}}
	step := pull.Hold(e, plan)
	r := steps.NewReporter(steps.Hold, nil, nil)
	if err := step.Undo(t.Context(), r); err != nil {
		t.Fatalf("undo of nothing: %v", err)
	}
	if err := step.Do(t.Context(), r); err != nil || e.images["belay-hold/p-worker:run"].ID != "sha256:old" {
		t.Fatalf("%v %v", err, e.images)
	}
	if o, _ := step.Observe(t.Context()); o != steps.Done {
		t.Errorf("%s", o)
	}
	e.images["belay-hold/p-app:run"] = dockerx.Image{ID: "sha256:another"}
	if o, _ := step.Observe(t.Context()); o != steps.NotDone {
		t.Errorf("a hold on another image counts: %s", o)
	}
	if err := step.Undo(t.Context(), r); err != nil || len(e.images) != 0 {
		t.Fatalf("%v %v", err, e.images)
	}
}
