package steps_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"belay/steps"
	"belay/steps/journal"
)

const runID = "01JD0000000000000000000000"

// world is what the fake steps change: old, new, or neither.
type world struct{ effects []string }

func (w *world) has(e string) bool { return slices.Contains(w.effects, e) }

func (w *world) add(e string) {
	if !w.has(e) {
		w.effects = append(w.effects, e)
	}
}

func (w *world) drop(e string) {
	w.effects = slices.DeleteFunc(w.effects, func(x string) bool { return x == e })
}

type fakeStep struct {
	id       steps.ID
	w        *world
	do, undo error
	during   func()
	observe  steps.Observation
	back     bool
}

func (s *fakeStep) ID() steps.ID  { return s.id }
func (s *fakeStep) Title() string { return string(s.id) }

func (s *fakeStep) Do(_ context.Context, r *steps.Reporter) error {
	if s.during != nil {
		s.during()
	}
	if s.do != nil {
		return s.do
	}
	if s.back {
		s.w.effects = nil
		return nil
	}
	s.w.add(string(s.id))
	r.Fact("summary", "did "+string(s.id))
	return nil
}

func (s *fakeStep) Observe(context.Context) (steps.Observation, error) {
	if s.observe != "" {
		return s.observe, nil
	}
	if s.w.has(string(s.id)) {
		return steps.Done, nil
	}
	return steps.NotDone, nil
}

func (s *fakeStep) Undo(context.Context, *steps.Reporter) error {
	if s.undo == nil {
		s.w.drop(string(s.id))
	}
	return s.undo
}

type head struct{ run string }

func (h *head) SetHead(run string) error { h.run = run; return nil }

type rig struct {
	t       *testing.T
	w       *world
	e       *steps.Engine
	dir     string
	head    *head
	forward map[steps.ID]*fakeStep
}

var order = []steps.ID{
	steps.Preflight, steps.Pull, steps.Hold, steps.Capture, steps.Dump, steps.Stop, steps.Backup,
	steps.Prove, steps.Pin, steps.Start, steps.Watch, steps.Health, steps.Commit,
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, w: &world{}, dir: t.TempDir(), head: &head{run: runID}, forward: map[steps.ID]*fakeStep{}}
	log, err := journal.Create(r.dir, runID, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	r.engine(log)
	return r
}

func (r *rig) engine(log *journal.Log) {
	r.e = &steps.Engine{
		Plan: &steps.Plan{Run: runID, Project: "app", From: "1.2.3", To: "1.3.0", BackupDir: "/backup"},
		Log:  log, Head: r.head, Run: steps.NewRun(runID), Policy: steps.AutoRollback, Now: time.Now, Command: "belay",
		Loss: func(_ context.Context, f string, _ time.Time) steps.Loss { return steps.Loss{Failure: f} },
	}
	for _, id := range order {
		s, ok := r.forward[id]
		if !ok {
			s = &fakeStep{id: id, w: r.w}
			r.forward[id] = s
		}
		r.e.Forward = append(r.e.Forward, s)
	}
	r.e.Back = []steps.Step{&fakeStep{id: steps.BackData, w: r.w, back: true}, &fakeStep{id: steps.BackCanary, w: r.w, back: true}}
	r.t.Cleanup(func() { _ = log.Close() })
}

// reopen is the next start of belay after a crash.
func (r *rig) reopen() []journal.Record {
	log, records, _, err := journal.Reopen(r.dir, runID, time.Now)
	if err != nil {
		r.t.Fatal(err)
	}
	r.engine(log)
	return records
}

func (r *rig) expect(o steps.Outcome, result steps.Result, exit int, effects int, open bool) {
	r.t.Helper()
	if o.Result != result || o.Exit != exit {
		r.t.Errorf("outcome %s exit %d (%s), want %s exit %d", o.Result, o.Exit, o.Message, result, exit)
	}
	if len(r.w.effects) != effects {
		r.t.Errorf("effects left: %v", r.w.effects)
	}
	if (r.head.run != "") != open {
		r.t.Errorf("head %q, want open %v", r.head.run, open)
	}
	if got := r.e.Run.Outcome(); got.Result != o.Result {
		r.t.Errorf("the handle says %+v", got)
	}
}

func TestUpgradeReachesItsEnd(t *testing.T) {
	r := newRig(t)
	r.expect(r.e.Upgrade(t.Context()), steps.Upgraded, 0, len(order), false)
	b := r.e.Run.Stream().Drain()
	if n := len(b.States); n != 2*len(order)+1 || b.States[n-1].Kind != steps.KindOutcome {
		t.Errorf("%d states", n)
	}
}

// Whichever step fails, the world is old (undone or rolled back) and the exit
// code says which of the two it was.
func TestEveryFailureEndsOnTheOldVersion(t *testing.T) {
	for i, id := range order {
		t.Run(string(id), func(t *testing.T) {
			r := newRig(t)
			r.forward[id].do = errors.New("boom")
			o := r.e.Upgrade(t.Context())
			if i < slices.Index(order, steps.Start) {
				r.expect(o, steps.Aborted, steps.ExitFailed, 0, false)
			} else {
				r.expect(o, steps.RolledBack, steps.ExitRolled, 0, false)
			}
		})
	}
}

func TestPanicIsAFailureOfTheStep(t *testing.T) {
	r := newRig(t)
	r.forward[steps.Backup].during = func() { panic("nil map") }
	r.expect(r.e.Upgrade(t.Context()), steps.Aborted, steps.ExitFailed, 0, false)
}

func TestKeepLeavesTheRunOpen(t *testing.T) {
	r := newRig(t)
	r.e.Policy = steps.AutoKeep
	r.forward[steps.Health].do = errors.New("503")
	o := r.e.Upgrade(t.Context())
	r.expect(o, steps.NeedsOperator, steps.ExitOperator, 11, true)
	if o.Next != "belay rollback" || o.Backup != "/backup" {
		t.Errorf("%+v", o)
	}
}

func TestFailedUndoNeedsTheOperator(t *testing.T) {
	r := newRig(t)
	r.forward[steps.Backup].do = errors.New("disk full")
	r.forward[steps.Stop].undo = errors.New("engine is gone")
	o := r.e.Upgrade(t.Context())
	if o.Exit != steps.ExitOperator || !strings.Contains(o.Message, "engine is gone") || r.head.run == "" {
		t.Errorf("%+v, head %q", o, r.head.run)
	}
	if len(r.w.effects) != 1 {
		t.Errorf("a step that is stuck keeps others from being undone: %v", r.w.effects)
	}
}

// A file that somebody edited meanwhile must not keep the app down.
func TestStuckPinStillStartsTheApp(t *testing.T) {
	r := newRig(t)
	r.forward[steps.Pin].do = errors.New("disk full")
	r.forward[steps.Pin].undo = errors.New("edited by somebody else")
	if o := r.e.Upgrade(t.Context()); o.Exit != steps.ExitOperator || r.w.has(string(steps.Stop)) {
		t.Errorf("%+v, left %v", o, r.w.effects)
	}
}

func TestRefusalKeepsItsExitCode(t *testing.T) {
	r := newRig(t)
	r.forward[steps.Preflight].do = fmt.Errorf("look: %w", &steps.RefusedError{Msg: "no space"})
	r.expect(r.e.Upgrade(t.Context()), steps.Aborted, steps.ExitRefused, 0, false)
}

func TestStopRequests(t *testing.T) {
	for _, c := range []struct {
		during steps.ID
		how    steps.How
		result steps.Result
		exit   int
	}{
		{steps.Dump, steps.AfterStep, steps.Aborted, steps.ExitStopped},
		{steps.Backup, steps.Undo, steps.Aborted, steps.ExitStopped},
		{steps.Watch, steps.Undo, steps.RolledBack, steps.ExitRolled},
	} {
		r := newRig(t)
		r.forward[c.during].during = func() { r.e.Run.RequestStop(c.how) }
		r.expect(r.e.Upgrade(t.Context()), c.result, c.exit, 0, false)
	}
}

func TestPersonAnswers(t *testing.T) {
	r := newRig(t)
	r.e.Policy = steps.AskUser
	r.forward[steps.Health].do = errors.New("503")
	done := make(chan steps.Outcome, 1)
	go func() { done <- r.e.Upgrade(t.Context()) }()
	asked := false
	for !asked {
		<-r.e.Run.Stream().Wake()
		for _, ev := range r.e.Run.Stream().Drain().States {
			asked = asked || ev.Kind == steps.KindAsk && ev.Ask.Details.Failure == "503"
		}
	}
	r.e.Run.Answer("another question", steps.AnswerKeep)
	r.e.Run.Answer("after-failure", "no such option")
	r.e.Run.Answer("after-failure", steps.AnswerRollback)
	r.expect(<-done, steps.RolledBack, steps.ExitRolled, 0, false)
}

// A run killed after any record is finished by resume on the new version and by
// rollback on the old one.
func TestKilledAnywhereEndsOldOrNew(t *testing.T) {
	for _, id := range order {
		for _, finished := range []bool{false, true} {
			for _, resume := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s/effect=%v/resume=%v", id, finished, resume), func(t *testing.T) {
					r := newRig(t)
					for _, before := range order {
						if err := r.e.Log.Append(string(before), journal.Intent, 1, nil); err != nil {
							t.Fatal(err)
						}
						if before == id && !finished {
							break
						}
						r.w.add(string(before))
						if before == id {
							break // killed after the effect, before done
						}
						if err := r.e.Log.Append(string(before), journal.Done, 1, nil); err != nil {
							t.Fatal(err)
						}
					}
					records := r.reopen()
					if resume {
						r.expect(r.e.Resume(t.Context(), records), steps.Upgraded, 0, len(order), false)
						return
					}
					o := r.e.Rollback(t.Context(), records)
					if slices.Index(order, id) < slices.Index(order, steps.Start) {
						r.expect(o, steps.Aborted, steps.ExitOK, 0, false)
					} else {
						r.expect(o, steps.RolledBack, steps.ExitOK, 0, false)
					}
				})
			}
		}
	}
}

// Behind the point of no return the copy must not be made again: it would hold
// the new version's data.
func TestResumeBehindTheSwitchNeverCopiesAgain(t *testing.T) {
	r := newRig(t)
	for _, id := range order[:10] {
		_ = r.e.Log.Append(string(id), journal.Intent, 1, nil)
		_ = r.e.Log.Append(string(id), journal.Done, 1, nil)
	}
	records := r.reopen()
	r.forward[steps.Backup].during = func() { t.Error("copied again") }
	r.forward[steps.Stop].during = func() { t.Error("stopped again") }
	if o := r.e.Resume(t.Context(), records); o.Result != steps.Upgraded {
		t.Errorf("%+v", o)
	}
}

func TestForeignChangeStopsTheResume(t *testing.T) {
	r := newRig(t)
	for _, id := range order[:9] {
		_ = r.e.Log.Append(string(id), journal.Intent, 1, nil)
		r.w.add(string(id))
	}
	records := r.reopen()
	r.forward[steps.Pin].observe = steps.Foreign
	if o := r.e.Resume(t.Context(), records); o.Exit != steps.ExitOperator || r.head.run == "" {
		t.Errorf("%+v", o)
	}
}

func TestLoopGuard(t *testing.T) {
	r := newRig(t)
	for range steps.MaxResumes {
		_ = r.e.Log.Append("", journal.Note, 0, map[string]string{"resume": "forward"})
	}
	if o := r.e.Resume(t.Context(), r.reopen()); o.Exit != steps.ExitOperator {
		t.Errorf("%+v", o)
	}
}

func TestStreamNeverLosesStatesAndBoundsLogs(t *testing.T) {
	s := steps.NewStream()
	for i := range 100_000 {
		s.Emit(steps.Event{Kind: steps.KindLog, Text: "x"})
		s.Emit(steps.Event{Kind: steps.KindProgress, Step: steps.Backup, Done: int64(i)})
	}
	s.Emit(steps.Event{Kind: steps.KindProgress, Signal: &steps.Signal{Name: "image"}})
	s.Emit(steps.Event{Kind: steps.KindDone})
	b := s.Drain()
	if len(b.States) != 2 || len(b.Progress) != 1 || b.Progress[0].Done != 99_999 {
		t.Errorf("%d states, %+v", len(b.States), b.Progress)
	}
	if len(b.Logs)+b.Dropped != 100_000 || len(b.Logs) > 10_000 {
		t.Errorf("%d logs, %d dropped", len(b.Logs), b.Dropped)
	}
}
