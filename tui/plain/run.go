package plain

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"belay/releases/notes"
	"belay/steps"
	"belay/steps/upgrade"
	"belay/tui/port"
	"belay/tui/text"
)

// Options are what a whole upgrade without a full screen needs.
type Options struct {
	Backend        port.Backend
	In             io.Reader // read in accessible mode only
	Out            io.Writer
	Mode           Mode   // Plain, JSON or Accessible
	To             string // version; "" means the proposed one, or asks
	Yes            bool   // go on without asking
	AcceptBreaking bool   // with Yes: breaking flags do not refuse
	Now            func() time.Time
}

// Run goes from what is installed to the end of an upgrade. Without Yes only the
// accessible mode, which asks, changes anything.
//
// The outcome always has its exit code. A refusal or a failure before the run
// comes with its error too; in JSON mode the outcome line stands in the output
// in every case, as the last one.
func Run(ctx context.Context, o Options) (steps.Outcome, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	r := runner{Options: o, out: &sticky{w: o.Out}}
	out, err := r.run(ctx)
	if err != nil && out.Result == "" {
		out.Result, out.Exit, out.Message = steps.Aborted, exitOf(err), err.Error()
		out.From, out.To = r.from, r.to
		var advised steps.Advised
		if errors.As(err, &advised) {
			out.Next = advised.Advice()
		}
	}
	if r.followed {
		return out, err
	}
	if o.Mode == JSON {
		if werr := Outcome(r.out, out, o.Now()); werr != nil {
			return out, errors.Join(err, werr)
		}
	} else if err == nil {
		PrintOutcome(r.out, out)
	}
	return out, errors.Join(err, r.out.err)
}

// exitOf is the exit code an error asks for.
func exitOf(err error) int {
	var coded interface{ Exit() int }
	if errors.As(err, &coded) {
		return coded.Exit()
	}
	if errors.Is(err, errLeft) || errors.Is(err, context.Canceled) {
		return steps.ExitStopped
	}
	return steps.ExitFailed
}

type runner struct {
	Options
	out      *sticky
	from, to string
	followed bool // the run's own end was written
}

func (r *runner) run(ctx context.Context) (steps.Outcome, error) {
	open, err := r.Backend.Interrupted(ctx)
	if err != nil {
		return steps.Outcome{}, err
	}
	if open != nil {
		r.from, r.to = open.From, open.To
		return r.interrupted(ctx, open)
	}
	s, err := r.Backend.Inspect(ctx)
	if err != nil {
		return steps.Outcome{}, err
	}
	r.from, r.to = s.Version.Text, s.Version.Text
	r.say(func(w io.Writer) { PrintStack(w, s, r.Now()) })
	done, err := r.choose(ctx)
	if done != nil || err != nil {
		return deref(done), err
	}
	report, err := r.Backend.Notes(ctx, r.to)
	if err != nil {
		return steps.Outcome{}, err
	}
	accepted, err := r.accept(ctx, report)
	if err != nil {
		return steps.Outcome{}, err
	}
	p, err := r.Backend.Plan(ctx, r.to, accepted)
	if errors.Is(err, upgrade.ErrNothing) {
		return steps.Outcome{Result: steps.NothingToDo, From: r.from, To: r.from, Message: err.Error()}, nil
	}
	if err != nil {
		return steps.Outcome{}, err
	}
	r.say(func(w io.Writer) { PrintPlan(w, p) })
	if err := r.agree(ctx); err != nil {
		return steps.Outcome{}, err
	}
	return r.follow(ctx, func() (port.Run, error) { return r.Backend.Upgrade(ctx, p) })
}

// say writes for people: not in the middle of a program's JSON.
func (r *runner) say(write func(io.Writer)) {
	if r.Mode != JSON {
		write(r.out)
	}
}

func (r *runner) asks() bool { return r.Mode == Accessible && !r.Yes }

// choose settles the version; an outcome says that there is nothing to do.
func (r *runner) choose(ctx context.Context) (*steps.Outcome, error) {
	if r.To != "" {
		r.to = r.To
		return nil, nil //nolint:nilnil // no outcome yet, no error
	}
	c, err := r.Backend.Choices(ctx)
	if err != nil {
		return nil, err
	}
	if c.Nothing != "" {
		return &steps.Outcome{Result: steps.NothingToDo, From: r.from, To: r.from, Message: c.Nothing}, nil
	}
	r.say(func(w io.Writer) { PrintChoices(w, c, r.Now()) })
	if r.asks() {
		r.to, err = r.version(ctx, c)
		return nil, err
	}
	if c.Default == "" {
		return nil, &steps.RefusedError{Msg: "There is no version that belay would propose: say which one.", Next: "belay upgrade --to VERSION", Usage: true}
	}
	r.to = c.Default
	return nil, nil //nolint:nilnil // no outcome yet, no error
}

// accept settles the breaking flags: refused, accepted all at once, or each by a
// person.
func (r *runner) accept(ctx context.Context, report notes.Report) ([]string, error) {
	r.say(func(w io.Writer) {
		fmt.Fprintf(w, "Notes for %d of %d versions.\n", report.Have, report.Of)
		warn(w, report.Incomplete)
		PrintFlags(w, report.Flags())
	})
	flags := report.Breaking()
	if r.asks() {
		return r.tick(ctx, report)
	}
	if !r.AcceptBreaking && r.Yes && len(flags) > 0 {
		var names []string
		for _, f := range flags {
			names = append(names, fmt.Sprintf("%s: %s", f.Version, string(text.Flat(f.Text))))
		}
		return nil, &steps.RefusedError{
			Msg:  fmt.Sprintf("The way to %s has breaking changes that nobody has accepted. %s", r.to, strings.Join(names, "; ")),
			Next: "belay upgrade --to " + r.to + " --yes --accept-breaking",
		}
	}
	var ids []string
	for _, f := range flags {
		ids = append(ids, f.ID)
	}
	return ids, nil
}

// agree is the last word before anything changes.
func (r *runner) agree(ctx context.Context) error {
	switch {
	case r.Yes:
		return nil
	case r.asks():
		return r.confirm(ctx)
	default:
		return &steps.RefusedError{Msg: "Nothing was changed: there is nobody to ask here.", Next: "belay upgrade --to " + r.to + " --yes", Usage: true}
	}
}

func (r *runner) follow(ctx context.Context, start func() (port.Run, error)) (steps.Outcome, error) {
	run, err := start()
	if err != nil {
		return steps.Outcome{}, err
	}
	f := follower{run: run, out: r.out, mode: r.Mode, now: r.Now}
	if r.asks() {
		f.ask = func(ctx context.Context, q steps.Question) error { return r.question(ctx, run, q) }
	}
	err = f.follow(ctx)
	select {
	case <-run.Done():
		r.followed = true
		return run.Outcome(), err
	default:
		r.followed = r.Mode != JSON // it goes on without us: in JSON the last line still says how we left it
		return steps.Outcome{
			Result: steps.NeedsOperator, From: r.from, To: r.to, Run: run.ID(), Exit: steps.ExitOperator,
			Message: "The run goes on, or waits for an answer, without this front end.", Next: "belay status",
		}, err
	}
}

func (r *runner) interrupted(ctx context.Context, open *upgrade.Interrupted) (steps.Outcome, error) {
	r.say(func(w io.Writer) { PrintInterrupted(w, open, r.Now()) })
	if !r.asks() {
		return steps.Outcome{}, &steps.RefusedError{
			Msg:  fmt.Sprintf("The upgrade from %s to %s did not end. %s", open.From, open.To, open.Why),
			Next: "belay " + open.Advice,
		}
	}
	return r.wayOut(ctx, open)
}

func deref(o *steps.Outcome) steps.Outcome {
	if o == nil {
		return steps.Outcome{}
	}
	return *o
}
