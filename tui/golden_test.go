package tui

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"
	"pgregory.net/rapid"

	"belay/steps"
	"belay/steps/upgrade"
	"belay/tui/tuitest"
	"belay/tui/tuitest/golden"
)

func TestGoldenIsNotUpdatedInCI(t *testing.T) {
	if os.Getenv("CI") != "" && golden.Updating() {
		t.Fatal("-update accepts anything: never in CI")
	}
}

// hang plays until the migration's log and stays there.
func hang(p *tuitest.Player) { tuitest.UntilWatch(p); p.Stopped() }

func checking(p *tuitest.Player) {
	tuitest.UntilWatch(p)
	p.Done(steps.Watch, "ready", 6e9)
	p.Start(steps.Health, "")
	for _, s := range tuitest.Proof()[:3] {
		p.Signal(steps.Health, s)
	}
	p.Emit(steps.Event{Kind: steps.KindProgress, Step: steps.Health, Text: "waiting for the second of three good answers"})
	p.Stopped()
}

func copying(p *tuitest.Player) {
	p.Start(steps.Stop, "")
	p.Done(steps.Stop, "", 3e9)
	p.Start(steps.Backup, "")
	p.Emit(steps.Event{Kind: steps.KindProgress, Step: steps.Backup, Done: 412e6, Total: 1314e6, Unit: steps.Bytes, Text: "volume tymeslot_pg"})
	p.Stopped()
}

// refused is an error with advice, as preflight gives it.
func refused() error {
	return &steps.RefusedError{Msg: "There is not enough room for a restore point: it needs 1.3 GB and 210 MB are free in /root/.local/state/belay.", Next: "belay --backup-dir /mnt/big"}
}

type scene struct {
	name    string
	backend *tuitest.Backend // nil: one that never fails
	walk    func(d *driver)
}

func toPlan(d *driver) {
	d.until("is out").press("enter").until("other…").press("enter").until("BREAKING", "calendar")
	d.press(" ", " ", "enter").until("Budget")
}

func scenes() []scene {
	plan := func(then ...string) func(d *driver) {
		return func(d *driver) { toPlan(d); d.until(then...) }
	}
	run := func(until ...string) func(d *driver) {
		return func(d *driver) { toPlan(d); d.press("enter").until(until...) }
	}
	return []scene{
		{name: "waiting", backend: &tuitest.Backend{Hold: make(chan struct{})}, walk: func(d *driver) { d.until("Looking at what") }},
		{name: "current", walk: func(d *driver) { d.until("is out", "upgraded") }},
		{
			name: "current-nothing", walk: func(d *driver) { d.until("newest", "upgraded") },
			backend: &tuitest.Backend{Offer: func() upgrade.Choices { return upgrade.Choices{Nothing: "1.2.3 is the newest version."} }},
		},
		{name: "current-offline", walk: func(d *driver) { d.until("could not be read", "upgraded") }, backend: &tuitest.Backend{Fail: map[string]error{"choices": errors.New("registry does not answer")}}},
		{name: "target", walk: func(d *driver) { d.until("is out").press("enter").until("other…") }},
		{name: "target-other", walk: func(d *driver) {
			d.until("is out").press("enter").until("other…").press("down", "down", "enter").until("1.2.7")
		}},
		{name: "notes", walk: func(d *driver) {
			d.until("is out").press("enter").until("other…").press("enter").until("calendar", "time zones")
		}},
		{name: "notes-raw", walk: func(d *driver) {
			d.until("is out").press("enter").until("other…").press("enter").until("calendar", "time zones").press(" ", "v", "o", "enter")
		}},
		{name: "plan", walk: plan("Budget")},
		{name: "plan-commands", walk: func(d *driver) { toPlan(d); d.press("d").until("docker compose up") }},
		{name: "plan-refused", backend: &tuitest.Backend{Fail: map[string]error{"plan": refused()}}, walk: func(d *driver) {
			d.until("is out").press("enter").until("other…").press("enter").until("calendar").press(" ", " ", "enter").until("enough room")
		}},
		{name: "run", backend: &tuitest.Backend{Script: hang}, walk: run("34 % CPU", "checkpoint")},
		{name: "run-copy", backend: &tuitest.Backend{Script: copying}, walk: run("412 MB")},
		{name: "run-wide", backend: &tuitest.Backend{Script: hang}, walk: func(d *driver) {
			run("34 % CPU", "checkpoint")(d)
			d.press("w", "/", "m", "i", "g", "r", "enter")
		}},
		{name: "run-dialog", backend: &tuitest.Backend{Script: hang}, walk: func(d *driver) { run("34 % CPU", "checkpoint")(d); d.press("ctrl+c") }},
		{name: "run-help", backend: &tuitest.Backend{Script: hang}, walk: func(d *driver) { run("34 % CPU", "checkpoint")(d); d.press("?") }},
		{name: "health", backend: &tuitest.Backend{Script: checking}, walk: run("second of three", "healthcheck")},
		{name: "failed", backend: &tuitest.Backend{Script: tuitest.Failing}, walk: run("comes back")},
		{name: "failed-log", backend: &tuitest.Backend{Script: tuitest.Failing}, walk: func(d *driver) { run("comes back")(d); d.press("down", "enter").until("following") }},
		{name: "rolled-back", backend: &tuitest.Backend{Script: tuitest.Failing}, walk: func(d *driver) { run("comes back")(d); d.press("enter").until("is back on 1.2.3") }},
		{name: "rolled-back-log", backend: &tuitest.Backend{Script: tuitest.Failing}, walk: func(d *driver) {
			run("comes back")(d)
			d.press("enter").until("is back on 1.2.3").press("l").until("compare with")
		}},
		{name: "kept", backend: &tuitest.Backend{Script: tuitest.Failing}, walk: func(d *driver) { run("comes back")(d); d.press("down", "down", "enter").until("not well") }},
		{name: "done", backend: &tuitest.Backend{Script: tuitest.Happy}, walk: run("is on 1.3.0")},
		{name: "history", walk: func(d *driver) { d.until("is out", "upgraded").press("h").until("01JB") }},
		{name: "history-sure", walk: func(d *driver) { d.until("is out", "upgraded").press("h").until("01JB").press("r").until("Go back to") }},
		{name: "interrupted", backend: &tuitest.Backend{Open: tuitest.Interrupted()}, walk: func(d *driver) { d.until("did not end") }},
	}
}

func (s *scene) world() *tuitest.Backend {
	if s.backend == nil {
		s.backend = &tuitest.Backend{}
	}
	return s.backend
}

// play walks a scene in a window and gives its driver.
func (s *scene) play(t *testing.T, w, h int) *driver {
	t.Helper()
	d := drive(t, s.world(), w, h)
	s.walk(d)
	return d
}

func TestScreens(t *testing.T) {
	for _, size := range []struct{ w, h int }{{80, 24}, {60, 20}, {120, 40}} {
		for _, s := range scenes() {
			t.Run(fmt.Sprintf("%s %dx%d", s.name, size.w, size.h), func(t *testing.T) {
				d := s.play(t, 120, 40) // walked where everything is in view, looked at in the size
				d.send(tea.WindowSizeMsg{Width: size.w, Height: size.h})
				settle(d)
				view := d.root.View()
				if strings.Contains(view, "\x1b") {
					t.Errorf("NO_COLOR, and yet a sequence: %q", view)
				}
				golden.Check(t, fmt.Sprintf("%s-%dx%d", s.name, size.w, size.h), d.view()+"\n")
			})
		}
	}
}

// settle handles what a new size asks for: notes drawn again.
func settle(d *driver) {
	if strings.Contains(d.view(), "   …\n") {
		d.wait(func() bool { return !strings.Contains(d.view(), "   …\n") }, "the notes to be drawn")
	}
}

func TestColourRepeatsWhatCharactersSay(t *testing.T) {
	for _, s := range scenes() {
		t.Run(s.name, func(t *testing.T) {
			with := driveEnv(t, s.world(), 120, 40, map[string]string{"TERM": "xterm", "LANG": "C.UTF-8"})
			s.walk(with)
			if !strings.Contains(with.root.View(), "\x1b[") {
				t.Error("no colour where it is wanted")
			}
			if strings.Contains(with.root.View(), "38;") || strings.Contains(with.root.View(), "48;") {
				t.Error("a colour beyond the terminal's own 16")
			}
		})
	}
}

func TestASCII(t *testing.T) {
	for _, s := range scenes() {
		t.Run(s.name, func(t *testing.T) {
			d := driveEnv(t, s.world(), 120, 40, map[string]string{"TERM": "xterm", "LANG": "C", "LC_ALL": "POSIX"})
			d.root.env.Theme.UTF8 = true // walk by the words of the other tests
			s.walk(d)
			d.root.env.Theme.UTF8 = false
			for _, r := range d.root.View() {
				if r > 0x7e {
					t.Fatalf("%q in a locale that cannot show it:\n%s", r, d.root.View())
				}
			}
		})
	}
}

// Every screen in every state fits every window, from 20×5 up.
func TestEverySize(t *testing.T) {
	for _, s := range scenes() {
		t.Run(s.name, func(t *testing.T) {
			d := s.play(t, 120, 40)
			rapid.Check(t, func(rt *rapid.T) {
				w, h := rapid.IntRange(20, 200).Draw(rt, "w"), rapid.IntRange(5, 60).Draw(rt, "h")
				d.send(tea.WindowSizeMsg{Width: w, Height: h}) // the driver asserts
				body := strings.Split(d.root.screen.View(), "\n")
				if len(body) > max(h-chrome, 1) {
					rt.Fatalf("the screen itself draws %d lines in %d", len(body), h-chrome)
				}
				if d.root.running() && !strings.Contains(d.view(), "ctrl+c") && d.root.dialog == nil && !d.root.help {
					rt.Fatalf("no way to stop in %d×%d:\n%s", w, h, d.view())
				}
			})
		})
	}
}

// No two keys that work at the same time are the same key.
func TestKeysDoNotClash(t *testing.T) {
	for _, s := range scenes() {
		t.Run(s.name, func(t *testing.T) {
			d := s.play(t, 120, 40)
			if k := d.root.keys().Clash(); k != "" {
				t.Errorf("%q means two things", k)
			}
			for _, b := range d.root.keys().Enabled() {
				if b.Help().Key == "" || b.Help().Desc == "" {
					t.Errorf("%v has no help", b.Keys())
				}
			}
		})
	}
}
