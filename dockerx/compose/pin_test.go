package compose

import (
	"strings"
	"testing"
)

const newDigest = "sha256:00000000000000000000000000000000000000000000000000000000000000aa"

var oldDigest = "sha256:" + strings.Repeat("b", 64)

// Every shape a version can be written in. to is what the changed file must
// contain; want are the services that move.
var shapes = []struct {
	name    string
	files   files
	environ []string
	service string
	kind    PinKind
	place   string
	value   string
	move    []string
	change  [2]string // file, new content ("" = the pin is not editable)
	why     string
}{
	{
		name:    "literal",
		files:   files{"compose.yaml": "services:\n  app:\n    image: repo/app:1.2.3 # pinned\n"},
		service: "app", kind: PinLiteral, place: "compose.yaml:3:21", value: "1.2.3", move: []string{"app"},
		change: [2]string{"compose.yaml", "services:\n  app:\n    image: repo/app:9.9.9 # pinned\n"},
	},
	{
		name:    "quotes, CRLF, BOM, non-ASCII",
		files:   files{"docker-compose.yml": "\uFEFFservices:\r\n  app: {x-ö: \"ü\", \"image\": 'repo/app:1.2.3'} # ä\r\n"},
		service: "app", kind: PinLiteral, place: "docker-compose.yml:2:38", value: "1.2.3", move: []string{"app"},
		change: [2]string{"docker-compose.yml", "\uFEFFservices:\r\n  app: {x-ö: \"ü\", \"image\": 'repo/app:9.9.9'} # ä\r\n"},
	},
	{
		name: "override file wins",
		files: files{
			"compose.yaml":          "services:\n  app:\n    image: repo/app:1.0.0\n",
			"compose.override.yaml": "services:\n  app:\n    image: repo/app:1.2.3\n",
		},
		service: "app", kind: PinLiteral, place: "compose.override.yaml:3:21", value: "1.2.3", move: []string{"app"},
		change: [2]string{"compose.override.yaml", "services:\n  app:\n    image: repo/app:9.9.9\n"},
	},
	{
		name: "env: last duplicate wins, export, quotes, comment, CRLF",
		files: files{
			"compose.yaml": "services:\n  app:\n    image: repo/app:${TAG}\n  web:\n    image: repo/web:${TAG:-2}\n",
			".env":         "TAG=1.0.0\r\n# TAG=7\r\nexport TAG = \"1.2.3\" # now\r\nB=v1# c\r\n",
		},
		service: "app", kind: PinEnv, place: ".env:3:15", value: "1.2.3", move: []string{"app", "web"},
		change: [2]string{".env", "TAG=1.0.0\r\n# TAG=7\r\nexport TAG = \"9.9.9\" # now\r\nB=v1# c\r\n"},
	},
	{
		name: "env: an assignment inside a quoted value is none",
		files: files{
			"compose.yaml": "services:\n  app:\n    image: repo/app:$TAG\n",
			".env":         "\uFEFFTAG: 1.2.3\nTEXT=\"one\nTAG=7\ntwo\"\n",
		},
		service: "app", kind: PinEnv, place: ".env:1:6", value: "1.2.3", move: []string{"app"},
		change: [2]string{".env", "\uFEFFTAG: 9.9.9\nTEXT=\"one\nTAG=7\ntwo\"\n"},
	},
	{
		name: "env: whole reference",
		files: files{
			"compose.yaml": "services:\n  app:\n    image: ${APP_IMAGE}\n",
			".env":         "APP_IMAGE='localhost:5000/app:1.2.3'",
		},
		service: "app", kind: PinEnv, place: ".env:1:31", value: "localhost:5000/app:1.2.3", move: []string{"app"},
		change: [2]string{".env", "APP_IMAGE='localhost:5000/app:9.9.9'"},
	},
	{
		name:    "env: prefix fixed in the image line",
		files:   files{"compose.yaml": "services:\n  app:\n    image: repo/app:9.${MINOR}-slim\n", ".env": "MINOR=2.3\n"},
		service: "app", kind: PinEnv, place: ".env:1:7", value: "2.3", move: []string{"app"},
	},
	{
		name:    "env: v fixed in the image line",
		files:   files{"compose.yaml": "services:\n  app:\n    image: repo/app:v${TAG}\n", ".env": "TAG=1.2.3\n"},
		service: "app", kind: PinEnv, place: ".env:1:5", value: "1.2.3", move: []string{"app"},
	},
	{
		name:    "env: put together",
		files:   files{"compose.yaml": "services:\n  app:\n    image: repo/app:${TAG}\n", ".env": "X=1.2.3\nTAG=v${X}\n"},
		service: "app", kind: PinUnknown, why: "other variables",
	},
	{
		name:    "default",
		files:   files{"compose.yaml": "services:\n  app:\n    image: \"repo/app:${TAG:-1.2.3}\"\n"},
		service: "app", kind: PinDefault, place: "compose.yaml:3:29", value: "1.2.3", move: []string{"app"},
		change: [2]string{"compose.yaml", "services:\n  app:\n    image: \"repo/app:${TAG:-9.9.9}\"\n"},
	},
	{
		name:    "default without colon, set but empty in .env",
		files:   files{"compose.yaml": "services:\n  app:\n    image: repo/app:${TAG:-1.2.3}\n", ".env": "TAG=\n"},
		service: "app", kind: PinDefault, place: "compose.yaml:3:28", value: "1.2.3", move: []string{"app"},
		change: [2]string{"compose.yaml", "services:\n  app:\n    image: repo/app:${TAG:-9.9.9}\n"},
	},
	{
		name:    "nested default of a whole image",
		files:   files{"compose.yaml": "services:\n  app:\n    image: ${IMG:-repo/app:${TAG-1.2.3}}\n"},
		service: "app", kind: PinDefault, place: "compose.yaml:3:34", value: "1.2.3", move: []string{"app"},
		change: [2]string{"compose.yaml", "services:\n  app:\n    image: ${IMG:-repo/app:${TAG-9.9.9}}\n"},
	},
	{
		name:    "shell",
		files:   files{"compose.yaml": "services:\n  app:\n    image: repo/app:${TAG}\n", ".env": "TAG=1.0.0\n"},
		environ: []string{"TAG=1.2.3"},
		service: "app", kind: PinShell, why: "$TAG comes from the process environment",
	},
	{
		name:    "digest",
		files:   files{"compose.yaml": "services:\n  app:\n    image: repo/app@" + oldDigest + "\n"},
		service: "app", kind: PinDigest, place: "compose.yaml:3:21", value: oldDigest, move: []string{"app"},
		change: [2]string{"compose.yaml", "services:\n  app:\n    image: repo/app@" + newDigest + "\n"},
	},
	{
		name:    "tag and digest",
		files:   files{"compose.yaml": "services:\n  app:\n    image: repo/app:1.2.3@" + oldDigest + "\n"},
		service: "app", kind: PinDigest, place: "compose.yaml:3:21", value: "1.2.3@" + oldDigest, move: []string{"app"},
		change: [2]string{"compose.yaml", "services:\n  app:\n    image: repo/app:9.9.9@" + newDigest + "\n"},
	},
	{
		name:    "no tag",
		files:   files{"compose.yaml": "services:\n  app:\n    image: localhost:5000/app # latest\n"},
		service: "app", kind: PinNoTag, place: "compose.yaml:3:30", value: "", move: []string{"app"},
		change: [2]string{"compose.yaml", "services:\n  app:\n    image: localhost:5000/app:9.9.9 # latest\n"},
	},
	{
		name:    "build only",
		files:   files{"compose.yaml": "services:\n  app:\n    build: .\n"},
		service: "app", kind: PinBuild,
	},
	{
		name: "anchor feeds two services",
		files: files{"compose.yaml": "x-base: &base\n  image: &img !!str repo/app:1.2.3\n  restart: always\n" +
			"services:\n  app:\n    <<: *base\n  worker:\n    <<: [*base]\n    command: work\n  other:\n    image: repo/other:1\n"},
		service: "worker", kind: PinLiteral, place: "compose.yaml:2:30", value: "1.2.3", move: []string{"app", "worker"},
	},
	{
		name:    "alias",
		files:   files{"compose.yaml": "services:\n  app:\n    image: &i \"repo/app:1.2.3\"\n  worker:\n    image: *i\n"},
		service: "worker", kind: PinLiteral, place: "compose.yaml:3:25", value: "1.2.3", move: []string{"app", "worker"},
	},
	{
		name:    "folded block",
		files:   files{"compose.yaml": "services:\n  app:\n    image: >-\n      repo/app:1.2.3\n    restart: always\n"},
		service: "app", kind: PinLiteral, place: "compose.yaml:4:16", value: "1.2.3", move: []string{"app"},
		change: [2]string{"compose.yaml", "services:\n  app:\n    image: >-\n      repo/app:9.9.9\n    restart: always\n"},
	},
	{
		name:    "escapes in the image line",
		files:   files{"compose.yaml": "services:\n  app:\n    image: \"repo/app:1.2\\x2e3\"\n"},
		service: "app", kind: PinUnknown, why: "byte for byte",
	},
	{
		name:    "extends in the same file",
		files:   files{"compose.yaml": "services:\n  base:\n    image: repo/app:1.2.3\n    profiles: [never]\n  app:\n    extends: base\n"},
		service: "app", kind: PinLiteral, place: "compose.yaml:3:21", value: "1.2.3", move: []string{"app", "base"},
	},
	{
		name: "extends in another file",
		files: files{
			"compose.yaml":       "services:\n  app:\n    extends: {file: common/base.yml, service: base}\n",
			"common/base.yml":    "services:\n  base:\n    extends: {file: deeper.yml, service: deep}\n",
			"common/deeper.yml":  "services:\n  deep:\n    image: repo/app:1.2.3\n",
			"common/unused.yaml": "services: {}\n",
		},
		service: "app", kind: PinLiteral, place: "common/deeper.yml:3:21", value: "1.2.3", move: []string{"app"},
		change: [2]string{"common/deeper.yml", "services:\n  deep:\n    image: repo/app:9.9.9\n"},
	},
	{
		name: "include with its own .env",
		files: files{
			"compose.yaml":     "include:\n  - sub/compose.yaml\nservices:\n  web:\n    image: repo/web:${TAG:-0}\n",
			"sub/compose.yaml": "services:\n  app:\n    image: repo/app:${TAG}\n    depends_on: [db]\n  db:\n    image: repo/db:5\n",
			"sub/.env":         "TAG=1.2.3\n",
		},
		service: "app", kind: PinEnv, place: "sub/.env:1:5", value: "1.2.3", move: []string{"app"},
		change: [2]string{"sub/.env", "TAG=9.9.9\n"},
	},
	{
		name: "include with another project directory and env file",
		files: files{
			"compose.yaml":     "include:\n  - path: [sub/a.yaml, sub/b.yaml]\n    project_directory: proj\n    env_file: conf/x.env\n",
			"sub/a.yaml":       "services:\n  app:\n    image: repo/app:1\n    extends: {file: ext.yaml, service: base}\n",
			"sub/b.yaml":       "services:\n  app:\n    image: repo/app:${TAG}\n",
			"proj/ext.yaml":    "services:\n  base:\n    restart: always\n",
			"conf/x.env":       "TAG=1.2.3\n",
			"proj/.env":        "TAG=no\n",
			"proj/data/.keep2": "",
		},
		service: "app", kind: PinEnv, place: "conf/x.env:1:5", value: "1.2.3", move: []string{"app"},
		change: [2]string{"conf/x.env", "TAG=9.9.9\n"},
	},
	{
		name:    "inactive profile",
		files:   files{"compose.yaml": "services:\n  app:\n    image: repo/app:1.2.3\n    profiles: [extra]\n    env_file: missing.env\n"},
		service: "app", kind: PinLiteral, place: "compose.yaml:3:21", value: "1.2.3", move: []string{"app"},
	},
	{
		name:    "two documents",
		files:   files{"compose.yaml": "services:\n  app:\n    image: repo/app:1\n---\nservices:\n  app:\n    image: repo/app:1.2.3\n"},
		service: "app", kind: PinLiteral, place: "compose.yaml:7:21", value: "1.2.3", move: []string{"app"},
	},
	{
		name:    "tag and the image line's variant in different variables",
		files:   files{"compose.yaml": "services:\n  app:\n    image: repo/app:${TAG}-${KIND:-slim}\n", ".env": "TAG=1.2.3\n"},
		service: "app", kind: PinEnv, place: ".env:1:5", value: "1.2.3", move: []string{"app"},
	},
	{
		name:    "COMPOSE_FILE in .env",
		files:   files{".env": "COMPOSE_FILE=a.yml:b.yml\nCOMPOSE_PROJECT_NAME=other\n", "a.yml": "services:\n  app:\n    image: repo/app:1\n", "b.yml": "services:\n  app:\n    image: repo/app:1.2.3\n"},
		service: "app", kind: PinLiteral, place: "b.yml:3:21", value: "1.2.3", move: []string{"app"},
	},
}

func TestPinShapes(t *testing.T) {
	for _, c := range shapes {
		t.Run(c.name, func(t *testing.T) {
			dir := c.files.lay(t)
			p := load(t, Options{Dir: dir, Environ: c.environ})
			pin := service(t, p, c.service).Pin
			if pin.Kind != c.kind {
				t.Fatalf("kind %q (%s), want %q", pin.Kind, pin.Why, c.kind)
			}
			if !strings.Contains(pin.Why, c.why) || (c.why == "") != (pin.Why == "") {
				t.Errorf("why %q, want %q", pin.Why, c.why)
			}
			if !pin.Editable() {
				if _, err := Retag(t.Context(), p, []Move{{Service: c.service, Tag: "9.9.9"}}); err == nil {
					t.Error("Retag accepted a pin that is not editable")
				}
				return
			}
			if got := pin.Place.short(dir); got != c.place {
				t.Errorf("place %s, want %s", got, c.place)
			}
			if pin.Value != c.value {
				t.Errorf("value %q, want %q", pin.Value, c.value)
			}
			if strings.Join(pin.Services, " ") != strings.Join(c.move, " ") {
				t.Errorf("moves %v, want %v", pin.Services, c.move)
			}
			if c.change[0] != "" {
				checkRetag(t, p, dir, c.service, c.move, c.change)
			}
		})
	}
}

func checkRetag(t *testing.T, p *Project, dir, name string, all []string, change [2]string) {
	t.Helper()
	var moves []Move
	for _, s := range all {
		moves = append(moves, Move{Service: s, Tag: "9.9.9", Digest: newDigest})
	}
	edits, err := Retag(t.Context(), p, moves)
	if err != nil {
		t.Fatalf("Retag: %v", err)
	}
	if len(edits) != 1 || edits[0].Path != dir+"/"+change[0] {
		t.Fatalf("edits of %v, want one of %s", edits, change[0])
	}
	before := content(t, edits[0].Path)
	if err := edits[0].Apply(); err != nil {
		t.Fatalf("Apply: %v", err)
	}
	if got := content(t, edits[0].Path); got != change[1] {
		t.Fatalf("wrote\n%q, want\n%q", got, change[1])
	}
	after := load(t, p.options)
	want := "9.9.9"
	if pin := service(t, p, name).Pin; pin.Kind == PinDigest && pin.Tag == "" {
		want = ""
	}
	if got := service(t, after, name).Pin.Tag; got != want {
		t.Errorf("tag is %q after the edit, want %q", got, want)
	}
	if err := edits[0].Revert(); err != nil {
		t.Fatalf("Revert: %v", err)
	}
	if got := content(t, edits[0].Path); got != before {
		t.Fatalf("reverted to %q, want %q", got, before)
	}
}
