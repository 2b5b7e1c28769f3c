package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"belay/dockerx"
)

const (
	defaultGrace = 10 * time.Second // compose's stop_grace_period
	maxBackoff   = time.Minute
	steadyAfter  = 10 * time.Second // a run this long starts the back-off anew
	exitNoStart  = 128
)

// child is a container whose process this engine started. It lives until the
// container is stopped for good; over restarts it has several processes.
type child struct {
	id   string
	stop chan struct{} // closed when it shall end and not start again
	done chan struct{} // closed when its record says that it has ended

	mu      sync.Mutex
	ending  bool
	process *process
}

// process is one running process of a child.
type process struct {
	cmd   *exec.Cmd
	stdin io.Closer
	log   *logWriter
	outs  []*stream
}

// start begins a container. The caller holds the lock; nothing happens to one that runs.
func (e *Engine) start(r *record) error {
	if e.closed {
		return ErrClosed
	}
	if r.active() {
		return nil
	}
	r.Stopping, r.Restarts = false, 0
	p, err := e.spawn(r)
	if err != nil {
		return err
	}
	c := &child{id: r.ID, stop: make(chan struct{}), done: make(chan struct{}), process: p}
	e.children[r.ID] = c
	e.wg.Go(func() { e.supervise(c, p) })
	return nil
}

// spawn starts a container's process and writes that down.
func (e *Engine) spawn(r *record) (*process, error) {
	if err := e.listenOn(r); err != nil {
		return nil, err
	}
	argv, err := e.argv(r)
	if err != nil {
		return nil, err
	}
	log, err := e.openLog(r.ID)
	if err != nil {
		return nil, err
	}
	p := &process{log: log, outs: []*stream{{to: log}, {to: log, stderr: true}}}
	p.cmd = exec.Command(e.o.Executable, argv...)
	p.cmd.Dir = e.rootfs(r.ID)
	p.cmd.Env = r.Env
	p.cmd.SysProcAttr = ownGroup()
	p.cmd.Stdout, p.cmd.Stderr = p.outs[0], p.outs[1]
	p.cmd.WaitDelay = time.Second
	// The child ends when this pipe does, that is when this process is gone.
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", r.Name, err), log.file.Close())
	}
	if err := p.cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", r.Name, err), log.file.Close())
	}
	r.State, r.Started, r.Exit = dockerx.Running, e.o.Now(), 0
	r.Process, r.Engine = processOf(p.cmd.Process.Pid), e.me
	if r.Checked {
		r.Health = dockerx.Starting
	}
	if err := e.save(r); err != nil {
		kill(p.cmd.Process.Pid)
		p.wait()
		return nil, err
	}
	e.bell.ring()
	return p, nil
}

// supervise waits for a child's process and starts it again as its policy says.
func (e *Engine) supervise(c *child, p *process) {
	for backoff := e.o.Backoff; ; backoff = min(2*backoff, maxBackoff) {
		began := time.Now()
		ctx, cancel := context.WithCancel(context.Background())
		var probes sync.WaitGroup
		probes.Go(func() { e.probe(ctx, c.id) })
		code := p.wait()
		cancel()
		probes.Wait()

		if time.Since(began) > steadyAfter {
			backoff = e.o.Backoff
		}
		if !e.ended(c, code) {
			return
		}
		pause := time.NewTimer(backoff)
		select {
		case <-c.stop:
		case <-pause.C:
		}
		pause.Stop()
		if p = e.again(c, code); p == nil {
			return
		}
	}
}

// ended writes down that a child's process ended and says whether it shall be
// started again.
func (e *Engine) ended(c *child, code int) (again bool) {
	_ = e.change(func() error {
		r, err := e.load(c.id)
		if err != nil {
			e.forget(c)
			return err
		}
		again = !e.closed && !c.asked() && !r.Stopping && wantsRestart(r, code)
		r.exited(code, e.o.Now())
		if again {
			r.State, r.Engine = dockerx.Restarting, e.me
		} else {
			e.forget(c)
		}
		return e.save(r)
	})
	if !again {
		c.finish()
	}
	e.bell.ring()
	return again
}

// again starts a child once more after its pause, unless somebody stopped it
// meanwhile. nil: it stays down.
func (e *Engine) again(c *child, code int) (p *process) {
	_ = e.change(func() error {
		r, err := e.load(c.id)
		if err != nil {
			e.forget(c)
			return err
		}
		if !e.closed && !c.asked() && !r.Stopping && wantsRestart(r, code) {
			r.Restarts++
			if p, err = e.spawn(r); err == nil {
				c.set(p)
				return nil
			}
			r.exited(exitNoStart, e.o.Now())
		} else {
			r.exited(code, e.o.Now())
		}
		e.forget(c)
		return errors.Join(err, e.save(r))
	})
	if p == nil {
		c.finish()
		e.bell.ring()
	}
	return p
}

func wantsRestart(r *record, code int) bool {
	policy, limit, _ := strings.Cut(r.Restart, ":")
	switch policy {
	case "always", "unless-stopped":
		return true
	case "on-failure":
		n, err := strconv.Atoi(limit)
		return code != 0 && (err != nil || n <= 0 || r.Restarts < n)
	}
	return false
}

// forget takes a child that ended out of the table. The caller holds the lock.
func (e *Engine) forget(c *child) {
	if e.children[c.id] == c {
		delete(e.children, c.id)
	}
}

// own is the child of a container, nil when this engine did not start it.
func (e *Engine) own(id string) *child {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.children[id]
}

// wait returns the exit code once all output is in the log.
func (p *process) wait() int {
	_ = p.cmd.Wait() // the exit code says it
	_ = p.stdin.Close()
	for _, out := range p.outs {
		out.flush()
	}
	_ = p.log.file.Close()
	return exitCode(p.cmd.ProcessState)
}

// end asks the child to stop, kills it after the grace, and waits until that is
// on record. It returns early when ctx ends; the child goes on stopping then.
func (c *child) end(ctx context.Context, grace time.Duration) {
	c.signal(terminate)
	limit := time.NewTimer(grace)
	defer limit.Stop()
	select {
	case <-c.done:
		return
	case <-ctx.Done():
		return
	case <-limit.C:
	}
	c.signal(kill)
	select {
	case <-c.done:
	case <-ctx.Done():
	}
}

// signal makes the child's present process its last and sends to it.
func (c *child) signal(send func(pid int)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ending {
		c.ending = true
		close(c.stop)
	}
	if c.process != nil {
		send(c.process.cmd.Process.Pid)
	}
}

func (c *child) asked() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ending
}

// set makes p the process to signal; one that came too late to be asked is asked now.
func (c *child) set(p *process) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.process = p
	if c.ending {
		terminate(p.cmd.Process.Pid)
	}
}

func (c *child) finish() { close(c.done) }
