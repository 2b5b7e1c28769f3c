package tree

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// What Main writes to stderr besides plain text: lines of these prefixes.
const (
	SummaryPrefix  = "belay-tree: "          // + Summary as JSON; the last line of a good end
	ProgressPrefix = "belay-tree-progress: " // + bytes so far
)

// progressStep is how many bytes lie between two progress lines.
const progressStep = 4 << 20

// Main runs this package as a program: what belay does inside a helper
// container. Arguments: "save ROOT", "load ROOT", "scan ROOT [SQLITE...]",
// "verify". The archive goes to stdout or comes from stdin. The exit code is 0,
// 1 after a failure (said on stderr) or 2 for wrong arguments.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	sum, err := run(context.Background(), args, stdin, stdout, stderr)
	var usage usageError
	switch {
	case errors.As(err, &usage):
		_, _ = fmt.Fprintln(stderr, usage)
		return 2
	case err != nil:
		_, _ = fmt.Fprintln(stderr, err)
		return 1
	}
	text, err := json.Marshal(sum)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, err)
		return 1
	}
	if _, err := fmt.Fprintf(stderr, "%s%s\n", SummaryPrefix, text); err != nil {
		return 1
	}
	return 0
}

type usageError string

func (e usageError) Error() string { return string(e) }

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) (Summary, error) {
	told := int64(0)
	on := func(n int64) {
		if n-told >= progressStep {
			told = n
			_, _ = fmt.Fprintf(stderr, "%s%d\n", ProgressPrefix, n)
		}
	}
	switch {
	case len(args) == 2 && args[0] == "save":
		return Save(ctx, args[1], stdout, on)
	case len(args) == 2 && args[0] == "load":
		return Load(ctx, args[1], stdin, on)
	case len(args) >= 2 && args[0] == "scan":
		return Scan(ctx, args[1], args[2:])
	case len(args) == 1 && args[0] == "verify":
		return Verify(ctx, stdin)
	}
	return Summary{}, usageError("usage: save ROOT | load ROOT | scan ROOT [SQLITE...] | verify")
}
