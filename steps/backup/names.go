package backup

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"regexp"

	"belay/dockerx"
	"belay/steps"
)

var (
	plainName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,99}$`)
	plainBase = regexp.MustCompile(`^[a-zA-Z0-9_.-]{1,100}$`)
	oddRunes  = regexp.MustCompile(`[^a-zA-Z0-9_.-]+`)
)

// fileName makes a file name of a name from outside: itself where that is
// harmless, else what is harmless of it with a hash that tells it from others.
func fileName(kind, name string) string {
	if kind == "" && plainName.MatchString(name) {
		return name
	}
	sum := sha256.Sum256([]byte(kind + "\x00" + name))
	slug := oddRunes.ReplaceAllString(name, "-")
	if len(slug) > 40 {
		slug = slug[len(slug)-40:]
	}
	return "_" + slug + "-" + hex.EncodeToString(sum[:4])
}

func storeName(d dockerx.Data) string {
	if d.Kind == dockerx.VolumeData {
		return fileName("", d.Name)
	}
	return fileName(string(d.Kind), d.Name)
}

func volumeFile(d dockerx.Data) string { return "volumes/" + storeName(d) + ".tree.zst" }

func dumpFile(db steps.Database) string {
	return "dumps/" + fileName("", db.Service) + "@" + fileName("", db.Name) + ".dump"
}

func globalsFile(service string) string { return "dumps/" + fileName("", service) + ".globals.sql" }

// configFile numbers the captured files: two may have one base name.
func configFile(i int, path string) string {
	base := filepath.Base(path)
	if !plainBase.MatchString(base) {
		base = fileName("", base)
	}
	return fmt.Sprintf("config/%02d-%s", i, base)
}
