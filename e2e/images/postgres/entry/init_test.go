package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestReadFillsInWhatIsNotSet(t *testing.T) {
	env := map[string]string{"POSTGRES_USER": "ledger", "POSTGRES_PASSWORD": "x"}
	c, err := read(func(k string) string { return env[k] })
	if err != nil {
		t.Fatal(err)
	}
	want := config{
		data: "/var/lib/postgresql/data", user: "ledger", password: "x",
		database: "ledger", method: "scram-sha-256",
	}
	if c != want {
		t.Fatalf("got %+v, want %+v", c, want)
	}
}

func TestReadTakesThePasswordFromAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pw")
	if err := os.WriteFile(file, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"POSTGRES_PASSWORD_FILE": file}
	c, err := read(func(k string) string { return env[k] })
	if err != nil || c.password != "secret" {
		t.Fatalf("got %q, %v", c.password, err)
	}
}

func TestEmptyRefusesWhatIsNoClusterOfOurs(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "precious")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := empty(dir); err == nil {
		t.Fatal("a directory with a stranger's file was cleared")
	}
	if _, err := os.Stat(file); err != nil {
		t.Fatal(err)
	}
}

func TestEmptyEmptiesACutShortStart(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{".init", "base", "lost+found"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := empty(dir); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(left) != 1 || filepath.Base(left[0]) != "lost+found" {
		t.Fatalf("left %v, %v", left, err)
	}
}
