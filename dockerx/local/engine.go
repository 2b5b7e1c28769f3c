// Package local is an embedded engine: services are child processes of belay's
// own binary, volumes are directories, images are versions of the demo
// application, logs are pipes, health is HTTP on loopback. It keeps the same
// promises as the real engine. It must not know what an upgrade is.
package local

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/renameio/v2"

	"belay/dockerx"
)

// Version is what the embedded engine calls itself.
const Version = "embedded-1"

// ErrClosed is returned for work that is asked of an engine after Close.
var ErrClosed = errors.New("the embedded engine is closed")

// Options say where an engine lives and what it has.
type Options struct {
	Dir        string           // state: made when missing, mode 0700
	Executable string           // the program that dispatches Command to Main; "" is this one
	Now        func() time.Time // nil: time.Now
	Images     []ImageSpec      // what its registry offers
	PullRate   int64            // bytes per second; 0: a home connection, negative: at once
	Probe      Probe
	Backoff    time.Duration // pause before the first restart, doubled after each; 0: 100 ms
}

// Probe says how healthchecks are run. Zero fields take the defaults: every
// second, 5 s grace after a start, 3 failures in a row.
type Probe struct {
	Every   time.Duration
	Grace   time.Duration
	Retries int
}

// Engine is one embedded engine. Several processes may open the same directory:
// each owns the children it started and sees those of the others.
type Engine struct {
	o    Options
	id   string
	lock *flock.Flock
	bell bell
	me   owner

	mu       sync.Mutex // serializes changes of this process; lock those between processes
	closed   bool
	children map[string]*child
	wg       sync.WaitGroup
}

// New opens the engine in o.Dir. Containers whose engine died without stopping
// them are found Exited with 137. It starts nothing.
func New(o Options) (*Engine, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	e := &Engine{o: o, children: map[string]*child{}, me: thisProcess()}
	for _, dir := range []string{o.Dir, e.containersDir(), e.volumesDir()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("embedded engine: %w", err)
		}
	}
	e.lock = flock.New(filepath.Join(o.Dir, "lock"))
	err = e.change(func() error {
		if err := e.identify(); err != nil {
			return err
		}
		if err := e.stockImages(); err != nil {
			return err
		}
		return e.settle()
	})
	if err != nil {
		return nil, fmt.Errorf("embedded engine: %w", err)
	}
	return e, nil
}

// Close stops every container this engine started and waits for all of its
// goroutines. The state stays on disk.
func (e *Engine) Close() error {
	e.mu.Lock()
	e.closed = true
	children := make([]*child, 0, len(e.children))
	for _, c := range e.children {
		children = append(children, c)
	}
	e.mu.Unlock()

	var wg sync.WaitGroup
	for _, c := range children {
		wg.Go(func() { c.end(context.Background(), defaultGrace) })
	}
	wg.Wait()
	e.wg.Wait()
	if err := e.lock.Close(); err != nil {
		return fmt.Errorf("embedded engine: %w", err)
	}
	return nil
}

// Info describes the engine.
func (e *Engine) Info(ctx context.Context) (dockerx.EngineInfo, error) {
	return dockerx.EngineInfo{
		ID: e.id, Name: "belay's embedded engine", Version: Version, APIVersion: "none",
		OS: runtime.GOOS, Arch: runtime.GOARCH, RootDir: e.o.Dir, Host: "embedded://" + e.o.Dir, Local: true,
	}, ctx.Err()
}

// FreeSpace tells the space of the file system that holds the engine's directory.
func (e *Engine) FreeSpace(ctx context.Context) (free, total int64, err error) {
	if err := ctx.Err(); err != nil {
		return -1, -1, err
	}
	return freeSpace(e.o.Dir)
}

func (o Options) withDefaults() (Options, error) {
	if o.Dir == "" {
		return o, errors.New("embedded engine: no directory given")
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return o, fmt.Errorf("embedded engine: %w", err)
	}
	o.Dir = dir
	if o.Executable == "" {
		if o.Executable, err = os.Executable(); err != nil {
			return o, fmt.Errorf("embedded engine: %w", err)
		}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.PullRate == 0 {
		o.PullRate = 30 << 20
	}
	if o.Probe.Every == 0 {
		o.Probe.Every = time.Second
	}
	if o.Probe.Grace == 0 {
		o.Probe.Grace = 5 * time.Second
	}
	if o.Probe.Retries == 0 {
		o.Probe.Retries = 3
	}
	if o.Backoff == 0 {
		o.Backoff = 100 * time.Millisecond
	}
	return o, nil
}

// change runs do alone: no other change of this process or another runs meanwhile.
func (e *Engine) change(do func() error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.lock.Lock(); err != nil {
		return fmt.Errorf("lock the engine's state: %w", err)
	}
	defer func() { _ = e.lock.Unlock() }() // the next Lock finds out
	return do()
}

// identify reads the engine's ID, which outlives its processes.
func (e *Engine) identify() error {
	var known struct {
		ID string `json:"id"`
	}
	file := filepath.Join(e.o.Dir, "engine.json")
	err := readJSON(file, &known)
	if errors.Is(err, fs.ErrNotExist) {
		known.ID = newID()
		err = writeJSON(file, known)
	}
	e.id = known.ID
	return err
}

func newID() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

func readJSON(file string, v any) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// writeJSON replaces the file atomically: a reader sees the old or the new one.
func writeJSON(file string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return renameio.WriteFile(file, b, 0o600)
}
