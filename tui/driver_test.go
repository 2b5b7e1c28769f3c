package tui

import (
	"context"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"belay/tui/tuitest"
)

// driver runs the root without a program: commands run in goroutines, their
// messages come back here, and tests wait for what they want to see.
type driver struct {
	t    *testing.T
	root *root
	msgs chan tea.Msg
	quit bool
	ctx  context.Context
}

func drive(t *testing.T, b *tuitest.Backend, w, h int, with ...func(*Options)) *driver {
	t.Helper()
	return driveEnv(t, b, w, h, map[string]string{"TERM": "xterm", "NO_COLOR": "1", "LANG": "C.UTF-8"}, with...)
}

func driveEnv(t *testing.T, b *tuitest.Backend, w, h int, env map[string]string, with ...func(*Options)) *driver {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	d := &driver{t: t, msgs: make(chan tea.Msg, 100), ctx: ctx}
	o := Options{
		Backend: b, Env: func(k string) string { return env[k] }, Now: tuitest.Now, Version: "0.1.0", Title: "/srv/tymeslot",
		tick: func(time.Duration, func(time.Time) tea.Msg) tea.Cmd { return nil },
	}
	for _, f := range with {
		f(&o)
	}
	d.root = newRoot(ctx, o)
	d.run(d.root.Init())
	d.send(tea.WindowSizeMsg{Width: w, Height: h})
	return d
}

func (d *driver) run(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	go func() {
		msg := cmd()
		select {
		case d.msgs <- msg:
		case <-d.ctx.Done():
		}
	}()
}

func (d *driver) send(msg tea.Msg) {
	switch m := msg.(type) {
	case nil:
		return
	case tea.BatchMsg:
		for _, c := range m {
			d.run(c)
		}
		return
	case tea.QuitMsg:
		d.quit = true
		return
	}
	_, cmd := d.root.Update(msg)
	d.fits()
	d.run(cmd)
}

// fits asserts after every message what every frame must keep.
func (d *driver) fits() {
	d.t.Helper()
	view := d.root.View()
	lines := strings.Split(view, "\n")
	if d.root.h > 0 && len(lines) > d.root.h {
		d.t.Fatalf("%d lines in %d:\n%s", len(lines), d.root.h, view)
	}
	for _, l := range lines {
		if w := ansi.StringWidth(l); d.root.w > 0 && w > d.root.w {
			d.t.Fatalf("%d cells in %d: %q", w, d.root.w, l)
		}
	}
}

func (d *driver) view() string { return ansi.Strip(d.root.View()) }

// until handles messages until the view holds all of the texts.
func (d *driver) until(texts ...string) *driver {
	d.t.Helper()
	d.wait(func() bool {
		for _, s := range texts {
			if !strings.Contains(d.view(), s) {
				return false
			}
		}
		return true
	}, strings.Join(texts, " + "))
	return d
}

func (d *driver) untilQuit() {
	d.t.Helper()
	d.wait(func() bool { return d.quit }, "the end")
}

func (d *driver) wait(ok func() bool, what string) {
	d.t.Helper()
	limit := time.NewTimer(10 * time.Second)
	defer limit.Stop()
	for !ok() {
		select {
		case m := <-d.msgs:
			d.send(m)
		case <-limit.C:
			d.t.Fatalf("waited in vain for %s; the view is\n%s", what, d.view())
		}
	}
}

// press sends keys by name: "enter", "esc", "ctrl+c", or the letter itself.
func (d *driver) press(names ...string) *driver {
	d.t.Helper()
	for _, n := range names {
		d.send(keyMsg(n))
	}
	return d
}

func keyMsg(n string) tea.KeyMsg {
	named := map[string]tea.KeyType{
		"enter": tea.KeyEnter, "esc": tea.KeyEsc, "ctrl+c": tea.KeyCtrlC, "up": tea.KeyUp, "down": tea.KeyDown,
		"tab": tea.KeyTab, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown, "backspace": tea.KeyBackspace,
	}
	if k, ok := named[n]; ok {
		return tea.KeyMsg{Type: k}
	}
	if n == " " {
		return tea.KeyMsg{Type: tea.KeySpace, Runes: []rune(" ")}
	}
	return tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(n)}
}
