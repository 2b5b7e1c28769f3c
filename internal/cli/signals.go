package cli

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"belay/steps"
)

// conductor holds the run that is going on and hands signals to it. The engine
// is never killed by one: it is asked, then told, to stop at a safe point.
type conductor struct {
	mu  sync.Mutex
	run *steps.Run
}

func (c *conductor) set(r *steps.Run) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.run = r
}

func (c *conductor) get() *steps.Run {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.run
}

// conduct listens until ctx ends. leave ends the front end when a signal comes
// while nothing runs; hangup is called when the terminal goes during a run.
func (c *conductor) conduct(ctx context.Context, leave, hangup func()) {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		defer signal.Stop(signals)
		asked := 0
		for {
			select {
			case <-ctx.Done():
				return
			case s := <-signals:
				run := c.get()
				if run == nil {
					leave()
					continue
				}
				if s == syscall.SIGHUP {
					run.Leave()
					hangup()
					continue
				}
				asked++
				run.RequestStop([]steps.How{steps.Undo, steps.Now}[min(asked, 2)-1])
			}
		}
	}()
}

// wait sees the run to its end, if there is one, and gives its outcome.
func (c *conductor) wait() (steps.Outcome, bool) {
	run := c.get()
	if run == nil {
		return steps.Outcome{}, false
	}
	<-run.Done()
	return run.Outcome(), true
}
