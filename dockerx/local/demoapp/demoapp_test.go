package demoapp_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"belay/dockerx/local/demoapp"
)

func TestFirstStartSeedsAndStopsCleanly(t *testing.T) {
	data := t.TempDir()
	run := start(t, data, "1.2.3", "")
	run.waitFor("is ready")
	if code := run.stop(); code != 0 {
		t.Fatalf("exit %d, log:\n%s", code, run.log())
	}
	if got := counts(t, data, "notes", "settings"); got != "notes 300\nsettings 2\n" {
		t.Fatalf("counts: %q", got)
	}
	files, err := filepath.Glob(filepath.Join(data, "uploads", "*", "*"))
	if err != nil || len(files) != 240 {
		t.Fatalf("%d uploads, %v", len(files), err)
	}
}

func TestMinorVersionMigrates(t *testing.T) {
	data := seeded(t)
	run := start(t, data, "1.3.0", "", demoapp.EnvMailOld+"=smtp://mail")
	run.waitFor("is ready")
	if code := run.stop(); code != 0 {
		t.Fatalf("exit %d, log:\n%s", code, run.log())
	}
	for _, line := range []string{
		"Running migration 20261101 add_tags", "Migrated in ", "Database migrations completed",
		demoapp.EnvMailOld + " is deprecated",
	} {
		if !strings.Contains(run.log(), line) {
			t.Errorf("log lacks %q:\n%s", line, run.log())
		}
	}
	if got := counts(t, data, "notes", "tags"); got != "notes 300\ntags 10\n" {
		t.Fatalf("counts: %q", got)
	}

	old := start(t, data, "1.2.3", "")
	if code := old.wait(); code != 1 || !strings.Contains(old.log(), "migrated by a newer version") {
		t.Fatalf("the old version on migrated data: exit %d, log:\n%s", code, old.log())
	}
}

func TestFailedMigrationLeavesChangedDatabase(t *testing.T) {
	data := seeded(t)
	run := start(t, data, "1.3.0", demoapp.FailMigration)
	if code := run.wait(); code != 1 {
		t.Fatalf("exit %d", code)
	}
	if !strings.Contains(run.log(), "ERROR migration 20261101 add_tags failed: ") {
		t.Fatalf("log:\n%s", run.log())
	}
	if got := counts(t, data, "tags"); got == "tags 0\n" || !strings.HasPrefix(got, "tags ") {
		t.Fatalf("nothing of the migration was committed: %q", got)
	}

	// The old image alone does not bring the app back.
	addr := freeAddr(t)
	old := start(t, data, "1.2.3", "", "listen="+addr)
	old.waitFor("Listening on")
	if code, body := get(t, "http://"+addr+"/health"); code != http.StatusServiceUnavailable {
		t.Fatalf("old version on a half migrated database: %d %s", code, body)
	}
	old.stop()
}

func TestMajorVersionNeedsSecret(t *testing.T) {
	data := seeded(t)
	run := start(t, data, "2.0.0", "")
	if code := run.wait(); code != 1 || !strings.Contains(run.log(), demoapp.EnvSecret+" is not set") {
		t.Fatalf("exit %d, log:\n%s", code, run.log())
	}
	run = start(t, data, "2.0.0", "", demoapp.EnvSecret+"=x")
	run.waitFor("is ready")
	run.stop()
	if got := counts(t, data, "revisions"); got != "revisions 300\n" {
		t.Fatalf("counts: %q", got)
	}
}

func TestHTTP(t *testing.T) {
	addr := freeAddr(t)
	run := start(t, t.TempDir(), "1.2.3", "", "listen="+addr)
	run.waitFor("Listening on")
	base := "http://" + addr

	code, body := get(t, base+"/health")
	if want := `{"status":"ok","version":"1.2.3","checks":{"database":"ok"}}`; code != 200 || body != want {
		t.Fatalf("/health: %d %s, want %s", code, body, want)
	}
	resp, err := http.Post(base+"/api/notes", "application/json", strings.NewReader(`{"title":"tide","body":"low"}`))
	if err != nil || resp.StatusCode != http.StatusCreated {
		t.Fatalf("POST: %v %v", resp, err)
	}
	_ = resp.Body.Close()
	_, body = get(t, base+"/api/notes?limit=1")
	var notes []struct{ Title string }
	if err := json.Unmarshal([]byte(body), &notes); err != nil || len(notes) != 1 || notes[0].Title != "tide" {
		t.Fatalf("newest note: %s %v", body, err)
	}
	if code, _ := get(t, base+"/api/notes?limit=x"); code != http.StatusBadRequest {
		t.Fatalf("bad limit: %d", code)
	}
	if code := run.stop(); code != 0 {
		t.Fatalf("exit %d", code)
	}
}

func TestSickVersionAnswers503(t *testing.T) {
	addr := freeAddr(t)
	run := start(t, t.TempDir(), "1.3.0", demoapp.FailHealth, "listen="+addr)
	run.waitFor("Listening on")
	if code, body := get(t, "http://"+addr+"/health"); code != 503 || !strings.Contains(body, `"status":"unhealthy"`) {
		t.Fatalf("%d %s", code, body)
	}
	run.stop()
}

func TestCommands(t *testing.T) {
	data := seeded(t)
	for _, c := range []struct {
		args        []string
		exit        int
		out, errOut string
	}{
		{[]string{"version"}, 0, "1.2.3\n", ""},
		{[]string{"check"}, 0, "ok\n", ""},
		{[]string{"count", "notes", "nope"}, 3, "notes 300\n", "no table nope\n"},
		{[]string{"dance"}, 2, "", "unknown command"},
	} {
		var out, errOut bytes.Buffer
		args := append([]string{"--mount", "/data=" + data}, c.args...)
		exit := demoapp.Main(args, []string{demoapp.EnvVersion + "=1.2.3"}, nil, &out, &errOut)
		if exit != c.exit || out.String() != c.out || !strings.HasPrefix(errOut.String(), c.errOut) {
			t.Errorf("%v: exit %d, stdout %q, stderr %q", c.args, exit, out.String(), errOut.String())
		}
	}
}

// process is one Main running in this test's own process.
type process struct {
	t     *testing.T
	stdin *io.PipeWriter
	done  chan struct{}
	code  int

	mu   sync.Mutex
	text bytes.Buffer
	grew chan struct{}
}

// start runs `serve`. An extra "listen=ADDR" becomes --listen.
func start(t *testing.T, data, version, fail string, extra ...string) *process {
	t.Helper()
	r, w := io.Pipe()
	p := &process{t: t, stdin: w, done: make(chan struct{}), grew: make(chan struct{}, 1)}
	args := []string{"--mount", "/data=" + data}
	environ := []string{
		demoapp.EnvVersion + "=" + version, demoapp.EnvFail + "=" + fail,
		demoapp.EnvPace + "=1ms", demoapp.EnvNotes + "=300",
	}
	for _, e := range extra {
		if addr, ok := strings.CutPrefix(e, "listen="); ok {
			args = append(args, "--listen", addr)
			continue
		}
		environ = append(environ, e)
	}
	go func() {
		defer close(p.done)
		p.code = demoapp.Main(args, environ, r, p, p)
	}()
	t.Cleanup(func() { p.stop() })
	return p
}

func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case p.grew <- struct{}{}:
	default:
	}
	return p.text.Write(b)
}

func (p *process) log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

func (p *process) waitFor(line string) {
	p.t.Helper()
	limit := time.After(30 * time.Second)
	for !strings.Contains(p.log(), line) {
		select {
		case <-p.grew:
		case <-p.done:
			if !strings.Contains(p.log(), line) {
				p.t.Fatalf("ended with %d before %q:\n%s", p.code, line, p.log())
			}
		case <-limit:
			p.t.Fatalf("no %q in\n%s", line, p.log())
		}
	}
}

func (p *process) stop() int {
	_ = p.stdin.Close()
	return p.wait()
}

func (p *process) wait() int {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(30 * time.Second):
		p.t.Fatalf("does not end:\n%s", p.log())
	}
	return p.code
}

func seeded(t *testing.T) string {
	t.Helper()
	data := t.TempDir()
	run := start(t, data, "1.2.3", "")
	run.waitFor("is ready")
	if code := run.stop(); code != 0 {
		t.Fatalf("exit %d:\n%s", code, run.log())
	}
	return data
}

func counts(t *testing.T, data string, tables ...string) string {
	t.Helper()
	var out, errOut bytes.Buffer
	args := append([]string{"--mount", "/data=" + data, "count"}, tables...)
	if code := demoapp.Main(args, []string{demoapp.EnvVersion + "=1.2.3"}, nil, &out, &errOut); code != 0 {
		t.Fatalf("count: exit %d: %s", code, errOut.String())
	}
	return out.String()
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, strings.TrimSpace(string(body))
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return fmt.Sprint(l.Addr())
}
