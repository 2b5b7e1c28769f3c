package dockerx

import (
	"errors"
	"io"
	"time"
)

// Labels that belay puts on what it makes. Only objects that carry LabelRun are
// ever removed by belay (design rule: nothing that belay did not make).
const (
	LabelRun  = "belay.run"  // the run's ID
	LabelRole = "belay.role" // scratch, tree, keep …
)

// HoldPrefix starts every tag that belay puts on an old image so that no prune
// can take it: belay-hold/PROJECT-SERVICE:RUN.
const HoldPrefix = "belay-hold/"

// Sentinel errors. Test with errors.Is; the wrapped chain says which object.
var (
	ErrNotFound    = errors.New("not found")
	ErrUnreachable = errors.New("engine does not answer")
	ErrNotOurs     = errors.New("not made by belay")
	ErrNoSpace     = errors.New("no space left")
)

// EngineInfo is what an engine says of itself.
type EngineInfo struct {
	ID         string // stable over restarts; part of the lock's key
	Name       string
	Version    string // "20.10.24"
	APIVersion string // negotiated
	OS, Arch   string // "linux", "amd64" (Go spelling)
	RootDir    string // where images and volumes live, on the engine's host
	Host       string // the address belay talks to
	Local      bool   // the engine's host is this host: paths and loopback ports are the same
	Podman     bool
	Rootless   bool
	Insecure   []string // registries ("10.0.0.2:5000") the engine was told to ask without TLS
}

// State of a container, in the engine's own words.
type State string

// The states an engine reports.
const (
	Created    State = "created"
	Running    State = "running"
	Restarting State = "restarting"
	Paused     State = "paused"
	Exited     State = "exited"
	Dead       State = "dead"
)

// Health as the engine's healthcheck reports it. Empty: no healthcheck, or an
// engine that cannot run it (podman without systemd).
type Health string

// The healths an engine reports.
const (
	NoHealth  Health = ""
	Starting  Health = "starting"
	Healthy   Health = "healthy"
	Unhealthy Health = "unhealthy"
)

// Container is one container, inspected. Env holds secrets: never log it.
type Container struct {
	ID             string
	Name           string // without the leading slash
	Project        string // label com.docker.compose.project
	Service        string // label com.docker.compose.service
	Number         int
	OneOff         bool // made by `compose run`
	Image          string
	ImageID        string
	State          State
	Health         Health
	HasHealthcheck bool
	ExitCode       int
	OOMKilled      bool
	RestartCount   int
	CreatedAt      time.Time
	StartedAt      time.Time
	FinishedAt     time.Time
	RestartPolicy  string // "", no, always, unless-stopped, on-failure
	StopTimeout    time.Duration
	ConfigHash     string   // label com.docker.compose.config-hash
	WorkingDir     string   // label com.docker.compose.project.working_dir
	ConfigFiles    []string // label com.docker.compose.project.config_files
	EnvFiles       []string // label com.docker.compose.project.environment_file
	Env            map[string]string
	Mounts         []Mount
	Ports          []Port
	IPs            []string
	Labels         map[string]string
}

// Mount is one place where a container sees data from outside its image.
type Mount struct {
	Data
	Target    string
	ReadOnly  bool
	Anonymous bool // a volume whose name is 64 hex digits: lost by `down`
}

// DataKind tells a volume from a bind mount.
type DataKind string

// The kinds of data a container can mount.
const (
	VolumeData DataKind = "volume"
	BindData   DataKind = "bind"
	TmpfsData  DataKind = "tmpfs"
)

// Data names one store: a volume by its name, a bind mount by its path on the
// engine's host.
type Data struct {
	Kind DataKind `json:"kind"`
	Name string   `json:"name"`
}

// String is "volume tymeslot_pg" or "bind /srv/x".
func (d Data) String() string { return string(d.Kind) + " " + d.Name }

// Port is one published port.
type Port struct {
	HostIP    string
	Host      int
	Container int
	Proto     string
}

// Image is one local image.
type Image struct {
	ID       string   // sha256:…
	Tags     []string // repo:tag
	Digests  []string // repo@sha256:…; empty for built or loaded images
	Labels   map[string]string
	Size     int64
	OS, Arch string
	Env      []string
	Volumes  []string // VOLUME targets of the image
	Created  time.Time
}

// Volume is one volume. Size is -1 where the engine does not know it.
type Volume struct {
	Name       string
	Driver     string
	Mountpoint string
	Labels     map[string]string
	Options    map[string]string
	Size       int64
}

// PullProgress is one layer's state while an image is pulled. Total is 0 until
// the engine knows it.
type PullProgress struct {
	Layer   string // short ID
	Phase   string // waiting, downloading, extracting, complete, exists
	Current int64
	Total   int64
}

// ExecSpec is one command in a running container. Argv is never a shell line.
// Env may carry secrets: it goes through the API, not through an argument list.
type ExecSpec struct {
	Argv   []string
	Env    []string
	User   string
	Stdin  io.Reader
	Stdout io.Writer // nil: collected in ExecResult.Stdout, at most 1 MiB
	Stderr io.Writer // nil: collected in ExecResult.Stderr, at most 64 KiB
}

// ExecResult is how a command ended. A non-zero Exit is not an error of Exec.
type ExecResult struct {
	Exit   int
	Stdout []byte
	Stderr []byte
}

// LogLine is one line a container wrote, bytes as they came (at most 64 KiB,
// without the line's end). Hostile until cleaned by the front end.
type LogLine struct {
	Container string // ID
	Service   string
	Stderr    bool
	Time      time.Time
	Text      []byte
}

// LogSpec selects what Logs delivers.
type LogSpec struct {
	Since  time.Time // zero: from the beginning
	Tail   int       // 0: all
	Follow bool      // go on until the container stops or ctx ends
}

// VolumeSpec is a volume to make. Labels must carry LabelRun.
type VolumeSpec struct {
	Name   string
	Labels map[string]string
}

// ScratchSpec is an isolated container of belay's own: no network, no ports,
// never restarted. It proves that a cold copy opens.
type ScratchSpec struct {
	Name    string
	ImageID string
	Env     []string
	Mounts  []Mount // Data and Target
	Labels  map[string]string
}

// Usage is evidence that a container is working: since its start.
type Usage struct {
	At         time.Time
	CPU        time.Duration // processor time used
	BlockBytes int64         // read and written
}
