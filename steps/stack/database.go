package stack

import (
	"slices"
	"strconv"

	"belay/dockerx"
	"belay/releases/version"
	"belay/steps"
)

// databases fills Stack.Databases: what belongs to the group, servers first in
// the order of the files, SQLite files after them.
func (f *facts) databases(s *Stack) {
	for _, name := range f.belonging(s) {
		svc, _ := s.Service(name)
		if db, ok := f.server(svc); ok {
			s.Databases = append(s.Databases, db)
		}
	}
	f.sqlite(s)
	f.embedded(s)
	f.outside(s)
}

// server describes one database service.
func (f *facts) server(svc Service) (steps.Database, bool) {
	env := f.env(svc.Name)
	db := steps.Database{Kind: family(svc.Kind), Service: svc.Name, Bytes: -1}
	login(&db, env)
	for _, r := range f.fit.Databases {
		if r.Service == svc.Name && r.Kind == db.Kind {
			db.Name, db.User = either(r.Name, db.Name), either(r.User, db.User)
		}
	}
	if svc.Kind == "postgres" && (env["POSTGRES_USER_FILE"] != "" || env["POSTGRES_DB_FILE"] != "") {
		f.warn("%s reads its user or database name from a file; if belay asks for the wrong one, name it under databases in belay.yaml.", svc.Name)
	}
	db.Version = f.major(svc)
	m, ok := f.dataMount(svc, env)
	switch {
	case !ok && stateless(svc.Kind):
		return db, false // a cache with nothing on disk has nothing to lose
	case !ok:
		f.warn("%s keeps its data in no volume: no restore point can hold it, and recreating the container loses it.", svc.Name)
		return db, false
	case m.Kind != dockerx.VolumeData && m.Kind != dockerx.BindData:
		if !stateless(svc.Kind) {
			f.warn("%s keeps its data in memory (%s): no restore point can hold it.", svc.Name, m.Target)
		}
		return db, false
	case m.Anonymous:
		f.warn("%s keeps its data in a volume without a name, which \"docker compose down\" forgets.", svc.Name)
	}
	db.Store, db.Target, db.Bytes = m.Data, m.Target, f.size(m.Data)
	db.Dumpable = db.Kind == "postgres"
	return db, true
}

// family is the kind by which a backup treats a server: the stores that speak
// Redis are one.
func family(kind string) string {
	switch kind {
	case "valkey", "keydb", "dragonfly":
		return "redis"
	}
	return kind
}

func stateless(kind string) bool {
	switch kind {
	case "redis", "valkey", "keydb", "dragonfly", "memcached", "rabbitmq":
		return true
	}
	return false
}

// login fills database, user and the name of the password's variable from what
// the container sees. Values of passwords are not looked at.
func login(db *steps.Database, env map[string]string) {
	switch db.Kind {
	case "postgres":
		db.User = either(env["POSTGRES_USER"], env["POSTGRESQL_USERNAME"], "postgres")
		db.Name = either(env["POSTGRES_DB"], env["POSTGRESQL_DATABASE"], db.User)
		db.PassEnv = present(env, "POSTGRES_PASSWORD", "POSTGRESQL_PASSWORD", "PGPASSWORD")
	case "mariadb", "mysql":
		db.Name = either(env["MARIADB_DATABASE"], env["MYSQL_DATABASE"])
		db.User, db.PassEnv = "root", present(env, "MARIADB_ROOT_PASSWORD", "MYSQL_ROOT_PASSWORD")
		if db.PassEnv == "" {
			db.User = either(env["MARIADB_USER"], env["MYSQL_USER"], "root")
			db.PassEnv = present(env, "MARIADB_PASSWORD", "MYSQL_PASSWORD")
		}
	case "mongodb":
		db.Name = env["MONGO_INITDB_DATABASE"]
		db.User = either(env["MONGO_INITDB_ROOT_USERNAME"], env["MONGODB_ROOT_USER"])
		db.PassEnv = present(env, "MONGO_INITDB_ROOT_PASSWORD", "MONGODB_ROOT_PASSWORD")
	case "redis":
		db.PassEnv = present(env, "REDIS_PASSWORD", "VALKEY_PASSWORD")
	}
}

// dataMount finds where a server keeps its data: the mount over its data
// directory, else the only thing it can write to.
func (f *facts) dataMount(svc Service, env map[string]string) (dockerx.Mount, bool) {
	mounts := f.mounts(svc.Name)
	for _, dir := range dataDirs(svc.Kind, env) {
		if m, ok := covering(mounts, dir); ok {
			return m, true
		}
	}
	var writable []dockerx.Mount
	for _, m := range mounts {
		if !m.ReadOnly && !f.oneFile(m) && (m.Kind == dockerx.VolumeData || m.Kind == dockerx.BindData) {
			writable = append(writable, m)
		}
	}
	if len(writable) == 1 {
		return writable[0], true
	}
	return dockerx.Mount{}, false
}

// dataDirs lists where a kind keeps its data, the surest first.
func dataDirs(kind string, env map[string]string) []string {
	var dirs []string
	add := func(all ...string) {
		for _, d := range all {
			if d != "" && !slices.Contains(dirs, d) {
				dirs = append(dirs, d)
			}
		}
	}
	switch kind {
	case "postgres":
		add(env["PGDATA"], env["POSTGRESQL_DATA_DIR"])
		add("/var/lib/postgresql/data", "/bitnami/postgresql", "/home/postgres/pgdata")
	case "mariadb", "mysql":
		add("/var/lib/mysql", "/bitnami/mariadb", "/bitnami/mysql", "/config")
	case "mongodb":
		add("/data/db", "/bitnami/mongodb")
	case "redis", "valkey", "keydb", "dragonfly":
		add("/data", "/bitnami/redis/data", "/bitnami/valkey/data")
	case "minio", "seaweedfs":
		add(env["MINIO_VOLUMES"], "/data", "/bitnami/minio/data")
	case "elasticsearch", "opensearch":
		add("/usr/share/" + kind + "/data")
	case "meilisearch":
		add(env["MEILI_DB_PATH"], "/meili_data")
	case "qdrant":
		add("/qdrant/storage")
	case "clickhouse", "cassandra", "rabbitmq", "influxdb", "weaviate":
		add("/var/lib/"+kind, "/var/lib/influxdb2")
	case "neo4j", "typesense":
		add("/data")
	case "couchdb":
		add("/opt/couchdb/data")
	}
	return slices.DeleteFunc(dirs, func(d string) bool { return d[0] != '/' })
}

// major is the server's major version. A server that runs on its data directory
// is of the directory's major; one that does not run proves nothing.
func (f *facts) major(svc Service) string {
	if svc.Container == nil || svc.Container.State != dockerx.Running {
		return ""
	}
	if major := svc.Container.Env["PG_MAJOR"]; svc.Kind == "postgres" && major != "" {
		return major
	}
	tag, ok := version.Parse(svc.Version.Text)
	if !ok || len(tag.Numbers) == 0 {
		return ""
	}
	return strconv.FormatUint(tag.Numbers[0], 10)
}

func either(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

func present(env map[string]string, keys ...string) string {
	for _, k := range keys {
		if env[k] != "" {
			return k
		}
	}
	return ""
}
