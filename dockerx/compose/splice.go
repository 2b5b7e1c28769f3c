package compose

import (
	"bytes"
	"cmp"
	"slices"
)

// splice replaces [start,end) of a file.
type splice struct {
	start, end int
	text       string
}

// spliced gives the file with the changes in; data stays as it is. It says no to
// changes that overlap or lie outside.
func spliced(data []byte, list []splice) ([]byte, bool) {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b splice) int { return cmp.Compare(a.start, b.start) })
	var out bytes.Buffer
	pos := 0
	for _, c := range list {
		if c.start < pos || c.end < c.start || c.end > len(data) {
			return nil, false
		}
		out.Write(data[pos:c.start])
		out.WriteString(c.text)
		pos = c.end
	}
	out.Write(data[pos:])
	return out.Bytes(), true
}
