package dockerx

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"belay/dockerx/tree"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
)

// helperCaps is all that reading and writing every owner's files, with devices
// and file capabilities, needs.
func helperCaps() []string {
	return []string{"CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "MKNOD", "SETFCAP"}
}

// SaveTree writes the store's whole content to w as one archive stream (see
// tree.Save) through a helper container that sees the store read-only. on, if
// given, hears the apparent bytes done so far. The data must stand still.
func (e *Engine) SaveTree(ctx context.Context, d Data, w io.Writer, on func(bytes int64)) (tree.Summary, error) {
	return e.inHelper(ctx, helperJob{data: d, args: []string{"save", helperData}, stdout: w, on: on})
}

// LoadTree empties the store and fills it from such a stream (see tree.Load). A
// helper that an earlier, killed belay left at work on the same store is ended
// first. The store must exist.
func (e *Engine) LoadTree(ctx context.Context, d Data, r io.Reader, on func(bytes int64)) (tree.Summary, error) {
	return e.inHelper(ctx, helperJob{data: d, args: []string{"load", helperData}, stdin: r, on: on, writes: true})
}

// ScanTree summarizes the store, which the helper sees read-only (see
// tree.Scan). sqlite are paths relative to the store's root.
func (e *Engine) ScanTree(ctx context.Context, d Data, sqlite []string) (tree.Summary, error) {
	return e.inHelper(ctx, helperJob{data: d, args: append([]string{"scan", helperData}, sqlite...), roomy: len(sqlite) > 0})
}

// helperJob is one run of the helper container.
type helperJob struct {
	data   Data
	args   []string
	stdin  io.Reader
	stdout io.Writer
	on     func(int64)
	writes bool // the store is mounted writable
	roomy  bool // /tmp must hold copies of databases: on disk, not in memory
}

func (e *Engine) inHelper(ctx context.Context, job helperJob) (tree.Summary, error) {
	sum, err := e.tryHelper(ctx, job)
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return tree.Summary{}, wrap(err, "%s %s", job.args[0], job.data)
	}
	return sum, nil
}

func (e *Engine) tryHelper(ctx context.Context, job helperJob) (tree.Summary, error) {
	if job.data.Kind != VolumeData && job.data.Kind != BindData {
		return tree.Summary{}, fmt.Errorf("data of kind %q cannot be copied", job.data.Kind)
	}
	id, err := e.createHelper(ctx, job)
	if err != nil {
		return tree.Summary{}, err
	}
	sum, err := e.runHelper(ctx, id, job)
	return sum, errors.Join(err, e.removeOwn(ctx, id))
}

func (e *Engine) createHelper(ctx context.Context, job helperJob) (string, error) {
	image, err := e.helperID(ctx)
	if err != nil {
		return "", err
	}
	data, err := e.toMount(ctx, Mount{Data: job.data, Target: helperData, ReadOnly: !job.writes})
	if err != nil {
		return "", err
	}
	config := &container.Config{
		Image: image, Cmd: job.args, User: "0:0", WorkingDir: "/",
		AttachStdin: job.stdin != nil, OpenStdin: job.stdin != nil, StdinOnce: job.stdin != nil,
		AttachStdout: true, AttachStderr: true,
		Labels: map[string]string{LabelRun: e.run(), LabelRole: roleTree},
	}
	host := &container.HostConfig{
		NetworkMode: "none", ReadonlyRootfs: true, Mounts: []mount.Mount{data},
		CapDrop: []string{"ALL"}, CapAdd: helperCaps(),
		// label=disable: where SELinux rules, a volume's label belongs to its own container.
		SecurityOpt:   []string{"no-new-privileges", "label=disable"},
		LogConfig:     container.LogConfig{Type: "none"}, // the archive must not be logged
		RestartPolicy: container.RestartPolicy{Name: container.RestartPolicyDisabled},
		AutoRemove:    true, // even when belay is killed
	}
	if job.roomy {
		host.Mounts = append(host.Mounts, mount.Mount{Type: mount.TypeVolume, Target: "/tmp"})
	} else {
		host.Tmpfs = map[string]string{"/tmp": "rw,noexec,nosuid,nodev,size=64m"}
	}
	name := ""
	if job.writes {
		name = helperName(job.data)
	}
	created, err := e.api.ContainerCreate(ctx, config, host, nil, nil, name)
	if name != "" && cerrdefs.IsConflict(err) {
		// Names are unique: a helper that still writes to this store is in the way.
		if err := e.RemoveContainer(ctx, name); err != nil && !isNotFound(err) {
			return "", err
		}
		created, err = e.api.ContainerCreate(ctx, config, host, nil, nil, name)
	}
	return created.ID, wrap(err, "create volume helper")
}

// helperName is one name per store, so that two writers exclude each other.
func helperName(d Data) string {
	sum := sha256.Sum256([]byte(d.String()))
	return "belay-load-" + hex.EncodeToString(sum[:8])
}

// runHelper starts the helper, moves its streams and reads its last word.
func (e *Engine) runHelper(ctx context.Context, id string, job helperJob) (tree.Summary, error) {
	stream, err := e.api.ContainerAttach(ctx, id, container.AttachOptions{
		Stream: true, Stdin: job.stdin != nil, Stdout: true, Stderr: true,
	})
	if err != nil {
		return tree.Summary{}, wrap(err, "attach to volume helper")
	}
	waitCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended, failed := e.api.ContainerWait(waitCtx, id, container.WaitConditionNextExit)
	if err := e.api.ContainerStart(ctx, id, container.StartOptions{}); err != nil {
		stream.Close()
		return tree.Summary{}, wrap(err, "start volume helper")
	}
	words := &helperWords{on: job.on}
	if err := pipe(ctx, stream, job.stdin, orElse(job.stdout, io.Discard), words); err != nil {
		return tree.Summary{}, err
	}
	var exit int64
	select {
	case end := <-ended:
		exit = end.StatusCode
	case err := <-failed:
		return tree.Summary{}, wrap(err, "wait for volume helper")
	}
	return words.verdict(exit)
}

// helperWords reads the helper's stderr: progress, messages, and the summary.
type helperWords struct {
	on      func(int64)
	part    []byte
	said    []string
	summary *tree.Summary
	bad     error
}

// Write takes the next bytes. It never fails.
func (h *helperWords) Write(p []byte) (int, error) {
	h.part = append(h.part, p...)
	for {
		line, rest, whole := bytes.Cut(h.part, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		h.line(string(line))
		h.part = rest
	}
}

func (h *helperWords) line(line string) {
	if text, ok := strings.CutPrefix(line, tree.ProgressPrefix); ok {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil && h.on != nil {
			h.on(n)
		}
		return
	}
	if text, ok := strings.CutPrefix(line, tree.SummaryPrefix); ok {
		h.summary = &tree.Summary{}
		h.bad = json.Unmarshal([]byte(text), h.summary)
		return
	}
	if len(h.said) < 20 {
		h.said = append(h.said, line)
	}
}

// verdict is the summary, if the helper ended well and gave one.
func (h *helperWords) verdict(exit int64) (tree.Summary, error) {
	said := strings.Join(append(h.said, string(h.part)), "; ")
	said = strings.Trim(said, "; ")
	switch {
	case exit != 0:
		return tree.Summary{}, helperError(exit, said)
	case h.bad != nil:
		return tree.Summary{}, fmt.Errorf("volume helper: its summary cannot be read: %w", h.bad)
	case h.summary == nil:
		return tree.Summary{}, fmt.Errorf("volume helper ended without a summary (%s)", said)
	}
	if h.on != nil {
		h.on(h.summary.Bytes)
	}
	return *h.summary, nil
}

// helperError gives the helper's words back the kinds they had in it.
func helperError(exit int64, said string) error {
	kinds := []error{tree.ErrVersion, tree.ErrNotArchive, tree.ErrTruncated, tree.ErrCorrupt, tree.ErrUnsafe, tree.ErrChanged}
	for _, kind := range kinds {
		if strings.Contains(said, kind.Error()) {
			return fmt.Errorf("volume helper: %w: %s", kind, said)
		}
	}
	if strings.Contains(said, tree.ErrNoSpace.Error()) {
		return fmt.Errorf("volume helper: %w: %s", ErrNoSpace, said)
	}
	return fmt.Errorf("volume helper ended with %d: %s", exit, said)
}
