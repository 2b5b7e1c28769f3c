package tui

import (
	"errors"
	"slices"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"

	"belay/steps"
	"belay/tui/tuitest"
)

func TestWholeWay(t *testing.T) {
	b := &tuitest.Backend{Script: tuitest.Happy}
	d := drive(t, b, 80, 24)
	toPlan(d)
	d.press("enter").until("is on 1.3.0", "as planned")
	d.press("enter").untilQuit()
	if got := d.root.result(); got.Result != steps.Upgraded || got.Exit != steps.ExitOK || len(got.Proof) == 0 {
		t.Errorf("result = %+v", got)
	}
	want := []string{"interrupted", "inspect", "notes 1.3.0", "plan 1.3.0", "upgrade"}
	got := slices.DeleteFunc(b.Calls(), func(c string) bool { return c == "choices" || c == "history" })
	if !slices.Equal(got, want) {
		t.Errorf("calls = %v, want %v", got, want)
	}
}

// A version named on the command line needs no choosing: the notes come first,
// and esc leads to what is installed.
func TestNamedVersionGoesToItsNotes(t *testing.T) {
	b := &tuitest.Backend{Script: tuitest.Happy}
	d := drive(t, b, 80, 24, func(o *Options) { o.To = "1.3.0" })
	d.until("◉ Notes")
	d.press("esc")
	d.until("◉ Current")
}

func TestNotesMustBeTicked(t *testing.T) {
	b := &tuitest.Backend{}
	d := drive(t, b, 80, 24)
	d.until("is out").press("enter").until("other…").press("enter").until("calendar")
	d.press("enter", "enter").until("tick all flags to go on: 0 of 2")
	d.press(" ", "enter").until("1 of 2")
	if slices.Contains(b.Calls(), "plan 1.3.0") {
		t.Fatal("a plan was made before all flags were ticked")
	}
	d.press(" ", "enter").until("Budget")
	if got := d.root.plan.Accepted; !slices.Equal(got, []string{"1.3.0:3", "1.3.0:4"}) {
		t.Errorf("accepted = %v", got)
	}
	d.press("esc").until("2 of 2 flags ticked")
}

func TestFailureRollsBack(t *testing.T) {
	d := drive(t, &tuitest.Backend{Script: tuitest.Failing}, 80, 24)
	toPlan(d)
	d.press("enter").until("is lost", "nothing: no request", "is kept")
	d.press("down", "enter").until("A question waits") // look at the log, decide after
	d.press("enter").until("Roll back to 1.2.3?").press("enter").until("is back on 1.2.3")
	d.press("q").untilQuit()
	if got := d.root.result(); got.Result != steps.RolledBack || got.Exit != steps.ExitRolled {
		t.Errorf("result = %+v", got)
	}
}

func TestFailureIsLeft(t *testing.T) {
	d := drive(t, &tuitest.Backend{Script: tuitest.Failing}, 80, 24)
	toPlan(d)
	d.press("enter").until("Roll back to").press("down", "down", "enter").until("not well", "belay rollback")
	d.press("enter").untilQuit()
	if got := d.root.result(); got.Exit != steps.ExitOperator {
		t.Errorf("exit = %d", got.Exit)
	}
}

func TestStopAsksFirst(t *testing.T) {
	b := &tuitest.Backend{Script: tuitest.Stopping}
	d := drive(t, b, 80, 24)
	toPlan(d)
	d.press("enter").until("34 % CPU")
	d.press("ctrl+c").until("Stop the run?").press("enter") // keep going is the default
	d.press("q").until("Stop the run?").press("esc")
	if d.quit || d.root.state.Asked != steps.GoOn {
		t.Fatal("the default stopped the run")
	}
	d.press("ctrl+c", "ctrl+c", "enter").until("Stopped by you")
	d.press("enter").untilQuit()
	if got := d.root.result(); got.Exit != steps.ExitStopped {
		t.Errorf("exit = %d", got.Exit)
	}
}

func TestStopAndRollBack(t *testing.T) {
	asked := make(chan steps.How, 1)
	b := &tuitest.Backend{Script: func(p *tuitest.Player) {
		tuitest.UntilWatch(p)
		asked <- p.Stopped()
		tuitest.Back(p)
	}}
	d := drive(t, b, 80, 24)
	toPlan(d)
	d.press("enter").until("34 % CPU").press("ctrl+c", "down", "down", "enter").until("is back on 1.2.3")
	if how := <-asked; how != steps.Undo {
		t.Errorf("asked for %d, want %d", how, steps.Undo)
	}
}

func TestInterruptedComesFirst(t *testing.T) {
	for advice, call := range map[string]string{"resume": "resume", "rollback": "rollback 01JD"} {
		t.Run(advice, func(t *testing.T) {
			open := tuitest.Interrupted()
			open.Advice = advice
			b := &tuitest.Backend{Open: open, Script: tuitest.Back}
			d := drive(t, b, 80, 24)
			d.until("did not end", "Its data is untouched")
			d.press("enter").until("is back on 1.2.3")
			if calls := b.Calls(); calls[len(calls)-1] != call {
				t.Errorf("calls = %v", calls)
			}
		})
	}
}

func TestRollbackFromHistory(t *testing.T) {
	b := &tuitest.Backend{Script: tuitest.Back}
	d := drive(t, b, 80, 24)
	d.until("is out", "upgraded").press("h").until("01JB").press("r", "enter").until("01JB") // no is the default
	d.press("r", "down", "enter").until("is back on 1.2.3")
	if calls := b.Calls(); calls[len(calls)-1] != "rollback 01JB" {
		t.Errorf("calls = %v", calls)
	}
}

func TestErrorsComeBackAndCanBeTriedAgain(t *testing.T) {
	b := &tuitest.Backend{Fail: map[string]error{"inspect": errors.New("engine does not answer\x1b[2J")}}
	d := drive(t, b, 80, 24)
	d.until("engine does not answer", "Nothing was changed").press("enter")
	d.wait(func() bool { return len(b.Calls()) == 4 }, "a second try")
	d.until("engine does not answer")
	d.press("q").untilQuit()
	if d.root.err == nil {
		t.Error("the error was lost")
	}
}

func TestLeavingChangesNothing(t *testing.T) {
	for key, exit := range map[string]int{"q": steps.ExitOK, "ctrl+c": steps.ExitStopped} {
		d := drive(t, &tuitest.Backend{}, 80, 24)
		d.until("is out").press(key).untilQuit()
		if got := d.root.result(); got.Result != steps.Aborted || got.Exit != exit {
			t.Errorf("%s: %+v", key, got)
		}
	}
}

func TestLateAnswersAreDropped(t *testing.T) {
	d := drive(t, &tuitest.Backend{}, 80, 24)
	d.until("is out").press("enter").until("other…")
	_, cmd := d.root.Update(keyMsg("enter")) // the notes are asked for, and their answer held back
	d.run(cmd)
	d.until("Reading the release notes").press("esc").until("other…")
	d.send(reply{id: d.root.request - 1, fact: noted{tuitest.Report()}})
	if !strings.Contains(d.view(), "other…") {
		t.Errorf("an answer that came too late took the screen:\n%s", d.view())
	}
}

func TestSmallWindowDuringARun(t *testing.T) {
	d := drive(t, &tuitest.Backend{Script: hang}, 80, 24)
	toPlan(d)
	d.press("enter").until("34 % CPU")
	d.send(tea.WindowSizeMsg{Width: 40, Height: 10})
	d.until("watch the migration", "ctrl+c stop or undo")
	d.press("ctrl+c").until("stop and roll back")
	d.send(tea.WindowSizeMsg{Width: 80, Height: 24})
	d.press("esc").until("34 % CPU")
}

func TestProgressNeverGoesBack(t *testing.T) {
	next := make(chan struct{})
	d := drive(t, &tuitest.Backend{Script: func(p *tuitest.Player) {
		p.Start(steps.Backup, "copy")
		p.Emit(steps.Event{Kind: steps.KindProgress, Step: steps.Backup, Done: 50, Total: 100, Unit: steps.Bytes})
		<-next
		p.Emit(steps.Event{Kind: steps.KindProgress, Step: steps.Backup, Done: 20, Total: 100, Unit: steps.Bytes, Text: "second"})
		p.Stopped()
	}}, 80, 24)
	toPlan(d)
	d.press("enter").until("50 %")
	close(next)
	d.until("second", "50 %")
}

func TestTypingIsNotCommanding(t *testing.T) {
	d := drive(t, &tuitest.Backend{Script: hang}, 80, 24)
	toPlan(d)
	d.press("enter").until("34 % CPU").press("/", "q", "?", "w")
	if d.quit || d.root.help || d.root.dialog != nil || !strings.Contains(d.view(), "/q?w") {
		t.Errorf("a letter in the search field did something:\n%s", d.view())
	}
	d.press("enter").until("not found: q?w").press("/", "a", "d", "d", "_", "enter").until("/add_")
	d.press("ctrl+c").until("Stop the run?")
}

func TestSummary(t *testing.T) {
	o := tuitest.Upgraded()
	o.Message = "on 1.3.0 \x1b[2J\x1b]0;x\x07"
	got := Summary(o)
	for _, want := range []string{"● on 1.3.0", "✓ image", o.Backup, "belay rollback"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	if strings.ContainsAny(got, "\x1b\x07") {
		t.Errorf("a control byte: %q", got)
	}
}
