package pin_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"belay/dockerx/compose"
	"belay/steps"
	"belay/steps/pin"
)

const (
	foreign = "image: r/app:9\n# mine\n"
	gone    = "" // no file at all
)

// project is a compose file and a .env beside it, both with an edit.
type project struct{ edits []compose.Edit }

func newProject(t *testing.T) *project {
	t.Helper()
	dir := t.TempDir()
	p := &project{edits: []compose.Edit{
		{Path: filepath.Join(dir, "compose.yaml"), Line: 4, Old: []byte("image: r/app:1\n"), New: []byte("image: r/app:2\n")},
		{Path: filepath.Join(dir, ".env"), Line: 2, Old: []byte("TAG=1\n"), New: []byte("TAG=2\n")},
	}}
	for _, e := range p.edits {
		write(t, e.Path, string(e.Old))
	}
	return p
}

func (p *project) step() steps.Step { return pin.New(&steps.Plan{Edits: p.edits}) }

func (p *project) want(t *testing.T, texts ...string) {
	t.Helper()
	for i, e := range p.edits {
		b, err := os.ReadFile(e.Path)
		if err != nil && texts[i] != gone {
			t.Fatal(err)
		}
		if string(b) != texts[i] {
			t.Errorf("%s holds %q, want %q", filepath.Base(e.Path), b, texts[i])
		}
	}
}

func (p *project) old() []string { return []string{string(p.edits[0].Old), string(p.edits[1].Old)} }
func (p *project) new() []string { return []string{string(p.edits[0].New), string(p.edits[1].New)} }

func write(t *testing.T, path, text string) {
	t.Helper()
	if text == gone {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		return
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func observe(t *testing.T, s steps.Step, want steps.Observation) {
	t.Helper()
	if o, err := s.Observe(t.Context()); err != nil || o != want {
		t.Errorf("observed %q (%v), want %q", o, err, want)
	}
}

// reporter collects the facts and the warnings.
func reporter() (r *steps.Reporter, facts map[string]string, warned func() []string) {
	facts = map[string]string{}
	var warnings []string
	r = steps.NewReporter(steps.Pin, func(e steps.Event) {
		if e.Kind == steps.KindWarn {
			warnings = append(warnings, e.Text)
		}
	}, func(k, v string) { facts[k] = v })
	return r, facts, func() []string { return warnings }
}

func TestThereAndBack(t *testing.T) {
	p := newProject(t)
	s := p.step()
	r, facts, _ := reporter()
	observe(t, s, steps.NotDone)
	if err := s.Undo(t.Context(), r); err != nil {
		t.Fatalf("undo of nothing: %v", err)
	}
	for range 2 { // a crash may have it done twice
		if err := s.Do(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		p.want(t, p.new()...)
		observe(t, s, steps.Done)
	}
	if got := facts["summary"]; got != "compose.yaml:4, .env:2" {
		t.Errorf("the summary leaves edits out: %q", got)
	}
	for range 2 {
		if err := s.Undo(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		p.want(t, p.old()...)
		observe(t, s, steps.NotDone)
	}
}

// A crash between two files leaves one edited; both ways go on from there.
func TestHalfDone(t *testing.T) {
	for name, way := range map[string]struct {
		act  func(t *testing.T, s steps.Step) error
		want func(p *project) []string
	}{
		"forward": {func(t *testing.T, s steps.Step) error {
			t.Helper()
			return s.Do(t.Context(), steps.NewReporter(steps.Pin, nil, nil))
		}, (*project).new},
		"back": {func(t *testing.T, s steps.Step) error {
			t.Helper()
			return s.Undo(t.Context(), steps.NewReporter(steps.Pin, nil, nil))
		}, (*project).old},
	} {
		for i := range 2 {
			t.Run(name, func(t *testing.T) {
				p := newProject(t)
				write(t, p.edits[i].Path, string(p.edits[i].New))
				observe(t, p.step(), steps.Partial)
				if err := way.act(t, p.step()); err != nil {
					t.Fatal(err)
				}
				p.want(t, way.want(p)...)
			})
		}
	}
}

// Whichever file somebody else changed, no file is written to, and the way back
// is free: a refusal here must not keep the app from starting again.
func TestForeignFileIsRefusedAndNothingIsTouched(t *testing.T) {
	for name, text := range map[string]string{"changed": foreign, "gone": gone} {
		for i := range 2 {
			t.Run(name+" "+[]string{"first", "second"}[i], func(t *testing.T) {
				p := newProject(t)
				want := p.old()
				write(t, p.edits[i].Path, text)
				want[i] = text
				s := p.step()
				r, _, warned := reporter()
				observe(t, s, steps.Foreign)
				err := s.Do(t.Context(), r)
				if !errors.Is(err, compose.ErrForeign) || !strings.Contains(err.Error(), p.edits[i].Path) {
					t.Fatalf("%v", err)
				}
				p.want(t, want...)
				if err := s.Undo(t.Context(), r); err != nil {
					t.Errorf("what was never written to could not be undone: %v", err)
				}
				p.want(t, want...)
				if w := warned(); len(w) != 1 || !strings.Contains(w[0], p.edits[i].Path) {
					t.Errorf("warned %q", w)
				}
			})
		}
	}
}

// A file that was edited by belay and then by somebody else is for a person to
// look at. All others go back.
func TestUndoLeavesAForeignFileAndPutsTheOthersBack(t *testing.T) {
	for i := range 2 {
		p := newProject(t)
		s := p.step()
		r, _, _ := reporter()
		if err := s.Do(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		write(t, p.edits[i].Path, foreign)
		if err := s.Undo(t.Context(), r); !errors.Is(err, compose.ErrForeign) || !strings.Contains(err.Error(), p.edits[i].Path) {
			t.Errorf("%v", err)
		}
		want := p.old()
		want[i] = foreign
		p.want(t, want...)
	}
}

func TestTitleNamesEveryFileOnce(t *testing.T) {
	for want, edits := range map[string][]compose.Edit{
		"edit nothing":            nil,
		"edit .env":               {{Path: "/p/.env"}},
		"edit compose.yaml, .env": {{Path: "/p/compose.yaml"}, {Path: "/p/.env"}, {Path: "/p/more/.env"}},
	} {
		if got := pin.New(&steps.Plan{Edits: edits}).Title(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestNothingToEditIsDone(t *testing.T) {
	s := (&project{}).step()
	r, facts, _ := reporter()
	observe(t, s, steps.Done)
	if err := errors.Join(s.Do(t.Context(), r), s.Undo(t.Context(), r)); err != nil || len(facts) != 0 {
		t.Errorf("%v %v", err, facts)
	}
}
