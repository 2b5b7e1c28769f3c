package rig

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

//go:embed stack/compose.yaml
var composeFile string

//go:embed stack/seed.sql
var seedSQL string

// Options say how a stack differs from the usual one.
type Options struct {
	Image  string // after the registry's address; "ledger:1.2.3" when empty
	Env    string // more lines for .env, before the password's
	Grace  string // the healthcheck's start period; 30s when empty
	Recipe string // belay.yaml, when not empty
}

// Rows is how many entries a stack is born with.
const Rows = 100_000

// Stack is one compose project with data in it.
type Stack struct {
	World   *World
	Project string
	Dir     string
	Port    int    // of the app, on 127.0.0.1
	Secret  string // the database's password

	state, cache string // belay's own directories
}

// NewStack writes a project, brings it up and fills it. The project is taken
// down, with its volumes and all that belay made for it, when the test ends.
func NewStack(t testing.TB, w *World, o Options) *Stack {
	t.Helper()
	id := strings.ToLower(rand.Text()[:8])
	s := &Stack{
		World: w, Project: "e2e-" + id, Dir: filepath.Join(t.TempDir(), "ledger"),
		Port: freePort(t), Secret: "hush-" + id, state: t.TempDir(), cache: t.TempDir(),
	}
	s.write(t, o)
	t.Cleanup(func() { s.takeDown(t) })
	s.Compose(t, "up", "--detach", "--wait", "--quiet-pull")
	s.fill(t)
	return s
}

// Path of a file of the project.
func (s *Stack) Path(name string) string { return filepath.Join(s.Dir, name) }

// State is the directory that belay keeps its state in.
func (s *Stack) State() string { return s.state }

// Compose runs docker compose on the project and returns what it printed.
func (s *Stack) Compose(t testing.TB, args ...string) string {
	t.Helper()
	// Not cut short by the end of the test: cleaning up uses it as well.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 3*time.Minute)
	defer cancel()
	argv := append([]string{"docker", "compose", "--project-directory", s.Dir}, args...)
	out, err := output(ctx, argv...)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// SQL runs one statement in the stack's database, as its owner.
func (s *Stack) SQL(t testing.TB, sql string) string {
	t.Helper()
	out, err := s.sql(t.Context(), sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return out
}

// Get asks the app over HTTP; an app that does not answer is status 0.
func (s *Stack) Get(t testing.TB, path string) (status int, body string) {
	t.Helper()
	return s.do(t, http.MethodGet, path, "")
}

// Do sends a body to the app.
func (s *Stack) Do(t testing.TB, method, path, body string) {
	t.Helper()
	if status, said := s.do(t, method, path, body); status != http.StatusCreated {
		t.Fatalf("%s %s: %d %s", method, path, status, said)
	}
}

func (s *Stack) do(t testing.TB, method, path, body string) (int, string) {
	t.Helper()
	url := "http://127.0.0.1:" + strconv.Itoa(s.Port) + path
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	said, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(said)
}

func (s *Stack) sql(ctx context.Context, sql string) (string, error) {
	id, err := s.container(ctx, "db")
	if err != nil {
		return "", err
	}
	out, err := output(ctx, "docker", "exec", id, "psql", "--username=ledger", "--dbname=ledger", "--no-psqlrc",
		"--tuples-only", "--no-align", "--quiet", "--set=ON_ERROR_STOP=1", "--command="+sql)
	return strings.TrimSpace(string(out)), err
}

// write makes the project's directory: a compose file with the habits that real
// ones have, and an .env file with a secret.
func (s *Stack) write(t testing.TB, o Options) {
	t.Helper()
	image, grace := "ledger:1.2.3", "30s"
	if o.Image != "" {
		image = o.Image
	}
	if o.Grace != "" {
		grace = o.Grace
	}
	compose := strings.NewReplacer(
		"PROJECT", s.Project, "IMAGE", s.World.Registry+"/"+image, "PORT", strconv.Itoa(s.Port),
		"GRACE", grace, "DATABASE", Database,
	).Replace(composeFile)
	files := map[string]string{
		"compose.yaml": compose,
		".env":         "# secrets of ledger\r\n" + o.Env + "DB_PASSWORD='" + s.Secret + "'  # not printed anywhere\r\n",
		"README.txt":   "belongs to the owner of this directory\n",
	}
	if o.Recipe != "" {
		files["belay.yaml"] = o.Recipe
	}
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(s.Path(name), []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
}

// fill puts rows into the database and files of all kinds into the volume.
func (s *Stack) fill(t testing.TB) {
	t.Helper()
	s.SQL(t, fmt.Sprintf(seedSQL, Rows))
	s.Do(t, http.MethodPut, "/uploads/report.txt", strings.Repeat("a line of a report\n", 5000))
	noise := bytes.Repeat([]byte{0x00, 0xff, 0x1b, '\n'}, 1<<16)
	s.Do(t, http.MethodPut, "/uploads/noise.bin", string(noise))
	const kinds = `cd /x && ln -s uploads/report.txt latest && ln uploads/report.txt hard &&
truncate -s 32M sparse && mkdir -m 2770 private && echo mine > private/note && chmod 0600 private/note &&
chown -R 1234:5678 private && mkfifo pipe && touch -d 2020-02-29T12:34:56 private private/note`
	if _, err := output(t.Context(), "docker", "run", "--rm", "--network=none", "--volume="+s.Project+"_uploads:/x",
		Database, "sh", "-ec", kinds); err != nil {
		t.Fatal(err)
	}
}

// takeDown removes the project, and what belay made and still keeps for it.
func (s *Stack) takeDown(t testing.TB) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	compose := func(args ...string) {
		out, err := output(ctx, append([]string{"docker", "compose", "--project-directory", s.Dir}, args...)...)
		if err != nil || t.Failed() {
			t.Logf("docker compose %s: %v\n%s", args[0], err, out)
		}
	}
	if t.Failed() {
		compose("ps", "--all")
		compose("logs", "--tail=40", "--no-color")
	}
	if bad, err := os.ReadFile(s.Path(".env")); err == nil && !strings.Contains(string(bad), "DB_PASSWORD") {
		t.Errorf(".env has lost its password: %q", bad)
	}
	compose("down", "--volumes", "--timeout=5", "--remove-orphans")
	s.sweep(ctx, t)
}

// sweep removes what carries the labels and tags of belay's runs on this stack.
func (s *Stack) sweep(ctx context.Context, t testing.TB) {
	for _, run := range s.runs() {
		for _, kind := range []struct{ list, remove []string }{
			{[]string{"ps", "--all", "--quiet"}, []string{"rm", "--force", "--volumes"}},
			{[]string{"volume", "ls", "--quiet"}, []string{"volume", "rm"}},
		} {
			ids, err := output(ctx, append(append([]string{"docker"}, kind.list...), "--filter=label=belay.run="+run)...)
			if err != nil {
				t.Log(err)
			}
			for id := range strings.FieldsSeq(string(ids)) {
				if _, err := output(ctx, append(append([]string{"docker"}, kind.remove...), id)...); err != nil {
					t.Log(err)
				}
			}
		}
	}
	tags, err := output(ctx, "docker", "image", "ls", "--format={{.Repository}}:{{.Tag}}", "--filter=reference=belay-hold/"+s.Project+"-*")
	if err != nil {
		t.Log(err)
	}
	for tag := range strings.FieldsSeq(string(tags)) {
		if _, err := output(ctx, "docker", "image", "rm", tag); err != nil {
			t.Log(err)
		}
	}
}

// runs finds the IDs of belay's runs: the names of directories in its state.
func (s *Stack) runs() []string {
	var ids []string
	_ = filepath.WalkDir(s.state, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() && len(d.Name()) == ulidLength {
			ids = append(ids, d.Name())
		}
		return nil
	})
	return ids
}

const ulidLength = 26

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
