package plain

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"belay/steps"
	"belay/tui/port"
	"belay/tui/text"
	"belay/tui/words"
)

// How often things that repeat are said.
const (
	quiet     = 50 * time.Millisecond // collects progress and logs
	progress  = 5 * time.Second       // of one step, in lines
	heartbeat = 30 * time.Second      // in accessible mode, when nothing else is said
)

// Follow writes the events of a run until it has ended: lines, or JSON objects
// of which the last one is the outcome. Questions are only written, the engine's
// policy answers them. When w fails the run is followed to its end all the same
// and the error is returned then; when ctx ends, Follow does at once.
func Follow(ctx context.Context, run port.Run, w io.Writer, m Mode) error {
	f := follower{run: run, out: &sticky{w: w}, mode: m, now: time.Now}
	return f.follow(ctx)
}

type follower struct {
	run  port.Run
	out  *sticky
	mode Mode
	now  func() time.Time
	ask  func(ctx context.Context, q steps.Question) error // nil: questions are only written

	said  map[steps.ID]time.Time // when a step's progress was last written
	title map[steps.ID]text.Safe
	last  text.Safe // what is being done
}

// sticky writes until the first error, which it keeps.
type sticky struct {
	w   io.Writer
	err error
}

// Write never fails: a front end that dies must not end the following.
func (s *sticky) Write(b []byte) (int, error) {
	if s.err == nil {
		_, s.err = s.w.Write(b)
	}
	return len(b), nil
}

func (f *follower) follow(ctx context.Context) error {
	f.said, f.title = map[steps.ID]time.Time{}, map[steps.ID]text.Safe{}
	beat := time.NewTimer(heartbeat)
	defer beat.Stop()
	for {
		select {
		case <-f.run.Stream().Wake():
			f.settle(ctx)
			if err := f.batch(ctx, f.run.Stream().Drain()); err != nil {
				return err
			}
			beat.Reset(heartbeat)
		case <-f.run.Done():
			if err := f.batch(ctx, f.run.Stream().Drain()); err != nil {
				return err
			}
			f.end(f.run.Outcome())
			return f.out.err
		case <-beat.C:
			f.beat()
			beat.Reset(heartbeat)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (f *follower) beat() {
	if f.mode == Accessible && f.last != "" {
		fmt.Fprintf(f.out, "Still working: %s.\n", f.last)
	}
}

func (f *follower) settle(ctx context.Context) {
	if f.run.Stream().HasState() {
		return
	}
	t := time.NewTimer(quiet)
	defer t.Stop()
	select {
	case <-t.C:
	case <-f.run.Done():
	case <-ctx.Done():
	}
}

func (f *follower) batch(ctx context.Context, b steps.Batch) error {
	if b.Dropped > 0 {
		f.event(steps.Event{
			Time: f.now(), Run: f.run.ID(), Kind: steps.KindWarn,
			Text: fmt.Sprintf("%d log lines came too fast and are only in the run's own log", b.Dropped),
		})
	}
	all := slices.Concat(b.Logs, b.Progress, b.States)
	slices.SortStableFunc(all, func(x, y steps.Event) int { return x.Time.Compare(y.Time) }) // as it happened
	for _, e := range all {
		f.event(e)
		if e.Kind == steps.KindAsk && e.Ask != nil && f.ask != nil {
			if err := f.ask(ctx, *e.Ask); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *follower) event(e steps.Event) {
	if e.Kind == steps.KindOutcome {
		return // the end is written when it is the end
	}
	if f.mode == JSON {
		if err := line(f.out, e); err != nil && f.out.err == nil {
			f.out.err = err
		}
		return
	}
	if s := f.line(e); s != "" {
		fmt.Fprintf(f.out, "[%s] %s %s\n", words.Time(e.Time), text.Pad(text.Line(string(e.Step)), 15), s)
	}
}

// line is an event in words, "" when it is not worth a line now.
func (f *follower) line(e steps.Event) text.Safe {
	took := words.Took(time.Duration(e.Took) * time.Millisecond)
	switch e.Kind {
	case steps.KindStart:
		f.title[e.Step], f.last = text.Line(e.Title), text.Line(e.Title)
		return text.Line(e.Title) + " …"
	case steps.KindProgress:
		return f.progress(e)
	case steps.KindLog:
		return text.Line(e.Service) + " | " + text.Line(e.Text)
	case steps.KindWarn:
		return "warning: " + text.Flat(e.Text)
	case steps.KindAsk:
		return "question: " + text.Flat(e.Text)
	case steps.KindDone:
		if e.Text == "" {
			return "done in " + took
		}
		return "done in " + took + ": " + text.Flat(e.Text)
	case steps.KindFail:
		return "FAILED after " + took + ": " + text.Flat(e.Text)
	case steps.KindOutcome:
	}
	return ""
}

func (f *follower) progress(e steps.Event) text.Safe {
	if n := e.Signal; n != nil {
		s := text.Line(string(n.Verdict)) + ": " + text.Line(n.Name)
		if n.Subject != "" {
			s += " of " + text.Line(n.Subject)
		}
		return s + ": " + text.Flat(n.Evidence)
	}
	if at, ok := f.said[e.Step]; ok && e.Time.Sub(at) < progress {
		return ""
	}
	f.said[e.Step] = e.Time
	var s text.Safe
	if e.Total > 0 || e.Done > 0 {
		s = words.Amount(e.Done, e.Total, e.Unit)
	}
	if p := words.Percent(e.Done, e.Total); p != "" {
		s = p + ", " + s
	}
	if t := text.Flat(e.Text); t != "" && s != "" {
		s += ", " + t
	} else if s == "" {
		s = t
	}
	if s != "" {
		f.last = f.title[e.Step] + ", " + s
	}
	return s
}

func (f *follower) end(o steps.Outcome) {
	if f.mode == JSON {
		if err := Outcome(f.out, o, f.now()); err != nil && f.out.err == nil {
			f.out.err = err
		}
		return
	}
	PrintOutcome(f.out, o)
}
