// Package backuptest is an engine for tests, in memory: stores are maps of files,
// a database is a file of row counts, images are names. It must not be used
// outside tests, and it proves nothing about a real engine.
package backuptest

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"belay/dockerx"
	"belay/dockerx/tree"
)

// Files are the content of one store by path.
type Files map[string]string

// Engine is the engine in memory. Its fields are for the test to set and read;
// while steps run, hold the lock with With.
type Engine struct {
	mu     sync.Mutex
	Boxes  []dockerx.Container
	Stores map[dockerx.Data]Files
	Labels map[string]map[string]string // of volumes
	Tags   map[string]string            // ref → image ID
	Calls  []string
	Fail   map[string]error // by the name of a method, or "Exec PROGRAM"
	Hook   func(call string)
	Dump   string // what pg_dump writes; "" is a good dump
	Exit   map[string]int
	Cut    int // SaveTree stops after so many bytes, 0 never
	n      int
}

// New makes an engine with nothing in it.
func New() *Engine {
	return &Engine{
		Stores: map[dockerx.Data]Files{}, Labels: map[string]map[string]string{}, Tags: map[string]string{},
		Fail: map[string]error{}, Exit: map[string]int{},
	}
}

// With runs f while nothing else uses the engine.
func (e *Engine) With(f func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	f()
}

// Volume names a volume.
func Volume(name string) dockerx.Data { return dockerx.Data{Kind: dockerx.VolumeData, Name: name} }

func (e *Engine) call(name, detail string) error {
	call := name + " " + detail
	e.Calls = append(e.Calls, call)
	if e.Hook != nil {
		e.Hook(call)
	}
	if err, ok := e.Fail[name]; ok {
		return err
	}
	return e.Fail[call]
}

// Containers lists containers.
func (e *Engine) Containers(_ context.Context, project string) ([]dockerx.Container, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []dockerx.Container
	for _, c := range e.Boxes {
		if c.Project != "" && (project == "" || c.Project == project) {
			out = append(out, c)
		}
	}
	return out, e.Fail["Containers"]
}

// Container finds one by ID or name.
func (e *Engine) Container(_ context.Context, id string) (dockerx.Container, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.box(id)
	if c == nil {
		return dockerx.Container{}, fmt.Errorf("container %s: %w", id, dockerx.ErrNotFound)
	}
	return *c, nil
}

func (e *Engine) box(id string) *dockerx.Container {
	for i := range e.Boxes {
		if e.Boxes[i].ID == id || e.Boxes[i].Name == id {
			return &e.Boxes[i]
		}
	}
	return nil
}

// Image finds an image by ID or tag.
func (e *Engine) Image(_ context.Context, ref string) (dockerx.Image, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for tag, id := range e.Tags {
		if tag == ref || id == ref {
			return dockerx.Image{ID: id, Tags: []string{tag}, Env: []string{"SECRET=imagesecret"}}, nil
		}
	}
	return dockerx.Image{}, fmt.Errorf("image %s: %w", ref, dockerx.ErrNotFound)
}

// TagImage moves a tag.
func (e *Engine) TagImage(_ context.Context, id, ref string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.Tags[ref] = id
	return e.call("TagImage", ref)
}

// Volume finds a volume.
func (e *Engine) Volume(_ context.Context, name string) (dockerx.Volume, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, ok := e.Stores[Volume(name)]; !ok {
		return dockerx.Volume{}, fmt.Errorf("volume %s: %w", name, dockerx.ErrNotFound)
	}
	return dockerx.Volume{Name: name, Labels: e.Labels[name], Options: map[string]string{"o": "password=volumesecret"}}, nil
}

// CreateVolume makes a volume.
func (e *Engine) CreateVolume(_ context.Context, spec dockerx.VolumeSpec) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.Stores[Volume(spec.Name)] = Files{}
	e.Labels[spec.Name] = spec.Labels
	return e.call("CreateVolume", spec.Name)
}

// RemoveVolume removes a volume of belay's own.
func (e *Engine) RemoveVolume(_ context.Context, name string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, ok := e.Stores[Volume(name)]; !ok {
		return dockerx.ErrNotFound
	}
	if e.Labels[name][dockerx.LabelRun] == "" {
		return dockerx.ErrNotOurs
	}
	delete(e.Stores, Volume(name))
	return e.call("RemoveVolume", name)
}

// RunScratch starts a container on scratch volumes.
func (e *Engine) RunScratch(_ context.Context, spec dockerx.ScratchSpec) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.call("RunScratch", spec.Name); err != nil {
		return "", err
	}
	e.n++
	id := fmt.Sprintf("scratch%d", e.n)
	env := map[string]string{}
	for _, kv := range spec.Env {
		env[kv] = ""
	}
	e.Boxes = append(e.Boxes, dockerx.Container{
		ID: id, Name: spec.Name, ImageID: spec.ImageID, State: dockerx.Running, Mounts: spec.Mounts, Labels: spec.Labels, Env: env,
	})
	return id, nil
}

// RemoveContainer removes a container of belay's own.
func (e *Engine) RemoveContainer(_ context.Context, id string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.box(id)
	if c == nil {
		return dockerx.ErrNotFound
	}
	if c.Labels[dockerx.LabelRun] == "" {
		return dockerx.ErrNotOurs
	}
	name := c.Name
	e.Boxes = slices.DeleteFunc(e.Boxes, func(b dockerx.Container) bool { return b.Name == name })
	return e.call("RemoveContainer", name)
}

// Logs gives one line.
func (e *Engine) Logs(_ context.Context, id string, _ dockerx.LogSpec, on func(dockerx.LogLine)) error {
	on(dockerx.LogLine{Container: id, Text: []byte("FATAL: the last words of " + id), Time: time.Unix(1, 0)})
	return e.Fail["Logs"]
}

// SetRestart sets a restart policy.
func (e *Engine) SetRestart(_ context.Context, id, policy string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c := e.box(id); c != nil {
		c.RestartPolicy = policy
	}
	return e.call("SetRestart", id+" "+policy)
}

// StartContainer starts a container.
func (e *Engine) StartContainer(_ context.Context, id string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c := e.box(id); c != nil {
		c.State = dockerx.Running
	}
	return e.call("StartContainer", id)
}

// StopContainer stops a container.
func (e *Engine) StopContainer(_ context.Context, id string, _ time.Duration) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c := e.box(id); c != nil {
		c.State = dockerx.Exited
	}
	return e.call("StopContainer", id)
}

// RenameContainer renames a container.
func (e *Engine) RenameContainer(_ context.Context, id, name string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c := e.box(id); c != nil {
		c.Name = name
	}
	return e.call("RenameContainer", id+" "+name)
}

// SaveTree writes a store as an archive.
func (e *Engine) SaveTree(_ context.Context, d dockerx.Data, w io.Writer, on func(int64)) (tree.Summary, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.call("SaveTree", d.Name); err != nil {
		return tree.Summary{}, err
	}
	files, ok := e.Stores[d]
	if !ok {
		return tree.Summary{}, dockerx.ErrNotFound
	}
	b := pack(files)
	if e.Cut > 0 {
		b = b[:e.Cut]
	}
	if _, err := w.Write(b); err != nil {
		return tree.Summary{}, err
	}
	on(int64(len(b)))
	return summary(files), nil
}

// LoadTree empties a store and fills it.
func (e *Engine) LoadTree(_ context.Context, d dockerx.Data, r io.Reader, on func(int64)) (tree.Summary, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.Stores[d] = Files{}
	if err := e.call("LoadTree", d.Name); err != nil {
		return tree.Summary{}, err
	}
	files, err := unpack(r)
	if err != nil {
		return tree.Summary{}, err
	}
	e.Stores[d] = files
	on(1)
	return summary(files), nil
}

// ScanTree sums a store up.
func (e *Engine) ScanTree(_ context.Context, d dockerx.Data, sqlite []string) (tree.Summary, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	files, ok := e.Stores[d]
	if !ok {
		return tree.Summary{}, dockerx.ErrNotFound
	}
	s := summary(files)
	for _, p := range sqlite {
		if content, ok := files[p]; ok {
			s.SQLite = append(s.SQLite, tree.SQLite{Path: p, Tables: rows(content)})
		}
	}
	return s, e.call("ScanTree", d.Name)
}
