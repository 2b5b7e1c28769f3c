package rollback

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"belay/dockerx"
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
	untouched := rec.untouched(p)
	rec.Restoring, rec.After = true, nil
	if err := w.remember(rec); err != nil {
		return err
	}
	after := canary.Canary{Format: canary.Format, Taken: w.Now()}
	var bytes int64
	for _, st := range w.plan.Stores {
		sum, err := w.restore(ctx, r, p, st, untouched[st.Data])
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

// untouched are the stores that held just what the restore point holds when they
// were kept; nothing ran since. None is known when a restore was cut short.
func (rec record) untouched(p *backup.RestorePoint) map[dockerx.Data]bool {
	out := map[dockerx.Data]bool{}
	if rec.Restoring {
		return out
	}
	for _, s := range rec.Kept[len(rec.Kept)-1].Stores {
		a, ok := p.Volume(s.Store)
		out[s.Store] = ok && a.Digest == s.Digest
	}
	return out
}

// restore fills one store and counts it. The summary of LoadTree is a fresh
// reading of what stands there.
func (w *way) restore(
	ctx context.Context, r *steps.Reporter, p *backup.RestorePoint, st steps.Store, untouched bool,
) (tree.Summary, error) {
	a, ok := p.Volume(st.Data)
	if !ok {
		return tree.Summary{}, errors.New("the restore point holds no copy of it")
	}
	sum := tree.Summary{Entries: a.Entries, Files: a.Files, Bytes: a.Content, Digest: a.Digest}
	if !untouched {
		var err error
		if sum, err = w.fill(ctx, r, p, a, st); err != nil {
			return tree.Summary{}, err
		}
	}
	paths := canary.SQLitePaths(w.plan.Databases, st.Data)
	if len(paths) == 0 {
		return sum, nil
	}
	sum, err := w.Engine.ScanTree(ctx, st.Data, paths)
	if err != nil {
		return tree.Summary{}, err
	}
	if sum.Digest != a.Digest {
		return tree.Summary{}, errors.New("what stands there now is not what the restore point holds")
	}
	return sum, nil
}

func (w *way) fill(
	ctx context.Context, r *steps.Reporter, p *backup.RestorePoint, a backup.Artefact, st steps.Store,
) (tree.Summary, error) {
	f, err := os.Open(p.Path(a.File))
	if err != nil {
		return tree.Summary{}, &backup.DamagedError{File: a.File, Why: "cannot be opened: " + err.Error()}
	}
	defer func() { _ = f.Close() }()
	sum := sha256.New()
	in := io.TeeReader(f, sum)
	found, err := w.Engine.LoadTree(ctx, st.Data, in, func(n int64) {
		r.Progress(n, backup.Whole(n, a.Content), steps.Bytes, "putting "+st.Name+" back")
	})
	if err != nil {
		return tree.Summary{}, err
	}
	if _, err := io.Copy(io.Discard, in); err != nil {
		return tree.Summary{}, fmt.Errorf("read the restore point: %w", err)
	}
	if hex.EncodeToString(sum.Sum(nil)) != a.SHA256 {
		return tree.Summary{}, &backup.DamagedError{File: a.File, Why: "does not have the content it was sealed with"}
	}
	if found.Digest != a.Digest {
		return tree.Summary{}, errors.New("it did not unpack to what the restore point holds")
	}
	return found, nil
}
