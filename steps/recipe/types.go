// Package recipe holds what is known about a system: the schema of
// recipes/NAME.yaml and of a user's belay.yaml, reading it with file, line and
// column for every mistake, and finding the recipe of an installation. It must
// not know engines or screens.
package recipe

import "time"

// Recipe is what is known about one system. Every field is optional; zero means
// "discover it".
type Recipe struct {
	Name      string     `yaml:"name"`
	Match     Match      `yaml:"match"`
	Releases  Releases   `yaml:"releases"`
	Group     []string   `yaml:"group"`
	Databases []Database `yaml:"databases"`
	Migrate   *Migrate   `yaml:"migrate"`
	Stop      Order      `yaml:"stop"`
	Drain     *Drain     `yaml:"drain"`
	Logs      Logs       `yaml:"logs"`
	Health    []Health   `yaml:"health"`
	Route     []Route    `yaml:"route"`
	Config    []string   `yaml:"config"`
	Hooks     Hooks      `yaml:"hooks"`

	Files []string `yaml:"-"` // where it was read from; the user's file has a path, an embedded one only its name

	places map[string]place // dotted key → where its value is written
}

// Match tells which installations a recipe is for: globs over image repositories.
type Match struct {
	Images []string `yaml:"images"`
}

// Releases tells where versions and notes live.
type Releases struct {
	GitHub string   `yaml:"github"` // owner/name
	Tags   string   `yaml:"tags"`   // "v{version}"
	Notes  []string `yaml:"notes"`
}

// Database names a database that discovery cannot find by itself.
type Database struct {
	Kind    string `yaml:"kind"`
	Service string `yaml:"service"`
	Path    string `yaml:"path"` // sqlite: inside the container
	Name    string `yaml:"name"`
	User    string `yaml:"user"`
}

// Migrate is an explicit migration command.
type Migrate struct {
	Service string   `yaml:"service"`
	Run     []string `yaml:"run"`
	Unless  struct {
		ImageMigrates bool `yaml:"image_migrates"`
	} `yaml:"unless"`
}

// Order lists services in the order they stop; they start in reverse.
type Order struct {
	Order []string `yaml:"order"`
}

// Drain asks a service how much work it still holds before it may stop.
type Drain struct {
	Service string        `yaml:"service"`
	Exec    []string      `yaml:"exec"`
	JSON    string        `yaml:"json"`
	AtMost  int           `yaml:"at_most"`
	Samples int           `yaml:"samples"`
	Every   time.Duration `yaml:"every"`
}

// Logs are regexps over log lines.
type Logs struct {
	Ready  []string `yaml:"ready"`
	Failed []string `yaml:"failed"`
	Danger []string `yaml:"danger"`
}

// Health is one HTTP probe.
type Health struct {
	Service string            `yaml:"service"` // "" = the group's service that publishes a port
	HTTP    string            `yaml:"http"`    // path, or a whole URL
	Port    int               `yaml:"port"`    // container port, 0 = the first published
	Status  int               `yaml:"status"`  // 0 = 200
	JSON    map[string]string `yaml:"json"`    // dotted path → wanted value
	Version string            `yaml:"version"` // dotted path to the version the app reports
	Every   time.Duration     `yaml:"every"`
}

// Route is one rule of the way between versions.
type Route struct {
	Majors string `yaml:"majors"` // one_at_a_time
	Via    string `yaml:"via"`
	Before string `yaml:"before"`
}

// Hooks are commands on this host around steps.
type Hooks struct {
	BeforeStop  []string `yaml:"before_stop"`
	AfterStart  []string `yaml:"after_start"`
	AfterBackup []string `yaml:"after_backup"`
}
