package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"belay/e2e/rig"
)

// crowd is how many containers stand on the host while belay is timed.
const crowd = 30

// BenchmarkFirstPaint is the time from the start to the first thing on the
// screen; the promise is 100 ms.
func BenchmarkFirstPaint(b *testing.B) {
	s := crowded(b)
	timed(b, s, "belay", "ms/paint")
}

// BenchmarkStackKnown is the time from the start to the installed version on the
// screen; the promise is 1 s with 30 containers on the host.
func BenchmarkStackKnown(b *testing.B) {
	s := crowded(b)
	timed(b, s, "1.2.3", "ms/known")
}

// timed starts belay again and again and reports the median time until a text is
// on the screen.
func timed(b *testing.B, s *rig.Stack, text, unit string) {
	b.Helper()
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		term := s.Open(b, s.Dir)
		term.See(b, soon, text)
		took = append(took, time.Since(began))
		leave(b, term)
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Milliseconds()), unit)
}

func leave(b *testing.B, term *rig.Terminal) {
	b.Helper()
	b.StopTimer()
	term.Press(b, "q")
	if code := term.Exit(b, soon); code != 0 {
		b.Fatalf("exit %d\n%s", code, term.Text())
	}
	b.StartTimer()
}

// crowded is a stack on a host that has other containers too.
func crowded(b *testing.B) *rig.Stack {
	b.Helper()
	rig.Need(b)
	used.Store(true)
	w, err := world()
	if err != nil {
		b.Fatal(err)
	}
	s := rig.NewStack(b, w, rig.Options{})
	file := filepath.Join(b.TempDir(), "crowd.yaml")
	text := fmt.Sprintf("name: %s-crowd\nservices:\n  idle:\n    image: %s\n    entrypoint: [sleep, infinity]\n    network_mode: none\n    scale: %d\n",
		s.Project, rig.Database, crowd-2)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Compose(b, "-f", file, "down", "--volumes", "--timeout=1") })
	s.Compose(b, "-f", file, "up", "--detach")
	return s
}
