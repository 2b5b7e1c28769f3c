package backuptest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"belay/dockerx/tree"
)

// pack makes an archive whose last 64 bytes are a checksum, so that a cut shows.
func pack(files Files) []byte {
	body, err := json.Marshal(files)
	if err != nil {
		panic(err) // a map of strings always encodes
	}
	sum := sha256.Sum256(body)
	return append(body, hex.EncodeToString(sum[:])...)
}

func unpack(r io.Reader) (Files, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	if len(b) < 64 {
		return nil, errors.New("archive is cut off")
	}
	body := b[:len(b)-64]
	sum := sha256.Sum256(body)
	if !bytes.Equal(b[len(b)-64:], []byte(hex.EncodeToString(sum[:]))) {
		return nil, errors.New("archive is cut off or damaged")
	}
	var files Files
	if err := json.Unmarshal(body, &files); err != nil {
		return nil, fmt.Errorf("archive: %w", err)
	}
	return files, nil
}

// Verify reads an archive of this engine to its end.
func Verify(_ context.Context, r io.Reader) (tree.Summary, error) {
	files, err := unpack(r)
	if err != nil {
		return tree.Summary{}, err
	}
	return summary(files), nil
}

func summary(files Files) tree.Summary {
	s := tree.Summary{Files: len(files), Entries: len(files)}
	for _, c := range files {
		s.Bytes += int64(len(c))
	}
	sum := sha256.Sum256(pack(files))
	s.Digest = hex.EncodeToString(sum[:])
	return s
}
