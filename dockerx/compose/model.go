package compose

import (
	"strconv"
	"time"
)

// Project is one compose project on disk, loaded and interpolated. Env values
// may be secrets: never log them.
type Project struct {
	Name      string
	Dir       string   // absolute; where relative paths start
	Files     []string // absolute, in merge order
	EnvFiles  []string // absolute: the .env (or --env-file) files that were read
	Profiles  []string
	Explicit  bool // Files came from -f, COMPOSE_FILE or a label: pass them all to compose
	Services  []Service
	Variables map[string]string // interpolation variables that the .env files define

	// EnvExplicit says that EnvFiles are not just the .env beside the project:
	// pass them to compose.
	EnvExplicit bool

	options Options // what it was loaded with: Retag loads it again
}

// Service is one service of a project, resolved.
type Service struct {
	Name        string
	Image       string // resolved reference, "" when only built
	Build       bool
	BuildDir    string
	Pin         Pin
	DependsOn   []string
	Environment map[string]string // what the container will see from the files
	EnvSources  map[string]Place  // where each key of Environment is written, as far as known
	Volumes     []Volume
	Ports       []Port
	Healthcheck bool
	Restart     string
	StopGrace   time.Duration // 0: compose's default of 10 s
	Profiles    []string
	Place       Place // the service's key in its file
	Active      bool  // no profile holds it back
}

// Volume is one mount of a service as the model says it.
type Volume struct {
	Type     string // volume, bind, tmpfs
	Source   string // the volume's real name (project prefix or `name:` applied), or a path; "" anonymous
	Target   string
	ReadOnly bool
}

// Port is one published port as the model says it. Host is "" when the engine chooses.
type Port struct {
	HostIP, Host string
	Container    int
	Proto        string
}

// Place is a position in a file, counted from 1. Zero means unknown.
type Place struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Col  int    `json:"col"`
}

// PinKind says what supplies a service's version.
type PinKind string

// The kinds of pins.
const (
	PinLiteral PinKind = "literal" // image: repo:1.2.3 in a compose file
	PinEnv     PinKind = "env"     // a variable, set in an .env file
	PinDefault PinKind = "default" // the default in ${VAR:-1.2.3}
	PinShell   PinKind = "shell"   // a variable of the process environment: editing a file changes nothing
	PinDigest  PinKind = "digest"  // repo@sha256:… or repo:tag@sha256:…
	PinNoTag   PinKind = "notag"   // image: repo, means latest
	PinBuild   PinKind = "build"   // built here: nothing to pin
	PinUnknown PinKind = "unknown" // belay could not find it; Why says so
)

// Pin is the one place whose edit moves a service to another version.
type Pin struct {
	Kind     PinKind
	Place    Place    // where the tag's text starts
	Variable string   // for PinEnv, PinDefault, PinShell
	Value    string   // the text to replace: "1.2.3", "v1.2.3-slim", or the whole reference value of the variable
	Repo     string   // image without tag and digest
	Tag      string   // "" for PinDigest without a tag
	Digest   string   // "sha256:…" or ""
	Services []string // every service that moves when this place is edited, proven by reloading
	Why      string   // for PinUnknown and PinShell: a sentence for the user

	at site // the bytes to replace
}

// Editable says whether Retag can write this pin.
func (p Pin) Editable() bool {
	switch p.Kind {
	case PinLiteral, PinEnv, PinDefault, PinDigest, PinNoTag:
		return true
	case PinShell, PinBuild, PinUnknown:
		return false
	}
	return false
}

// Edit is a proven change of one file: Old is what the file holds now, New what
// it will hold. All changes of one file are one Edit, so edits are independent of
// each other and can be applied and reverted in any order. Line, Before and After
// are for people and show the first changed line; Lines shows all of them.
type Edit struct {
	Path   string `json:"path"`
	Line   int    `json:"line"`
	Before string `json:"before"` // the line without its end
	After  string `json:"after"`
	Old    []byte `json:"old"`
	New    []byte `json:"new"`

	Lines []LineChange `json:"lines,omitempty"`
}

// LineChange is one line that an edit changes, without its end.
type LineChange struct {
	Line   int    `json:"line"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// Error is bad input in a compose or .env file.
type Error struct {
	Place Place
	Msg   string // a sentence for people
	Err   error
}

// Error is "FILE:LINE:COL: MSG" with what is known.
func (e *Error) Error() string { return e.Place.prefix() + e.Msg }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

func (p Place) prefix() string {
	switch {
	case p.File == "":
		return ""
	case p.Line == 0:
		return p.File + ": "
	case p.Col == 0:
		return p.File + ":" + strconv.Itoa(p.Line) + ": "
	default:
		return p.File + ":" + strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Col) + ": "
	}
}

// UpSpec says what `up` should bring up. Belay never pulls, builds or removes
// orphans while it does.
type UpSpec struct {
	Services []string // none: all
	NoDeps   bool
}

// Move is a service going to another tag. Digest is set when the new version
// is known by digest: it replaces a digest that is pinned now.
type Move struct {
	Service string
	Tag     string
	Digest  string
}

// Options say which project to load.
type Options struct {
	Dir      string   // where to look; parents are searched as compose does
	Files    []string // explicit compose files, else COMPOSE_FILE, else the default names
	EnvFiles []string // explicit env files, else .env beside the project
	Profiles []string // besides COMPOSE_PROFILES
	Name     string   // explicit project name
	Environ  []string // the process environment, KEY=VALUE
}
