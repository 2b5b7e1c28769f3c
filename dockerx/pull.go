package dockerx

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/distribution/reference"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/registry"
)

// The phases of PullProgress.
const (
	phaseWaiting     = "waiting"
	phaseDownloading = "downloading"
	phaseExtracting  = "extracting"
	phaseComplete    = "complete"
	phaseExists      = "exists"
)

// hubAuthKey is the name under which Docker Hub's login is stored.
const hubAuthKey = "https://index.docker.io/v1/"

// Pull fetches an image with the user's own registry login and returns when it
// is there. on, if given, hears each layer's progress from one goroutine. A
// download that fails half way is an error although the engine's answer began
// with a success.
func (e *Engine) Pull(ctx context.Context, ref string, on func(PullProgress)) error {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return fmt.Errorf("image reference %q: %w", ref, err)
	}
	named = reference.TagNameOnly(named) // the engine would fetch every tag
	auth, err := e.registryAuth(reference.Domain(named))
	if err != nil {
		return fmt.Errorf("login for %s: %w", reference.Domain(named), err)
	}
	stream, err := e.api.ImagePull(ctx, named.String(), image.PullOptions{RegistryAuth: auth})
	if err != nil {
		return wrap(err, "pull %s", ref)
	}
	defer func() { _ = stream.Close() }()
	if on == nil {
		on = func(PullProgress) {}
	}
	if err := readPull(stream, on); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return wrap(err, "pull %s", ref)
	}
	// A stream that just ends proves nothing.
	_, err = e.Image(ctx, named.String())
	return err
}

func (e *Engine) registryAuth(domain string) (string, error) {
	key := domain
	if domain == "docker.io" {
		key = hubAuthKey
	}
	if e.config == nil {
		return "", nil
	}
	auth, err := e.config.GetAuthConfig(key)
	if err != nil {
		return "", err
	}
	if auth.Username == "" && auth.Password == "" && auth.Auth == "" && auth.IdentityToken == "" && auth.RegistryToken == "" {
		return "", nil
	}
	return registry.EncodeAuthConfig(registry.AuthConfig{
		Username: auth.Username, Password: auth.Password, Auth: auth.Auth, ServerAddress: auth.ServerAddress,
		IdentityToken: auth.IdentityToken, RegistryToken: auth.RegistryToken,
	})
}

// pullMessage is one line of the engine's answer to a pull.
type pullMessage struct {
	ID       string `json:"id"`
	Status   string `json:"status"`
	Error    string `json:"error"`
	Progress struct {
		Current int64  `json:"current"`
		Total   int64  `json:"total"`
		Units   string `json:"units"`
	} `json:"progressDetail"`
	ErrorDetail *struct {
		Message string `json:"message"`
	} `json:"errorDetail"`
}

// readPull follows the engine's answer to its end.
func readPull(stream io.Reader, on func(PullProgress)) error {
	totals := map[string]int64{}
	messages := json.NewDecoder(stream)
	for {
		var m pullMessage
		err := messages.Decode(&m)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("the engine's answer breaks off: %w", err)
		}
		if m.ErrorDetail != nil && m.ErrorDetail.Message != "" {
			return pullError(m.ErrorDetail.Message)
		}
		if m.Error != "" {
			return pullError(m.Error)
		}
		if p, ok := layerProgress(m, totals); ok {
			on(p)
		}
	}
}

// layerProgress reads one message. totals remembers each layer's size: the last
// "Downloading" falls short of it, and later phases do not repeat it.
func layerProgress(m pullMessage, totals map[string]int64) (PullProgress, bool) {
	p := PullProgress{Layer: m.ID, Current: m.Progress.Current}
	switch m.Status {
	case "Pulling fs layer", "Waiting", "Unavailable":
		p.Phase, p.Current = phaseWaiting, 0
	case "Downloading":
		p.Phase = phaseDownloading
		if m.Progress.Total > 0 {
			totals[m.ID] = m.Progress.Total
		}
	case "Verifying Checksum", "Download complete":
		p.Phase, p.Current = phaseDownloading, totals[m.ID]
	case "Extracting":
		p.Phase = phaseExtracting
		switch {
		case m.Progress.Units == "s": // the containerd image store counts seconds here
			p.Current = 0
		case totals[m.ID] == 0:
			totals[m.ID] = m.Progress.Total
		}
	case "Pull complete":
		p.Phase, p.Current = phaseComplete, totals[m.ID]
	case "Already exists":
		p.Phase, p.Current = phaseExists, totals[m.ID]
	default:
		if !strings.HasPrefix(m.Status, "Retrying in ") {
			return p, false
		}
		p.Phase, p.Current = phaseWaiting, 0
	}
	p.Total = totals[m.ID]
	return p, m.ID != ""
}

func pullError(message string) error {
	lower := strings.ToLower(message)
	if strings.Contains(lower, "manifest unknown") || strings.Contains(lower, "not found") {
		return fmt.Errorf("%w: %s", ErrNotFound, message)
	}
	return errors.New(message) // wrap sees a full disk
}

// saysNoSpace: the engine reports a full disk in words only.
func saysNoSpace(message string) bool {
	lower := strings.ToLower(message)
	return strings.Contains(lower, "no space left on device") || strings.Contains(lower, "disk quota exceeded")
}
