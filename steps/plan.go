package steps

import (
	"time"

	"belay/dockerx"
	"belay/dockerx/compose"
)

// PlanVersion is the format of plan.json; a newer one is refused by name.
const PlanVersion = 1

// Plan is what a run will do, decided before anything changes and never changed
// after. It holds no secret: names of variables, never their values (the edits'
// Old and New bytes may; the file is 0600 inside a 0700 directory).
type Plan struct {
	Format    int            `json:"format"`
	Run       string         `json:"run"` // ULID
	Belay     string         `json:"belay"`
	Made      time.Time      `json:"made"`
	Project   string         `json:"project"`
	Dir       string         `json:"dir"`
	Engine    string         `json:"engine"` // engine ID
	From      string         `json:"from"`   // version in words
	To        string         `json:"to"`
	Group     []Target       `json:"group"`     // services that move
	Stop      []string       `json:"stop"`      // services in stop order: app first, database last
	Databases []Database     `json:"databases"` // dumped, proven, counted
	Stores    []Store        `json:"stores"`    // what the cold copy holds
	Left      []Store        `json:"left"`      // what it leaves out, with the reason
	Edits     []compose.Edit `json:"edits"`
	Config    []string       `json:"config"` // files captured
	Migrate   *Command       `json:"migrate,omitempty"`
	Health    []Probe        `json:"health"`
	Ready     []string       `json:"ready,omitempty"`  // regexps of log lines
	Failed    []string       `json:"failed,omitempty"` // regexps of log lines
	Danger    []string       `json:"danger,omitempty"`
	Budget    Budget         `json:"budget"`
	Accepted  []string       `json:"accepted,omitempty"` // IDs of breaking flags the user ticked
	BackupDir string         `json:"backup_dir"`
	NoBackup  string         `json:"no_backup,omitempty"` // the sentence the user typed to skip the backup
	Steps     []Planned      `json:"steps"`
	Warnings  []string       `json:"warnings,omitempty"`
}

// Planned is one step as the plan screen shows it.
type Planned struct {
	ID    ID     `json:"id"`
	Title string `json:"title"`
	Phase string `json:"phase"` // "running", "down", "new": what the app is doing meanwhile
}

// Target is one service that moves.
type Target struct {
	Service  string `json:"service"`
	OldRef   string `json:"old_ref"`
	OldImage string `json:"old_image"` // image ID
	OldHash  string `json:"old_hash"`  // compose config hash of the running container
	NewRef   string `json:"new_ref"`
	Digest   string `json:"digest"` // of NewRef in the registry, pulled by it
	Hold     string `json:"hold"`   // our tag on OldImage
	OneShot  bool   `json:"one_shot,omitempty"`
}

// Database is one database the run backs up and counts.
type Database struct {
	Kind     string       `json:"kind"` // postgres, mariadb, mysql, mongodb, redis, sqlite
	Service  string       `json:"service"`
	Name     string       `json:"name"` // database name; "" for kinds without
	User     string       `json:"user,omitempty"`
	PassEnv  string       `json:"pass_env,omitempty"` // name of the variable in the container that holds the password
	Version  string       `json:"version,omitempty"`  // server's major as its data directory says
	Store    dockerx.Data `json:"store"`              // where its data lives
	Path     string       `json:"path,omitempty"`     // sqlite: path of the file inside the store
	Target   string       `json:"target"`             // mount point in the container
	Bytes    int64        `json:"bytes"`
	Dumpable bool         `json:"dumpable"` // a portable dump is made
}

// Store is one volume or bind mount.
type Store struct {
	dockerx.Data
	Services []string `json:"services"`
	Target   string   `json:"target"`
	Bytes    int64    `json:"bytes"` // -1 unknown
	Why      string   `json:"why,omitempty"`
}

// Command is a recipe's own command in a service.
type Command struct {
	Service string   `json:"service"`
	Argv    []string `json:"argv"`
}

// Probe is one HTTP question to the app, answered from this host.
type Probe struct {
	Service string            `json:"service"`
	URL     string            `json:"url"` // whole: http://127.0.0.1:4000/healthcheck
	Status  int               `json:"status"`
	JSON    map[string]string `json:"json,omitempty"`    // dotted path → wanted value
	Version string            `json:"version,omitempty"` // dotted path to the version the app reports
	Every   time.Duration     `json:"every"`
}

// Budget is what the plan costs. -1 means unknown.
type Budget struct {
	Pull      int64         `json:"pull"`
	Backup    int64         `json:"backup"`
	Free      int64         `json:"free"` // where the backup goes
	FreeTotal int64         `json:"free_total"`
	Stop      time.Duration `json:"stop"`
	Copy      time.Duration `json:"copy"`
	Start     time.Duration `json:"start"`
	LastExit  ID            `json:"last_exit"` // the last step before the point of no return
}

// Down is the downtime the plan expects, 0 when it cannot tell.
func (b Budget) Down() time.Duration { return b.Stop + b.Copy + b.Start }
