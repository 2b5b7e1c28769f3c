package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"belay/dockerx"
	"belay/steps"
)

// The files that say how things stood before the run.
const (
	inspectContainers = "inspect/containers.json"
	inspectImages     = "inspect/images.json"
	inspectVolumes    = "inspect/volumes.json"
)

// Masked is a container as it may be kept on disk: of its environment and its
// labels only the names, save the labels that compose and the image format set.
type Masked struct {
	dockerx.Container
	Env    []string          `json:"Env"`
	Labels map[string]string `json:"Labels"`
}

// Mask takes the values that may be secrets out of a container.
func Mask(c dockerx.Container) Masked {
	return Masked{Container: c, Env: slices.Sorted(maps.Keys(c.Env)), Labels: maskLabels(c.Labels)}
}

type maskedImage struct {
	dockerx.Image
	Env    []string
	Labels map[string]string
}

type maskedVolume struct {
	dockerx.Volume
	Options []string // names: a share's password is in a value
	Labels  map[string]string
}

// inspect writes containers, images and volumes down.
func (s *captureStep) inspect(ctx context.Context) error {
	all, err := s.Engine.Containers(ctx, s.plan.Project)
	if err != nil {
		return fmt.Errorf("inspect the containers: %w", err)
	}
	containers := []Masked{}
	images := []maskedImage{}
	seen := map[string]bool{}
	for _, c := range all {
		containers = append(containers, Mask(c))
		if seen[c.ImageID] {
			continue
		}
		seen[c.ImageID] = true
		img, err := s.Engine.Image(ctx, c.ImageID)
		if errors.Is(err, dockerx.ErrNotFound) {
			continue // its container lives on without it
		}
		if err != nil {
			return fmt.Errorf("inspect the image of %s: %w", c.Service, err)
		}
		images = append(images, maskedImage{Image: img, Env: names(img.Env), Labels: maskLabels(img.Labels)})
	}
	volumes := []maskedVolume{}
	for _, st := range slices.Concat(s.plan.Stores, s.plan.Left) {
		if st.Kind != dockerx.VolumeData {
			continue
		}
		v, err := s.Engine.Volume(ctx, st.Name)
		if errors.Is(err, dockerx.ErrNotFound) {
			continue // the cold copy will say so if it is needed
		}
		if err != nil {
			return fmt.Errorf("inspect volume %s: %w", st.Name, err)
		}
		volumes = append(volumes, maskedVolume{
			Volume: v, Options: slices.Sorted(maps.Keys(v.Options)), Labels: maskLabels(v.Labels),
		})
	}
	for _, f := range []struct {
		file string
		data any
	}{{inspectContainers, containers}, {inspectImages, images}, {inspectVolumes, volumes}} {
		if err := writeJSON(s.path(f.file), f.data); err != nil {
			return err
		}
	}
	return nil
}

// Containers is how the project's containers stood when the restore point was made.
func (p *RestorePoint) Containers() ([]Masked, error) {
	b, err := os.ReadFile(p.Path(inspectContainers))
	if err != nil {
		return nil, fmt.Errorf("read how the containers stood: %w", err)
	}
	var out []Masked
	if err := json.Unmarshal(b, &out); err != nil {
		return nil, fmt.Errorf("read how the containers stood: %w", err)
	}
	return out, nil
}

// smallArtefact describes a small file that was written already.
func (b base) smallArtefact(role Role, file string) (Artefact, error) {
	data, err := os.ReadFile(b.path(file))
	if err != nil {
		return Artefact{}, fmt.Errorf("read %s: %w", filepath.Base(file), err)
	}
	sum := sha256.Sum256(data)
	return Artefact{Role: role, File: file, SHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(data))}, nil
}

func names(env []string) []string {
	out := make([]string, len(env))
	for i, kv := range env {
		out[i], _, _ = strings.Cut(kv, "=")
	}
	return out
}

func maskLabels(labels map[string]string) map[string]string {
	out := map[string]string{}
	for k, v := range labels {
		switch {
		case strings.HasPrefix(k, "com.docker.compose."), strings.HasPrefix(k, "org.opencontainers.image."),
			strings.HasPrefix(k, "belay."):
			out[k] = v
		default:
			out[k] = ""
		}
	}
	return out
}

var _ steps.Step = (*captureStep)(nil)
