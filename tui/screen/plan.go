package screen

import (
	"strconv"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"belay/steps"
	"belay/tui/keys"
	"belay/tui/text"
	"belay/tui/widget"
	"belay/tui/words"
)

// Plan shows what will happen before anything does.
type Plan struct {
	frame
	plan     *steps.Plan
	commands bool

	on, details, up, down, back key.Binding
}

// NewPlan makes the screen of a plan.
func NewPlan(env Env, p *steps.Plan) *Plan {
	return &Plan{
		frame: frame{env: env}, plan: p,
		on: keys.On("upgrade"), details: keys.Bind("d", "commands", "d"),
		up: keys.Up(), down: keys.Down(), back: keys.Back(),
	}
}

// Stage is the fourth one.
func (s *Plan) Stage() widget.Stage { return widget.Plan }

// Head says from where to where.
func (s *Plan) Head() text.Safe { return text.Line(s.plan.From) + " → " + text.Line(s.plan.To) }

// Keys are its keys.
func (s *Plan) Keys() keys.Set { return keys.Set{s.on, s.details, s.back, s.up, s.down} }

// Update answers keys.
func (s *Plan) Update(msg tea.Msg) tea.Cmd {
	m, ok := msg.(tea.KeyMsg)
	if !ok {
		return nil
	}
	switch {
	case key.Matches(m, s.on):
		return send(Begin{})
	case key.Matches(m, s.details):
		s.commands, s.scroll = !s.commands, 0
	case key.Matches(m, s.up):
		s.scroll--
	case key.Matches(m, s.down):
		s.scroll++
	case key.Matches(m, s.back):
		return send(Back{})
	}
	return nil
}

// View draws changes, budget and steps, or what each step calls.
func (s *Plan) View() string {
	if s.commands {
		return s.page(s.calls())
	}
	var lines []string
	lines = append(lines, s.changes()...)
	lines = append(lines, s.budget()...)
	for _, w := range s.plan.Warnings {
		lines = append(lines, para(s.env.Theme.Warn, "! "+text.Flat(w), 1, s.w)...)
	}
	lines = append(lines, "")
	return s.page(append(lines, s.steps(s.h-len(lines))...))
}

func (s *Plan) label(l text.Safe) string { return " " + s.env.Theme.Faint.Paint(text.Pad(l, 9)) + " " }

func (s *Plan) changes() []string {
	th := s.env.Theme
	diff := words.Diff(s.plan)
	if len(diff) == 0 {
		return []string{s.label("Changes") + th.Text.Paint("no file")}
	}
	wide := 0
	for _, d := range diff {
		wide = max(wide, text.Width(d.Place))
	}
	wide = min(wide, 24)
	var out []string
	for i, d := range diff {
		l := text.Safe("")
		if i == 0 {
			l = "Changes"
		}
		head := s.label(l) + th.Strong.Paint(text.Pad(d.Place, wide)) + "  "
		one := d.Before + "  " + th.Marks.Arrow + "  " + d.After
		if text.Width(head)+text.Width(one) <= s.w {
			out = append(out, head+th.Text.Paint(d.Before)+"  "+th.Faint.Paint(th.Marks.Arrow)+"  "+th.Strong.Paint(d.After))
			continue
		}
		out = append(out, head+th.Bad.Paint("- "+d.Before), s.label("")+string(text.Repeat(" ", wide+2))+th.Good.Paint("+ "+d.After))
	}
	return out
}

func (s *Plan) budget() []string {
	th, p := s.env.Theme, s.plan
	restore := "restore point " + words.Bytes(p.Budget.Backup)
	if p.NoBackup != "" {
		restore = "no restore point: you chose so"
	}
	first := "pull " + words.Bytes(p.Budget.Pull) + " · " + restore + " · free " + words.Bytes(p.Budget.Free)
	if p.Budget.FreeTotal > 0 {
		first += " of " + words.Bytes(p.Budget.FreeTotal)
	}
	var out []string
	label := text.Safe("Budget")
	for _, sentence := range []text.Safe{first, words.Down(p.Budget)} {
		for _, l := range text.Wrap(sentence, max(s.w-11, 10)) {
			out = append(out, s.label(label)+th.Text.Paint(l))
			label = ""
		}
	}
	return out
}

func (s *Plan) steps(room int) []string {
	rows := s.stepRows()
	if len(rows) <= room || s.w < 80 {
		return rows
	}
	half := (len(rows) + 1) / 2
	lw := (s.w - 2) / 2
	out := make([]string, half)
	for i := range half {
		out[i] = text.Pad(rows[i], lw)
		if half+i < len(rows) {
			out[i] += "  " + rows[half+i]
		}
	}
	return out
}

func (s *Plan) stepRows() []string {
	th := s.env.Theme
	wide, phase := 0, ""
	for _, p := range s.plan.Steps {
		wide = max(wide, text.Width(text.Line(p.Title)))
	}
	wide = min(wide, 30)
	var out []string
	past := false
	for i, p := range s.plan.Steps {
		st := th.Text
		note := text.Safe("")
		if p.Phase != phase {
			phase = p.Phase
			note = words.Phase(phase)
		}
		if past {
			note, st = th.Marks.Back+" no way past here without a rollback", th.Strong
		}
		past = p.ID == s.plan.Budget.LastExit
		out = append(out, " "+th.Faint.Paint(text.PadLeft(text.Line(strconv.Itoa(i+1)), 2))+" "+
			st.Paint(text.Pad(text.Line(p.Title), wide))+"  "+th.Faint.Paint(note))
	}
	return out
}

func (s *Plan) calls() []string {
	th := s.env.Theme
	out := []string{" " + th.Strong.Paint("What belay calls, in order"), ""}
	for _, c := range words.Calls(s.plan) {
		out = append(out, para(th.Text, c, 1, s.w)...)
	}
	out = append(out, "")
	for _, l := range text.Fold("Restore point: "+text.Line(s.plan.BackupDir), max(s.w-1, 10)) {
		out = append(out, " "+th.Faint.Paint(l))
	}
	return out
}
