package stack

import (
	"reflect"
	"strings"
	"testing"

	"belay/dockerx"
	"belay/dockerx/compose"
	"belay/steps/recipe"
)

func TestDatabasesAreFoundByImageAndMounts(t *testing.T) {
	pg := []string{"PG_MAJOR=16", "PGDATA=/var/lib/postgresql/data"}
	tests := []struct {
		image    string
		env      []string
		declares []string
		want     string
	}{
		{"postgres:17", nil, nil, "postgres"},
		{"docker.io/library/postgres:17", nil, nil, "postgres"},
		{"ghcr.io/immich-app/postgres:14-vectorchord0.4.3", nil, nil, "postgres"},
		{"ghcr.io/imagegenius/immich-postgres:1", nil, nil, "postgres"},
		{"tensorchord/pgvecto-rs:pg14-v0.2.0", nil, nil, "postgres"},
		{"timescale/timescaledb:2.17.2-pg16", nil, nil, "postgres"},
		{"timescale/timescaledb-ha:pg16", nil, nil, "postgres"},
		{"pgvector/pgvector:pg17", nil, nil, "postgres"},
		{"postgis/postgis:16-3.4", nil, nil, "postgres"},
		{"supabase/postgres:15.1", nil, nil, "postgres"},
		{"bitnami/postgresql:16", nil, nil, "postgres"},
		{"registry.lan:5000/acme/store:1", pg, []string{"/var/lib/postgresql/data"}, "postgres"},
		{"mariadb:lts", nil, nil, "mariadb"},
		{"lscr.io/linuxserver/mariadb:11", nil, nil, "mariadb"},
		{"mysql:8", nil, nil, "mysql"},
		{"mongo:7", nil, nil, "mongodb"},
		{"redis:7-alpine", nil, nil, "redis"},
		{"valkey/valkey:8", nil, nil, "valkey"},
		{"eqalpha/keydb:latest", nil, nil, "keydb"},
		{"minio/minio:RELEASE.2025-03-12T18-04-18Z", nil, nil, "minio"},
		{"clickhouse/clickhouse-server:24.12", nil, nil, "clickhouse"},

		{"prodrigestivill/postgres-backup-local:16", pg, []string{"/var/lib/postgresql/data"}, ""},
		{"prometheuscommunity/postgres-exporter:v0.15", nil, nil, ""},
		{"dpage/pgadmin4:8", nil, nil, ""},
		{"mongo-express:1", nil, nil, ""},
		{"minio/mc:latest", nil, nil, ""},
		{"acme/shop:1", []string{"PG_MAJOR=16"}, nil, ""},
		{"acme/postgresql-client:16", nil, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.image, func(t *testing.T) {
			d, _ := fixture(
				svc{Service: compose.Service{Name: "app", Image: "acme/app:1"}},
				svc{Service: compose.Service{Name: "x", Image: tt.image}, imageEnv: tt.env, declares: tt.declares},
			)
			x, _ := inspect(t, d).Service("x")
			if x.Kind != tt.want || (x.Role == Database) != (tt.want != "") {
				t.Errorf("got %s %q, want %q", x.Role, x.Kind, tt.want)
			}
		})
	}
}

func TestWhereADatabaseKeepsItsData(t *testing.T) {
	pg17 := []string{"PGDATA=/var/lib/postgresql/data"}
	pg18 := []string{"PGDATA=/var/lib/postgresql/18/docker"}
	unnamed := strings.Repeat("ab", 32)
	tests := []struct {
		name, image, store, target string
		env                        []string
		volumes                    []compose.Volume
		change                     func(*dockerx.Container)
		warning                    string
	}{
		{name: "data directory", image: "postgres:17", env: pg17, volumes: []compose.Volume{volume("pg", "/var/lib/postgresql/data")}, store: "volume pg", target: "/var/lib/postgresql/data"},
		{name: "18 and its parent", image: "postgres:18", env: pg18, volumes: []compose.Volume{volume("pg", "/var/lib/postgresql")}, store: "volume pg", target: "/var/lib/postgresql"},
		{
			name: "mounted one level too high: the image's own volume holds it", image: "postgres:17", env: pg17,
			volumes: []compose.Volume{volume("pg", "/var/lib/postgresql")},
			change: func(c *dockerx.Container) {
				c.Mounts = append(c.Mounts, dockerx.Mount{
					Data: dockerx.Data{Kind: dockerx.VolumeData, Name: unnamed}, Target: "/var/lib/postgresql/data", Anonymous: true,
				})
			},
			store: "volume " + unnamed, target: "/var/lib/postgresql/data", warning: "volume without a name",
		},
		{name: "own PGDATA", image: "postgres:17", env: []string{"PGDATA=/pg/main"}, volumes: []compose.Volume{volume("conf", "/etc/x"), volume("pg", "/pg")}, store: "volume pg", target: "/pg"},
		{name: "another image's layout", image: "bitnami/postgresql:16", volumes: []compose.Volume{volume("pg", "/bitnami/postgresql")}, store: "volume pg", target: "/bitnami/postgresql"},
		{name: "mariadb of linuxserver", image: "lscr.io/linuxserver/mariadb:11", volumes: []compose.Volume{bind("/srv/db", "/config")}, store: "bind /srv/db", target: "/config"},
		{name: "no volume at all", image: "postgres:17", env: pg17, warning: "db keeps its data in no volume"},
		{name: "in memory", image: "postgres:17", env: pg17, volumes: []compose.Volume{{Type: "tmpfs", Target: "/var/lib/postgresql/data"}}, warning: "in memory"},
		{name: "a cache without data", image: "redis:7"},
		{name: "a file is no data directory", image: "mongo:7", volumes: []compose.Volume{bind("/srv/app/mongod.conf", "/etc/mongod.conf"), volume("m", "/elsewhere")}, store: "volume m", target: "/elsewhere"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, _ := fixture(
				svc{Service: compose.Service{Name: "app", Image: "acme/app:1.0.0"}},
				svc{Service: compose.Service{Name: "db", Image: tt.image, Volumes: tt.volumes}, imageEnv: tt.env, change: tt.change},
			)
			s := inspect(t, d)
			store, target := "", ""
			if len(s.Databases) > 0 {
				store, target = s.Databases[0].Store.String(), s.Databases[0].Target
			}
			if store != tt.store || target != tt.target {
				t.Errorf("got %q at %q, want %q at %q", store, target, tt.store, tt.target)
			}
			if said := strings.Join(s.Warnings, "\n"); (tt.warning == "") != (said == "") || !strings.Contains(said, tt.warning) {
				t.Errorf("warnings: got %q, want %q", said, tt.warning)
			}
		})
	}
}

func TestHowToLogIn(t *testing.T) {
	tests := []struct {
		image string
		env   map[string]string
		want  string // name user variable
	}{
		{"postgres:17", nil, "postgres postgres "},
		{"postgres:17", map[string]string{"POSTGRES_USER": "me", "POSTGRES_PASSWORD": "x"}, "me me POSTGRES_PASSWORD"},
		{"postgres:17", map[string]string{"POSTGRES_USER": "me", "POSTGRES_DB": "shop"}, "shop me "},
		{"bitnami/postgresql:16", map[string]string{"POSTGRESQL_USERNAME": "me", "POSTGRESQL_DATABASE": "shop", "POSTGRESQL_PASSWORD": "x"}, "shop me POSTGRESQL_PASSWORD"},
		{"mariadb:11", map[string]string{"MYSQL_ROOT_PASSWORD": "x", "MYSQL_DATABASE": "shop", "MYSQL_USER": "me"}, "shop root MYSQL_ROOT_PASSWORD"},
		{"mariadb:11", map[string]string{"MARIADB_RANDOM_ROOT_PASSWORD": "1", "MARIADB_DATABASE": "shop", "MARIADB_USER": "me", "MARIADB_PASSWORD": "x"}, "shop me MARIADB_PASSWORD"},
		{"mongo:7", map[string]string{"MONGO_INITDB_ROOT_USERNAME": "me", "MONGO_INITDB_ROOT_PASSWORD": "x"}, " me MONGO_INITDB_ROOT_PASSWORD"},
	}
	for _, tt := range tests {
		d, _ := fixture(
			svc{Service: compose.Service{Name: "app", Image: "acme/app:1"}},
			svc{Service: compose.Service{Name: "db", Image: tt.image, Environment: tt.env, Volumes: []compose.Volume{volume("v", "/only")}}},
		)
		db := inspect(t, d).Databases[0]
		if got := db.Name + " " + db.User + " " + db.PassEnv; got != tt.want {
			t.Errorf("%s %v: got %q, want %q", tt.image, tt.env, got, tt.want)
		}
	}
}

func TestARecipeNamesTheDatabase(t *testing.T) {
	d, _ := fixture(tymeslot("1.2.3")...)
	d.Recipe = recipe.Recipe{Databases: []recipe.Database{{Kind: "postgres", Service: "postgres", Name: "other"}}}
	db := inspect(t, d).Databases[0]
	if db.Name != "other" || db.User != "tymeslot" {
		t.Errorf("got %s as %s", db.Name, db.User)
	}
}

// Two apps in one project: the database of the other one is not the group's,
// one that nobody names is.
func TestDatabasesBelongToTheirApp(t *testing.T) {
	data := func(name string) []compose.Volume { return []compose.Volume{volume(name, "/var/lib/postgresql/data")} }
	tests := []struct {
		name string
		env  map[string]string
		deps []string
		want []string
	}{
		{"by address", map[string]string{"DATABASE_URL": "postgres://u:p@db1:5432/x"}, nil, []string{"db1", "db3"}},
		{"by host", map[string]string{"DB_HOST": "db1"}, nil, []string{"db1", "db3"}},
		{"by host and port", map[string]string{"DB": "db1:5432"}, nil, []string{"db1", "db3"}},
		{"by connection string", map[string]string{"DSN": "host=db1 user=db2"}, nil, []string{"db1", "db3"}},
		{"by container name", map[string]string{"DB_HOST": "app-db1-1"}, nil, []string{"db1", "db3"}},
		{"by dependency", nil, []string{"db1"}, []string{"db1", "db3"}},
		{"by nothing", nil, nil, []string{"db1", "db3"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, _ := fixture(
				svc{Service: compose.Service{Name: "web", Image: "acme/shop:1.2.3", Environment: tt.env, DependsOn: tt.deps}},
				svc{Service: compose.Service{Name: "worker", Image: "acme/shop:1.2.3"}},
				svc{Service: compose.Service{Name: "wiki", Image: "other/wiki:9.9", DependsOn: []string{"db2"}}},
				svc{Service: compose.Service{Name: "db1", Image: "postgres:17", Volumes: data("one")}},
				svc{Service: compose.Service{Name: "db2", Image: "postgres:17", Volumes: data("two")}},
				svc{Service: compose.Service{Name: "db3", Image: "postgres:17", Volumes: data("three")}},
			)
			s := inspect(t, d)
			var got []string
			for _, db := range s.Databases {
				got = append(got, db.Service)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if said := strings.Join(s.Warnings, "\n"); !strings.Contains(said, "wiki (other/wiki) is not part of what belay upgrades here") {
				t.Errorf("the other app is not mentioned: %q", said)
			}
		})
	}
}

func TestADatabaseOutsideIsSaid(t *testing.T) {
	tests := []struct {
		key, value string
		want       bool
	}{
		{"DATABASE_HOST", "pg.lan", true},
		{"DATABASE_URL", "postgres://u:s3cret@pg.lan/x", true},
		{"DATABASE_URL", "sqlite:////data/x.db", false},
		{"DATABASE_URL", "postgres://u:p@localhost/x", false},
		{"BASE_URL", "https://shop.example.com", false},
	}
	for _, tt := range tests {
		d, _ := fixture(svc{Service: compose.Service{
			Name: "app", Image: "acme/app:1", Environment: map[string]string{tt.key: tt.value},
		}})
		said := strings.Join(inspect(t, d).Warnings, "\n")
		if got := strings.Contains(said, "no restore point"); got != tt.want {
			t.Errorf("%s=%s: got %q", tt.key, tt.value, said)
		}
		if strings.Contains(said, "s3cret") || strings.Contains(said, "pg.lan") {
			t.Errorf("a value is shown: %q", said)
		}
	}
}
