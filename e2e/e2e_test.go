// Package e2e_test upgrades a real app with a real database on a real engine and
// looks at what stands afterwards. It must know belay's command line only.
package e2e_test

import (
	"context"
	"flag"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"belay/e2e/rig"
)

// The scenarios wait far more than they compute.
const together = "4"

var used atomic.Bool

var world = sync.OnceValues(func() (*rig.World, error) { return rig.NewWorld(context.Background()) })

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", together); err != nil {
		panic(err)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	code := m.Run()
	if used.Load() {
		if w, err := world(); err == nil {
			w.Close()
		}
	}
	return code
}

// stand gives a scenario a stack of its own, on 1.2.3 with 100,000 rows.
func stand(t *testing.T, o rig.Options) *rig.Stack {
	t.Helper()
	rig.Need(t)
	t.Parallel()
	used.Store(true)
	w, err := world()
	if err != nil {
		t.Fatal(err)
	}
	return rig.NewStack(t, w, o)
}

// same fails the test when any of the parts differs.
func same(t *testing.T, before, after rig.State, parts ...string) {
	t.Helper()
	if d := rig.Diff(before, after, parts...); len(d) > 0 {
		t.Errorf("not as it was:\n%s", strings.Join(d, "\n"))
	}
}
