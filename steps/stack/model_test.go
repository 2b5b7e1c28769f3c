package stack

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"belay/dockerx"
	"belay/dockerx/compose"
	"belay/releases/notes"
)

// A project as it lies on disk: the compose model's pins and places must be the
// ones that groups and concerns are made of.
func TestInspectOfRealFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(".env", "# settings\nSHOP_VERSION=1.2.3\nSMTP_URL=smtp://mail\n")
	write("compose.yaml", `name: shop
services:
  web:
    image: ghcr.io/acme/shop-web:${SHOP_VERSION:-latest}
    ports: ["8080:80"]
    depends_on: [store]
    environment:
      SMTP_URL: ${SMTP_URL}
      DATABASE_URL: postgres://shop:x@store/shop
  jobs:
    image: ghcr.io/acme/jobs:${SHOP_VERSION:-latest}
    volumes: [files:/files, ./conf:/conf:ro]
  store:
    image: ghcr.io/acme/postgres:16
    environment: {POSTGRES_USER: shop, POSTGRES_PASSWORD: x}
    volumes: [pg:/var/lib/postgresql/data]
volumes: {files: , pg: {name: kept}}
`)
	p, err := compose.Load(t.Context(), compose.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	e := &fake{info: dockerx.EngineInfo{Local: true}, images: map[string]dockerx.Image{}, asked: map[string]int{}}
	s := inspect(t, Deps{Engine: e, Model: p})
	if want := []string{"web", "jobs"}; !reflect.DeepEqual(s.Group, want) {
		t.Errorf("group: got %q, want %q", s.Group, want)
	}
	if s.Version.Text != "1.2.3" || s.Repo != "github.com/acme/shop-web" {
		t.Errorf("got %+v from %s", s.Version, s.Repo)
	}
	if want := []string{"volume shop_files", "volume kept"}; !reflect.DeepEqual(storesOf(s), want) {
		t.Errorf("stores: got %q, want %q", storesOf(s), want)
	}
	if len(s.Databases) != 1 || s.Databases[0].Name != "shop" || s.Databases[0].Store.Name != "kept" {
		t.Errorf("databases: %+v", s.Databases)
	}
	report := &notes.Report{Entries: []notes.Entry{{Flags: []notes.Flag{{Level: notes.Attention, Text: "`SMTP_URL` is renamed to `MAILER_DSN`"}}}}}
	Concerns(report, s)
	want := []notes.Concern{{Kind: "env", Name: "SMTP_URL", File: filepath.Join(dir, ".env"), Line: 3}}
	if f := report.Entries[0].Flags[0]; f.Level != notes.Breaking || !reflect.DeepEqual(f.Concerns, want) {
		t.Errorf("got %s %+v", f.Level, f.Concerns)
	}
}
