package compose

import (
	"regexp"
	"strings"
)

// reference is an image reference cut into its parts, with where they lie in it.
type reference struct {
	repo, tag, digest string
	tagAt, tagEnd     int // equal: no tag; then both are where one would go
	end               int // of the digest
}

// cutReference takes repo[:tag][@digest] apart.
func cutReference(ref string) reference {
	r := reference{end: len(ref)}
	named := ref
	if i := strings.IndexByte(ref, '@'); i >= 0 {
		named, r.digest = ref[:i], ref[i+1:]
	}
	r.repo, r.tagAt, r.tagEnd = named, len(named), len(named)
	if i := strings.LastIndexByte(named, ':'); i > strings.LastIndexByte(named, '/') {
		r.repo, r.tag, r.tagAt = named[:i], named[i+1:], i+1
	}
	return r
}

// The grammar of tags and digests, from the distribution specification. Text of
// this kind is safe in every place a pin can have: plain or quoted YAML, .env.
var (
	tagPattern    = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)
	digestPattern = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
)
