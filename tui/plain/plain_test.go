package plain_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"belay/steps"
	"belay/steps/upgrade"
	"belay/tui/plain"
	"belay/tui/tuitest"
	"belay/tui/tuitest/golden"
)

func TestChoose(t *testing.T) {
	both := plain.Situation{Stdin: true, Stdout: true, Term: "xterm"}
	with := func(change func(*plain.Situation)) plain.Situation { s := both; change(&s); return s }
	for name, c := range map[string]struct {
		in   plain.Situation
		want plain.Mode
		bad  bool
	}{
		"terminal":               {in: both, want: plain.TUI},
		"auto":                   {in: with(func(s *plain.Situation) { s.Progress = "auto" }), want: plain.TUI},
		"pipe out":               {in: with(func(s *plain.Situation) { s.Stdout = false }), want: plain.Plain},
		"pipe in":                {in: with(func(s *plain.Situation) { s.Stdin = false }), want: plain.Plain},
		"dumb":                   {in: with(func(s *plain.Situation) { s.Term = "dumb" }), want: plain.Accessible},
		"no TERM":                {in: with(func(s *plain.Situation) { s.Term = "" }), want: plain.Accessible},
		"accessible":             {in: with(func(s *plain.Situation) { s.Accessible = "1" }), want: plain.Accessible},
		"accessible, no tty":     {in: plain.Situation{Accessible: "1"}, want: plain.Plain},
		"CI":                     {in: with(func(s *plain.Situation) { s.CI = "true" }), want: plain.Plain},
		"json anywhere":          {in: plain.Situation{Progress: "json"}, want: plain.JSON},
		"json on a terminal":     {in: with(func(s *plain.Situation) { s.Progress = "json" }), want: plain.JSON},
		"plain on a terminal":    {in: with(func(s *plain.Situation) { s.Progress = "plain" }), want: plain.Plain},
		"accessible by flag":     {in: plain.Situation{Progress: "accessible"}, want: plain.Accessible},
		"tui by flag":            {in: with(func(s *plain.Situation) { s.Progress = "tui"; s.CI = "1" }), want: plain.TUI},
		"tui in a pipe":          {in: plain.Situation{Progress: "tui", Term: "xterm"}, bad: true},
		"tui on a dumb one":      {in: with(func(s *plain.Situation) { s.Progress = "tui"; s.Term = "dumb" }), bad: true},
		"tui against the reader": {in: with(func(s *plain.Situation) { s.Progress = "tui"; s.Accessible = "1" }), bad: true},
		"nonsense":               {in: with(func(s *plain.Situation) { s.Progress = "fancy" }), bad: true},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := plain.Choose(c.in)
			var bad *plain.ContradictionError
			if got != c.want || errors.As(err, &bad) != c.bad {
				t.Errorf("Choose = %q, %v", got, err)
			}
		})
	}
}

// play runs the whole way and gives what was written.
func play(t *testing.T, o plain.Options) (string, steps.Outcome, error) {
	t.Helper()
	var out bytes.Buffer
	o.Out, o.Now = &out, tuitest.Now
	if o.In == nil {
		o.In = strings.NewReader("")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	got, err := plain.Run(ctx, o)
	for _, l := range strings.Split(out.String(), "\n") {
		for _, r := range l {
			if r < 0x20 || (r >= 0x7f && r < 0xa0) {
				t.Errorf("a control byte came through: %q", l)
			}
		}
	}
	return out.String(), got, err
}

// objects decodes JSON lines and asserts that the last one is the outcome with
// all its keys.
func objects(t *testing.T, out string) []map[string]any {
	t.Helper()
	var list []map[string]any
	for _, l := range strings.Split(strings.TrimSuffix(out, "\n"), "\n") {
		var m map[string]any
		if err := json.Unmarshal([]byte(l), &m); err != nil {
			t.Fatalf("%q: %v", l, err)
		}
		list = append(list, m)
	}
	for i, m := range list {
		if (m["kind"] == "outcome") != (i == len(list)-1) {
			t.Errorf("line %d of %d is %v", i, len(list), m)
		}
	}
	for _, k := range []string{"kind", "outcome", "from", "to", "run", "backup", "exit"} {
		if _, ok := list[len(list)-1][k]; !ok {
			t.Errorf("the outcome has no %q: %v", k, list[len(list)-1])
		}
	}
	return list
}

func TestPlainUpgrade(t *testing.T) {
	b := &tuitest.Backend{Script: tuitest.Happy}
	out, got, err := play(t, plain.Options{Backend: b, Mode: plain.Plain, Yes: true, AcceptBreaking: true})
	if err != nil || got.Exit != steps.ExitOK || got.Result != steps.Upgraded {
		t.Fatalf("%+v, %v\n%s", got, err, out)
	}
	golden.Check(t, "upgrade", inOrder(out))
}

// inOrder sorts nothing: logs and states of one step can come in one batch or in
// two, so the lines of the watch are compared without the log.
func inOrder(out string) string {
	var keep []string
	for _, l := range strings.Split(out, "\n") {
		if !strings.Contains(l, "] watch ") && !strings.Contains(l, "] health ") {
			keep = append(keep, l)
		}
	}
	return strings.Join(keep, "\n")
}

func TestJSONUpgrade(t *testing.T) {
	b := &tuitest.Backend{Script: tuitest.Happy}
	out, _, err := play(t, plain.Options{Backend: b, Mode: plain.JSON, Yes: true, AcceptBreaking: true})
	if err != nil {
		t.Fatal(err)
	}
	list := objects(t, out)
	last := list[len(list)-1]
	if last["outcome"] != "upgraded" || last["exit"] != 0.0 || last["to"] != "1.3.0" {
		t.Errorf("outcome = %v", last)
	}
	hostile := false
	for _, m := range list[:len(list)-1] {
		if m["time"] == nil || m["run"] == nil || m["step"] == nil || m["kind"] == nil {
			t.Errorf("a key is missing: %v", m)
		}
		hostile = hostile || m["text"] == "== Running 20261101 add_slots \x1b[2J"
	}
	if !hostile {
		t.Error("JSON must carry the exact text of a log line")
	}
}

func TestJSONFailureRolledBack(t *testing.T) {
	b := &tuitest.Backend{Script: func(p *tuitest.Player) { p.Run.Answer("", steps.AnswerRollback); tuitest.Failing(p) }}
	out, got, err := play(t, plain.Options{Backend: b, Mode: plain.JSON, Yes: true, AcceptBreaking: true})
	if err != nil || got.Exit != steps.ExitRolled {
		t.Fatalf("%+v, %v", got, err)
	}
	if last := objects(t, out); last[len(last)-1]["outcome"] != "rolled_back" {
		t.Errorf("outcome = %v", last)
	}
}

// A script reads the one command that leads on from the last line.
func TestJSONRefusalNamesTheWayOn(t *testing.T) {
	out, _, err := play(t, plain.Options{Backend: &tuitest.Backend{}, Mode: plain.JSON, Yes: true})
	if err == nil {
		t.Fatal("not refused")
	}
	list := objects(t, out)
	if next, _ := list[len(list)-1]["next"].(string); !strings.HasSuffix(next, "--accept-breaking") {
		t.Errorf("outcome = %v", list[len(list)-1])
	}
}

func TestRefusals(t *testing.T) {
	nothing := func() upgrade.Choices { return upgrade.Choices{Nothing: "1.2.3 is the newest version."} }
	for name, c := range map[string]struct {
		b    *tuitest.Backend
		o    plain.Options
		exit int
		says string
		ran  bool
	}{
		"nobody said yes":   {o: plain.Options{}, exit: steps.ExitUsage, says: "nobody to ask"},
		"breaking":          {o: plain.Options{Yes: true}, exit: steps.ExitRefused, says: "MAILER_DSN"},
		"open run":          {b: &tuitest.Backend{Open: tuitest.Interrupted()}, o: plain.Options{Yes: true}, exit: steps.ExitRefused, says: "did not end"},
		"nothing newer":     {b: &tuitest.Backend{Offer: nothing}, o: plain.Options{Yes: true}, exit: steps.ExitOK, says: "newest version"},
		"nothing proposed":  {b: &tuitest.Backend{Offer: func() upgrade.Choices { return upgrade.Choices{} }}, o: plain.Options{Yes: true}, exit: steps.ExitUsage, says: "say which"},
		"engine down":       {b: &tuitest.Backend{Fail: map[string]error{"inspect": errors.New("engine does not answer")}}, exit: steps.ExitFailed, says: "does not answer"},
		"preflight refuses": {b: &tuitest.Backend{Fail: map[string]error{"plan": &steps.RefusedError{Msg: "No room."}}}, o: plain.Options{Yes: true, AcceptBreaking: true}, exit: steps.ExitRefused, says: "No room."},
	} {
		for _, mode := range []plain.Mode{plain.Plain, plain.JSON} {
			t.Run(name+" "+string(mode), func(t *testing.T) {
				if c.b == nil {
					c.b = &tuitest.Backend{}
				}
				c.o.Backend, c.o.Mode = c.b, mode
				out, got, err := play(t, c.o)
				if got.Exit != c.exit || !strings.Contains(got.Message, c.says) {
					t.Errorf("%+v, %v", got, err)
				}
				if c.b.Run() != nil {
					t.Error("a run was started")
				}
				if mode == plain.JSON {
					if last := objects(t, out); last[len(last)-1]["exit"] != float64(c.exit) {
						t.Errorf("outcome = %v", last)
					}
				}
			})
		}
	}
}

func TestAccessible(t *testing.T) {
	answers := func(s ...string) io.Reader { return strings.NewReader(strings.Join(s, "\n") + "\n") }
	t.Run("the whole way", func(t *testing.T) {
		b := &tuitest.Backend{Script: tuitest.Failing}
		// the second version, nonsense on the way, both flags, the plan, and roll back
		in := answers("2", "7", "yes", "1", "1", "1", "1")
		out, got, err := play(t, plain.Options{Backend: b, Mode: plain.Accessible, In: in})
		if err != nil || got.Result != steps.RolledBack {
			t.Fatalf("%+v, %v\n%s", got, err, out)
		}
		for _, want := range []string{"Which version?", "none of the numbers", "Is lost: nothing: no request", "2. stay on 1.3.0"} {
			if !strings.Contains(out, want) {
				t.Errorf("%q is missing in\n%s", want, out)
			}
		}
	})
	t.Run("an end is not an answer", func(t *testing.T) {
		for _, in := range []string{"", "2", "2\n1\n1\n", "2\n1\n1\n1"} {
			b := &tuitest.Backend{Script: tuitest.Happy}
			_, got, err := play(t, plain.Options{Backend: b, Mode: plain.Accessible, In: strings.NewReader(in)})
			if err == nil || got.Exit != steps.ExitStopped || b.Run() != nil {
				t.Errorf("%q: %+v, %v", in, got, err)
			}
		}
	})
	t.Run("an end at a question", func(t *testing.T) {
		b := &tuitest.Backend{Script: tuitest.Failing}
		_, got, err := play(t, plain.Options{Backend: b, Mode: plain.Accessible, In: answers("2", "1", "1", "1")})
		if err == nil || got.Exit != steps.ExitOperator || got.Next != "belay status" {
			t.Errorf("%+v, %v", got, err)
		}
		b.Run().Answer("", steps.AnswerKeep) // let the script end
		<-b.Run().Done()
	})
	t.Run("go back", func(t *testing.T) {
		b := &tuitest.Backend{Open: tuitest.Interrupted(), Script: tuitest.Back}
		_, got, err := play(t, plain.Options{Backend: b, Mode: plain.Accessible, In: answers("2")})
		if err != nil || got.Result != steps.RolledBack {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestADeadFrontEndDoesNotEndTheFollowing(t *testing.T) {
	b := &tuitest.Backend{Script: tuitest.Happy}
	run, err := b.Resume(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := plain.Follow(t.Context(), run, broken{}, plain.JSON); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("Follow = %v", err)
	}
	select {
	case <-run.Done():
	default:
		t.Error("the run was left before its end")
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestFollowEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := plain.Follow(ctx, tuitest.NewRun(), io.Discard, plain.Plain); !errors.Is(err, context.Canceled) {
		t.Errorf("Follow = %v", err)
	}
}

func TestProgressIsSaidEveryFiveSeconds(t *testing.T) {
	run := tuitest.NewRun()
	at := tuitest.Now()
	var out bytes.Buffer
	done := make(chan error, 1)
	seen := make(chan string, 100)
	go func() { done <- plain.Follow(t.Context(), run, tee{&out, seen}, plain.Plain) }()
	for i := range 12 {
		run.Stream().Emit(steps.Event{Time: at.Add(time.Duration(i) * time.Second), Kind: steps.KindProgress, Step: steps.Backup, Done: int64(i), Total: 12, Unit: steps.Count})
		run.Stream().Emit(steps.Event{Time: at.Add(time.Duration(i) * time.Second), Kind: steps.KindWarn, Step: steps.Backup, Text: "mark"})
		for s := ""; !strings.Contains(s, "mark"); s = <-seen {
		}
	}
	(&tuitest.Player{Run: run}).End(steps.Outcome{Result: steps.Upgraded})
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), " %"); n != 3 { // at 0, 5 and 10 seconds
		t.Errorf("%d lines of progress:\n%s", n, out.String())
	}
}

type tee struct {
	w    io.Writer
	seen chan string
}

func (t tee) Write(b []byte) (int, error) {
	n, err := t.w.Write(b)
	t.seen <- string(b)
	return n, err
}

func TestPrinters(t *testing.T) {
	var b bytes.Buffer
	plain.PrintStatus(&b, plain.Status{Stack: tuitest.Stack(), Open: tuitest.Interrupted(), Next: "belay resume"}, tuitest.Now())
	b.WriteString("---\n")
	plain.PrintChoices(&b, tuitest.Choices(), tuitest.Now())
	b.WriteString("---\n")
	plain.PrintNotes(&b, tuitest.Report())
	b.WriteString("---\n")
	plain.PrintPlan(&b, tuitest.Plan())
	b.WriteString("---\n")
	plain.PrintHistory(&b, tuitest.Past())
	b.WriteString("---\n")
	plain.PrintOutcome(&b, tuitest.RolledBack())
	golden.Check(t, "printers", b.String())
}

func TestWriteJSON(t *testing.T) {
	s := tuitest.Stack()
	s.Services[0].Container.Env = map[string]string{"SECRET": "hunter2"}
	s.Drift = []string{"bidi \u202e and c1 \u009b and tag \U000e0041"}
	p := tuitest.Plan()
	p.Edits[0].Old = []byte("SECRET=hunter2")
	for _, v := range []any{
		plain.Status{Stack: s, Open: tuitest.Interrupted(), Next: "belay resume"},
		s, tuitest.Choices(), tuitest.Report(), p, tuitest.Past(), tuitest.Interrupted(),
	} {
		var b bytes.Buffer
		if err := plain.WriteJSON(&b, v); err != nil {
			t.Fatal(err)
		}
		if !json.Valid(b.Bytes()) {
			t.Fatalf("%T: no JSON: %s", v, b.String())
		}
		if strings.Contains(b.String(), "hunter2") || strings.Contains(b.String(), "aHVudGVyMg") || strings.Contains(b.String(), "U0VDUkVU") {
			t.Errorf("%T: a secret came out", v)
		}
		if strings.ContainsAny(b.String(), "\u202e\u009b\U000e0041\x7f") {
			t.Errorf("%T: a character that a terminal acts on", v)
		}
	}
	var back struct{ Drift []string }
	var b bytes.Buffer
	if err := plain.WriteJSON(&b, s); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b.Bytes(), &back); err != nil || back.Drift[0] != s.Drift[0] {
		t.Errorf("%q, %v", back.Drift, err)
	}
	if err := plain.WriteJSON(&b, 7); err == nil {
		t.Error("a type without a view was written")
	}
}
