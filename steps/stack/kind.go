package stack

import (
	"slices"
	"strings"

	"belay/dockerx/compose"
)

// kind says which database a service is, "" when it is none. The image's name
// decides; for names that are not known, what the image sets and where it keeps
// data. The service's name never does.
func (f *facts) kind(m compose.Service) string {
	r := f.repoOf(m)
	if toolFor(r.base()) {
		return ""
	}
	if kind := kindByName(r.full()); kind != "" {
		return kind
	}
	return f.kindBySigns(m.Name)
}

func kindByName(repo string) string {
	base := repo[strings.LastIndexByte(repo, '/')+1:]
	switch base {
	case "postgres", "postgresql", "postgresql-repmgr", "immich-postgres", "pgvector", "pgvecto-rs", "vchord-postgres",
		"vchord-suite", "timescaledb", "timescaledb-ha", "postgis", "citus", "paradedb", "pgautoupgrade", "pgduckdb":
		return "postgres"
	case "mariadb", "mariadb-galera":
		return "mariadb"
	case "mysql", "mysql-server", "percona", "percona-server":
		return "mysql"
	case "mongo", "mongodb", "mongodb-community-server", "percona-server-mongodb":
		return "mongodb"
	case "redis", "redis-stack", "redis-stack-server":
		return "redis"
	case "valkey", "valkey-bundle":
		return "valkey"
	case "keydb":
		return "keydb"
	case "dragonfly", "dragonflydb":
		return "dragonfly"
	case "clickhouse", "clickhouse-server":
		return "clickhouse"
	case "influxdb", "minio", "seaweedfs", "garage", "elasticsearch", "opensearch", "meilisearch", "typesense", "qdrant",
		"weaviate", "couchdb", "couchbase", "neo4j", "cassandra", "rabbitmq", "etcd", "memcached", "rethinkdb", "surrealdb":
		return base
	}
	if strings.HasSuffix(repo, "mssql/server") {
		return "mssql"
	}
	return ""
}

// toolFor tells the programs around a database (exporters, backups, consoles),
// which carry its name and often its whole image, from the database itself.
func toolFor(base string) bool {
	return slices.ContainsFunc(words(base), func(w string) bool {
		switch w {
		case "exporter", "backup", "backups", "dump", "admin", "ui", "gui", "web", "console", "commander", "insight",
			"redisinsight", "express", "client", "cli", "proxy", "pooler", "bouncer", "pgbouncer", "pgpool", "pgcat",
			"init", "migrate", "migrations", "tools", "operator", "pgadmin", "pgadmin4", "phpmyadmin", "adminer":
			return true
		}
		return false
	})
}

// kindBySigns recognises images that were built on a database's image: they
// keep its variables and its declared volume. Both are asked for, because an
// app's image may carry a database's client.
func (f *facts) kindBySigns(service string) string {
	image := f.images[service]
	env := pairs(image.Env)
	targets := slices.Clone(image.Volumes)
	for _, m := range f.mounts(service) {
		targets = append(targets, m.Target)
	}
	has := func(key, dir string) bool {
		return env[key] != "" && slices.ContainsFunc(targets, func(t string) bool {
			return t == dir || strings.HasPrefix(t, dir+"/") || strings.HasPrefix(dir, t+"/")
		})
	}
	switch {
	case env["PGDATA"] != "" && has("PG_MAJOR", "/var/lib/postgresql"):
		return "postgres"
	case has("MARIADB_VERSION", "/var/lib/mysql"):
		return "mariadb"
	case has("MYSQL_MAJOR", "/var/lib/mysql"):
		return "mysql"
	case has("MONGO_MAJOR", "/data/db"):
		return "mongodb"
	case has("VALKEY_VERSION", "/data"):
		return "valkey"
	case has("REDIS_VERSION", "/data"):
		return "redis"
	}
	return ""
}

// supporting says whether an image only serves other services: proxies,
// monitors, consoles, shells. Such a service is the app only when there is no
// other.
func supporting(r ref) bool {
	if toolFor(r.base()) && kindByName(words(r.base())[0]) != "" {
		return true
	}
	switch r.base() {
	case "nginx", "nginx-unprivileged", "nginx-proxy", "nginx-proxy-manager", "acme-companion", "traefik", "caddy",
		"haproxy", "envoy", "swag", "certbot", "cloudflared", "tailscale", "wireguard", "wg-easy", "gluetun":
		return true
	case "watchtower", "diun", "autoheal", "docker-socket-proxy", "socket-proxy", "ofelia", "dozzle", "portainer-ce",
		"portainer", "portainer-agent":
		return true
	case "adminer", "pgadmin4", "phpmyadmin", "pgweb", "redisinsight", "pgbouncer", "mailhog", "mailpit", "mailcatcher":
		return true
	case "prometheus", "alertmanager", "node-exporter", "cadvisor", "loki", "promtail", "alloy", "fluent-bit", "vector",
		"opentelemetry-collector", "opentelemetry-collector-contrib", "jaeger":
		return true
	case "docker-volume-backup", "borgmatic", "restic", "autorestic", "gotenberg", "tika", "browserless", "chrome":
		return true
	case "mc", "busybox", "alpine", "debian", "ubuntu", "bash", "curl", "git":
		return true
	}
	return false
}
