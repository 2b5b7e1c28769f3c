package drain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"

	"belay/dockerx"
	"belay/steps/journal"
)

// state is how a service stood before belay stopped it.
type state struct {
	Running bool   `json:"running"`
	Policy  string `json:"policy"`
}

// states are those of all services that are stopped, by service.
type states map[string]state

func statesFile(dir string) string { return filepath.Join(dir, "before-stop.json") }

// remember writes down how the services stand, once: after a crash the first
// record counts, not what belay itself has made of them since.
func remember(dir string, containers []dockerx.Container) (states, error) {
	if s, err := recall(dir); err != nil || s != nil {
		return s, err
	}
	s := states{}
	for _, c := range containers {
		old := s[c.Service]
		s[c.Service] = state{Running: old.Running || c.State == dockerx.Running || c.State == dockerx.Restarting, Policy: c.RestartPolicy}
	}
	b, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode states: %w", err)
	}
	return s, journal.WriteFile(statesFile(dir), b)
}

func recall(dir string) (states, error) {
	b, err := os.ReadFile(statesFile(dir))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read states: %w", err)
	}
	var s states
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, fmt.Errorf("read %s: %w", statesFile(dir), err)
	}
	return s, nil
}

// sleep takes restart policies off: `always` revives a stopped container when
// the engine restarts (measured), and that would write under the copy.
func (s states) sleep(ctx context.Context, e Engine, containers []dockerx.Container) error {
	for _, c := range containers {
		if c.RestartPolicy == "" || c.RestartPolicy == "no" {
			continue
		}
		if err := e.SetRestart(ctx, c.ID, "no"); err != nil {
			return fmt.Errorf("take the restart policy off %s: %w", c.Service, err)
		}
	}
	return nil
}

// Wake starts the containers that ran before the stop, in the given order, with
// the restart policies they had. It works on whatever containers the services
// have now. Services without a record, or with a container that runs, are left.
func Wake(ctx context.Context, e Engine, dir, project string, services iter.Seq2[int, string]) error {
	before, err := recall(dir)
	if err != nil {
		return err
	}
	for _, svc := range services {
		was, ok := before[svc]
		if !ok {
			continue
		}
		all, err := e.Containers(ctx, project)
		if err != nil {
			return fmt.Errorf("list containers: %w", err)
		}
		for _, c := range all {
			if c.Service != svc || c.OneOff {
				continue
			}
			if c.RestartPolicy != was.Policy && was.Policy != "" {
				if err := e.SetRestart(ctx, c.ID, was.Policy); err != nil {
					return fmt.Errorf("put the restart policy of %s back: %w", svc, err)
				}
			}
			if !was.Running || c.State == dockerx.Running {
				continue
			}
			if err := e.StartContainer(ctx, c.ID); err != nil {
				return fmt.Errorf("start %s: %w", svc, err)
			}
		}
	}
	return nil
}
