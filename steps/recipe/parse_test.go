package recipe

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

const whole = `name: PrintStash
match:    {images: ["ghcr.io/xiao-villamor/printstash-*"]}
releases: {github: xiao-villamor/PrintStash, tags: "v{version}", notes: [releases, CHANGELOG.md, UPGRADE.md]}
group:    [api, frontend, worker]            # always on one version
databases:
  - {kind: sqlite, service: api, path: /data/db/printstash.sqlite}
migrate:  {service: api, run: [uv, run, alembic, upgrade, head], unless: {image_migrates: true}}
stop:     {order: [frontend, worker, api]}   # start is the reverse
drain:    {service: worker, exec: [queue, --json], json: "queues.default.size", at_most: 0, samples: 3, every: 10s}
logs:     {ready: ['up'], failed: ['boom \d+'], danger: ['empty database']}
health:   [{http: "/api/v1/health", status: 200, json: {status: ok, degraded: false}, every: 3s}]
route:    [{majors: one_at_a_time}, {via: "2.20.15", before: "3.0.0"}]
config:   [semaphor.env]
hooks:    {before_stop: [notify, "going down"], after_start: [notify, up]}
`

func TestParseReadsTheWholeSchema(t *testing.T) {
	got, err := Parse("belay.yaml", []byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	want := Recipe{
		Name:      "PrintStash",
		Match:     Match{Images: []string{"ghcr.io/xiao-villamor/printstash-*"}},
		Releases:  Releases{GitHub: "xiao-villamor/PrintStash", Tags: "v{version}", Notes: []string{"releases", "CHANGELOG.md", "UPGRADE.md"}},
		Group:     []string{"api", "frontend", "worker"},
		Databases: []Database{{Kind: "sqlite", Service: "api", Path: "/data/db/printstash.sqlite"}},
		Migrate:   &Migrate{Service: "api", Run: []string{"uv", "run", "alembic", "upgrade", "head"}},
		Stop:      Order{Order: []string{"frontend", "worker", "api"}},
		Drain: &Drain{
			Service: "worker", Exec: []string{"queue", "--json"}, JSON: "queues.default.size",
			Samples: 3, Every: 10 * time.Second,
		},
		Logs: Logs{Ready: []string{"up"}, Failed: []string{`boom \d+`}, Danger: []string{"empty database"}},
		Health: []Health{{
			HTTP: "/api/v1/health", Status: 200, Every: 3 * time.Second,
			JSON: map[string]string{"status": "ok", "degraded": "false"},
		}},
		Route:  []Route{{Majors: "one_at_a_time"}, {Via: "2.20.15", Before: "3.0.0"}},
		Config: []string{"semaphor.env"},
		Hooks:  Hooks{BeforeStop: []string{"notify", "going down"}, AfterStart: []string{"notify", "up"}},
		Files:  []string{"belay.yaml"},
	}
	want.Migrate.Unless.ImageMigrates = true
	got.places = nil
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestParseSaysWhereTheMistakeIs(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"unknown key", "name: x\ngruop: [a]\n", `belay.yaml:2:1: a recipe has no key "gruop"; did you mean "group"?`},
		{"unknown key deep", "releases:\n  gitub: a/b\n", `belay.yaml:2:3: releases has no key "gitub"; did you mean "github"?`},
		{"nothing near", "wobble: 1\n", `belay.yaml:1:1: a recipe has no key "wobble"; it may have config, databases,`},
		{"unknown key in a list", "health:\n  - http: /x\n    stauts: 200\n", `belay.yaml:3:5: health[0] has no key "stauts"; did you mean "status"?`},
		{"repeated key", "group: [a]\nname: x\ngroup: [b]\n", `belay.yaml:3:1: the key "group" is here a second time; the first is in line 1`},
		{"list wanted", "group: api\n", "belay.yaml:1:8: group must be a list, not text"},
		{"mapping wanted", "stop: [a]\n", "belay.yaml:1:7: stop must be a set of keys, not a list"},
		{"text wanted", "name: [a]\n", "belay.yaml:1:7: name must be text, not a list"},
		{"number wanted", "health: [{http: /x, status: ok}]\n", `belay.yaml:1:29: health[0].status must be a whole number, not "ok"`},
		{"number too big", "health: [{http: /x, port: 70000}]\n", "belay.yaml:1:27: health[0].port is 70000; it must be between 1 and 65535"},
		{"yes or no", "migrate: {service: a, run: [b], unless: {image_migrates: 3}}\n", `must be true or false, not "3"`},
		{"duration without unit", "health: [{http: /x, every: 3}]\n", "belay.yaml:1:28: health[0].every has no unit; write 3s or 3m"},
		{"bad duration", "health: [{http: /x, every: soon}]\n", `health[0].every is "soon"; write a time like 3s`},
		{"no time at all", "health: [{http: /x, every: 0s}]\n", "it must be more than nothing"},
		{"bad pattern", "logs:\n  ready:\n    - 'a('\n", "belay.yaml:3:7: logs.ready[0]: this is not a regular expression: missing closing )"},
		{"bad glob", "match: {images: ['a[']}\n", "belay.yaml:1:18: match.images[0]: "},
		{"empty item", "group: ['']\n", "belay.yaml:1:9: group[0] is empty"},
		{"not a service", "group: ['a b']\n", `group[0]: "a b" is not the name of a service`},
		{"not a repository", "releases: {github: https://github.com/a/b}\n", "is not owner/name"},
		{"tags without version", "releases: {tags: v1}\n", "it must hold {version} once"},
		{"relative path", "databases: [{kind: sqlite, service: a, path: db.sqlite}]\n", "belay.yaml:1:46: databases[0].path"},
		{"kind", "databases: [{kind: postgre, service: a}]\n", `did you mean "postgres"?`},
		{"sqlite without path", "databases:\n  - {kind: sqlite, service: a}\n", "belay.yaml:2:5: databases[0] needs the path"},
		{"health without http", "health: [{status: 200}]\n", "belay.yaml:1:10: health[0] needs http"},
		{"address with login", "health: [{http: 'http://a:b@c/'}]\n", "must not hold a login"},
		{"half a route", "route: [{via: 1.2.3}]\n", "needs both"},
		{"route of a word", "route: [{majors: all}]\n", `"all" is not known here; it may be one_at_a_time`},
		{"drain without a command", "drain: {service: a}\n", "belay.yaml:1:8: drain needs a service and the command"},
		{"merge key", "stop: &s {order: [a]}\nlogs:\n  <<: *s\n", "belay.yaml:3:3: only plain keys"},
		{"invalid YAML", "a: [1\nb: 2\n", "this is not valid YAML"},
		{"tab", "name: x\n\tgroup: [a]\n", "belay.yaml:2: this is not valid YAML"},
		{"two documents", "name: x\n---\nname: y\n", "a second document"},
		{"a scalar", "hello\n", "belay.yaml:1:1: a recipe must be a set of keys, not text"},
		{"NUL", "name: \"a\\0b\"\n", "NUL"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("belay.yaml", []byte(tt.in))
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v, want an *Error", err)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got  %s\nwant %s", err, tt.want)
			}
		})
	}
}

func TestParseTakesOddButRightInput(t *testing.T) {
	tests := []struct {
		name, in string
		want     Recipe
	}{
		{"nothing", "", Recipe{}},
		{"comments", "# one\n# two\n", Recipe{}},
		{"null", "null\n", Recipe{}},
		{"BOM and CRLF", "\ufeffname: x\r\ngroup: [a]\r\n", Recipe{Name: "x", Group: []string{"a"}}},
		{"number as text", "route: [{via: 2.20, before: 3}]\n", Recipe{Route: []Route{{Via: "2.20", Before: "3"}}}},
		{"alias", "group: &g [a, b]\nstop: {order: *g}\n", Recipe{Group: []string{"a", "b"}, Stop: Order{Order: []string{"a", "b"}}}},
		{"null key", "migrate: null\nname: x\n", Recipe{Name: "x"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Parse("belay.yaml", []byte(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			got.Files, got.places = nil, nil
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(whole))
	f.Add([]byte("group: &a [*a]\n"))
	f.Add([]byte("a: &a {b: *a}\n---\n"))
	f.Add([]byte("\xff\xfe\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Parse("belay.yaml", data)
		if err == nil {
			_ = Check(r, []string{"app"})
			_ = Fit(r, []string{"app"})
			return
		}
		var e *Error
		if !errors.As(err, &e) || e.Msg == "" || e.File != "belay.yaml" {
			t.Fatalf("a mistake without a place: %v", err)
		}
	})
}
