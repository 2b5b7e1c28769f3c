package rollback

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"belay/dockerx"
	"belay/steps"
	"belay/steps/backup"
	"belay/steps/journal"
)

// keep puts the failed state aside before anything of it is replaced: data, logs
// and how the containers stood.
func (w *way) keep(ctx context.Context, r *steps.Reporter) error {
	p, err := w.point()
	if err != nil {
		return err
	}
	rec, err := w.recall()
	if err != nil {
		return err
	}
	if rec.Restoring {
		r.Fact("summary", "kept already")
		return nil
	}
	k := kept{Dir: fmt.Sprintf("failed-%d", len(rec.Kept)+1), At: w.Now()}
	if len(rec.Kept) == 0 {
		k.Dir = "failed"
	}
	if err := os.MkdirAll(filepath.Join(w.dir, k.Dir), 0o700); err != nil {
		return fmt.Errorf("make a place for the failed data: %w", err)
	}
	if k.Logs, err = w.keepLogs(ctx, k.Dir); err != nil {
		return err
	}
	var bytes int64
	if p.Skipped == "" { // else the data stays where it is
		for _, st := range w.plan.Stores {
			s, err := w.keepStore(ctx, r, p, rec, k.Dir, st)
			if err != nil {
				return fmt.Errorf("keep the failed data of %s: %w", st.Data, err)
			}
			k.Stores = append(k.Stores, s)
			bytes += s.Bytes
		}
	}
	if err := journal.SyncDir(w.dir); err != nil {
		return err
	}
	rec.Kept = append(rec.Kept, k)
	rec.After = nil
	what := steps.Size(bytes)
	if p.Skipped != "" {
		what = "the logs"
	}
	r.Fact("summary", what+" in "+filepath.Join(w.dir, k.Dir))
	return w.remember(rec)
}

// keepStore saves one store and reads the archive back. What stands in the
// restore point or was kept before is not saved a second time; looking is only
// worth it when the way back was gone before.
func (w *way) keepStore(
	ctx context.Context, r *steps.Reporter, p *backup.RestorePoint, rec record, dir string, st steps.Store,
) (keptStore, error) {
	if len(rec.Kept) > 0 {
		now, err := w.Engine.ScanTree(ctx, st.Data, nil)
		if err != nil {
			return keptStore{}, err
		}
		if where := same(p, rec, st.Data, now.Digest); where != "" {
			return keptStore{Store: st.Data, Digest: now.Digest, Same: where}, nil
		}
	}
	a, err := backup.SaveStore(ctx, w.Engine, st.Data, w.dir, dir, func(n int64) {
		r.Progress(n, backup.Whole(n, st.Bytes), steps.Bytes, "keeping "+st.Name)
	})
	if err != nil {
		return keptStore{}, err
	}
	if err := w.readable(ctx, a); err != nil {
		return keptStore{}, err
	}
	return keptStore{Store: st.Data, File: a.File, SHA256: a.SHA256, Bytes: a.Bytes, Digest: a.Digest}, nil
}

func same(p *backup.RestorePoint, rec record, d dockerx.Data, digest string) string {
	if a, ok := p.Volume(d); ok && a.Digest == digest {
		return "restore point"
	}
	for _, k := range rec.Kept {
		for _, s := range k.Stores {
			if s.Store == d && s.Digest == digest && s.File != "" {
				return s.File
			}
		}
	}
	return ""
}

// readable reads a kept archive to its end.
func (w *way) readable(ctx context.Context, a backup.Artefact) error {
	f, err := os.Open(filepath.Join(w.dir, a.File))
	if err != nil {
		return fmt.Errorf("read it back: %w", err)
	}
	defer func() { _ = f.Close() }()
	sum, err := w.Verify(ctx, f)
	if err != nil {
		return fmt.Errorf("read it back: %w", err)
	}
	if sum.Digest != a.Digest {
		return errors.New("the archive does not hold what the store holds")
	}
	return nil
}

// keepLogs writes what the containers said, and how they stand, their secrets
// masked. A container without logs is not worth failing for.
func (w *way) keepLogs(ctx context.Context, dir string) ([]string, error) {
	all, err := w.ours(ctx)
	if err != nil {
		return nil, err
	}
	masked := []backup.Masked{}
	var files []string
	for _, c := range all {
		masked = append(masked, backup.Mask(c))
		file := filepath.Join(dir, fmt.Sprintf("log-%.12s.txt", c.ID))
		if err := w.keepLog(ctx, c, filepath.Join(w.dir, file)); err != nil {
			return nil, fmt.Errorf("keep the log of %s: %w", c.Name, err)
		}
		files = append(files, file)
	}
	b, err := json.MarshalIndent(masked, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode the containers: %w", err)
	}
	return files, journal.WriteFile(filepath.Join(w.dir, dir, "containers.json"), append(b, '\n'))
}

func (w *way) keepLog(ctx context.Context, c dockerx.Container, path string) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	out := bufio.NewWriter(f)
	fmt.Fprintf(out, "# %s, service %s, image %s, %s, exit code %d\n", c.Name, c.Service, c.Image, c.State, c.ExitCode)
	err = w.Engine.Logs(ctx, c.ID, dockerx.LogSpec{Since: w.since(c)}, func(l dockerx.LogLine) { writeLine(out, l) })
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil { // said in the file: the data matters more than the log
		fmt.Fprintf(out, "# the engine gave no log: %v\n", err)
	}
	if err := out.Flush(); err != nil {
		return err
	}
	return f.Sync()
}

// since leaves out what a container that was not made anew said before the run.
func (w *way) since(c dockerx.Container) time.Time {
	if c.CreatedAt.Before(w.plan.Made) {
		return w.plan.Made
	}
	return time.Time{}
}

func writeLine(out io.Writer, l dockerx.LogLine) {
	_, _ = fmt.Fprintf(out, "%s %s\n", l.Time.UTC().Format(time.RFC3339Nano), l.Text) // Flush gives the error
}
