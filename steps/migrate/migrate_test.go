package migrate_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"belay/dockerx/compose"
	"belay/steps"
	"belay/steps/migrate"
)

// world is a compose, a loader and a waker in one, with the history of what was asked.
type world struct {
	did   []string
	lines []string
	exit  int
	err   map[string]error
}

func (w *world) Run(_ context.Context, p *compose.Project, service string, argv []string, on func(string)) (int, error) {
	w.did = append(w.did, "run "+p.Name+" "+service+" "+strings.Join(argv, "|"))
	for _, l := range w.lines {
		on(l)
	}
	return w.exit, w.err["run"]
}

func (w *world) load(context.Context) (*compose.Project, error) {
	w.did = append(w.did, "load")
	return &compose.Project{Name: "edited"}, w.err["load"]
}

func (w *world) wake(context.Context) error {
	w.did = append(w.did, "wake")
	return w.err["wake"]
}

func (w *world) step() steps.Step {
	return migrate.New(w, w.load, w.wake, &steps.Plan{
		Migrate: &steps.Command{Service: "api", Argv: []string{"alembic", "upgrade", "head now"}},
	})
}

func TestDatabaseIsAwakeBeforeTheCommandRuns(t *testing.T) {
	w := &world{lines: []string{"at 41", "", "at 42"}}
	var logs []string
	facts := map[string]string{}
	r := steps.NewReporter(steps.Migrate, func(e steps.Event) {
		if e.Kind == steps.KindLog {
			logs = append(logs, e.Service+": "+e.Text)
		}
	}, func(k, v string) { facts[k] = v })
	if err := w.step().Do(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if want := []string{"load", "wake", "run edited api alembic|upgrade|head now"}; !slices.Equal(w.did, want) {
		t.Errorf("did %q", w.did)
	}
	if want := []string{"api: at 41", "api: ", "api: at 42"}; !slices.Equal(logs, want) {
		t.Errorf("logs %q", logs)
	}
	if facts["exit"] != "0" {
		t.Errorf("facts %v", facts)
	}
}

func TestExitCodeIsTheVerdict(t *testing.T) {
	for name, c := range map[string]struct {
		lines []string
		want  string
	}{
		"last three lines":   {[]string{"one", "two", "three", "four"}, "the migration ended with exit code 3: two / three / four"},
		"fewer":              {[]string{"boom"}, "the migration ended with exit code 3: boom"},
		"empty lines at end": {[]string{"Traceback:", "  no such column: x", "", "  ", "\r"}, "the migration ended with exit code 3: Traceback: / no such column: x"},
		"silent":             {nil, "the migration ended with exit code 3 and said nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			facts := map[string]string{}
			r := steps.NewReporter(steps.Migrate, nil, func(k, v string) { facts[k] = v })
			err := (&world{lines: c.lines, exit: 3}).step().Do(t.Context(), r)
			if err == nil || err.Error() != c.want {
				t.Errorf("%v, want %s", err, c.want)
			}
			if len(facts) != 0 {
				t.Errorf("a failure left facts: %v", facts)
			}
		})
	}
}

func TestNothingRunsAfterAFailure(t *testing.T) {
	for _, c := range []struct {
		fails string
		did   int
	}{{"load", 1}, {"wake", 2}, {"run", 3}} {
		broken := errors.New("broken")
		w := &world{err: map[string]error{c.fails: broken}}
		err := w.step().Do(t.Context(), steps.NewReporter(steps.Migrate, nil, nil))
		if !errors.Is(err, broken) || len(w.did) != c.did {
			t.Errorf("%s: %v after %q", c.fails, err, w.did)
		}
	}
}

// Only the recorded exit code says that a migration is done: it is never taken
// for done by looking, and only a restore takes it back.
func TestLookingAndUndoingLeaveTheDataAlone(t *testing.T) {
	w := &world{}
	if o, err := w.step().Observe(t.Context()); err != nil || o != steps.NotDone {
		t.Errorf("%s %v", o, err)
	}
	if err := w.step().Undo(t.Context(), steps.NewReporter(steps.Migrate, nil, nil)); err != nil || len(w.did) != 0 {
		t.Errorf("%v %q", err, w.did)
	}
}
