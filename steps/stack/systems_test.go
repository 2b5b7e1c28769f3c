package stack

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"belay/dockerx/compose"
	"belay/recipes"
	"belay/steps/recipe"
)

// The fixtures have the shapes of real stacks.

func tymeslot(tag string) []svc {
	return []svc{
		{
			Service: compose.Service{
				Name: "tymeslot", Image: "luka1thb/tymeslot:" + tag, DependsOn: []string{"postgres"},
				Environment: map[string]string{"DATABASE_HOST": "postgres", "SECRET_KEY_BASE": "s3cret"},
				Volumes:     []compose.Volume{volume("app_tymeslot_data", "/app/data")},
				Ports:       published(4000, "4000"), Restart: "unless-stopped",
			},
		},
		{
			Service: compose.Service{
				Name: "postgres", Image: "postgres:17-alpine",
				Environment: map[string]string{"POSTGRES_USER": "tymeslot", "POSTGRES_DB": "slots", "POSTGRES_PASSWORD": "s3cret"},
				Volumes:     []compose.Volume{volume("app_tymeslot_pgdata", "/var/lib/postgresql/data")},
			},
			imageEnv: []string{"PGDATA=/var/lib/postgresql/data", "PG_MAJOR=17", "PG_VERSION=17.2"},
			declares: []string{"/var/lib/postgresql/data"},
		},
	}
}

func appstrate() []svc {
	variable := compose.Pin{
		Kind: compose.PinEnv, Variable: "APPSTRATE_VERSION", Value: "1.0.0-beta.41", Tag: "1.0.0-beta.41",
		Place: compose.Place{File: "/srv/app/.env", Line: 3, Col: 19},
	}
	member := func(name, image string, more func(*svc)) svc {
		s := svc{Service: compose.Service{Name: name, Image: image + ":1.0.0-beta.41", Pin: variable, Restart: "no"}}
		s.Pin.Repo = image
		if more != nil {
			more(&s)
		}
		return s
	}
	ends := func(s *svc) { s.change = exited(0) }
	return []svc{
		{Service: compose.Service{
			Name: "appstrate-postgres", Image: "postgres:16.8-alpine",
			Environment: map[string]string{"POSTGRES_USER": "me", "POSTGRES_PASSWORD": "x", "POSTGRES_DB": "appstrate"},
			Volumes:     []compose.Volume{volume("appstrate_pgdata", "/var/lib/postgresql/data")},
		}},
		{Service: compose.Service{Name: "appstrate-redis", Image: "redis:7.4-alpine", Volumes: []compose.Volume{volume("appstrate_redisdata", "/data")}}},
		{Service: compose.Service{
			Name: "appstrate-minio", Image: "minio/minio:RELEASE.2025-03-12T18-04-18Z",
			Volumes: []compose.Volume{volume("appstrate_miniodata", "/data")},
		}},
		{Service: compose.Service{Name: "appstrate-minio-init", Image: "minio/mc:latest", Restart: "no"}, change: exited(0)},
		member("appstrate-pi", "ghcr.io/appstrate/appstrate-pi", ends),
		member("appstrate-mcp-runner-node", "ghcr.io/appstrate/appstrate-mcp-runner-node", ends),
		member("appstrate", "ghcr.io/appstrate/appstrate", func(s *svc) {
			s.Ports = published(3000, "3000")
			s.Restart = "unless-stopped"
			s.DependsOn = []string{"appstrate-postgres", "appstrate-redis", "appstrate-minio"}
			s.Volumes = []compose.Volume{bind("/var/run/docker.sock", "/var/run/docker.sock")}
		}),
	}
}

func printstash() []svc {
	return []svc{
		{Service: compose.Service{
			Name: "frontend", Image: "ghcr.io/xiao-villamor/printstash-frontend:0.13.0", Ports: published(3000, "8080"), DependsOn: []string{"api"},
		}},
		{Service: compose.Service{
			Name: "api", Image: "ghcr.io/xiao-villamor/printstash-api:0.13.0",
			Environment: map[string]string{"VAULT_DB_URL": "sqlite:////data/db/printstash.sqlite"},
			Volumes:     []compose.Volume{volume("app_printstash_db", "/data/db"), volume("app_printstash_data", "/data/files")},
		}},
	}
}

func semaphor() []svc {
	name := "registry.example.com/semaphor/semaphor-"
	return []svc{
		{Service: compose.Service{
			Name: "api-service", Image: name + "api:1.4.2", Ports: published(3000, "3000"),
			Volumes: []compose.Volume{volume("app_semaphor-data", "/var/lib/postgresql/data")},
		}},
		{Service: compose.Service{Name: "data-service", Image: name + "data:1.4.2"}},
		{Service: compose.Service{Name: "data-service-sidecar", Image: name + "sidecar:1.4.1"}},
	}
}

func immich() []svc {
	v := compose.Pin{
		Kind: compose.PinEnv, Variable: "IMMICH_VERSION", Tag: "v2.5.6",
		Place: compose.Place{File: "/srv/app/.env", Line: 9, Col: 16},
	}
	env := map[string]string{"DB_HOSTNAME": "database", "REDIS_HOSTNAME": "redis"}
	return []svc{
		{Service: compose.Service{
			Name: "immich-server", Image: "ghcr.io/immich-app/immich-server:v2.5.6", Pin: v, Environment: env,
			Volumes: []compose.Volume{
				bind("/tank/photos", "/data"),
				{Type: "bind", Source: "/etc/localtime", Target: "/etc/localtime", ReadOnly: true},
			},
			Ports: published(2283, "2283"), DependsOn: []string{"redis", "database"},
		}},
		{Service: compose.Service{
			Name: "immich-machine-learning", Image: "ghcr.io/immich-app/immich-machine-learning:v2.5.6-cuda", Pin: v,
			Volumes: []compose.Volume{volume("app_model-cache", "/cache")},
		}},
		{Service: compose.Service{Name: "redis", Image: "docker.io/valkey/valkey:8@sha256:abc"}},
		{
			Service: compose.Service{
				Name: "database", Image: "ghcr.io/immich-app/postgres:14-vectorchord0.4.3-pgvectors0.2.0@sha256:def",
				Environment: map[string]string{"POSTGRES_USER": "postgres", "POSTGRES_DB": "immich", "POSTGRES_PASSWORD": "x"},
				Volumes:     []compose.Volume{bind("/srv/app/postgres", "/var/lib/postgresql/data")},
			},
			imageEnv: []string{"PG_MAJOR=14", "PGDATA=/var/lib/postgresql/data"},
		},
	}
}

// facets is what a fixture must come out as; empty fields are not looked at.
type facets struct {
	group, databases, stores, left, writers, oneShots []string
	version, source, skew, repo, probe                string
	warning                                           string // a part of one
	quiet                                             bool   // no warning at all
	stop                                              []string
}

func TestInspectReadsRealShapes(t *testing.T) {
	tests := []struct {
		name   string
		stack  []svc
		recipe bool // with the embedded recipes
		change func(d *Deps, e *fake)
		want   facets
	}{
		{
			name: "tymeslot with its database outside", stack: tymeslot("1.2.3-slim"), recipe: true,
			want: facets{
				group: []string{"tymeslot"}, version: "1.2.3", source: "tag", repo: "github.com/Tymeslot/tymeslot",
				databases: []string{"postgres slots tymeslot POSTGRES_PASSWORD 17 dump volume app_tymeslot_pgdata at /var/lib/postgresql/data"},
				stores:    []string{"volume app_tymeslot_data", "volume app_tymeslot_pgdata"},
				probe:     "http://127.0.0.1:4000/healthcheck", stop: []string{"tymeslot", "postgres"}, quiet: true,
			},
		},
		{
			name: "tymeslot on latest, image labelled", stack: tymeslot("latest"),
			change: func(d *Deps, e *fake) { e.label("luka1thb/tymeslot:latest", labelVersion, "1.2.3") },
			want:   facets{group: []string{"tymeslot"}, version: "1.2.3", source: "label"},
		},
		{
			name: "tymeslot on latest, known by digest", stack: tymeslot("latest"),
			change: func(d *Deps, e *fake) { d.Tags = byDigest("luka1thb/tymeslot", "sha256:tymeslot", "1.2.2-slim") },
			want:   facets{group: []string{"tymeslot"}, version: "1.2.2", source: "digest"},
		},
		{
			name: "tymeslot on latest, unknown", stack: tymeslot("latest"),
			want: facets{group: []string{"tymeslot"}, version: "unknown", source: "unknown"},
		},
		{
			name: "tymeslot in one container", recipe: true,
			stack: []svc{{Service: compose.Service{
				Name: "booking", Image: "ghcr.io/tymeslot/tymeslot:1.2.3", Ports: published(4000, "4000"),
				Volumes: []compose.Volume{volume("app_tymeslot_pg", "/var/lib/postgresql/data"), volume("app_data", "/app/data")},
			}}},
			want: facets{
				group: []string{"booking"}, version: "1.2.3", databases: []string{},
				stores:  []string{"volume app_tymeslot_pg", "volume app_data"},
				warning: "booking keeps PostgreSQL inside its own container", stop: []string{"booking"},
			},
		},
		{
			name: "appstrate: one variable, one-shots", stack: appstrate(), recipe: true,
			want: facets{
				group: []string{"appstrate-pi", "appstrate-mcp-runner-node", "appstrate"}, version: "1.0.0-beta.41",
				oneShots: []string{"appstrate-minio-init", "appstrate-pi", "appstrate-mcp-runner-node"},
				databases: []string{
					"postgres appstrate me POSTGRES_PASSWORD 16 dump volume appstrate_pgdata at /var/lib/postgresql/data",
					"redis    7  volume appstrate_redisdata at /data",
					"minio    2025  volume appstrate_miniodata at /data",
				},
				left: []string{"bind /var/run/docker.sock: a socket, not data"}, quiet: true,
				repo: "github.com/appstrate/appstrate", probe: "http://127.0.0.1:3000/health",
				stop: []string{"appstrate", "appstrate-minio", "appstrate-redis", "appstrate-postgres"},
			},
		},
		{
			name: "printstash on SQLite", stack: printstash(), recipe: true,
			want: facets{
				group: []string{"api", "frontend"}, version: "0.13.0",
				databases: []string{"sqlite     volume app_printstash_db at /data/db file printstash.sqlite"},
				stores:    []string{"volume app_printstash_db", "volume app_printstash_data"},
				probe:     "http://127.0.0.1:8080/api/v1/health", stop: []string{"frontend", "api"}, quiet: true,
			},
		},
		{
			name: "printstash without a recipe", stack: printstash(),
			want: facets{
				group: []string{"frontend", "api"}, repo: "github.com/xiao-villamor/printstash", probe: "none",
				databases: []string{"sqlite     volume app_printstash_db at /data/db file printstash.sqlite"},
			},
		},
		{
			name: "printstash moved to PostgreSQL", stack: printstash(), recipe: true,
			change: func(d *Deps, e *fake) { e.containers[1].Env["VAULT_DB_URL"] = "postgresql://u:p@pg.lan/x" },
			want:   facets{databases: []string{}},
		},
		{
			name: "semaphor with a mixed version", stack: semaphor(), recipe: true,
			want: facets{
				group: []string{"api-service", "data-service", "data-service-sidecar"}, version: "1.4.2",
				skew: "api-service and data-service run 1.4.2, data-service-sidecar 1.4.1",
			},
		},
		{
			name: "semaphor with a mixed version, without a recipe", stack: semaphor(),
			want: facets{
				group: []string{"api-service", "data-service", "data-service-sidecar"},
				skew:  "api-service and data-service run 1.4.2, data-service-sidecar 1.4.1",
			},
		},
		{
			name: "immich: database by image, not by name", stack: immich(),
			want: facets{
				group: []string{"immich-server", "immich-machine-learning"}, version: "2.5.6", repo: "github.com/immich-app/immich",
				databases: []string{"postgres immich postgres POSTGRES_PASSWORD 14 dump bind /srv/app/postgres at /var/lib/postgresql/data"},
				stores:    []string{"bind /tank/photos", "volume app_model-cache", "bind /srv/app/postgres"},
				left:      []string{"bind /etc/localtime: one file: captured as configuration"}, quiet: true,
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, e := fixture(tt.stack...)
			if tt.recipe {
				var images []string
				for _, m := range d.Model.Services {
					images = append(images, m.Image)
				}
				r, err := recipe.Load(t.TempDir(), images, recipes.FS())
				if err != nil || r.Name == "" {
					t.Fatalf("no recipe fits: %v", err)
				}
				d.Recipe = r
			}
			if tt.change != nil {
				tt.change(&d, e)
			}
			s := inspect(t, d)
			tt.want.compare(t, s, d.Recipe)
			for ref, n := range e.asked {
				if n > 1 {
					t.Errorf("image %s was looked at %d times", ref, n)
				}
			}
		})
	}
}

func (want facets) compare(t *testing.T, s *Stack, r recipe.Recipe) {
	t.Helper()
	lists := []struct {
		what      string
		got, want []string
	}{
		{"group", s.Group, want.group},
		{"databases", databasesOf(s), want.databases},
		{"stores", storesOf(s), want.stores},
		{"left", leftOf(s), want.left},
		{"writers", s.Writers, want.writers},
		{"one-shots", oneShotsOf(s), want.oneShots},
		{"stop order", StopOrder(s, r), want.stop},
	}
	for _, l := range lists {
		if l.want != nil && len(l.want)+len(l.got) > 0 && !reflect.DeepEqual(l.got, l.want) {
			t.Errorf("%s:\n got  %q\n want %q", l.what, l.got, l.want)
		}
	}
	probe := "none"
	if len(s.Probes) > 0 {
		probe = s.Probes[0].URL
	}
	texts := []struct{ what, got, want string }{
		{"version", s.Version.Text, want.version},
		{"source", s.Version.Source, want.source},
		{"repo", s.Repo, want.repo},
		{"probe", probe, want.probe},
	}
	for _, x := range texts {
		if x.want != "" && x.got != x.want {
			t.Errorf("%s: got %q, want %q", x.what, x.got, x.want)
		}
	}
	if got := strings.Join(s.Skew, "; "); got != want.skew {
		t.Errorf("skew: got %q, want %q", got, want.skew)
	}
	if (s.Version.Why == "") == (s.Version.Source == "unknown") {
		t.Errorf("a version that is unknown needs a reason, another none: %+v", s.Version)
	}
	said := strings.Join(s.Warnings, "\n")
	if want.quiet && said != "" || !strings.Contains(said, want.warning) {
		t.Errorf("warnings: got %q, want %q", said, want.warning)
	}
}

func databasesOf(s *Stack) []string {
	var out []string
	for _, db := range s.Databases {
		text := fmt.Sprintf("%s %s %s %s %s", db.Kind, db.Name, db.User, db.PassEnv, db.Version)
		if db.Kind != "sqlite" {
			text += map[bool]string{true: " dump", false: " "}[db.Dumpable]
		}
		text += fmt.Sprintf(" %s at %s", db.Store, db.Target)
		if db.Path != "" {
			text += " file " + db.Path
		}
		out = append(out, text)
	}
	return out
}

func storesOf(s *Stack) []string {
	var out []string
	for _, st := range s.Stores {
		out = append(out, st.String())
	}
	return out
}

func leftOf(s *Stack) []string {
	var out []string
	for _, st := range s.Left {
		out = append(out, st.String()+": "+st.Why)
	}
	return out
}

func oneShotsOf(s *Stack) []string {
	var out []string
	for _, x := range s.Services {
		if x.OneShot {
			out = append(out, x.Name)
		}
	}
	return out
}

func (f *fake) label(ref, key, value string) {
	for id, image := range f.images {
		if slices.Contains(image.Tags, ref) {
			image.Labels = map[string]string{key: value}
			f.images[id] = image
		}
	}
}

var _ Engine = (*fake)(nil)
