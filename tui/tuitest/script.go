package tuitest

import (
	"time"

	"belay/steps"
)

// Proof is what a good end shows.
func Proof() []steps.Signal {
	return []steps.Signal{
		{Name: "image", Subject: "tymeslot", Verdict: steps.Pass, Evidence: "sha256:41ca7460a6f5 as planned"},
		{Name: "data", Subject: "postgres", Verdict: steps.Pass, Evidence: "37 tables, 128,904 rows, as before"},
		{Name: "health", Subject: "tymeslot", Verdict: steps.Pass, Evidence: `GET /healthcheck 200 {"status":"ok"}`},
		{Name: "restarts", Subject: "tymeslot", Verdict: steps.Warned, Evidence: "one restart in 30 s"},
	}
}

// Loss is what a rollback prompt says.
func Loss() *steps.Loss {
	return &steps.Loss{
		Failure:  "the database migration stopped",
		Evidence: []string{`20:31:15 ERROR 42P07 relation "slots" already exists`, "The app is restarting again and again (3 times in 40 s)."},
		From:     "1.2.3", To: "1.3.0",
		Back: []string{"image 1.2.3", ".env as it was", "37 tables, 128,904 rows", "2,113 files"},
		Lost: "nothing: no request reached the app since the copy at 20:30:41", Since: Now(),
		Kept: []string{"the failed data (1.3 GB) and its log, until you drop them"}, Estimated: 25 * time.Second,
	}
}

// Question is the one after a failure.
func Question() steps.Question {
	return steps.Question{
		ID: "after-failure", Text: "Roll back to 1.2.3?", Default: steps.AnswerRollback, Details: Loss(),
		Options: []steps.Option{
			{ID: steps.AnswerRollback, Text: "put everything back as it was"},
			{ID: steps.AnswerKeep, Text: "stay on 1.3.0 as it is, keep the restore point"},
		},
	}
}

// UntilWatch plays an upgrade up to the migration's log.
func UntilWatch(p *Player) {
	for _, s := range []struct {
		id   steps.ID
		text string
		took time.Duration
	}{
		{steps.Preflight, "", time.Second},
		{steps.Pull, "214 MB", 21 * time.Second},
		{steps.Hold, "", 0},
		{steps.Capture, "2 files", 0},
		{steps.Dump, "161 MB", 9 * time.Second},
		{steps.Stop, "", 3 * time.Second},
		{steps.Backup, "1.3 GB", 19 * time.Second},
		{steps.Prove, "37 tables, 128,904 rows, 2,113 files match", 4 * time.Second},
		{steps.Pin, ".env:7", 0},
		{steps.Start, "", 2 * time.Second},
	} {
		p.Start(s.id, title(s.id))
		p.Done(s.id, s.text, s.took)
	}
	p.Start(steps.Watch, title(steps.Watch))
	p.Log("tymeslot", "Running database migrations…")
	p.Log("tymeslot", "== Running 20261101 add_slots \x1b[2J")
	p.Log("postgres", "checkpoint starting: 0 errors")
	p.Emit(steps.Event{Kind: steps.KindProgress, Step: steps.Watch, Text: "migrating 20261101, 34 % CPU, last line 1 s ago"})
}

// title is what the plan calls a step.
func title(id steps.ID) string {
	for _, s := range Plan().Steps {
		if s.ID == id {
			return s.Title
		}
	}
	return ""
}

// Happy plays an upgrade that works.
func Happy(p *Player) {
	UntilWatch(p)
	p.Done(steps.Watch, "ready", 6*time.Second)
	p.Start(steps.Health, title(steps.Health))
	for _, s := range Proof() {
		p.Signal(steps.Health, s)
	}
	p.Done(steps.Health, "4 checks", 30*time.Second)
	p.Start(steps.Commit, title(steps.Commit))
	p.Done(steps.Commit, "", 0)
	p.End(Upgraded())
}

// Upgraded is the end of Happy.
func Upgraded() steps.Outcome {
	return steps.Outcome{
		Result: steps.Upgraded, From: "1.2.3", To: "1.3.0", Run: "01JD0000000000000000000000", Exit: steps.ExitOK, Proof: Proof(),
		Backup: Plan().BackupDir, Message: "tymeslot is on 1.3.0.", Next: "belay rollback",
	}
}

// RolledBack is the end of Failing after a rollback.
func RolledBack() steps.Outcome {
	o := Upgraded()
	o.Result, o.Exit, o.Next = steps.RolledBack, steps.ExitRolled, ""
	o.Message = "tymeslot is back on 1.2.3, with its configuration and its data."
	return o
}

// Failing plays an upgrade whose migration fails, asks, and does as it is told.
func Failing(p *Player) {
	UntilWatch(p)
	p.Log("tymeslot", `ERROR 42P07 relation "slots" already exists`)
	p.Emit(steps.Event{Kind: steps.KindFail, Step: steps.Watch, Text: "the database migration stopped", Took: 6000})
	if p.Ask(Question()) == steps.AnswerKeep {
		p.End(steps.Outcome{
			Result: steps.NeedsOperator, From: "1.2.3", To: "1.3.0", Run: p.Run.ID(), Exit: steps.ExitOperator,
			Message: "tymeslot is on 1.3.0 and not well: the database migration stopped.", Next: "belay rollback",
		})
		return
	}
	Back(p)
}

// Back plays a rollback.
func Back(p *Player) {
	for _, id := range []steps.ID{
		steps.BackStop, steps.BackVerify, steps.BackKeep, steps.BackConfig,
		steps.BackData, steps.BackStart, steps.BackHealth, steps.BackCanary,
	} {
		p.Start(id, "")
		p.Done(id, "", time.Second)
	}
	p.End(RolledBack())
}

// Stopping plays an upgrade until the user stops it.
func Stopping(p *Player) {
	UntilWatch(p)
	p.Stopped()
	p.End(steps.Outcome{
		Result: steps.Aborted, From: "1.2.3", To: "1.3.0", Run: p.Run.ID(), Exit: steps.ExitStopped,
		Message: "Stopped by you. tymeslot is on 1.2.3 as before, its data untouched.",
	})
}
