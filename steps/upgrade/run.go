package upgrade

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"belay/steps"
	"belay/steps/backup"
	"belay/steps/journal"
)

// Upgrade starts a plan. The returned handle lives on when the caller's front
// end dies; ctx is the engine's own and must not end with a screen.
func (s *Session) Upgrade(ctx context.Context, p *steps.Plan, policy steps.Policy) (*steps.Run, error) {
	w, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	if head, err := w.project.Head(); err != nil || head != "" {
		return nil, errors.Join(err, w.close(), &steps.RefusedError{
			Msg: "An earlier run did not end; it comes first.", Next: s.next("status"),
		})
	}
	if err := w.begin(p, s.d); err != nil {
		return nil, errors.Join(fmt.Errorf("begin the run: %w", err), w.close())
	}
	return s.launch(ctx, w, p, policy, func(e *steps.Engine) { e.Upgrade(ctx) })
}

// Resume goes on with the run that did not end.
func (s *Session) Resume(ctx context.Context, policy steps.Policy) (*steps.Run, error) {
	w, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	run, err := w.project.Head()
	if err != nil {
		return nil, errors.Join(err, w.close())
	}
	if run == "" {
		return nil, errors.Join(w.close(), &steps.RefusedError{Msg: "No run is open; there is nothing to go on with.", Next: s.next("status")})
	}
	p, records, err := w.again(run, s.d)
	if err != nil {
		return nil, errors.Join(err, w.close())
	}
	return s.launch(ctx, w, p, policy, func(e *steps.Engine) { e.Resume(ctx, records) })
}

// Rollback takes back the open run, or else the given one, or else the last
// upgrade. From here on the way is back, whatever happens.
func (s *Session) Rollback(ctx context.Context, run string) (*steps.Run, error) {
	w, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	run, err = s.choose(w, run)
	if err != nil {
		return nil, errors.Join(err, w.close())
	}
	p, records, err := w.again(run, s.d)
	if err != nil {
		return nil, errors.Join(err, w.close())
	}
	if err := w.project.SetHead(run); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return s.launch(ctx, w, p, steps.AutoRollback, func(e *steps.Engine) { e.Rollback(ctx, records) })
}

// choose finds the run to take back and refuses one that has nothing to give.
func (s *Session) choose(w *work, run string) (string, error) {
	head, err := w.project.Head()
	if err != nil {
		return "", err
	}
	switch {
	case head != "" && (run == "" || run == head):
		return head, nil
	case head != "":
		return "", &steps.RefusedError{Msg: fmt.Sprintf("Run %s is open; it comes first.", head), Next: s.next("status")}
	}
	past, err := s.past(w.project)
	if err != nil {
		return "", err
	}
	for _, one := range past {
		if run != "" && one.Run != run {
			if one.Outcome == string(steps.Upgraded) {
				return "", &steps.RefusedError{Msg: fmt.Sprintf("Run %s came after %s; it has to go back first.", one.Run, run), Next: s.next("rollback --run " + one.Run)}
			}
			continue
		}
		if one.Restores {
			return one.Run, nil
		}
		if run != "" || one.Outcome == string(steps.RolledBack) {
			return "", &steps.RefusedError{Msg: fmt.Sprintf("Run %s ended with %q; there is nothing to take back.", one.Run, one.Outcome), Next: s.next("history")}
		}
	}
	return "", &steps.RefusedError{Msg: "No upgrade was made here that could be taken back.", Next: s.next("history")}
}

// work is what a run holds while it works: the lock and its files.
type work struct {
	project *journal.Project
	lock    *journal.Lock
	dir     string
	log     *journal.Log
	events  *os.File
	compose Composer
}

func (s *Session) open(ctx context.Context) (*work, error) {
	if s.d.NoCompose != nil {
		return nil, s.d.NoCompose
	}
	project, err := s.project(ctx)
	if err != nil {
		return nil, err
	}
	lock, err := project.Lock(journal.Owner{PID: os.Getpid(), Since: s.d.Now(), TTY: s.d.TTY})
	var held *journal.LockedError
	if errors.As(err, &held) {
		return nil, &steps.RefusedError{Msg: held.Error() + ".", Next: s.next("status"), Err: err}
	}
	if err != nil {
		return nil, err
	}
	w := &work{project: project, lock: lock, compose: s.d.Compose}
	if s.d.Holding != nil {
		w.compose = s.d.Holding(lock.File())
	}
	return w, nil
}

// begin makes a new run durable: directory, plan, journal, and last the head,
// so that a run without them is never found open.
func (w *work) begin(p *steps.Plan, d Deps) error {
	dir, err := w.project.MakeRun(p.Run)
	if err != nil {
		return err
	}
	p.BackupDir = backup.Dir(p, dir)
	if err := save(p, dir); err != nil {
		return err
	}
	log, err := journal.Create(dir, p.Run, d.Now)
	if err != nil {
		return err
	}
	w.dir, w.log = dir, log
	if err := w.project.SetHead(p.Run); err != nil {
		return err
	}
	return w.openEvents()
}

func (w *work) again(run string, d Deps) (*steps.Plan, []journal.Record, error) {
	w.dir = w.project.RunDir(run)
	p, err := loadPlan(w.dir)
	if err != nil {
		return nil, nil, err
	}
	log, records, _, err := journal.Reopen(w.dir, run, d.Now)
	if err != nil {
		return nil, nil, err
	}
	w.log = log
	return p, records, w.openEvents()
}

func (w *work) openEvents() error {
	f, err := os.OpenFile(filepath.Join(w.dir, "events.jsonl"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("open events: %w", err)
	}
	w.events = f
	return nil
}

func (w *work) close() error {
	var errs []error
	if w.events != nil {
		errs = append(errs, w.events.Close())
	}
	if w.log != nil {
		errs = append(errs, w.log.Close())
	}
	return errors.Join(append(errs, w.lock.Unlock())...)
}

// launch runs the engine in a goroutine that ends with the run.
func (s *Session) launch(ctx context.Context, w *work, p *steps.Plan, policy steps.Policy, do func(*steps.Engine)) (*steps.Run, error) {
	run := steps.NewRun(p.Run)
	e, err := s.engine(ctx, w, p)
	if err != nil {
		return nil, errors.Join(err, w.close())
	}
	e.Run, e.Policy = run, policy
	e.Closed = func() {
		_ = w.close() // the run is over and recorded; the kernel frees the rest
		s.Refresh()
	}
	go do(e)
	return run, nil
}
