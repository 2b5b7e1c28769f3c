package plain

import (
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"belay/releases/notes"
	"belay/steps"
	"belay/steps/stack"
	"belay/steps/upgrade"
	"belay/tui/text"
	"belay/tui/words"
)

// table writes rows with aligned columns, two spaces apart.
func table(w io.Writer, indent text.Safe, rows [][]text.Safe) {
	var wide []int
	for _, r := range rows {
		for i, c := range r {
			if i == len(wide) {
				wide = append(wide, 0)
			}
			wide[i] = max(wide[i], text.Width(c))
		}
	}
	for _, r := range rows {
		s := string(indent)
		for i, c := range r {
			s += string(text.Pad(c, wide[i])) + "  "
		}
		fmt.Fprintln(w, strings.TrimRight(s, " "))
	}
}

// PrintOutcome writes how a run ended.
func PrintOutcome(w io.Writer, o steps.Outcome) {
	fmt.Fprintf(w, "\n%s: %s\n", capital(words.Verdict(o.Result)), text.Flat(o.Message))
	var rows [][]text.Safe
	for _, n := range o.Proof {
		rows = append(rows, []text.Safe{text.Line(string(n.Verdict)), text.Line(n.Name), text.Line(n.Subject), text.Flat(n.Evidence)})
	}
	table(w, "  ", rows)
	rows = nil
	for _, f := range [][2]string{{"Run", o.Run}, {"Restore point", o.Backup}, {"Next", o.Next}} {
		if f[1] != "" {
			rows = append(rows, []text.Safe{text.Line(f[0]), text.Line(f[1])})
		}
	}
	table(w, "  ", rows)
}

// PrintStack writes what is installed.
func PrintStack(w io.Writer, s *stack.Stack, now time.Time) {
	fmt.Fprintf(w, "%s in %s, version %s\n", text.Line(s.Project), text.Line(s.Dir), text.Line(s.Version.Text))
	var rows [][]text.Safe
	for _, v := range s.Services {
		state := text.Safe("not created")
		if c := v.Container; c != nil {
			state = text.Line(string(c.State))
			if up := v.Up(); !up.IsZero() {
				state += " for " + words.Age(up, now)
			}
			if c.Health != "" {
				state += ", " + text.Line(string(c.Health))
			}
		}
		rows = append(rows, []text.Safe{text.Line(v.Name), text.Line(v.Version.Text), state, place(s.Dir, v.Pin.Place.File, v.Pin.Place.Line)})
	}
	table(w, "  ", rows)
	rows = nil
	for _, d := range s.Databases {
		rows = append(rows, []text.Safe{text.Line(d.Kind), text.Line(d.Name), words.Bytes(d.Bytes), text.Line(d.Store.String())})
	}
	for _, d := range s.Stores {
		if holdsDatabase(s, d) {
			continue // said already
		}
		rows = append(rows, []text.Safe{"files", text.Line(d.Target), words.Bytes(d.Bytes), text.Line(d.String())})
	}
	for _, d := range s.Left {
		rows = append(rows, []text.Safe{"left out", text.Line(d.Target), words.Bytes(d.Bytes), text.Line(d.String()) + ", " + text.Flat(d.Why)})
	}
	table(w, "  ", rows)
	for _, list := range [][]string{s.Skew, s.Drift, s.Warnings, {s.Version.Why}} {
		warn(w, list...)
	}
}

func holdsDatabase(s *stack.Stack, d steps.Store) bool {
	for _, db := range s.Databases {
		if db.Store == d.Data {
			return true
		}
	}
	return false
}

// PrintStatus writes what is installed, an open run and the recommended command.
func PrintStatus(w io.Writer, s Status, now time.Time) {
	if s.Stack != nil {
		PrintStack(w, s.Stack, now)
	}
	if s.Open != nil {
		PrintInterrupted(w, s.Open, now)
	}
	if s.Next != "" {
		fmt.Fprintf(w, "Next: %s\n", text.Line(s.Next))
	}
}

// PrintInterrupted writes a run that did not end.
func PrintInterrupted(w io.Writer, o *upgrade.Interrupted, now time.Time) {
	fmt.Fprintf(w, "The upgrade from %s to %s did not end: it stopped in %q, %s ago.\n",
		text.Line(o.From), text.Line(o.To), text.Line(o.Step), words.Age(o.When, now))
	for _, t := range o.Truth {
		fmt.Fprintf(w, "  %s\n", text.Flat(t))
	}
	fmt.Fprintf(w, "Advice: %s. %s\n", text.Line(o.Advice), text.Flat(o.Why))
}

// PrintChoices writes the versions one can go to.
func PrintChoices(w io.Writer, c upgrade.Choices, now time.Time) {
	if c.Nothing != "" {
		fmt.Fprintln(w, text.Flat(c.Nothing))
	}
	list := c.All
	if len(list) == 0 {
		list = c.Rows
	}
	table(w, "  ", choiceRows(list, c.Default, now))
	warn(w, c.Warning)
}

func choiceRows(list []upgrade.Choice, chosen string, now time.Time) [][]text.Safe {
	var rows [][]text.Safe
	for _, x := range list {
		version, age := text.Line(x.Version), words.Age(x.Published, now)
		if x.Prerelease {
			version += " (prerelease)"
		}
		if age != "" {
			age += " old"
		}
		mark := text.Safe("")
		if x.Version == chosen {
			mark = "proposed"
		}
		rows = append(rows, []text.Safe{text.Line(x.Level), version, age, words.Plural(x.Crossed, "release"), flagged(x), mark})
	}
	return rows
}

func flagged(c upgrade.Choice) text.Safe {
	switch {
	case c.Breaking > 0:
		return text.Sprintf("%d BREAKING, %d concern you", c.Breaking, c.Concerning)
	case c.Have == 0:
		return "no notes found"
	case c.Attention > 0:
		return text.Sprintf("%d to look at in %d of %d notes", c.Attention, c.Have, c.Of)
	default:
		return text.Sprintf("nothing flagged in %d of %d notes", c.Have, c.Of)
	}
}

// PrintNotes writes the flags, then every note as it was written.
func PrintNotes(w io.Writer, r notes.Report) {
	fmt.Fprintf(w, "Notes for %d of %d versions from %s to %s.\n", r.Have, r.Of, text.Line(r.From), text.Line(r.To))
	if len(r.Missing) > 0 {
		fmt.Fprintf(w, "None for %s.\n", text.Line(strings.Join(r.Missing, ", ")))
	}
	warn(w, r.Incomplete)
	PrintFlags(w, r.Flags())
	for _, e := range r.Entries {
		fmt.Fprintf(w, "\n%s  %s\n", text.Line(e.Version), words.Date(e.Date))
		if e.URL != "" {
			fmt.Fprintln(w, text.Line(e.URL))
		}
		fmt.Fprintln(w)
		for _, l := range text.Lines(e.Body) {
			fmt.Fprintln(w, strings.TrimRight("  "+string(l), " "))
		}
	}
}

// PrintFlags writes flags, each with what it touches here.
func PrintFlags(w io.Writer, flags []notes.Flag) {
	for _, f := range flags {
		fmt.Fprintf(w, "  %s  %s  %s\n", text.Line(strings.ToUpper(string(f.Level))), text.Line(f.Version), text.Flat(f.Text))
		for _, c := range f.Concerns {
			fmt.Fprintf(w, "      touches your %s %s", text.Line(c.Kind), text.Line(c.Name))
			if c.File != "" {
				fmt.Fprintf(w, " in %s", place("", c.File, c.Line))
			}
			fmt.Fprintln(w)
		}
	}
}

// PrintPlan writes what would happen.
func PrintPlan(w io.Writer, p *steps.Plan) {
	fmt.Fprintf(w, "Plan: %s from %s to %s\n", text.Line(p.Project), text.Line(p.From), text.Line(p.To))
	for _, d := range words.Diff(p) {
		fmt.Fprintf(w, "  %s\n    - %s\n    + %s\n", d.Place, d.Before, d.After)
	}
	fmt.Fprintf(w, "  pull %s, restore point %s, free %s\n  %s\n",
		words.Bytes(p.Budget.Pull), words.Bytes(p.Budget.Backup), words.Bytes(p.Budget.Free), words.Down(p.Budget))
	var rows [][]text.Safe
	phase, past := "", false
	for i, s := range p.Steps {
		note := text.Safe("")
		if s.Phase != phase {
			phase, note = s.Phase, words.Phase(s.Phase)
		}
		if past {
			note = "no way past here without a rollback"
		}
		past = s.ID == p.Budget.LastExit
		rows = append(rows, []text.Safe{text.PadLeft(text.Line(strconv.Itoa(i+1)), 2), text.Line(s.Title), note})
	}
	table(w, "  ", rows)
	warn(w, p.Warnings...)
}

// PrintHistory writes the runs that ended, newest first.
func PrintHistory(w io.Writer, past []upgrade.Past) {
	if len(past) == 0 {
		fmt.Fprintln(w, "No upgrade has been made here yet.")
	}
	var rows [][]text.Safe
	for _, p := range past {
		size := text.Safe("")
		if p.Backup != "" {
			size = words.Bytes(p.Bytes)
		}
		rows = append(rows, []text.Safe{
			text.Line(p.Run), text.Line(p.When.Format("2006-01-02 15:04")), text.Line(p.From) + " to " + text.Line(p.To),
			words.Verdict(steps.Result(p.Outcome)), size, text.Flat(p.Proof),
		})
	}
	table(w, "", rows)
}

func warn(w io.Writer, list ...string) {
	for _, v := range list {
		if v != "" {
			fmt.Fprintf(w, "  ! %s\n", text.Flat(v))
		}
	}
}

func place(dir, file string, at int) text.Safe {
	if file == "" {
		return ""
	}
	if rel, err := filepath.Rel(dir, file); dir != "" && err == nil && !strings.HasPrefix(rel, "..") {
		file = rel
	}
	if at > 0 {
		file += ":" + strconv.Itoa(at)
	}
	return text.Line(file)
}

func capital(s text.Safe) text.Safe {
	if s == "" {
		return s
	}
	return text.Line(strings.ToUpper(string(s[:1]))) + s[1:]
}
