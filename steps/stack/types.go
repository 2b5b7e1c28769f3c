// Package stack finds out what is installed: services, versions, where each
// version is written, databases, volumes, probes. It only reads, and it must not
// know what will be done with its findings.
package stack

import (
	"time"

	"belay/dockerx"
	"belay/dockerx/compose"
	"belay/steps"
)

// Stack is one installed compose project as it is now.
type Stack struct {
	Project   string
	Dir       string
	Engine    dockerx.EngineInfo
	Model     *compose.Project
	Services  []Service
	Group     []string // the app: services that are always on one version
	Version   Version  // of the group
	Skew      []string // "api runs 1.2.3, worker 1.2.2": empty when all agree
	Databases []steps.Database
	Stores    []steps.Store // what a restore point of the group holds
	Left      []steps.Store // what it leaves out, with Why
	Writers   []string      // services outside the group that write to a store: they must stop too
	Probes    []steps.Probe
	Repo      string   // forge repository of the app: "github.com/owner/name", "" unknown
	Drift     []string // files no longer match what runs: "app: compose.yaml was edited since it started"
	Warnings  []string
}

// Role is what a service is for.
type Role string

// The roles.
const (
	App      Role = "app"
	Database Role = "database"
	Other    Role = "other"
)

// Service is one service with its running container. Container is nil when none exists.
type Service struct {
	Name      string
	Role      Role
	Kind      string // of a database: postgres, redis …
	Ref       string // resolved image reference
	Digest    string // "sha256:…" in its registry, of the running image; "" unknown
	Version   Version
	Pin       compose.Pin
	Container *dockerx.Container
	OneShot   bool // made to exit: restart no/on-failure and exited 0
}

// Version is a version and how belay knows it.
type Version struct {
	Text   string // "1.2.3"; "unknown" when belay cannot tell
	Tag    string // the image tag as written: "v1.2.3-slim", "latest"
	Source string // tag, label, digest, unknown
	Why    string // a sentence when Source is unknown
}

// Known says whether the version can be compared.
func (v Version) Known() bool { return v.Source != "" && v.Source != "unknown" }

// Service finds a service by name.
func (s *Stack) Service(name string) (Service, bool) {
	for _, svc := range s.Services {
		if svc.Name == name {
			return svc, true
		}
	}
	return Service{}, false
}

// Up says since when the service has been running, zero when it does not run.
func (s Service) Up() time.Time {
	if s.Container == nil || s.Container.State != dockerx.Running {
		return time.Time{}
	}
	return s.Container.StartedAt
}
