package rig

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// State is all of a stack that an upgrade may change, or must not: each fact is
// one line under a name. Two equal states are the same stack.
type State struct {
	Files  map[string]string // the project's directory: mode, owner and bytes
	Images map[string]string // service → image ID of its container
	Alive  map[string]string // service → container ID and the moment it started
	Schema map[string]string // columns, indexes, constraints, sequences
	Rows   map[string]string // table → count and checksum over every row
	Data   map[string]string // the uploads volume: every entry with mode, owner, time and bytes
}

// Look takes the state of the stack as it stands. The database must run.
func (s *Stack) Look(t testing.TB) State {
	t.Helper()
	var st State
	var err error
	if st.Files, err = files(s.Dir); err != nil {
		t.Fatal(err)
	}
	st.Images, st.Alive = s.containers(t)
	st.Schema = s.schema(t)
	st.Rows = s.rows(t)
	st.Data = s.data(t)
	return st
}

// Diff lists what differs between two states in the chosen parts, all of them
// when none is named: files, images, alive, schema, rows, data.
func Diff(before, after State, parts ...string) []string {
	all := map[string][2]map[string]string{
		"files": {before.Files, after.Files}, "images": {before.Images, after.Images}, "alive": {before.Alive, after.Alive},
		"schema": {before.Schema, after.Schema}, "rows": {before.Rows, after.Rows}, "data": {before.Data, after.Data},
	}
	if len(parts) == 0 {
		parts = slices.Sorted(maps.Keys(all))
	}
	var out []string
	for _, part := range parts {
		pair, ok := all[part]
		if !ok {
			return []string{"there is no part " + part}
		}
		out = append(out, differ(part, pair[0], pair[1])...)
	}
	return out
}

func differ(part string, before, after map[string]string) []string {
	var out []string
	keys := maps.Clone(before)
	maps.Copy(keys, after)
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		was, old := before[k]
		is, now := after[k]
		switch {
		case !now:
			out = append(out, fmt.Sprintf("%s: %s is gone", part, k))
		case !old:
			out = append(out, fmt.Sprintf("%s: %s is new: %s", part, k, is))
		case was != is:
			out = append(out, fmt.Sprintf("%s: %s\n  was %s\n  is  %s", part, k, was, is))
		}
	}
	return out
}

func files(dir string) (map[string]string, error) {
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Lstat(path)
		if err != nil {
			return err
		}
		line := info.Mode().String() + " " + owner(info)
		if info.Mode().IsRegular() {
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			line += fmt.Sprintf(" %d bytes %x", len(b), sha256.Sum256(b))
		}
		out[path] = line
		return nil
	})
	return out, err
}

// containers reads the project's containers; one-off ones of belay count too.
func (s *Stack) containers(t testing.TB) (images, alive map[string]string) {
	t.Helper()
	ids, err := output(t.Context(), "docker", "ps", "--all", "--quiet", "--filter=label=com.docker.compose.project="+s.Project)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := output(t.Context(), append([]string{"docker", "inspect"}, strings.Fields(string(ids))...)...)
	if err != nil {
		t.Fatal(err)
	}
	var all []struct {
		ID, Name, Image string
		State           struct{ Status, StartedAt string }
		HostConfig      struct{ RestartPolicy struct{ Name string } }
	}
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	images, alive = map[string]string{}, map[string]string{}
	for _, c := range all {
		name := strings.TrimPrefix(c.Name, "/"+s.Project+"-")
		images[name] = c.Image + " " + c.State.Status + ", restart " + c.HostConfig.RestartPolicy.Name
		alive[name] = c.ID + " since " + c.State.StartedAt
	}
	return images, alive
}

// schema asks the catalogue for everything that a migration can change.
func (s *Stack) schema(t testing.TB) map[string]string {
	t.Helper()
	out := map[string]string{}
	for name, sql := range map[string]string{
		"columns": `SELECT table_name, ordinal_position, column_name, data_type, is_nullable, column_default
			FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2`,
		"indexes":     `SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1`,
		"constraints": `SELECT conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2`,
		"sequences":   `SELECT sequencename, last_value FROM pg_sequences ORDER BY 1`,
	} {
		out[name] = strings.ReplaceAll(s.SQL(t, sql), "\n", "; ")
	}
	return out
}

// rows sums up every table: count and checksum over all rows in order.
func (s *Stack) rows(t testing.TB) map[string]string {
	t.Helper()
	out := map[string]string{}
	for table := range strings.FieldsSeq(s.SQL(t, `SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`)) {
		out[table] = s.SQL(t, `SELECT count(*) || ' rows ' || md5(coalesce(string_agg(r::text, E'\n' ORDER BY r::text), '')) FROM "`+table+`" r`)
	}
	return out
}

// data reads the app's volume through the app's container, running or not.
func (s *Stack) data(t testing.TB) map[string]string {
	t.Helper()
	id, err := s.container(t.Context(), "app")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := output(t.Context(), "docker", "cp", id+":/data", "-")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for r := tar.NewReader(bytes.NewReader(raw)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.New()
		if _, err := io.Copy(sum, r); err != nil {
			t.Fatal(err)
		}
		out[h.Name] = fmt.Sprintf("%c %o %d:%d %d bytes %s → %q %x",
			h.Typeflag, h.Mode, h.Uid, h.Gid, h.Size, h.ModTime.UTC().Format("2006-01-02T15:04:05"), h.Linkname, sum.Sum(nil))
	}
}

// container finds the ID of a service's container.
func (s *Stack) container(ctx context.Context, service string) (string, error) {
	out, err := output(ctx, "docker", "ps", "--all", "--quiet", "--no-trunc",
		"--filter=label=com.docker.compose.project="+s.Project,
		"--filter=label=com.docker.compose.service="+service, "--filter=label=com.docker.compose.oneoff=False")
	if err != nil {
		return "", err
	}
	ids := strings.Fields(string(out))
	if len(ids) != 1 {
		return "", fmt.Errorf("service %s has %d containers", service, len(ids))
	}
	return ids[0], nil
}
