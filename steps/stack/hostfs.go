package stack

import (
	"os"
	"strings"
)

// hostFSType names the type of the file system that holds a path, from the
// kernel's own table; "" where there is none.
func hostFSType() func(dir string) string {
	data, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil
	}
	return mountTable(string(data))
}

// mountTable reads /proc/self/mountinfo (proc_pid_mountinfo(5)). A later mount
// covers an earlier one at the same place.
func mountTable(text string) func(dir string) string {
	type entry struct{ dir, fstype string }
	unescape := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	var table []entry
	for line := range strings.Lines(text) {
		left, right, ok := strings.Cut(line, " - ")
		before, after := strings.Fields(left), strings.Fields(right)
		if ok && len(before) >= 5 && len(after) >= 1 {
			table = append(table, entry{unescape.Replace(before[4]), after[0]})
		}
	}
	return func(dir string) string {
		var best entry
		for _, e := range table {
			if within(e.dir, dir) && len(e.dir) >= len(best.dir) {
				best = e
			}
		}
		return best.fstype
	}
}
