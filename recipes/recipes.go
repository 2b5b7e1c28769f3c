// Package recipes holds what belay knows about systems out of the box: one YAML
// file each, embedded in the binary. It must not know how they are read.
package recipes

import (
	"embed"
	"io/fs"
)

//go:embed *.yaml
var files embed.FS

// FS is the folder of recipes: NAME.yaml at its top.
func FS() fs.FS { return files }
