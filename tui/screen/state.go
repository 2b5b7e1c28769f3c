package screen

import (
	"strings"
	"time"

	"belay/steps"
	"belay/tui/text"
	"belay/tui/widget"
	"belay/tui/words"
)

// State is what is known of a run. The root owns it and feeds it, the screens of
// a run draw it: so none of them loses anything when the user moves about.
type State struct {
	From, To text.Safe
	Verb     text.Safe // "Upgrade to 1.4.0", "Rollback to 1.2.3"
	Log      widget.LogView
	Signals  []steps.Signal
	Warnings []text.Safe
	Question *steps.Question
	Asked    steps.How // how the user asked it to stop

	env     Env
	rows    []*stepState
	began   time.Time
	ended   time.Time
	down    time.Time // the app stopped serving
	up      time.Time // it serves again
	failure text.Safe
	back    bool
}

type phase int

const (
	todo phase = iota
	live
	done
	failed
	skipped
)

type stepState struct {
	id    steps.ID
	title text.Safe
	phase phase
	note  text.Safe
	doing text.Safe
	done  int64
	total int64
	unit  steps.Unit
	began time.Time
	took  time.Duration
}

// NewState makes the state of a run that starts now. plan is nil for a run whose
// plan the front end does not have.
func NewState(env Env, plan *steps.Plan, verb text.Safe) *State {
	s := &State{env: env, Verb: verb, began: env.Now()}
	if plan == nil {
		return s
	}
	s.From, s.To = text.Line(plan.From), text.Line(plan.To)
	for _, p := range plan.Steps {
		s.rows = append(s.rows, &stepState{id: p.ID, title: text.Line(p.Title)})
	}
	return s
}

// Apply takes a batch in: logs and progress first, they belong before the states.
func (s *State) Apply(b steps.Batch) {
	s.Log.Lost(b.Dropped)
	for _, e := range b.Logs {
		s.Log.Add(e.Time, e.Service, e.Text)
	}
	for _, e := range b.Progress {
		s.progress(e)
	}
	for _, e := range b.States {
		s.state(e)
	}
}

// Finish ends the clocks.
func (s *State) Finish() {
	s.ended, s.Question = s.env.Now(), nil
	for _, r := range s.rows {
		switch r.phase {
		case live:
			r.phase = failed
		case todo:
			r.phase = skipped
		case done, failed, skipped:
		}
	}
}

// Over says whether the run has ended.
func (s *State) Over() bool { return !s.ended.IsZero() }

// Checking says whether the step that runs looks at the app's health.
func (s *State) Checking() bool {
	r := s.current()
	return r != nil && (r.id == steps.Health || r.id == steps.BackHealth || r.id == steps.BackCanary)
}

// Clocks says how long the app is away and how long the run takes.
func (s *State) Clocks() text.Safe {
	now := s.env.Now()
	if s.Over() {
		now = s.ended
	}
	out := "total " + words.Clock(now.Sub(s.began))
	if s.down.IsZero() {
		return out
	}
	end := now
	if !s.up.IsZero() {
		end = s.up
	}
	return "down " + words.Clock(end.Sub(s.down)) + "   " + out
}

// Doing is one line on what happens now.
func (s *State) Doing() text.Safe {
	r := s.current()
	switch {
	case s.Question != nil:
		return "a question waits for your answer"
	case s.Over():
		return "ended"
	case r == nil && s.failure != "":
		return "taking back what was done"
	case r == nil:
		return "getting ready"
	}
	out := r.title
	if r.total > 0 {
		out += " " + words.Percent(r.done, r.total)
	}
	switch s.Asked {
	case steps.AfterStep:
		out += ", stopping after it"
	case steps.Undo, steps.Now:
		out += ", going back after it"
	case steps.GoOn:
	}
	return out
}

func (s *State) current() *stepState {
	for _, r := range s.rows {
		if r.phase == live {
			return r
		}
	}
	return nil
}

func (s *State) step(e steps.Event) *stepState {
	for _, r := range s.rows {
		if r.id == e.Step {
			return r
		}
	}
	if strings.HasPrefix(string(e.Step), "rollback.") && !s.back {
		s.goBack()
		return s.step(e)
	}
	title := text.Line(e.Title)
	if title == "" {
		title = text.Line(string(e.Step))
	}
	r := &stepState{id: e.Step, title: title}
	s.rows = append(s.rows, r)
	return r
}

// goBack adds the steps of a rollback; those of the upgrade that did not begin
// will not.
func (s *State) goBack() {
	s.back, s.Signals = true, nil
	for _, r := range s.rows {
		if r.phase == todo {
			r.phase = skipped
		}
	}
	for _, r := range backSteps() {
		s.rows = append(s.rows, &r)
	}
}

// backSteps is a rollback, in order. The titles stand until the steps themselves
// say better.
func backSteps() []stepState {
	return []stepState{
		{id: steps.BackStop, title: "stop the new version"},
		{id: steps.BackVerify, title: "verify the copy"},
		{id: steps.BackKeep, title: "keep the failed data"},
		{id: steps.BackConfig, title: "put the files back"},
		{id: steps.BackData, title: "put the data back"},
		{id: steps.BackStart, title: "start the old version"},
		{id: steps.BackHealth, title: "check health"},
		{id: steps.BackCanary, title: "compare with before"},
	}
}

func (s *State) progress(e steps.Event) {
	if e.Signal != nil {
		s.signal(*e.Signal)
		return
	}
	r := s.step(e)
	if e.Total != r.total || e.Unit != r.unit || e.Done > r.done {
		r.done, r.total, r.unit = e.Done, e.Total, e.Unit // never goes back within one count
	}
	r.doing = text.Flat(e.Text)
}

func (s *State) signal(n steps.Signal) {
	for i, o := range s.Signals {
		if o.Name == n.Name && o.Subject == n.Subject {
			s.Signals[i] = n
			return
		}
	}
	s.Signals = append(s.Signals, n)
}

func (s *State) state(e steps.Event) {
	switch e.Kind {
	case steps.KindStart:
		s.start(e)
	case steps.KindDone:
		r := s.step(e)
		r.phase, r.took = done, time.Duration(e.Took)*time.Millisecond
		r.note = text.Flat(e.Text)
		if r.note == "" && r.done > 0 {
			r.note = words.Amount(r.done, r.done, r.unit)
		}
		s.clockDone(e)
	case steps.KindFail:
		r := s.step(e)
		r.phase, r.took = failed, time.Duration(e.Took)*time.Millisecond
		s.failure = text.Flat(e.Text)
		s.Log.Add(e.Time, "belay", "error: "+e.Text)
	case steps.KindWarn:
		s.Warnings = append(s.Warnings, text.Flat(e.Text))
		s.Log.Add(e.Time, "belay", "! "+e.Text)
	case steps.KindAsk:
		s.Question = e.Ask
	case steps.KindProgress:
		s.progress(e)
	case steps.KindLog:
		s.Log.Add(e.Time, e.Service, e.Text)
	case steps.KindOutcome:
		s.Question = nil
	}
}

func (s *State) start(e steps.Event) {
	s.Question = nil // whoever answered, it goes on
	r := s.step(e)
	if r.phase == done || r.phase == failed { // it runs again, after a resume
		r.done, r.total, r.doing, r.note = 0, 0, "", ""
	}
	r.phase, r.began = live, e.Time // its progress may have come before it, in the same batch
	if e.Title != "" {
		r.title = text.Line(e.Title)
	}
	if e.Step == steps.Stop || e.Step == steps.BackStop {
		if s.down.IsZero() || !s.up.IsZero() {
			s.down, s.up = e.Time, time.Time{}
		}
	}
}

// clockDone stops the clock of the downtime when the app was seen to answer.
func (s *State) clockDone(e steps.Event) {
	if (e.Step == steps.Health || e.Step == steps.BackHealth) && !s.down.IsZero() && s.up.IsZero() {
		s.up = e.Time
	}
}

func (s *State) list() []widget.Row {
	th, now := s.env.Theme, s.env.Now()
	out := make([]widget.Row, 0, len(s.rows))
	for _, r := range s.rows {
		row := widget.Row{Title: r.title, Note: r.note, Took: r.took, Mark: th.Marks.Todo, Style: th.Faint}
		switch r.phase {
		case live:
			row.Mark, row.Style, row.Live = th.Marks.Here, th.Here, true
			row.Took, row.Doing = now.Sub(r.began), r.doing
			row.Done, row.Total, row.Percent = r.done, r.total, words.Percent(r.done, r.total)
			switch amount := words.Amount(r.done, r.total, r.unit); {
			case r.total > 0:
				row.Amount = amount
			case r.done > 0:
				row.Note = amount
			}
		case done:
			row.Mark, row.Style = th.Marks.Done, th.Good
		case failed:
			row.Mark, row.Style = th.Marks.Failed, th.Bad
		case skipped:
			row.Mark = th.Marks.Skipped
		case todo:
		}
		out = append(out, row)
	}
	return out
}
