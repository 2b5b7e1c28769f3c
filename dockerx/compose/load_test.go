package compose

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestLoadFillsTheProject(t *testing.T) {
	dir := files{
		"compose.yaml": `name: shop
services:
  app:
    image: repo/app:${TAG}
    build: ./src
    depends_on:
      db: {condition: service_healthy}
    env_file:
      - app.env
      - {path: absent.env, required: false}
    environment:
      - MODE=fast
      - SECRET
    ports:
      - "127.0.0.1:8080:80"
      - "53:53/udp"
      - "0.0.0.0::9000"
    volumes:
      - data:/data
      - named:/named:ro
      - ./conf:/conf
      - /anon
    tmpfs: /run
    stop_grace_period: 1m30s
  db:
    image: postgres:17
    restart: unless-stopped
    healthcheck: {test: ["CMD", "pg_isready"]}
    environment: {POSTGRES_USER: app, <<: &common {TZ: UTC}}
  debug:
    image: repo/debug:1
    profiles: [tools]
    healthcheck: {disable: true}
volumes:
  data:
  named: {name: precious}
`,
		".env":    "TAG=1.2.3\nSECRET=hush\n",
		"app.env": "# about\nA=1\nMODE=slow\n",
	}.lay(t)
	p := load(t, Options{Dir: dir, Environ: []string{"SECRET=fromshell"}})
	if p.Name != "shop" || p.Dir != dir || p.Explicit || p.EnvExplicit {
		t.Errorf("project %q in %s, explicit %v %v", p.Name, p.Dir, p.Explicit, p.EnvExplicit)
	}
	if !slices.Equal(p.Files, []string{dir + "/compose.yaml"}) || !slices.Equal(p.EnvFiles, []string{dir + "/.env"}) {
		t.Errorf("files %v, env files %v", p.Files, p.EnvFiles)
	}
	if !maps.Equal(p.Variables, map[string]string{"TAG": "1.2.3", "SECRET": "hush"}) {
		t.Errorf("variables %v", p.Variables)
	}
	app := service(t, p, "app")
	if app.Image != "repo/app:1.2.3" || !app.Build || app.BuildDir != dir+"/src" || app.Pin.Kind != PinBuild || !app.Active ||
		app.StopGrace != 90*time.Second || !slices.Equal(app.DependsOn, []string{"db"}) || app.Place.short(dir) != "compose.yaml:3:3" {
		t.Errorf("app is %+v", app)
	}
	if !maps.Equal(app.Environment, map[string]string{"A": "1", "MODE": "fast", "SECRET": "fromshell"}) {
		t.Errorf("environment %v", app.Environment)
	}
	for key, want := range map[string]string{"A": "app.env:2:1", "MODE": "compose.yaml:12:9", "SECRET": "compose.yaml:13:9"} {
		if got := app.EnvSources[key].short(dir); got != want {
			t.Errorf("%s is written at %s, want %s", key, got, want)
		}
	}
	wantVolumes := []Volume{
		{Type: "volume", Source: "shop_data", Target: "/data"},
		{Type: "volume", Source: "precious", Target: "/named", ReadOnly: true},
		{Type: "bind", Source: dir + "/conf", Target: "/conf"},
		{Type: "volume", Target: "/anon"},
		{Type: "tmpfs", Target: "/run"},
	}
	if !slices.Equal(app.Volumes, wantVolumes) {
		t.Errorf("volumes %+v", app.Volumes)
	}
	wantPorts := []Port{
		{HostIP: "127.0.0.1", Host: "8080", Container: 80, Proto: "tcp"},
		{Host: "53", Container: 53, Proto: "udp"},
		{Container: 9000, Proto: "tcp"},
	}
	if !slices.Equal(app.Ports, wantPorts) {
		t.Errorf("ports %+v", app.Ports)
	}
	db := service(t, p, "db")
	if db.Restart != "unless-stopped" || !db.Healthcheck || db.EnvSources["TZ"].short(dir) != "compose.yaml:29:52" || db.EnvSources["POSTGRES_USER"].Line != 29 {
		t.Errorf("db is %+v", db)
	}
	debug := service(t, p, "debug")
	if debug.Active || debug.Healthcheck || !slices.Equal(debug.Profiles, []string{"tools"}) || debug.Pin.Kind != PinLiteral {
		t.Errorf("debug is %+v", debug)
	}
	p = load(t, Options{Dir: dir, Environ: []string{"COMPOSE_PROFILES=tools, more"}, Profiles: []string{"more"}})
	if !service(t, p, "debug").Active || !slices.Equal(p.Profiles, []string{"more", "tools"}) {
		t.Errorf("profiles %v, debug %+v", p.Profiles, service(t, p, "debug"))
	}
}

func TestLoadFindsTheFiles(t *testing.T) {
	one := "services:\n  app:\n    image: repo/app:${TAG:-0}\n"
	for _, c := range []struct {
		name     string
		files    files
		below    string
		options  Options
		found    string // relative, comma-separated
		env      string
		project  string
		tag      string
		explicit bool
	}{
		{
			name: "compose.yaml before docker-compose.yml", files: files{"compose.yaml": one, "docker-compose.yml": one, "docker-compose.override.yml": one},
			found: "compose.yaml,docker-compose.override.yml", project: "shop", tag: "0",
		},
		{name: "parent", files: files{"compose.yml": one, ".env": "TAG=1", "a/b/x": ""}, below: "a/b", found: "compose.yml", env: ".env", project: "shop", tag: "1"},
		{
			name: "COMPOSE_FILE with a separator", files: files{"a.yml": one, "b.yml": one},
			options: Options{Environ: []string{"COMPOSE_FILE=a.yml;b.yml", "COMPOSE_PATH_SEPARATOR=;", "COMPOSE_PROJECT_NAME=named"}},
			found:   "a.yml,b.yml", project: "named", tag: "0", explicit: true,
		},
		{
			name: "COMPOSE_FILE in .env leads elsewhere", files: files{".env": "COMPOSE_FILE=deploy/compose.yml\nTAG=1\n", "deploy/compose.yml": one, "deploy/.env": "TAG=2\n"},
			found: "deploy/compose.yml", env: "deploy/.env,.env", project: "deploy", tag: "1", explicit: true,
		},
		{
			name: "files and env files of a label", files: files{"sub/x.yml": one, "a.env": "TAG=1", "b.env": "TAG=2", ".env": "TAG=3"},
			options: Options{Files: []string{"sub/x.yml"}, EnvFiles: []string{"a.env", "b.env"}, Name: "given"},
			found:   "sub/x.yml", env: "a.env,b.env", project: "given", tag: "2", explicit: true,
		},
		{
			name: "COMPOSE_ENV_FILES", files: files{"compose.yaml": one, "a.env": "TAG=1", ".env": "TAG=3"},
			options: Options{Environ: []string{"COMPOSE_ENV_FILES=a.env"}}, found: "compose.yaml", env: "a.env", project: "shop", tag: "1",
		},
		{
			name: "COMPOSE_DISABLE_ENV_FILE", files: files{"compose.yaml": one, ".env": "TAG=3"},
			options: Options{Environ: []string{"COMPOSE_DISABLE_ENV_FILE=1"}}, found: "compose.yaml", project: "shop", tag: "0",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := c.files.lay(t)
			c.options.Dir = filepath.Join(dir, c.below)
			p := load(t, c.options)
			if got := relative(dir, p.Files); got != c.found {
				t.Errorf("files %s, want %s", got, c.found)
			}
			if got := relative(dir, p.EnvFiles); got != c.env {
				t.Errorf("env files %s, want %s", got, c.env)
			}
			if p.Name != c.project || p.Explicit != c.explicit {
				t.Errorf("project %q explicit %v, want %q %v", p.Name, p.Explicit, c.project, c.explicit)
			}
			if got := service(t, p, "app").Pin.Tag; got != c.tag {
				t.Errorf("tag %q, want %q", got, c.tag)
			}
		})
	}
}

func relative(dir string, paths []string) string {
	out := make([]string, len(paths))
	for i, p := range paths {
		out[i] = strings.TrimPrefix(p, dir+"/")
	}
	return strings.Join(out, ",")
}

func TestLoadErrors(t *testing.T) {
	ok := "services:\n  app:\n    image: repo/app:1\n"
	for _, c := range []struct {
		name  string
		files files
		place string
		says  string
		is    error
	}{
		{name: "no compose file", files: files{"x": ""}, says: "no compose file", is: ErrNoFile},
		{name: "invalid YAML", files: files{"compose.yaml": "services:\n  app:\n    image: repo/app:1\n   restart: x\n"}, place: "compose.yaml:4:4", says: "not valid YAML"},
		{name: "tab", files: files{"compose.yaml": "services:\n  app:\n\timage: x\n"}, place: "compose.yaml:3:2", says: "not valid YAML"},
		{name: "not closed", files: files{"compose.yaml": "services: {app: {image: x}\n"}, place: "compose.yaml:2:1", says: "expected ',' or '}'"},
		{name: "open quote", files: files{"compose.yaml": "services:\n  app:\n    image: \"x\n    y: z\n"}, place: "compose.yaml:3:12", says: "end of stream"},
		{name: "duplicate key", files: files{"compose.yaml": "services:\n  app:\n    image: a\n    image: b\n"}, place: "compose.yaml:4:5", says: "image"},
		{name: "list of services", files: files{"compose.yaml": "services: [app]\n"}, place: "compose.yaml:1:1", says: "services"},
		{name: "empty file", files: files{"compose.yaml": ""}, place: "compose.yaml", says: "empty compose file"},
		{name: "required variable", files: files{"compose.yaml": "services:\n  app:\n    image: \"a/é:${TAG:?set it in .env}\"\n"}, place: "compose.yaml:3:17", says: "the variable TAG must be set: set it in .env"},
		{name: "required variable in .env", files: files{"compose.yaml": ok, ".env": "A=1\nB=x${C?gone}\n"}, place: ".env:2:4", says: "the variable C must be set: gone"},
		{name: "broken interpolation", files: files{"compose.yaml": "services:\n  app:\n    image: repo/app:${1}\n"}, place: "compose.yaml:3:5", says: "services.app.image"},
		{name: "unknown key", files: files{"compose.yaml": "services:\n  app:\n    image: a\n    imagge: b\n"}, place: "compose.yaml:4:5", says: "imagge"},
		{name: "wrong type", files: files{"compose.yaml": "services:\n  app:\n    image: a\n    ports: 80\n"}, place: "compose.yaml:4:5", says: "ports"},
		{name: "undefined dependency", files: files{"compose.yaml": "services:\n  app:\n    image: a\n    depends_on: [db]\n"}, place: "compose.yaml:2:3", says: "db"},
		{name: "broken .env", files: files{"compose.yaml": ok, ".env": "A=1\nB C=hush\n"}, place: ".env:2:1", says: "cannot hold a space"},
		{name: "character in .env", files: files{"compose.yaml": ok, ".env": "A=1\n  B!C=hush\n"}, place: ".env:2:4", says: `cannot hold '!'`},
		{name: "open quote in .env", files: files{"compose.yaml": ok, ".env": "A=1\nB=\"hush\nC=2\n"}, place: ".env:2:3", says: "never closed"},
		{name: "missing env_file", files: files{"compose.yaml": ok + "    env_file: gone.env\n"}, place: "compose.yaml:4:15", says: "gone.env does not exist", is: os.ErrNotExist},
		{name: "broken env_file", files: files{"compose.yaml": ok + "    env_file: a.env\n", "a.env": "A=1\n?=2\n"}, place: "a.env:2:1", says: "cannot hold '?'"},
		{name: "missing include", files: files{"compose.yaml": "include:\n  - gone.yaml\n" + ok}, place: "compose.yaml:2:5", says: "gone.yaml does not exist", is: os.ErrNotExist},
		{name: "remote include", files: files{"compose.yaml": "include:\n  - path: https://example.org/x.git\n" + ok}, place: "compose.yaml:2:5", says: "from the network"},
		{name: "oci include", files: files{"compose.yaml": "include: [\"oci://example.org/x:1\"]\n" + ok}, place: "compose.yaml:1:11", says: "from the network"},
		{name: "include circle", files: files{"compose.yaml": "include: [a.yaml]\n" + ok, "a.yaml": "include: [compose.yaml]\n"}, place: "a.yaml:1:11", says: "includes itself"},
		{name: "extends circle", files: files{"compose.yaml": "services:\n  a: {extends: b}\n  b: {extends: a}\n"}, says: "Circular reference"},
		{name: "missing extends file", files: files{"compose.yaml": "services:\n  a:\n    extends: {file: gone.yaml, service: b}\n"}, place: "compose.yaml:3:21", says: "gone.yaml does not exist", is: os.ErrNotExist},
		{name: "directory", files: files{"compose.yaml/x": ""}, place: "compose.yaml", says: "is a directory", is: syscall.EISDIR},
		{name: "too large", files: files{"compose.yaml": ok + "#" + strings.Repeat("x", maxFile)}, place: "compose.yaml", says: "larger than 10 MB"},
		{name: "merge bomb", files: files{"compose.yaml": mergeBomb()}, says: "compose.yaml"},
		{name: "anchor in itself", files: files{"compose.yaml": "services:\n  app: &a\n    <<: [*a, *a, *a]\n"}, says: "compose.yaml"},
		{name: "alias bomb", files: files{"compose.yaml": bomb()}, says: "compose.yaml"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := c.files.lay(t)
			_, err := Load(t.Context(), Options{Dir: dir})
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("error %T %v, want an *Error", err, err)
			}
			if c.place != "" && e.Place.short(dir) != c.place {
				t.Errorf("place %q, want %q (%v)", e.Place.short(dir), c.place, err)
			}
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("%q does not say %q", err, c.says)
			}
			if strings.Contains(err.Error(), "hush") {
				t.Errorf("%q tells a value", err)
			}
			if c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("%v is not %v", err, c.is)
			}
		})
	}
}

func bomb() string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := range 9 {
		n := string(rune('0' + i))
		b.WriteString("a" + string(rune('1'+i)) + ": &a" + string(rune('1'+i)) + " [" + strings.Repeat("*a"+n+", ", 9) + "*a" + n + "]\n")
	}
	return b.String() + "services: {app: {image: x}}\n"
}

func mergeBomb() string {
	var b strings.Builder
	b.WriteString("x-a0: &a0 {build: .}\n")
	for i := range 9 {
		n := string(rune('0' + i))
		b.WriteString("x-a" + string(rune('1'+i)) + ": &a" + string(rune('1'+i)) + " {<<: [" + strings.Repeat("*a"+n+", ", 9) + "*a" + n + "]}\n")
	}
	return b.String() + "services: {app: {<<: *a9, imagge: y}}\n"
}

func TestLoadUnreadableEnv(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root reads every file")
	}
	dir := files{"compose.yaml": "services: {app: {image: a}}\n", ".env": "A=1\n"}.lay(t)
	if err := os.Chmod(dir+"/.env", 0); err != nil {
		t.Fatal(err)
	}
	_, err := Load(t.Context(), Options{Dir: dir})
	if !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "permission denied") {
		t.Errorf("error %v", err)
	}
}

func TestLoadDoesNotHangOnAFIFO(t *testing.T) {
	dir := files{"compose.yaml": "services: {app: {image: a, env_file: [pipe]}}\n"}.lay(t)
	if err := syscall.Mkfifo(dir+"/pipe", 0o600); err != nil {
		t.Skip(err)
	}
	if _, err := Load(t.Context(), Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("error %v", err)
	}
}

func TestLoadStopsWithTheContext(t *testing.T) {
	dir := files{"compose.yaml": "services: {app: {image: a}}\n"}.lay(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Load(ctx, Options{Dir: dir}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestLoadLeavesNothingBehind(t *testing.T) {
	runtime := t.TempDir()
	dir := files{"compose.yaml": "services: {app: {image: \"a:${T}\"}}\n", ".env": "T=1\n"}.lay(t)
	p := load(t, Options{Dir: dir, Environ: []string{"XDG_RUNTIME_DIR=" + runtime}})
	if _, err := Retag(t.Context(), p, []Move{{Service: "app", Tag: "2"}}); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(runtime); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	if got := content(t, dir+"/.env"); got != "T=1\n" {
		t.Errorf("Retag wrote %q", got)
	}
}
