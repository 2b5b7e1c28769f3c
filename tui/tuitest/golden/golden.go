// Package golden compares what a test drew with what was accepted before. It
// must not be used outside tests.
package golden

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "accept what the tests draw now") //nolint:gochecknoglobals // a flag of the test binary

// Updating says whether files are written instead of compared: by -update, or by
// UPDATE_GOLDEN=1 for packages of which some have no such flag.
func Updating() bool { return *update || os.Getenv("UPDATE_GOLDEN") != "" }

// Check compares got with testdata/NAME.golden of the package under test.
func Check(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", filepath.FromSlash(name)+".golden")
	if Updating() {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (run with -update and read what it draws)", err)
	}
	if got != string(want) {
		t.Errorf("%s differs.\ngot:\n%s\nwant:\n%s", path, got, want)
	}
}
