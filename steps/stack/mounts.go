package stack

import (
	"path"
	"strings"

	"belay/dockerx"
)

// mounts are what a service's container sees; of the files when it has none.
func (f *facts) mounts(service string) []dockerx.Mount {
	if c := f.containers[service]; c != nil {
		return c.Mounts
	}
	var out []dockerx.Mount
	for _, v := range f.model(service).Volumes {
		if v.Source == "" && v.Type != "tmpfs" {
			continue // an unnamed volume that does not exist yet
		}
		out = append(out, dockerx.Mount{
			Data:   dockerx.Data{Kind: dockerx.DataKind(v.Type), Name: v.Source},
			Target: v.Target, ReadOnly: v.ReadOnly,
		})
	}
	return out
}

// covering finds the mount that holds a path of the container: the deepest one.
func covering(mounts []dockerx.Mount, file string) (dockerx.Mount, bool) {
	var best dockerx.Mount
	found := false
	for _, m := range mounts {
		if within(m.Target, file) && (!found || len(path.Clean(m.Target)) > len(path.Clean(best.Target))) {
			best, found = m, true
		}
	}
	return best, found
}

// within says whether file is dir or lies below it.
func within(dir, file string) bool {
	dir, file = path.Clean(dir), path.Clean(file)
	return dir == file || strings.HasPrefix(file, strings.TrimSuffix(dir, "/")+"/")
}

// below is the path of file relative to dir.
func below(dir, file string) string {
	return strings.TrimPrefix(strings.TrimPrefix(path.Clean(file), path.Clean(dir)), "/")
}
