package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"belay/internal/cli"
)

// The tests run belay as users do: as a process, which is this test's own binary.
func TestMain(m *testing.M) {
	inner := len(os.Args) > 1 && strings.HasPrefix(os.Args[1], "__")
	if os.Getenv("BELAY_TEST_MAIN") == "" && !inner {
		os.Exit(m.Run())
	}
	os.Exit(cli.Main(cli.Process{
		Args: os.Args[1:], Environ: os.Environ(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
	}))
}

type ended struct {
	code        int
	out, errors string
}

func belay(t *testing.T, env []string, args ...string) ended {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, os.Args[0], args...)
	home := t.TempDir()
	c.Env = append(os.Environ(), "BELAY_TEST_MAIN=1", "HOME="+home, "XDG_STATE_HOME="+filepath.Join(home, "state"), "XDG_CACHE_HOME="+home, "DOCKER_CONFIG="+home)
	c.Env = append(c.Env, env...)
	c.Dir = home
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return ended{c.ProcessState.ExitCode(), out.String(), errs.String()}
}

func TestDemoUpgrades(t *testing.T) {
	e := belay(t, nil, "demo", "--yes", "--progress", "plain")
	if e.code != 0 || !strings.Contains(e.out, "Upgraded to 1.3.0") {
		t.Errorf("exit %d\n%s%s", e.code, e.out, e.errors)
	}
}

func TestDemoShowsTheWayBack(t *testing.T) {
	e := belay(t, nil, "demo", "--fail", "migration", "--yes", "--progress", "json")
	if e.code != 3 {
		t.Fatalf("exit %d\n%s%s", e.code, e.out, e.errors)
	}
	lines := strings.Split(strings.TrimSpace(e.out), "\n")
	for _, l := range lines {
		if !json.Valid([]byte(l)) {
			t.Fatalf("no JSON: %s", l)
		}
	}
	var o map[string]any
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &o); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"kind": "outcome", "outcome": "rolled_back", "from": "1.2.3", "to": "1.3.0", "exit": 3.0}
	for k, v := range want {
		if o[k] != v {
			t.Errorf("%s is %v, want %v", k, o[k], v)
		}
	}
	if o["run"] == "" || o["backup"] == "" {
		t.Errorf("%v", o)
	}
}

// Bad input gets a sentence, the place where there is one, the next command and
// its exit code.
func TestBadInput(t *testing.T) {
	dir := t.TempDir()
	write := func(name, data string) string {
		sub := filepath.Join(dir, name)
		if err := os.MkdirAll(sub, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(sub, "compose.yaml"), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		return sub
	}
	dead := []string{"DOCKER_HOST=unix://" + filepath.Join(dir, "nobody.sock")}
	for name, c := range map[string]struct {
		env  []string
		args []string
		code int
		says string
	}{
		"unknown flag":     {nil, []string{"upgrade", "--frobnicate"}, 2, "frobnicate"},
		"unknown command":  {nil, []string{"a", "b"}, 2, "one directory"},
		"wrong failure":    {nil, []string{"demo", "--fail", "everything", "--yes"}, 2, "migration"},
		"half a sentence":  {nil, []string{"upgrade", "--skip-backup", "yes"}, 2, "I accept data loss"},
		"breaking alone":   {nil, []string{"upgrade", "--accept-breaking"}, 2, "--yes"},
		"wrong policy":     {nil, []string{"upgrade", "--on-failure", "hope"}, 2, "rollback or keep"},
		"wrong front end":  {nil, []string{"status", "--progress", "hologram"}, 2, "hologram"},
		"dead engine":      {dead, []string{"upgrade", write("ok", "services: {a: {image: a:1.2.3}}\n"), "--yes"}, 5, "nobody.sock"},
		"dead engine asks": {dead, []string{"check"}, 5, "nobody.sock"},
	} {
		t.Run(name, func(t *testing.T) {
			e := belay(t, c.env, c.args...)
			if e.code != c.code || !strings.Contains(e.errors, c.says) {
				t.Errorf("exit %d, want %d; says %q, want %q", e.code, c.code, e.errors, c.says)
			}
		})
	}
}

func TestRefusalsAreOutcomesInJSON(t *testing.T) {
	e := belay(t, []string{"DOCKER_HOST=unix:///nonexistent/belay.sock"}, "upgrade", "--yes", "--progress", "json")
	var o map[string]any
	if err := json.Unmarshal([]byte(strings.TrimSpace(e.out)), &o); err != nil || o["kind"] != "outcome" || o["exit"] != 5.0 || e.code != 5 {
		t.Errorf("exit %d: %s (%v)", e.code, e.out, err)
	}
}

func TestVersionIsQuick(t *testing.T) {
	if e := belay(t, nil, "version"); e.code != 0 || !strings.HasPrefix(e.out, "belay ") {
		t.Errorf("%+v", e)
	}
}
