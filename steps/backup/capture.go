package backup

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"belay/steps"
	"belay/steps/journal"
)

// configList is what capture leaves for the manifest, beside the copies.
const configList = "config/files.json"

// maxConfig bounds one configuration file; real ones are a few kilobytes.
const maxConfig = 64 << 20

type captureStep struct{ base }

func (s *captureStep) ID() steps.ID  { return steps.Capture }
func (s *captureStep) Title() string { return "capture the configuration" }

// Do copies every file of the configuration and writes down how containers,
// images and volumes stand.
func (s *captureStep) Do(ctx context.Context, r *steps.Reporter) error {
	if done, err := s.sealed(); done || err != nil {
		return err
	}
	if err := s.makeDirs(); err != nil {
		return err
	}
	var list []Config
	for i, path := range s.files() {
		if err := ctx.Err(); err != nil {
			return err
		}
		c, err := s.captureFile(i, path)
		if err != nil {
			return fmt.Errorf("capture %s: %w", path, err)
		}
		list = append(list, c)
	}
	if err := s.inspect(ctx); err != nil {
		return err
	}
	if err := writeJSON(s.path(configList), list); err != nil {
		return err
	}
	r.Fact("summary", steps.Plural(len(list), "file"))
	return nil
}

// files are the captured files: those of the plan and all that it will edit.
func (s *captureStep) files() []string {
	out := slices.Clone(s.plan.Config)
	for _, e := range s.plan.Edits {
		if !slices.Contains(out, e.Path) {
			out = append(out, e.Path)
		}
	}
	return out
}

func (s *captureStep) captureFile(i int, path string) (Config, error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return Config{}, err
	}
	info, err := os.Stat(real)
	if err != nil {
		return Config{}, err
	}
	if !info.Mode().IsRegular() {
		return Config{}, errors.New("it is not a plain file")
	}
	data, err := readSmall(real)
	if err != nil {
		return Config{}, err
	}
	data = s.unedited(path, data)
	uid, gid := owner(info)
	sum := sha256.Sum256(data)
	c := Config{
		Path: real, File: configFile(i, path),
		SHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(data)), Mode: info.Mode(), UID: uid, GID: gid,
	}
	return c, journal.WriteFile(s.path(c.File), data)
}

// unedited gives the bytes before belay's own edit, should capture run again
// after the file was edited: only those are worth keeping.
func (s *captureStep) unedited(path string, data []byte) []byte {
	for _, e := range slices.Backward(s.plan.Edits) { // one file may be edited twice
		if e.Path == path && bytes.Equal(data, e.New) {
			data = e.Old
		}
	}
	return data
}

func (s *captureStep) makeDirs() error {
	for _, d := range []string{"", "config", "inspect", "dumps", "volumes"} {
		if err := os.MkdirAll(s.path(d), 0o700); err != nil {
			return fmt.Errorf("make the restore point's folder: %w", err)
		}
	}
	if err := journal.SyncDir(s.dir); err != nil {
		return err
	}
	return journal.SyncDir(filepath.Dir(s.dir))
}

// Observe compares the copies with their checksums, not the originals: those may
// have been edited by this very run.
func (s *captureStep) Observe(ctx context.Context) (steps.Observation, error) {
	if ok, err := s.standing(); ok || err != nil {
		return observed(ok, err)
	}
	var list []Config
	ok, err := readJSON(s.path(configList), &list)
	if err != nil || !ok {
		return steps.NotDone, err
	}
	p := RestorePoint{Dir: s.dir, Manifest: Manifest{Config: list}}
	if p.Check(ctx) != nil {
		return steps.Partial, nil
	}
	return steps.Done, nil
}

// Undo leaves the copies: they are small, private, and may help a person.
func (s *captureStep) Undo(context.Context, *steps.Reporter) error { return nil }

// observed says how a step stands whose restore point is sealed already.
func observed(standing bool, err error) (steps.Observation, error) {
	if err != nil {
		return steps.Foreign, err
	}
	if standing {
		return steps.Done, nil
	}
	return steps.NotDone, nil
}

func readSmall(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxConfig {
		return nil, fmt.Errorf("it is larger than %s", steps.Size(maxConfig))
	}
	return b, nil
}
