package notes_test

import (
	"strings"
	"testing"

	"belay/releases/notes"
)

// BenchmarkFind reads 120 kB, the most GitHub takes for one release.
func BenchmarkFind(b *testing.B) {
	body := strings.Repeat("## Features\n\n- Add a `button` that you can press before upgrading by @x in https://github.com/a/b/pull/1\n- **Fix** the thing\n  with more text\n", 900)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		notes.Find(body)
	}
}
