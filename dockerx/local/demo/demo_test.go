package demo_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"belay/dockerx"
	"belay/dockerx/compose"
	"belay/dockerx/local"
	"belay/dockerx/local/demo"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == local.Command {
		os.Exit(local.Main(os.Args[2:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

func TestMakeIsHealthyWithData(t *testing.T) {
	s := made(t, demo.Options{Fast: true})
	resp, err := http.Get(s.URL + "/health")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var health struct{ Status, Version string }
	if err := json.NewDecoder(resp.Body).Decode(&health); err != nil || health.Status != "ok" || health.Version != demo.Installed {
		t.Fatalf("health: %+v %v", health, err)
	}
	c := container(t, s)
	got, err := s.Engine.Exec(within(t), c.ID, dockerx.ExecSpec{Argv: []string{"tidepool", "count", "notes"}})
	if err != nil || string(got.Stdout) != "notes 200\n" {
		t.Fatalf("count: %q %v", got.Stdout, err)
	}
	if c.Env["TIDEPOOL_MAIL_URL"] == "" {
		t.Fatal("the variable that 1.3.0 renames is not set")
	}
}

// The version is written in .env, and moving it there is what moves the service.
func TestVersionIsInEnvFile(t *testing.T) {
	s := made(t, demo.Options{Fast: true})
	p := load(t, s)
	pin := p.Services[0].Pin
	if pin.Kind != compose.PinEnv || pin.Tag != demo.Installed || filepath.Base(pin.Place.File) != ".env" {
		t.Fatalf("pin: %+v", pin)
	}
}

func TestMinorUpgradeMigrates(t *testing.T) {
	s := made(t, demo.Options{Fast: true})
	c := moveTo(t, s, "1.3.0")
	eventually(t, func() bool { return container(t, s).Health == dockerx.Healthy })
	for _, want := range []string{"Running migration 20261101 add_tags", "Database migrations completed", "Listening on"} {
		if log := logOf(t, s, c.ID); !strings.Contains(log, want) {
			t.Errorf("log lacks %q:\n%s", want, log)
		}
	}
}

func TestFailures(t *testing.T) {
	for name, looks := range map[string]func(dockerx.Container) bool{
		"migration": func(c dockerx.Container) bool { return c.RestartCount > 0 },
		"crash":     func(c dockerx.Container) bool { return c.RestartCount > 0 },
		"health":    func(c dockerx.Container) bool { return c.State == dockerx.Running && c.Health == dockerx.Unhealthy },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := made(t, demo.Options{Fast: true, Fail: name})
			c := moveTo(t, s, "1.3.0")
			eventually(t, func() bool {
				return looks(container(t, s)) && strings.Contains(logOf(t, s, c.ID), "ERROR")
			})
		})
	}
}

func TestUnknownFailureNamesTheChoices(t *testing.T) {
	_, err := demo.Make(within(t), t.TempDir(), demo.Options{Fail: "fire"})
	if err == nil || !strings.Contains(err.Error(), "migration, health, crash") {
		t.Fatalf("error: %v", err)
	}
}

func TestMakeLeavesFilledDirectoryAlone(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mine"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := demo.Make(within(t), dir, demo.Options{}); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Fatalf("error: %v", err)
	}
}

func TestOpenFindsTheSameStack(t *testing.T) {
	s := made(t, demo.Options{Fast: true})
	before := container(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := demo.Open(s.Dir, demo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = again.Close() })
	if c := container(t, again); c.ID != before.ID || c.State != dockerx.Exited || again.URL != s.URL {
		t.Fatalf("%s %s %s", c.ID, c.State, again.URL)
	}
	if err := again.Engine.Up(within(t), load(t, again), compose.UpSpec{}, nil); err != nil {
		t.Fatal(err)
	}
	if c := container(t, again); c.ID != before.ID || c.State != dockerx.Running {
		t.Fatalf("%s %s", c.ID, c.State)
	}
}

func TestNotesAndImagesAgree(t *testing.T) {
	s := made(t, demo.Options{Fast: true})
	for i, r := range s.Releases {
		if i > 0 && !r.Published.Before(s.Releases[i-1].Published) {
			t.Errorf("%s is not older than %s", r.Tag, s.Releases[i-1].Tag)
		}
		_, err := s.Engine.Image(within(t), demo.Image+":"+strings.TrimPrefix(r.Tag, "v"))
		if installed := r.Tag == "v"+demo.Installed; installed != (err == nil) {
			t.Errorf("%s on this host: %v", r.Tag, err)
		}
	}
	if body := s.Releases[1].Body; !strings.Contains(body, "### Breaking Changes") || !strings.Contains(body, "TIDEPOOL_MAIL_URL") {
		t.Errorf("notes of 1.3.0:\n%s", body)
	}
}

func made(t *testing.T, o demo.Options) *demo.Stack {
	t.Helper()
	s, err := demo.Make(within(t), filepath.Join(t.TempDir(), "demo"), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// moveTo does what an upgrade does to the stack, without its safety.
func moveTo(t *testing.T, s *demo.Stack, version string) dockerx.Container {
	t.Helper()
	if err := s.Engine.Pull(within(t), demo.Image+":"+version, nil); err != nil {
		t.Fatal(err)
	}
	edits, err := compose.Retag(within(t), load(t, s), []compose.Move{{Service: demo.Service, Tag: version}})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range edits {
		if err := e.Apply(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Engine.Up(within(t), load(t, s), compose.UpSpec{NoDeps: true}, nil); err != nil {
		t.Fatal(err)
	}
	return container(t, s)
}

func load(t *testing.T, s *demo.Stack) *compose.Project {
	t.Helper()
	p, err := compose.Load(within(t), compose.Options{Dir: s.Project})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func container(t *testing.T, s *demo.Stack) dockerx.Container {
	t.Helper()
	all, err := s.Engine.Containers(within(t), "tidepool")
	if err != nil || len(all) != 1 {
		t.Fatalf("%d containers, %v", len(all), err)
	}
	return all[0]
}

func logOf(t *testing.T, s *demo.Stack, id string) string {
	t.Helper()
	var b strings.Builder
	err := s.Engine.Logs(within(t), id, dockerx.LogSpec{}, func(l dockerx.LogLine) {
		b.Write(l.Text)
		b.WriteByte('\n')
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func eventually(t *testing.T, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(3 * time.Minute)
	defer limit.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatal("waited too long")
		}
	}
}
