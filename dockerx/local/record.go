package local

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"belay/dockerx"
)

// owner names a process beyond doubt: its ID may be used again, its start not.
type owner struct {
	PID   int    `json:"pid"`
	Start string `json:"start"`
}

func thisProcess() owner { return processOf(os.Getpid()) }

func processOf(pid int) owner { return owner{PID: pid, Start: startOf(pid)} }

func (o owner) alive() bool { return o.PID > 0 && o.Start != "" && startOf(o.PID) == o.Start }

// record is a container on disk: containers/ID/container.json.
type record struct {
	ID      string            `json:"id"`
	Name    string            `json:"name"`
	Image   string            `json:"image"`
	ImageID string            `json:"image_id"`
	Env     []string          `json:"env"`
	Mounts  []dockerx.Mount   `json:"mounts"`
	Ports   []dockerx.Port    `json:"ports"`
	Labels  map[string]string `json:"labels"`
	Restart string            `json:"restart"`
	Grace   time.Duration     `json:"grace"`
	Checked bool              `json:"checked"` // has a healthcheck
	Mode    mode              `json:"mode"`
	Argv    []string          `json:"argv,omitempty"` // of a one-off

	State    dockerx.State  `json:"state"`
	Health   dockerx.Health `json:"health"`
	Exit     int            `json:"exit"`
	Restarts int            `json:"restarts"`
	Created  time.Time      `json:"created"`
	Started  time.Time      `json:"started"`
	Finished time.Time      `json:"finished"`
	Listen   []string       `json:"listen,omitempty"`
	Process  owner          `json:"process"`
	Engine   owner          `json:"engine"`
	Stopping bool           `json:"stopping"` // somebody asked it to stop: it is not restarted
}

// mode says how a container's process is run.
type mode string

const (
	asService mode = "service" // listens on its ports
	asOneOff  mode = "oneoff"  // runs Argv, no ports
	asScratch mode = "scratch" // the service without ports
)

// active says whether the record claims a process.
func (r *record) active() bool {
	return r.State == dockerx.Running || r.State == dockerx.Restarting
}

// exited marks the record as stopped.
func (r *record) exited(code int, at time.Time) {
	r.State, r.Exit, r.Finished = dockerx.Exited, code, at
	r.Process, r.Engine = owner{}, owner{}
	if r.Checked {
		r.Health = dockerx.Unhealthy // as the real engine has it after a stop
	}
}

func (e *Engine) containersDir() string         { return filepath.Join(e.o.Dir, "containers") }
func (e *Engine) containerDir(id string) string { return filepath.Join(e.containersDir(), id) }
func (e *Engine) recordFile(id string) string {
	return filepath.Join(e.containerDir(id), "container.json")
}

// settle finds the containers of engines that died: their processes end by
// themselves when their stdin does, but a new start must not meet them.
func (e *Engine) settle() error {
	all, err := e.records()
	if err != nil {
		return err
	}
	for _, r := range all {
		if !r.active() || r.Engine.alive() {
			continue
		}
		if err := killAndWait(r.Process); err != nil {
			return fmt.Errorf("container %s: %w", r.Name, err)
		}
		r.exited(exitKilled, e.o.Now())
		if err := e.save(r); err != nil {
			return err
		}
	}
	return nil
}

// records reads every container, sorted by name.
func (e *Engine) records() ([]*record, error) {
	entries, err := os.ReadDir(e.containersDir())
	if err != nil {
		return nil, fmt.Errorf("list containers: %w", err)
	}
	var out []*record
	for _, entry := range entries {
		r, err := e.load(entry.Name())
		if errors.Is(err, dockerx.ErrNotFound) {
			continue // being made or removed right now
		}
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b *record) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}

// load reads one container by its whole ID.
func (e *Engine) load(id string) (*record, error) {
	var r record
	err := readJSON(e.recordFile(id), &r)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("container %s: %w", id, dockerx.ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("container: %w", err)
	}
	return &r, nil
}

// find reads one container by ID, by a unique start of its ID, or by name.
func (e *Engine) find(ref string) (*record, error) {
	all, err := e.records()
	if err != nil {
		return nil, err
	}
	var found []*record
	for _, r := range all {
		if r.ID == ref || r.Name == ref {
			return r, nil
		}
		if ref != "" && strings.HasPrefix(r.ID, ref) {
			found = append(found, r)
		}
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("container %s: %w", ref, dockerx.ErrNotFound)
	}
	return found[0], nil
}

func (e *Engine) save(r *record) error {
	if err := writeJSON(e.recordFile(r.ID), r); err != nil {
		return fmt.Errorf("container %s: %w", r.Name, err)
	}
	return nil
}

// update changes one container alone.
func (e *Engine) update(ref string, do func(*record) error) error {
	return e.change(func() error {
		r, err := e.find(ref)
		if err != nil {
			return err
		}
		if err := do(r); err != nil {
			return err
		}
		return e.save(r)
	})
}

// enter makes the directory of a new container. The caller holds the lock.
func (e *Engine) enter(r *record) error {
	all, err := e.records()
	if err != nil {
		return err
	}
	for _, other := range all {
		if other.Name == r.Name {
			return fmt.Errorf("container name %q is in use by %s", r.Name, other.ID[:12])
		}
	}
	r.ID, r.State, r.Created = newID(), dockerx.Created, e.o.Now()
	if err := os.MkdirAll(filepath.Join(e.containerDir(r.ID), "rootfs"), 0o700); err != nil {
		return fmt.Errorf("container %s: %w", r.Name, err)
	}
	return e.save(r)
}

// erase removes a container and its log; volumes stay. The caller holds the lock.
func (e *Engine) erase(r *record) error {
	// The record goes first: without it the directory is no container any more.
	if err := os.Remove(e.recordFile(r.ID)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove container %s: %w", r.Name, err)
	}
	if err := os.RemoveAll(e.containerDir(r.ID)); err != nil {
		return fmt.Errorf("remove container %s: %w", r.Name, err)
	}
	return nil
}
