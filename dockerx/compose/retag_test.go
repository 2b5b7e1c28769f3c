package compose

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestRetagRefuses(t *testing.T) {
	two := "services:\n  app:\n    image: repo/app:${TAG}\n  worker:\n    image: repo/app:${TAG}-slim\n"
	for _, c := range []struct {
		name  string
		files files
		moves []Move
		says  string
	}{
		{"unknown service", files{"compose.yaml": two, ".env": "TAG=1\n"}, []Move{{Service: "web", Tag: "2"}}, `no service "web"`},
		{"no tag", files{"compose.yaml": two, ".env": "TAG=1\n"}, []Move{{Service: "app", Tag: "a b"}}, "not an image tag"},
		{"injected line", files{"compose.yaml": two, ".env": "TAG=1\n"}, []Move{{Service: "app", Tag: "2\nX=1"}}, "not an image tag"},
		{"another service shares the place", files{"compose.yaml": two, ".env": "TAG=1\n"}, []Move{{Service: "app", Tag: "2"}}, "also move worker"},
		{"to different versions", files{"compose.yaml": two, ".env": "TAG=1\n"}, []Move{{Service: "app", Tag: "2"}, {Service: "worker", Tag: "3-slim"}}, "same one"},
		{"suffix does not fit", files{"compose.yaml": two, ".env": "TAG=1\n"}, []Move{{Service: "app", Tag: "2"}, {Service: "worker", Tag: "2-full"}}, `fixes "…-slim"`},
		{"twice", files{"compose.yaml": two, ".env": "TAG=1\n"}, []Move{{Service: "worker", Tag: "2-slim"}, {Service: "worker", Tag: "3-slim"}}, "two versions"},
		{
			"another service's command", files{
				"compose.yaml": "services:\n  app: {image: \"repo/app:${TAG}\"}\n  db: {image: \"postgres:17\", command: \"run ${TAG}\"}\n", ".env": "TAG=1\n",
			}, []Move{{Service: "app", Tag: "2"}}, "also alter db",
		},
		{
			"a volume's name", files{
				"compose.yaml": "services:\n  app: {image: \"repo/app:${TAG}\", volumes: [\"d:/d\"]}\nvolumes: {d: {name: \"data-${TAG}\"}}\n", ".env": "TAG=1\n",
			}, []Move{{Service: "app", Tag: "2"}}, "networks, volumes or the like",
		},
		{"digest not known", files{"compose.yaml": "services:\n  app: {image: \"a@" + oldDigest + "\"}\n"}, []Move{{Service: "app", Tag: "2"}}, "pinned by digest"},
		{"digest is none", files{"compose.yaml": "services:\n  app: {image: \"a@" + oldDigest + "\"}\n"}, []Move{{Service: "app", Digest: "sha256:12"}}, "not an image digest"},
		{"built", files{"compose.yaml": "services:\n  app: {build: .}\n"}, []Move{{Service: "app", Tag: "2"}}, "built here"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := load(t, Options{Dir: c.files.lay(t)})
			edits, err := Retag(t.Context(), p, c.moves)
			var e *Error
			if !errors.As(err, &e) || !strings.Contains(e.Error(), c.says) || edits != nil {
				t.Errorf("edits %v, error %v, want one that says %q", edits, err, c.says)
			}
		})
	}
}

// Immich's own compose file gives every service the whole .env, and its version
// stands in there: a service that is merely told the version does not move.
func TestRetagLetsOthersBeTold(t *testing.T) {
	dir := files{
		"compose.yaml": "services:\n  app: {image: \"repo/app:${TAG}\", env_file: .env}\n  db: {image: \"postgres:17\", env_file: .env}\n",
		".env":         "TAG=1.2.3\nOTHER=x\n",
	}.lay(t)
	edits, err := Retag(t.Context(), load(t, Options{Dir: dir}), []Move{{Service: "app", Tag: "1.3.0"}})
	if err != nil || len(edits) != 1 || edits[0].After != "TAG=1.3.0" {
		t.Fatalf("edits %v, error %v", edits, err)
	}
}

// What a moving service makes of its own variable follows it.
func TestRetagLetsTheServiceFollow(t *testing.T) {
	dir := files{
		"compose.yaml": "services:\n  app:\n    image: repo/app:${TAG}\n    env_file: .env\n    labels: {version: \"v${TAG}\"}\n  db: {image: \"postgres:17\"}\n",
		".env":         "TAG=1.2.3\n",
	}.lay(t)
	edits, err := Retag(t.Context(), load(t, Options{Dir: dir}), []Move{{Service: "app", Tag: "1.3.0"}})
	if err != nil || len(edits) != 1 {
		t.Fatalf("edits %v, error %v", edits, err)
	}
}

func TestRetagMakesOneEditPerFile(t *testing.T) {
	dir := files{
		"compose.yaml": "services:\n  app: {image: \"repo/app:1\"}\n  web:\n    image: repo/web:1\n  job: {image: \"repo/job:${JOB}\"}\n  same: {image: \"repo/same:2\"}\n  db: {image: \"postgres:17\"}\n",
		".env":         "JOB=1\n",
	}.lay(t)
	p := load(t, Options{Dir: dir})
	edits, err := Retag(t.Context(), p, []Move{{Service: "web", Tag: "2"}, {Service: "app", Tag: "2"}, {Service: "job", Tag: "2"}, {Service: "same", Tag: "2"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(edits) != 2 || edits[0].Path != dir+"/.env" || edits[1].Path != dir+"/compose.yaml" {
		t.Fatalf("edits %+v", edits)
	}
	want := []LineChange{
		{2, `  app: {image: "repo/app:1"}`, `  app: {image: "repo/app:2"}`},
		{4, "    image: repo/web:1", "    image: repo/web:2"},
	}
	if e := edits[1]; !slices.Equal(e.Lines, want) || e.Line != 2 || e.Before != want[0].Before || e.After != want[0].After {
		t.Errorf("lines %+v of %+v", e.Lines, e)
	}
	for _, e := range edits {
		if err := e.Apply(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Retag(t.Context(), p, []Move{{Service: "app", Tag: "3"}}); !errors.Is(err, ErrForeign) {
		t.Errorf("with a project that was loaded before the edit: %v, want ErrForeign", err)
	}
	if edits, err := Retag(t.Context(), load(t, Options{Dir: dir}), []Move{{Service: "app", Tag: "2"}}); err != nil || len(edits) > 0 {
		t.Errorf("nothing to change: %v, %v", edits, err)
	}
}

// A file that two links lead to is one file.
func TestRetagThroughLinks(t *testing.T) {
	dir := files{
		"compose.yaml": "include: [a.yaml, b.yaml]\nservices: {x: {image: \"x:1\"}}\n",
		"a.yaml":       "services:\n  a:\n    extends: {file: one.yaml, service: base}\n",
		"b.yaml":       "services:\n  b:\n    extends: {file: two.yaml, service: base}\n",
		"real/r.yaml":  "services:\n  base: {image: \"repo/app:1.2.3\"}\n",
	}.lay(t)
	for _, name := range []string{"one.yaml", "two.yaml"} {
		if err := os.Symlink("real/r.yaml", filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	p := load(t, Options{Dir: dir})
	if got := service(t, p, "a").Pin.Services; !slices.Equal(got, []string{"a", "b"}) {
		t.Fatalf("a's place moves %v: %+v", got, service(t, p, "a").Pin)
	}
	edits, err := Retag(t.Context(), p, []Move{{Service: "a", Tag: "2"}, {Service: "b", Tag: "2"}})
	if err != nil || len(edits) != 1 {
		t.Fatalf("edits %+v, error %v", edits, err)
	}
	if err := edits[0].Apply(); err != nil {
		t.Fatal(err)
	}
	if got := content(t, dir+"/real/r.yaml"); got != "services:\n  base: {image: \"repo/app:2\"}\n" {
		t.Errorf("the file behind the links is %q", got)
	}
}

// Absolute paths would lead out of the trial copy.
func TestRetagFollowsAbsolutePaths(t *testing.T) {
	dir := files{".env": "TAG=1\n", "sub/sub.yaml": "services:\n  sub: {image: \"repo/sub:1\", env_file: s.env}\n", "proj/s.env": "A=1\n"}.lay(t)
	text := "include: [{path: \"" + dir + "/sub/sub.yaml\", project_directory: \"" + dir + "/proj\"}]\nservices:\n" +
		"  app: {image: \"repo/app:${TAG}\", volumes: [\"" + dir + "/.env:/env\", \"${PWD}/x:/x\"]}\n" +
		"  db: {image: \"postgres:17\", env_file: \"${HERE:-" + dir + "}/db.env\"}\n"
	for name, text := range map[string]string{"compose.yaml": text, "db.env": "B=1\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := load(t, Options{Dir: dir})
	for name, tag := range map[string]string{"app": "2", "sub": "3", "db": "18"} {
		edits, err := Retag(t.Context(), p, []Move{{Service: name, Tag: tag}})
		if err != nil || len(edits) != 1 {
			t.Errorf("%s: edits %+v, error %v, pin %+v", name, edits, err, service(t, p, name).Pin)
		}
	}
}

// What the trial copy cannot show must not be claimed: here the very env file
// that would change is read through a path that only a variable knows.
func TestRetagFailsSafe(t *testing.T) {
	dir := files{
		".env": "TAG=1\n", "compose.yaml": "services:\n  app: {image: \"repo/app:${TAG}\"}\n  db: {image: \"postgres:17\", env_file: \"${HERE}/.env\"}\n",
	}.lay(t)
	p := load(t, Options{Dir: dir, Environ: []string{"HERE=" + dir}})
	if pin := service(t, p, "app").Pin; pin.Kind != PinUnknown || !strings.Contains(pin.Why, "absolute path") {
		t.Errorf("app: %+v", pin)
	}
	if pin := service(t, p, "db").Pin; pin.Kind != PinLiteral {
		t.Errorf("db: %+v", pin)
	}
}
