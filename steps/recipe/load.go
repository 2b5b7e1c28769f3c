package recipe

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// UserFile is the user's own recipe, beside the compose file.
const UserFile = "belay.yaml"

// Load gives what is known about the installation in dir: the embedded recipe
// whose match fits one of the image repositories, and over it, key by key,
// dir's belay.yaml. Without either it is the zero Recipe. A mistake in a file
// is an *Error.
func Load(dir string, images []string, embedded fs.FS) (Recipe, error) {
	r, err := find(images, embedded)
	if err != nil {
		return Recipe{}, err
	}
	file := filepath.Join(dir, UserFile)
	data, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return r, nil
	case err != nil:
		return Recipe{}, &Error{File: file, Msg: "belay cannot read this file: " + cause(err), Err: err}
	}
	if err := r.overlay(file, data, true); err != nil {
		return Recipe{}, err
	}
	return r, nil
}

// find picks the embedded recipe that fits most of the images; of equals the
// first by name.
func find(images []string, embedded fs.FS) (Recipe, error) {
	if embedded == nil {
		return Recipe{}, nil
	}
	names, err := fs.Glob(embedded, "*.yaml")
	if err != nil {
		return Recipe{}, fmt.Errorf("list recipes: %w", err)
	}
	var best Recipe
	most := 0
	for _, name := range names {
		data, err := fs.ReadFile(embedded, name)
		if err != nil {
			return Recipe{}, fmt.Errorf("read recipe %s: %w", name, err)
		}
		var r Recipe
		if err := r.overlay(name, data, false); err != nil {
			return Recipe{}, err
		}
		if n := r.Match.count(images); n > most {
			best, most = r, n
		}
	}
	return best, nil
}

func (m Match) count(images []string) int {
	n := 0
	for _, image := range images {
		if m.Fits(image) {
			n++
		}
	}
	return n
}

// Fits says whether one of the globs covers an image repository. Docker Hub's
// names fit in each of their spellings; a tag or digest is ignored. A star does
// not cross a slash.
func (m Match) Fits(image string) bool {
	repo := canonical(image)
	for _, glob := range m.Images {
		if ok, err := path.Match(canonical(glob), repo); err == nil && ok {
			return true
		}
	}
	return false
}

func canonical(image string) string {
	image, _, _ = strings.Cut(image, "@")
	if i := strings.LastIndexByte(image, ':'); i > strings.LastIndexByte(image, '/') {
		image = image[:i]
	}
	host, rest, ok := strings.Cut(image, "/")
	switch {
	case !ok:
		return "docker.io/library/" + image
	case host == "docker.io" || host == "index.docker.io" || host == "registry-1.docker.io":
		if !strings.Contains(rest, "/") {
			rest = "library/" + rest
		}
		return "docker.io/" + rest
	case host == "localhost" || strings.ContainsAny(host, ".:"):
		return image
	default:
		return "docker.io/" + image
	}
}

func cause(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}
