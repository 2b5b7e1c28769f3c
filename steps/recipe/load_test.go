package recipe

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"belay/recipes"
)

// known is a folder of embedded recipes.
func known(files map[string]string) fs.FS {
	out := fstest.MapFS{}
	for name, text := range files {
		out[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return out
}

func project(t *testing.T, belayYAML string) string {
	t.Helper()
	dir := t.TempDir()
	if belayYAML != "" {
		if err := os.WriteFile(filepath.Join(dir, UserFile), []byte(belayYAML), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const shop = `name: Shop
match: {images: [acme/shop, acme/shop-*]}
releases: {github: acme/shop, tags: "v{version}"}
group: [web, worker]
migrate: {service: web, run: [migrate]}
health: [{http: /health, every: 3s}]
`

func TestLoadOverlaysKeyByKey(t *testing.T) {
	dir := project(t, "releases: {tags: '{version}'}\ngroup: [web]\nmigrate: null\nlogs: {ready: [up]}\n")
	r, err := Load(dir, []string{"postgres", "acme/shop"}, known(map[string]string{"shop.yaml": shop}))
	if err != nil {
		t.Fatal(err)
	}
	want := Recipe{
		Name:     "Shop",
		Match:    Match{Images: []string{"acme/shop", "acme/shop-*"}},
		Releases: Releases{GitHub: "acme/shop", Tags: "{version}"},
		Group:    []string{"web"},
		Logs:     Logs{Ready: []string{"up"}},
		Files:    []string{"shop.yaml", filepath.Join(dir, UserFile)},
	}
	if len(r.Health) != 1 || r.Health[0].HTTP != "/health" {
		t.Errorf("health was lost: %+v", r.Health)
	}
	r.Health, r.places = nil, nil
	if !reflect.DeepEqual(r, want) {
		t.Errorf("got  %+v\nwant %+v", r, want)
	}
}

func TestLoadWithoutAnything(t *testing.T) {
	r, err := Load(project(t, ""), []string{"acme/other"}, known(map[string]string{"shop.yaml": shop}))
	if err != nil || !reflect.DeepEqual(r, Recipe{}) {
		t.Errorf("got %+v, %v; want nothing", r, err)
	}
}

func TestLoadPicksTheRecipeThatFitsMost(t *testing.T) {
	embedded := known(map[string]string{
		"a.yaml": "name: A\nmatch: {images: [acme/web]}\n",
		"b.yaml": "name: B\nmatch: {images: ['acme/*']}\n",
	})
	r, err := Load(t.TempDir(), []string{"acme/web", "acme/worker"}, embedded)
	if err != nil || r.Name != "B" {
		t.Errorf("got %q, %v; want B", r.Name, err)
	}
	r, err = Load(t.TempDir(), []string{"acme/web"}, embedded)
	if err != nil || r.Name != "A" {
		t.Errorf("got %q, %v; want A, the first of equals", r.Name, err)
	}
}

func TestLoadNamesTheUsersFile(t *testing.T) {
	dir := project(t, "name: x\nheath: []\n")
	_, err := Load(dir, nil, nil)
	var e *Error
	if !errors.As(err, &e) || e.File != filepath.Join(dir, UserFile) || e.Line != 2 {
		t.Errorf("got %v; want line 2 of belay.yaml", err)
	}
	if err := os.Remove(filepath.Join(dir, UserFile)); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, UserFile), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir, nil, nil); !errors.As(err, &e) || !strings.Contains(e.Msg, "cannot read") {
		t.Errorf("got %v; want an *Error: a directory is no recipe", err)
	}
}

func TestMatchFits(t *testing.T) {
	tests := []struct {
		glob, image string
		want        bool
	}{
		{"luka1thb/tymeslot", "luka1thb/tymeslot", true},
		{"luka1thb/tymeslot", "docker.io/luka1thb/tymeslot:1.2.3-slim", true},
		{"docker.io/luka1thb/tymeslot", "luka1thb/tymeslot@sha256:abc", true},
		{"luka1thb/tymeslot", "ghcr.io/luka1thb/tymeslot", false},
		{"ghcr.io/a/b-*", "ghcr.io/a/b-c", true},
		{"ghcr.io/a/*", "ghcr.io/a/b/c", false},
		{"nextcloud", "docker.io/library/nextcloud:32", true},
		{"127.0.0.1:5000/tide", "127.0.0.1:5000/tide", true},
	}
	for _, tt := range tests {
		if got := (Match{Images: []string{tt.glob}}).Fits(tt.image); got != tt.want {
			t.Errorf("%s fits %s: got %v, want %v", tt.glob, tt.image, got, tt.want)
		}
	}
}

func TestCheckNamesTheUnknownService(t *testing.T) {
	services := []string{"web", "worker", "db"}
	tests := []struct{ name, in, want string }{
		{"group", "group:\n  - web\n  - wroker\n", `belay.yaml:3:5: this project has no service "wroker"; did you mean "worker"?`},
		{"database", "databases: [{kind: postgres, service: pg}]\n", "belay.yaml:1:39: "},
		{"migrate", "migrate: {service: x, run: [y]}\n", "belay.yaml:1:20: "},
		{"stop", "stop: {order: [web, nginx]}\n", "belay.yaml:1:21: "},
		{"drain", "drain: {service: queue, exec: [y]}\n", "belay.yaml:1:18: "},
		{"health", "health:\n  - {http: /, service: front}\n", `belay.yaml:2:24: this project has no service "front"; it has web, worker, db`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := Parse("belay.yaml", []byte(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			err = Check(r, services)
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestCheckLeavesEmbeddedNamesToFit(t *testing.T) {
	embedded := known(map[string]string{"shop.yaml": shop + "drain: {service: queue, exec: [y]}\n"})
	r, err := Load(project(t, "stop: {order: [web]}\n"), []string{"acme/shop"}, embedded)
	if err != nil {
		t.Fatal(err)
	}
	if err := Check(r, []string{"web"}); err != nil {
		t.Errorf("an embedded recipe must fit other layouts: %v", err)
	}
	fit := Fit(r, []string{"web"})
	if !reflect.DeepEqual(fit.Group, []string{"web"}) || fit.Drain != nil || fit.Migrate == nil {
		t.Errorf("got %+v", fit)
	}
	if r.Drain == nil || len(r.Group) != 2 {
		t.Error("Fit changed its argument")
	}
	if r.FromUser("group") || !r.FromUser("stop.order") {
		t.Error("FromUser mixes up the two files")
	}
	// A list that the user replaced brings its own places, and none of the old.
	r, err = Load(project(t, "group: [web, wokrer]\n"), []string{"acme/shop"}, embedded)
	if err != nil {
		t.Fatal(err)
	}
	if err := Check(r, []string{"web", "worker", "queue"}); err == nil || !strings.Contains(err.Error(), "belay.yaml:1:14:") {
		t.Errorf("got %v", err)
	}
}

// TestEmbeddedRecipes reads every recipe in the binary as strictly as a user's.
func TestEmbeddedRecipes(t *testing.T) {
	files, err := fs.Glob(recipes.FS(), "*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recipes: %v", err)
	}
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			data, err := fs.ReadFile(recipes.FS(), file)
			if err != nil {
				t.Fatal(err)
			}
			r, err := Parse(file, data)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(string(data), "# ") {
				t.Error("it does not say for what it is")
			}
			if r.Name == "" || len(r.Match.Images) == 0 {
				t.Error("it has no name or matches nothing")
			}
		})
	}
}

func TestEmbeddedRecipesFitTheirImages(t *testing.T) {
	tests := []struct{ image, want string }{
		{"luka1thb/tymeslot", "Tymeslot"},
		{"ghcr.io/tymeslot/tymeslot", "Tymeslot"},
		{"ghcr.io/appstrate/appstrate-pi", "Appstrate"},
		{"ghcr.io/xiao-villamor/printstash-api-lite", "PrintStash"},
		{"ghcr.io/semaphor-analytics/semaphor-api", "Semaphor"},
		{"semaphoreui/semaphore", ""},
		{"nginx", ""},
	}
	for _, tt := range tests {
		r, err := Load(t.TempDir(), []string{tt.image, "postgres"}, recipes.FS())
		if err != nil || r.Name != tt.want {
			t.Errorf("%s: got %q, %v; want %q", tt.image, r.Name, err, tt.want)
		}
	}
}
