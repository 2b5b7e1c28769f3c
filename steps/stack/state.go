package stack

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"belay/dockerx"
	"belay/dockerx/compose"
)

// drift says where the files no longer match what runs.
func (f *facts) drift(s *Stack) {
	for _, svc := range s.Services {
		m, c := f.model(svc.Name), svc.Container
		if c == nil {
			continue
		}
		runs := f.repoOf(m)
		wants := splitRef(m.Image)
		hash := f.hashes[svc.Name]
		switch {
		case wants.repo != "" && runs.full() == wants.full() && runs.tag != wants.tag && runs.tag != "" && svc.Pin.Kind != compose.PinBuild:
			s.Drift = append(s.Drift, fmt.Sprintf("%s: runs %s, %s says %s", svc.Name, runs.tag, f.pinPlace(svc), either(wants.tag, "latest")))
		case hash != "" && c.ConfigHash != "" && hash != c.ConfigHash:
			s.Drift = append(s.Drift, fmt.Sprintf("%s: %s was edited since it started", svc.Name, f.filesOf(m)))
		}
	}
}

func (f *facts) pinPlace(svc Service) string {
	if svc.Pin.Place.File != "" {
		return place(svc.Pin.Place.File, svc.Pin.Place.Line)
	}
	return f.filesOf(f.model(svc.Name))
}

// filesOf names the files that may have changed a service.
func (f *facts) filesOf(m compose.Service) string {
	var names []string
	if m.Place.File != "" {
		names = append(names, place(m.Place.File, 0))
	}
	for _, file := range slices.Concat(f.Model.Files, f.Model.EnvFiles) {
		if name := place(file, 0); !slices.Contains(names, name) && (m.Place.File == "" || slices.Contains(f.Model.EnvFiles, file)) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "a file"
	}
	return strings.Join(names, " or ")
}

// settled is how long a container must have run after a restart to be believed.
const settled = 2 * time.Minute

// state says what is not as it should be before an upgrade.
func (f *facts) state(s *Stack) {
	if len(f.containers) == 0 {
		f.warn("The stack is not running: it has no containers.")
	}
	now := f.Now()
	for _, svc := range s.Services {
		c := svc.Container
		switch {
		case c == nil && len(f.containers) > 0:
			f.warn("%s has no container.", svc.Name)
		case c == nil || svc.OneShot:
		case c.State == dockerx.Exited || c.State == dockerx.Dead:
			f.warn("%s is stopped (exit code %d).", svc.Name, c.ExitCode)
		case c.State == dockerx.Restarting:
			f.warn("%s keeps restarting (exit code %d).", svc.Name, c.ExitCode)
		case c.State == dockerx.Paused:
			f.warn("%s is paused.", svc.Name)
		case c.State == dockerx.Created:
			f.warn("%s was made and never started.", svc.Name)
		case c.Health == dockerx.Unhealthy:
			f.warn("%s runs and is unhealthy.", svc.Name)
		case c.RestartCount > 0 && now.Sub(c.StartedAt) < settled:
			f.warn("%s was restarted %d times, last %s ago.", svc.Name, c.RestartCount, now.Sub(c.StartedAt).Round(time.Second))
		}
	}
	for _, name := range f.orphans {
		f.warn("%s has a container but is in no file any more; belay leaves it alone.", name)
	}
}

// place is "compose.yaml:7".
func place(file string, line int) string {
	if line == 0 {
		return path.Base(file)
	}
	return fmt.Sprintf("%s:%d", path.Base(file), line)
}
