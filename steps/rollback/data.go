package rollback

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"belay/dockerx/tree"
	"belay/steps"
	"belay/steps/backup"
	"belay/steps/canary"
)

// data fills every store from the restore point. The archives never change, so
// that a restore that was cut short is done again from the start.
func (w *way) data(ctx context.Context, r *steps.Reporter) error {
	p, err := w.point()
	if err != nil {
		return err
	}
	if p.Skipped != "" {
		r.Warn("The data stays as " + w.plan.To + " left it: no backup was made, on your word.")
		r.Fact("summary", "stays as it is: no backup was made")
		return nil
	}
	if err := backup.Quiet(ctx, w.Engine, w.plan.Stores); err != nil {
		return fmt.Errorf("the data cannot be put back: %w", err)
	}
	rec, err := w.recall()
	if err != nil {
		return err
	}
	if len(rec.Kept) == 0 {
		return errors.New("the failed data is not kept aside yet: nothing is put over it")
	}
	rec.Restoring, rec.After = true, nil
	if err := w.remember(rec); err != nil {
		return err
	}
	after := canary.Canary{Format: canary.Format, Taken: w.Now()}
	var bytes int64
	for _, st := range w.plan.Stores {
		sum, err := w.restore(ctx, r, p, st)
		if err != nil {
			return fmt.Errorf("put %s back: %w", st.Data, err)
		}
		files, err := canary.FromSummary(w.plan.Databases, st.Data, sum)
		if err != nil {
			return err
		}
		after = canary.Join(after, files)
		bytes += sum.Bytes
	}
	rec.Restoring, rec.After = false, &after
	r.Fact("summary", steps.Size(bytes))
	return w.remember(rec)
}

// restore fills one store. One that holds what it should already is left alone.
func (w *way) restore(ctx context.Context, r *steps.Reporter, p *backup.RestorePoint, st steps.Store) (tree.Summary, error) {
	a, ok := p.Volume(st.Data)
	if !ok {
		return tree.Summary{}, errors.New("the restore point holds no copy of it")
	}
	paths := canary.SQLitePaths(w.plan.Databases, st.Data)
	sum, err := w.Engine.ScanTree(ctx, st.Data, paths)
	if err == nil && sum.Digest == a.Digest {
		return sum, nil
	}
	if ctx.Err() != nil {
		return tree.Summary{}, ctx.Err()
	}
	if err := w.fill(ctx, r, p, a, st); err != nil {
		return tree.Summary{}, err
	}
	// Looked at anew: what stands there counts, not what was said while writing.
	if sum, err = w.Engine.ScanTree(ctx, st.Data, paths); err != nil {
		return tree.Summary{}, err
	}
	if sum.Digest != a.Digest {
		return tree.Summary{}, errors.New("what stands there now is not what the restore point holds")
	}
	return sum, nil
}

func (w *way) fill(ctx context.Context, r *steps.Reporter, p *backup.RestorePoint, a backup.Artefact, st steps.Store) error {
	f, err := os.Open(p.Path(a.File))
	if err != nil {
		return &backup.DamagedError{File: a.File, Why: "cannot be opened: " + err.Error()}
	}
	defer func() { _ = f.Close() }()
	sum := sha256.New()
	in := io.TeeReader(f, sum)
	found, err := w.Engine.LoadTree(ctx, st.Data, in, func(n int64) {
		r.Progress(n, max(n, a.Content), steps.Bytes, "putting "+st.Name+" back")
	})
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, in); err != nil {
		return fmt.Errorf("read the restore point: %w", err)
	}
	if hex.EncodeToString(sum.Sum(nil)) != a.SHA256 {
		return &backup.DamagedError{File: a.File, Why: "does not have the content it was sealed with"}
	}
	if found.Digest != a.Digest {
		return errors.New("it did not unpack to what the restore point holds")
	}
	return nil
}
