package local

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// However a process's bytes are cut into writes, its log has the same lines; one
// that is too long comes in pieces.
func TestStreamKeepsEveryByte(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.OneOf(
			rapid.IntRange(0, 40), rapid.IntRange(maxLine-1, maxLine+1), rapid.Just(2*maxLine),
		), 1, 4).Draw(t, "line sizes")
		var text []byte
		var want [][]byte
		for _, size := range sizes {
			line := make([]byte, size)
			for i := range line {
				line[i] = byte(11 + (i*31+size)%200 + 3) // neither \n nor \r, most of it no UTF-8
			}
			text = append(append(text, line...), '\n')
			for ; len(line) > maxLine; line = line[maxLine:] {
				want = append(want, line[:maxLine])
			}
			want = append(want, line)
		}
		name := filepath.Join(dir, "log")
		file, err := os.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		s := &stream{to: &logWriter{file: file, now: time.Now, bell: &bell{}}}
		step := rapid.IntRange(1+len(text)/200, len(text)).Draw(t, "write size")
		for chunk := range slices.Chunk(text, step) {
			if _, err := s.Write(chunk); err != nil {
				t.Fatal(err)
			}
		}
		s.flush()
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
		if got := linesOf(t, name); !slices.EqualFunc(got, want, bytes.Equal) {
			t.Fatalf("%d lines in the log, want %d", len(got), len(want))
		}
	})
}

func linesOf(t *rapid.T, name string) [][]byte {
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	var got [][]byte
	reader := &logReader{src: bufio.NewReader(file)}
	if err := reader.rest(context.Background(), func(l logLine) { got = append(got, l.Text) }); err != nil {
		t.Fatal(err)
	}
	return got
}
