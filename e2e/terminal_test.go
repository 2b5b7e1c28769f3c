package e2e_test

import (
	"strings"
	"testing"
	"time"

	"belay/e2e/rig"
)

// Keys as a terminal sends them.
const (
	enter = "\r"
	down  = "\x1b[B"
)

// How long a screen may take, and how long a whole run may.
const (
	soon = time.Minute
	ages = 8 * time.Minute
)

// A person walks through every screen: a major version whose notes have flags to
// tick off, up to the summary on the normal screen.
func TestTheWholeWayInATerminal(t *testing.T) {
	s := stand(t, rig.Options{Env: "LEDGER_SIGNING_KEY=c2lnbmVk\n"})
	before := s.Look(t)
	term := s.Open(t, s.Dir)

	term.See(t, soon, "◉ Current")
	term.See(t, soon, "1.2.3")
	term.Press(t, enter)

	term.See(t, soon, "◉ Target")
	term.See(t, soon, "2.0.0")
	choose(t, term, "major")
	term.Press(t, enter)

	term.See(t, soon, "◉ Notes")
	term.See(t, soon, "BREAKING")
	tick(t, term)

	term.See(t, soon, "◉ Plan")
	term.See(t, soon, "compose.yaml")
	same(t, before, s.Look(t)) // the last moment at which nothing has changed
	term.Press(t, enter)

	term.See(t, soon, "◉ Run", "◉ Health")
	term.See(t, ages, "Upgraded", "upgraded", "✓ version", "✓ image")
	finish(t, term)
	if code := term.Exit(t, soon); code != 0 {
		t.Errorf("exit %d\n%s", code, term.Text())
	}
	if text := term.Text(); !strings.Contains(text, "2.0.0") {
		t.Errorf("no summary stands on the normal screen:\n%s", text)
	}
	if !serves(t, s, "2.0.0") {
		t.Error("2.0.0 does not serve")
	}
	same(t, before, s.Look(t), "data")
}

// A migration fails before a person's eyes; the prompt offers the way back, and
// enter takes it.
func TestTheWayBackInATerminal(t *testing.T) {
	s := stand(t, rig.Options{})
	before := s.Look(t)
	term := s.Open(t, "upgrade", s.Dir, "--to", "1.4.0")

	tick(t, term)
	term.See(t, soon, "enter upgrade") // the plan is made: before, the key means nothing
	term.Press(t, enter)

	term.See(t, ages, "Roll back to 1.2.3")
	term.See(t, soon, "roll back")
	term.Press(t, enter)
	term.See(t, ages, "Rolled back to 1.2.3")
	finish(t, term)
	if code := term.Exit(t, soon); code != 3 {
		t.Errorf("exit %d\n%s", code, term.Text())
	}
	isOld(t, s, before)
}

// Leaving before the run changes nothing.
func TestLeavingTheWizardChangesNothing(t *testing.T) {
	s := stand(t, rig.Options{})
	before := s.Look(t)
	term := s.Open(t, s.Dir)
	term.See(t, soon, "◉ Current")
	term.See(t, soon, "1.2.3")
	term.Press(t, "q")
	if code := term.Exit(t, soon); code != 0 {
		t.Errorf("exit %d\n%s", code, term.Text())
	}
	untouched(t, s, before)
}

// choose moves the cursor down to a row.
func choose(t *testing.T, term *rig.Terminal, row string) {
	t.Helper()
	deadline := time.Now().Add(soon)
	for !strings.Contains(term.Text(), "> "+row) {
		if time.Now().After(deadline) {
			t.Fatalf("the cursor never reached %q\n%s", row, term.Text())
		}
		was := term.Text()
		term.Press(t, down)
		term.Change(t, soon, was)
	}
}

// tick ticks off flag after flag: enter goes to the first open one while there is
// one, and on to the plan when there is none.
func tick(t *testing.T, term *rig.Terminal) {
	t.Helper()
	for range 20 {
		term.See(t, soon, "◉ Notes", "◉ Plan")
		if strings.Contains(term.Text(), "◉ Plan") {
			return
		}
		was := term.Text()
		term.Press(t, enter)
		term.Change(t, soon, was)
		if strings.Contains(term.Text(), "◉ Notes") {
			was = term.Text()
			term.Press(t, " ")
			term.Change(t, soon, was)
		}
	}
	t.Fatalf("the flags never come to an end\n%s", term.Text())
}

// finish leaves the last screens: enter on a result, q at the end.
func finish(t *testing.T, term *rig.Terminal) {
	t.Helper()
	for range 3 {
		if term.Ended() {
			return
		}
		was := term.Text()
		term.Press(t, enter)
		if !term.Changes(soon/5, was) {
			break
		}
	}
	if !term.Ended() {
		term.Press(t, "q")
	}
}
