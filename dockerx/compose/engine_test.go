package compose

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// needEngine skips where no engine answers, unless an engine is required.
func needEngine(t *testing.T) *CLI {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	missing := func(format string, args ...any) {
		t.Helper()
		if os.Getenv("BELAY_E2E") == "require" {
			t.Fatalf(format, args...)
		}
		t.Skipf(format, args...)
	}
	if out, err := exec.CommandContext(ctx, "docker", "version", "--format", "{{.Server.Version}}").CombinedOutput(); err != nil {
		missing("no engine answers: %v: %s", err, out)
	}
	cli, err := FindCLI(ctx, os.Environ())
	if err != nil {
		missing("%v", err)
	}
	return cli
}

// The files, env files and profiles we pass must describe what a user's own
// `docker compose` in that directory sees.
func TestConfigHashEqualsThePlainCall(t *testing.T) {
	cli, err := FindCLI(t.Context(), os.Environ())
	if err != nil {
		if os.Getenv("BELAY_E2E") == "require" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	one := "services:\n  app:\n    image: repo/app:${TAG:-0}\n    environment: {W: \"${WHO:-}\", P: \"${PWD}\"}\n    volumes: [\"./d:/d\"]\n"
	for _, c := range []struct {
		name    string
		files   files
		environ []string
	}{
		{name: "plain", files: files{"compose.yaml": one, ".env": "TAG=1\nWHO='$me'\n"}},
		{name: "override and env file", files: files{"docker-compose.yml": one, "compose.override.yml": "services: {app: {env_file: .env}}\n", ".env": "TAG=1\n"}},
		{name: "include", files: files{"compose.yaml": "include: [sub/c.yaml]\nservices: {web: {image: \"w:${TAG}\"}}\n", "sub/c.yaml": one, "sub/.env": "TAG=2\nWHO=sub\n", ".env": "TAG=1\n"}},
		{name: "profiles", files: files{"compose.yaml": one + "    profiles: [a]\n  web: {image: w, profiles: [b]}\n", ".env": "COMPOSE_PROFILES=a\n"}},
		{name: "COMPOSE_FILE in .env", files: files{".env": "COMPOSE_FILE=a.yml:b.yml\nTAG=1\nWHO=me\n", "a.yml": one, "b.yml": "services: {app: {restart: always}}\n"}},
		{name: "COMPOSE_FILE in the environment", files: files{"a.yml": one, ".env": "TAG=1\n"}, environ: []string{"COMPOSE_FILE=a.yml", "COMPOSE_PROJECT_NAME=x", "TAG=5"}},
		{name: "COMPOSE_ENV_FILES", files: files{"compose.yaml": one, "a.env": "TAG=1", "b.env": "WHO=b"}, environ: []string{"COMPOSE_ENV_FILES=a.env,b.env"}},
		{name: "COMPOSE_FILE leads elsewhere", files: files{
			".env": "COMPOSE_FILE=deploy/c.yml\nTAG=1\n", "deploy/.env": "TAG=2\nWHO=deploy\n",
			"deploy/c.yml": strings.Replace(one, "${PWD}", "", 1),
		}},
		{name: "no env file", files: files{"compose.yaml": one, ".env": "TAG=1"}, environ: []string{"COMPOSE_DISABLE_ENV_FILE=true"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := c.files.lay(t)
			environ := append(append(withoutVar(os.Environ(), "PWD"), "PWD="+dir), c.environ...)
			plain := exec.Command("docker", "compose", "config", "--hash", "*")
			plain.Dir, plain.Env = dir, environ
			if !strings.HasSuffix(cli.argv[0], "docker") {
				plain.Args, plain.Path = append([]string{cli.argv[0]}, plain.Args[2:]...), cli.argv[0]
			}
			out, err := plain.Output()
			if err != nil {
				t.Fatalf("docker compose config: %v", err)
			}
			own := &CLI{argv: cli.argv, environ: append(environ, "PWD=/elsewhere"), version: cli.version}
			hashes, err := own.ConfigHash(t.Context(), load(t, Options{Dir: dir, Environ: environ}))
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			for _, name := range slices.Sorted(maps.Keys(hashes)) {
				fmt.Fprintf(&got, "%s %s\n", name, hashes[name])
			}
			if got.Len() == 0 || got.String() != string(out) {
				t.Errorf("our hashes\n%swant\n%s", got.String(), out)
			}
		})
	}
}

func docker(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("docker", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("docker %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

const sleeper = `package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if len(os.Args) > 1 {
		os.Stdout.WriteString("ran " + os.Args[1] + "\n")
		os.Exit(3)
	}
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGTERM)
	<-c
}
`

// importImage makes an image of a tiny static program: nothing is pulled.
func importImage(t *testing.T, tags ...string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(sleeper), 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-o", "sleeper", "main.go")
	build.Dir, build.Env = dir, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v: %s", err, out)
	}
	program := content(t, filepath.Join(dir, "sleeper"))
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	err := w.WriteHeader(&tar.Header{Name: "sleeper", Mode: 0o755, Size: int64(len(program))})
	if err == nil {
		_, err = w.Write([]byte(program))
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	for _, tag := range tags {
		cmd := exec.Command("docker", "import", "-c", `ENTRYPOINT ["/sleeper"]`, "-c", "LABEL made.for="+tag, "-", tag)
		cmd.Stdin = bytes.NewReader(archive.Bytes())
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("docker import: %v: %s", err, out)
		}
		t.Cleanup(func() { _ = exec.Command("docker", "image", "rm", tag).Run() })
	}
}

func TestEngineUpgradeOfOneService(t *testing.T) {
	cli := needEngine(t)
	name := fmt.Sprintf("belay-compose-test-%d", os.Getpid())
	repo := name + "-app"
	importImage(t, repo+":1.2.3", repo+":1.3.0")
	dir := files{
		"compose.yaml": "name: " + name + "\nservices:\n  app:\n    image: " + repo + ":${TAG}\n    env_file: app.env\n" +
			"    depends_on: [db]\n    volumes: [\"./data:/data\"]\n    labels: {here: \"${PWD}\"}\n" +
			"  db:\n    image: " + repo + ":1.2.3\n",
		"compose.override.yaml": "services:\n  app:\n    environment: {MODE: \"${MODE:-fast}\"}\n",
		".env":                  "TAG=1.2.3 # pinned\n",
		"app.env":               "A=1\n",
		"data/x":                "",
	}.lay(t)
	t.Cleanup(func() { sweep(t, name) })

	plain := exec.Command("docker", "compose", "up", "-d")
	plain.Dir, plain.Env = dir, append(withoutVar(os.Environ(), "PWD"), "PWD="+dir)
	if out, err := plain.CombinedOutput(); err != nil {
		t.Fatalf("docker compose up: %v: %s", err, out)
	}
	p := load(t, Options{Dir: dir, Environ: os.Environ()})
	sameHashes(t, cli, p)
	db := container(t, p, "db")

	edits, err := Retag(t.Context(), p, []Move{{Service: "app", Tag: "1.3.0"}})
	if err != nil || len(edits) != 1 {
		t.Fatalf("Retag: %v, %v", edits, err)
	}
	if err := edits[0].Apply(); err != nil {
		t.Fatal(err)
	}
	p = load(t, Options{Dir: dir, Environ: os.Environ()})
	if err := cli.Up(t.Context(), p, UpSpec{Services: []string{"app"}, NoDeps: true}, func(line string) { t.Log(line) }); err != nil {
		t.Fatal(err)
	}
	sameHashes(t, cli, p)
	if got := docker(t, "inspect", "-f", `{{index .Config.Labels "made.for"}}`, container(t, p, "app")); got != repo+":1.3.0" {
		t.Errorf("app runs %q", got)
	}
	if got := container(t, p, "db"); got != db {
		t.Error("db was recreated")
	}

	var lines []string
	exit, err := cli.Run(t.Context(), p, "app", []string{"migration"}, func(line string) { lines = append(lines, line) })
	if exit != 3 || err != nil || !strings.Contains(strings.Join(lines, "\n"), "ran migration") {
		t.Errorf("exit %d, error %v, lines %q", exit, err, lines)
	}
	if err := cli.Stop(t.Context(), p, []string{"app"}, 5*time.Second, nil); err != nil {
		t.Fatal(err)
	}
	if got := docker(t, "inspect", "-f", "{{.State.Status}}", container(t, p, "app")); got != "exited" {
		t.Errorf("app is %s after the stop", got)
	}
	if err := edits[0].Revert(); err != nil {
		t.Fatal(err)
	}
	err = cli.Up(t.Context(), &Project{Name: name, Dir: dir, Files: []string{dir + "/missing.yaml"}}, UpSpec{}, nil)
	if err == nil || !strings.Contains(err.Error(), "missing.yaml") {
		t.Errorf("a project that is not there: %v", err)
	}
}

// sameHashes wants what compose would label now to be what it labelled.
func sameHashes(t *testing.T, cli *CLI, p *Project) {
	t.Helper()
	hashes, err := cli.ConfigHash(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range p.Services {
		got := docker(t, "inspect", "-f", `{{index .Config.Labels "com.docker.compose.config-hash"}}`, container(t, p, s.Name))
		if hashes[s.Name] == "" || got != hashes[s.Name] {
			t.Errorf("%s: the container has the hash %s, the files %s", s.Name, got, hashes[s.Name])
		}
	}
}

func container(t *testing.T, p *Project, service string) string {
	t.Helper()
	return docker(t, "ps", "-aq", "--no-trunc", "--filter", "label=com.docker.compose.project="+p.Name, "--filter", "label=com.docker.compose.service="+service)
}

func sweep(t *testing.T, project string) {
	t.Helper()
	if ids := strings.Fields(docker(t, "ps", "-aq", "--filter", "label=com.docker.compose.project="+project)); len(ids) > 0 {
		docker(t, append([]string{"rm", "-f"}, ids...)...)
	}
	if ids := strings.Fields(docker(t, "network", "ls", "-q", "--filter", "label=com.docker.compose.project="+project)); len(ids) > 0 {
		docker(t, append([]string{"network", "rm"}, ids...)...)
	}
}
