package compose

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// TestMain lets the test binary play the docker program: a link named docker (or
// docker-compose) in a PATH of the test's own.
func TestMain(m *testing.M) {
	if mode := os.Getenv("BELAY_FAKE_COMPOSE"); mode != "" {
		os.Exit(fakeCompose(mode))
	}
	os.Exit(m.Run())
}

// record is what the fake program saw.
type record struct {
	Args  []string
	Dir   string
	Env   map[string]string
	Pid   int
	Group int
	Stdin string
	Extra string // content of descriptor 3
}

func fakeCompose(mode string) int {
	args := os.Args[1:]
	if slices.Contains(args, "version") {
		switch {
		case mode == "v1" && filepath.Base(os.Args[0]) == "docker":
			fmt.Fprintln(os.Stderr, "docker: 'compose' is not a docker command.")
			return 1
		case mode == "v1":
			fmt.Fprintln(os.Stdout, "1.29.2")
		case mode == "old":
			fmt.Fprintln(os.Stdout, "v2.10.0")
		default:
			fmt.Fprintln(os.Stdout, "5.5.1")
		}
		return 0
	}
	if slices.Contains(args, "--help") {
		fmt.Fprintln(os.Stdout, "      --pull policy   Pull image before running")
		return 0
	}
	r := record{Args: args, Env: envMap(os.Environ()), Pid: os.Getpid(), Group: syscall.Getpgrp()}
	r.Dir, _ = os.Getwd()
	stdin, _ := io.ReadAll(os.Stdin)
	r.Stdin = string(stdin)
	if f := os.NewFile(3, "extra"); f != nil {
		extra, _ := io.ReadAll(f)
		r.Extra = string(extra)
	}
	data, err := json.Marshal(r)
	if err == nil {
		err = os.WriteFile(os.Getenv("BELAY_FAKE_RECORD"), data, 0o600)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 99
	}
	switch mode {
	case "fail":
		fmt.Fprintf(os.Stderr, "Container x  Creating\nno such image: repo/app:9\r\n")
		return 17
	case "hash":
		fmt.Fprintln(os.Stdout, "app 0a1b")
		fmt.Fprintln(os.Stdout, "db 2c3d")
	case "long":
		fmt.Fprint(os.Stdout, strings.Repeat("x", maxLine+10), "\nlast")
	case "hang":
		signal.Ignore(syscall.SIGTERM)
		fmt.Fprintln(os.Stdout, "hanging")
		select {}
	default:
		fmt.Fprintln(os.Stdout, "out")
		fmt.Fprintln(os.Stderr, "err")
	}
	return 0
}

// fake makes a PATH with the given programs and an environment that makes them
// behave in a way.
func fake(t *testing.T, mode string, programs ...string) (environ []string, seen func() record) {
	t.Helper()
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range programs {
		if err := os.Symlink(self, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "record.json")
	environ = []string{
		"PATH=" + dir, "BELAY_FAKE_COMPOSE=" + mode, "BELAY_FAKE_RECORD=" + file,
		"DOCKER_HOST=unix:///nowhere.sock", "DOCKER_CONTEXT=far", "PWD=/elsewhere",
	}
	return environ, func() record {
		t.Helper()
		var r record
		if err := json.Unmarshal([]byte(content(t, file)), &r); err != nil {
			t.Fatal(err)
		}
		return r
	}
}
