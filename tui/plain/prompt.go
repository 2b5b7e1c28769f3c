package plain

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"belay/releases/notes"
	"belay/steps"
	"belay/steps/upgrade"
	"belay/tui/port"
	"belay/tui/text"
)

// errLeft is a person who left, or an input that ended: that never means yes.
var errLeft = errors.New("left before anything was changed")

// maxAnswer is the longest line that is read as an answer.
const maxAnswer = 200

// prompt asks until one of n numbers is given; 0 is leaving.
func (r *runner) prompt(ctx context.Context, question text.Safe, options []text.Safe, leave text.Safe) (int, error) {
	for {
		fmt.Fprintf(r.out, "%s\n", question)
		for i, o := range options {
			fmt.Fprintf(r.out, "  %d. %s\n", i+1, o)
		}
		if leave != "" {
			fmt.Fprintf(r.out, "  0. %s\n", leave)
		}
		fmt.Fprint(r.out, "Number: ")
		answer, err := r.read(ctx)
		if err != nil {
			return 0, err
		}
		for n := range len(options) + 1 {
			if answer == fmt.Sprint(n) && (n > 0 || leave != "") {
				return n, nil
			}
		}
		fmt.Fprintln(r.out, "That is none of the numbers.")
	}
}

// read takes one line. The goroutine that reads cannot be stopped by ctx; it
// ends with the line, the input or the program.
func (r *runner) read(ctx context.Context) (string, error) {
	type result struct {
		line string
		err  error
	}
	got := make(chan result, 1)
	go func() {
		var b strings.Builder
		one := make([]byte, 1) // byte by byte: what follows belongs to the next question
		for {
			n, err := r.In.Read(one)
			if n == 1 && one[0] == '\n' {
				got <- result{b.String(), nil}
				return
			}
			if n == 1 && b.Len() < maxAnswer {
				b.WriteByte(one[0])
			}
			if err != nil {
				got <- result{"", errLeft} // also with half a line: an end is not an answer
				return
			}
		}
	}()
	select {
	case a := <-got:
		return strings.TrimSpace(a.line), a.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func (r *runner) version(ctx context.Context, c upgrade.Choices) (string, error) {
	list := c.All
	if len(list) == 0 {
		list = c.Rows
	}
	var options []text.Safe
	for _, row := range choiceRows(list, c.Default, r.Now()) {
		options = append(options, text.Join(row[:len(row)-1], ", "))
	}
	n, err := r.prompt(ctx, "Which version?", options, "leave, nothing changes")
	if err == nil && n == 0 {
		err = errLeft
	}
	if err != nil {
		return "", err
	}
	return list[n-1].Version, nil
}

func (r *runner) tick(ctx context.Context, report notes.Report) ([]string, error) {
	var ids []string
	for _, f := range report.Breaking() {
		fmt.Fprintln(r.out)
		PrintFlags(r.out, []notes.Flag{f})
		n, err := r.prompt(ctx, "Have you dealt with this?", []text.Safe{"yes, go on", "read all notes"}, "leave, nothing changes")
		for err == nil && n == 2 {
			PrintNotes(r.out, report)
			n, err = r.prompt(ctx, "Have you dealt with this?", []text.Safe{"yes, go on", "read all notes"}, "leave, nothing changes")
		}
		if err == nil && n == 0 {
			err = errLeft
		}
		if err != nil {
			return nil, err
		}
		ids = append(ids, f.ID)
	}
	return ids, nil
}

func (r *runner) confirm(ctx context.Context) error {
	n, err := r.prompt(ctx, text.Line("Upgrade from "+r.from+" to "+r.to+"?"), []text.Safe{"upgrade"}, "leave, nothing changes")
	if err == nil && n == 0 {
		err = errLeft
	}
	return err
}

// question asks what a run asks, after what is at stake.
func (r *runner) question(ctx context.Context, run port.Run, q steps.Question) error {
	if d := q.Details; d != nil {
		r.loss(d)
	}
	var options []text.Safe
	for _, o := range q.Options {
		options = append(options, text.Flat(o.Text))
	}
	n, err := r.prompt(ctx, text.Flat(q.Text), options, "")
	if gone, ok := run.(interface{ Leave() }); ok && errors.Is(err, errLeft) {
		gone.Leave() // nobody answers any more: the run takes the default, which leads to the old version
		return nil
	}
	if err != nil {
		return fmt.Errorf("a question of the run was not answered: %w", err)
	}
	run.Answer(q.ID, q.Options[n-1].ID)
	return nil
}

func (r *runner) loss(d *steps.Loss) {
	fmt.Fprintf(r.out, "The upgrade to %s failed: %s\n", text.Line(d.To), text.Flat(d.Failure))
	for _, e := range d.Evidence {
		fmt.Fprintf(r.out, "  %s\n", text.Flat(e))
	}
	for _, l := range []struct {
		name text.Safe
		what []string
	}{{"Comes back", d.Back}, {"Is lost", []string{d.Lost}}, {"Is kept", d.Kept}} {
		for _, v := range l.what {
			fmt.Fprintf(r.out, "%s: %s\n", l.name, text.Flat(v))
		}
	}
}

func (r *runner) wayOut(ctx context.Context, open *upgrade.Interrupted) (steps.Outcome, error) {
	options := []text.Safe{text.Line("go on to " + open.To), text.Line("go back to " + open.From)}
	n, err := r.prompt(ctx, "What now?", options, "leave, nothing changes")
	switch {
	case err != nil:
		return steps.Outcome{}, err
	case n == 0:
		return steps.Outcome{}, errLeft
	case n == 1:
		return r.follow(ctx, func() (port.Run, error) { return r.Backend.Resume(ctx) })
	default:
		return r.follow(ctx, func() (port.Run, error) { return r.Backend.Rollback(ctx, open.Run) })
	}
}
