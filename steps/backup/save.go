package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"belay/dockerx"
	"belay/dockerx/tree"
)

// Saver saves one store.
type Saver interface {
	SaveTree(ctx context.Context, d dockerx.Data, w io.Writer, on func(bytes int64)) (tree.Summary, error)
}

// SaveStore writes a store durably into dir, below root, as STORE.tree.zst; the
// artefact's file is relative to root. An archive cut short never gets its name.
func SaveStore(ctx context.Context, e Saver, d dockerx.Data, root, dir string, on func(int64)) (Artefact, error) {
	a, _, err := save(ctx, e, nil, d, root, dir+"/"+storeName(d)+".tree.zst", on)
	return a, err
}

func save(
	ctx context.Context, e Saver, create func(string) (File, error), d dockerx.Data, root, file string, on func(int64),
) (Artefact, tree.Summary, error) {
	out, err := newSink(create, filepath.Join(root, filepath.FromSlash(file)))
	if err != nil {
		return Artefact{}, tree.Summary{}, err
	}
	sum, err := e.SaveTree(ctx, d, out, on)
	if out.err != nil { // the disk's word counts before the engine's
		err = fmt.Errorf("write %s: %w", file, out.err)
	}
	if err == nil && (out.n == 0 || sum.Digest == "") {
		err = errors.New("the engine gave an empty archive")
	}
	if err != nil {
		out.drop()
		return Artefact{}, tree.Summary{}, err
	}
	sha, n, err := out.seal()
	if err != nil {
		return Artefact{}, tree.Summary{}, err
	}
	return Artefact{
		Role: RoleVolume, File: file, SHA256: sha, Bytes: n, Store: &d,
		Entries: sum.Entries, Files: sum.Files, Content: sum.Bytes, Digest: sum.Digest, Skipped: sum.Skipped,
	}, sum, nil
}
