package local_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"belay/dockerx"
	"belay/dockerx/compose"
	"belay/dockerx/local"
	"belay/dockerx/local/demoapp"
	"belay/dockerx/registry"
)

func TestRestartsWithBackoffUntilTold(t *testing.T) {
	e := open(t, options(t.TempDir(), image("2.0.0", true)))
	p := project(t, "")("2.0.0") // needs a secret: exits 1 at once
	must(t, e.Up(within(t), p, compose.UpSpec{}, nil))
	id := only(t, e).ID
	eventually(t, "restarts", func() bool { return only(t, e).RestartCount >= 3 })

	// Another process's `docker update --restart=no`.
	must(t, e.SetRestart(within(t), id, "no"))
	eventually(t, "the end", func() bool { return only(t, e).State == dockerx.Exited })
	c := only(t, e)
	if c.ExitCode != 1 || c.RestartPolicy != "no" {
		t.Fatalf("exit %d, policy %s", c.ExitCode, c.RestartPolicy)
	}
	if starts := strings.Count(logOf(t, e, id), "is starting"); starts != c.RestartCount+1 {
		t.Fatalf("%d starts in the log, %d restarts", starts, c.RestartCount)
	}
	must(t, e.SetRestart(within(t), id, "always"))
	must(t, e.StartContainer(within(t), id))
	must(t, e.StopContainer(within(t), id, patience))
	if c := only(t, e); c.State != dockerx.Exited {
		t.Fatalf("stopped while it was restarting: %s", c.State)
	}
}

func TestOnFailureHasLimit(t *testing.T) {
	e := open(t, options(t.TempDir(), image("2.0.0", true)))
	p := project(t, "")("2.0.0")
	p.Services[0].Restart = "on-failure:2"
	must(t, e.Up(within(t), p, compose.UpSpec{}, nil))
	eventually(t, "giving up", func() bool { return only(t, e).State == dockerx.Exited })
	if c := only(t, e); c.RestartCount != 2 {
		t.Fatalf("%d restarts", c.RestartCount)
	}
	if err := e.SetRestart(within(t), only(t, e).ID, "sometimes"); err == nil {
		t.Fatal("a policy that does not exist")
	}
}

func TestUpRefusesImageThatIsNotHere(t *testing.T) {
	e := open(t, options(t.TempDir(), image("1.2.3", true), image("1.2.4", false)))
	at := project(t, "")
	must(t, e.Up(within(t), at("1.2.3"), compose.UpSpec{}, nil))
	before := only(t, e)
	if err := e.Up(within(t), at("1.2.4"), compose.UpSpec{}, nil); !errors.Is(err, dockerx.ErrNotFound) {
		t.Fatalf("error: %v", err)
	}
	if after := only(t, e); after.ID != before.ID || after.State != dockerx.Running {
		t.Fatal("the old container was touched")
	}
}

// Belay pulls by digest and tags what it got.
func TestPullByDigestThenTag(t *testing.T) {
	spec := image("1.2.4", false)
	e := open(t, options(t.TempDir(), spec))
	must(t, e.Pull(within(t), repo+"@"+spec.Digest(), nil))
	img, err := e.Image(within(t), repo+":1.2.4@"+spec.Digest())
	must(t, err)
	if img.ID != spec.ImageID() || len(img.Tags) != 0 {
		t.Fatalf("%s tags %v", img.ID, img.Tags)
	}
	must(t, e.TagImage(within(t), img.ID, repo+":1.2.4"))
	if img, err = e.Image(within(t), repo+":1.2.4"); err != nil || img.ID != spec.ImageID() {
		t.Fatalf("%s %v", img.ID, err)
	}
}

func TestRegistryTellsWhatPullBrings(t *testing.T) {
	spec := image("1.3.0", false)
	e := open(t, options(t.TempDir(), image("1.2.3", true), spec))
	tags, err := e.Tags(within(t), repo)
	if err != nil || !slices.Equal(tags, []string{"1.2.3", "1.3.0"}) {
		t.Fatalf("%v %v", tags, err)
	}
	remote, err := e.Resolve(within(t), repo+":1.3.0", "linux", "amd64")
	must(t, err)
	var total int64
	last := map[string]bool{}
	must(t, e.Pull(within(t), repo+":1.3.0", func(p dockerx.PullProgress) {
		if p.Phase == "complete" || p.Phase == "exists" {
			total += p.Total
			last[p.Layer] = true
		}
	}))
	if total != remote.Size || len(last) != 4 {
		t.Fatalf("pulled %d bytes in %d layers, the registry says %d", total, len(last), remote.Size)
	}
	img, err := e.Image(within(t), repo+":1.3.0")
	must(t, err)
	if !slices.Contains(img.Digests, repo+"@"+remote.Digest) || img.Labels["org.opencontainers.image.version"] != "1.3.0" {
		t.Fatalf("digests %v, labels %v, the registry says %s", img.Digests, img.Labels, remote.Digest)
	}
	if _, err := e.Resolve(within(t), repo+":9.9.9", "linux", "amd64"); !errors.Is(err, registry.ErrNoTag) {
		t.Fatalf("error: %v", err)
	}
	if _, err := e.Tags(within(t), "demo.belay.example/none"); !errors.Is(err, registry.ErrNoTag) {
		t.Fatalf("error: %v", err)
	}
}

func TestPullStopsWithContext(t *testing.T) {
	o := options(t.TempDir(), image("1.2.4", false))
	o.PullRate = 1
	e := open(t, o)
	ctx, cancel := context.WithCancel(t.Context())
	err := e.Pull(ctx, repo+":1.2.4", func(p dockerx.PullProgress) {
		if p.Phase == "downloading" {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error: %v", err)
	}
	if _, err := e.Image(within(t), repo+":1.2.4"); !errors.Is(err, dockerx.ErrNotFound) {
		t.Fatalf("half an image is there: %v", err)
	}
}

func TestRecreateKeepsVolumesWithoutName(t *testing.T) {
	spec, next := image("1.2.3", true), image("1.2.4", true)
	spec.Volumes, next.Volumes = []string{"/cache"}, []string{"/cache"}
	e := open(t, options(t.TempDir(), spec, next))
	at := project(t, "")
	cache := func() string {
		for _, m := range only(t, e).Mounts {
			if m.Target == "/cache" && m.Anonymous && len(m.Name) == 64 {
				return m.Name
			}
		}
		t.Fatal("no volume without a name")
		return ""
	}
	must(t, e.Up(within(t), at("1.2.3"), compose.UpSpec{}, nil))
	before := cache()
	must(t, e.Up(within(t), at("1.2.4"), compose.UpSpec{}, nil))
	if after := cache(); after != before {
		t.Fatal("the new container has another one")
	}
}

// An `up` that was cut short after it made the new container converges, in both
// directions, with the next one.
func TestUpConvergesAfterCut(t *testing.T) {
	for _, next := range []string{"1.2.3", "1.2.4"} {
		t.Run(next, func(t *testing.T) {
			e := open(t, options(t.TempDir(), image("1.2.3", true), image("1.2.4", true)))
			at := project(t, "")
			must(t, e.Up(within(t), at("1.2.3"), compose.UpSpec{}, nil))
			cutUp(t, e, at("1.2.4"))
			must(t, e.Up(within(t), at(next), compose.UpSpec{}, nil))
			c := only(t, e)
			if c.State != dockerx.Running || c.Image != repo+":"+next {
				t.Fatalf("%s %s", c.State, c.Image)
			}
		})
	}
}

// cutUp leaves both the old container and the new one under its temporary name.
func cutUp(t *testing.T, e *local.Engine, p *compose.Project) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := e.Up(ctx, p, compose.UpSpec{}, func(line string) {
		if strings.HasSuffix(line, "Recreate") {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error: %v", err)
	}
	all, err := e.Containers(within(t), "pool")
	must(t, err)
	if len(all) != 2 {
		t.Fatalf("%d containers after the cut", len(all))
	}
}

func TestServicesInOrderAndAlone(t *testing.T) {
	const worker = `  worker:
    image: ` + repo + `:1.2.3
    depends_on: [app]
`
	e := open(t, options(t.TempDir(), image("1.2.3", true), image("1.2.4", true)))
	at := project(t, worker)
	var lines []string
	on := func(l string) { lines = append(lines, l) }
	must(t, e.Up(within(t), at("1.2.3"), compose.UpSpec{Services: []string{"worker"}}, on))
	must(t, e.Stop(within(t), at("1.2.3"), nil, 0, on))
	got := strings.Join(lines, "\n")
	inOrder(t, got, "pool-app-1  Started", "pool-worker-1  Create", "pool-worker-1  Stopped", "pool-app-1  Stopping")

	must(t, e.Up(within(t), at("1.2.3"), compose.UpSpec{}, nil))
	all, err := e.Containers(within(t), "pool")
	must(t, err)
	must(t, e.Up(within(t), at("1.2.4"), compose.UpSpec{Services: []string{"app"}, NoDeps: true}, nil))
	now, err := e.Containers(within(t), "pool")
	must(t, err)
	if now[0].ID == all[0].ID || now[1].ID != all[1].ID || !now[1].StartedAt.Equal(all[1].StartedAt) {
		t.Fatalf("before %s %s, after %s %s", all[0].ID, all[1].ID, now[0].ID, now[1].ID)
	}
}

func TestBindMountsAndChosenPort(t *testing.T) {
	e := open(t, options(t.TempDir(), image("1.2.3", true)))
	p := project(t, "")("1.2.3")
	dir := t.TempDir()
	s := &p.Services[0]
	s.Volumes = []compose.Volume{{Type: "bind", Source: dir, Target: "/data"}}
	s.Ports[0].Host = ""
	must(t, e.Up(within(t), p, compose.UpSpec{}, nil))
	eventually(t, "health", func() bool { return only(t, e).Health == dockerx.Healthy })
	if _, err := os.Stat(filepath.Join(dir, "tidepool.db")); err != nil {
		t.Fatal(err)
	}
	if c := only(t, e); len(c.Ports) != 1 || c.Ports[0].Host == 0 || c.Ports[0].Container != 8080 {
		t.Fatalf("ports: %+v", c.Ports)
	}
	must(t, e.Stop(within(t), p, nil, 0, nil))
	bind := dockerx.Data{Kind: dockerx.BindData, Name: dir}
	was, err := e.ScanTree(within(t), bind, []string{"tidepool.db"})
	must(t, err)
	var archive bytes.Buffer
	_, err = e.SaveTree(within(t), bind, &archive, nil)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "later"), nil, 0o600))
	if back, err := e.LoadTree(within(t), bind, &archive, nil); err != nil || back.Digest != was.Digest {
		t.Fatalf("%s, want %s: %v", back.Digest, was.Digest, err)
	}
}

func TestHealthGoesUnhealthy(t *testing.T) {
	o := options(t.TempDir(), image("1.3.0", true, demoapp.EnvFail+"="+demoapp.FailHealth))
	o.Probe.Grace = time.Nanosecond
	e := open(t, o)
	must(t, e.Up(within(t), project(t, "")("1.3.0"), compose.UpSpec{}, nil))
	eventually(t, "unhealthy", func() bool { return only(t, e).Health == dockerx.Unhealthy })
	if c := only(t, e); c.State != dockerx.Running || c.RestartCount != 0 {
		t.Fatalf("%s, %d restarts", c.State, c.RestartCount)
	}
}

func TestCloseEndsEverything(t *testing.T) {
	before := runtime.NumGoroutine()
	e, err := local.New(options(t.TempDir(), image("1.2.3", true)))
	must(t, err)
	p := project(t, "")("1.2.3")
	must(t, e.Up(within(t), p, compose.UpSpec{}, nil))
	id := only(t, e).ID
	ended := make(chan error, 1)
	go func() {
		ended <- e.Logs(t.Context(), id, dockerx.LogSpec{Follow: true}, func(dockerx.LogLine) {})
	}()
	must(t, e.Close())
	must(t, <-ended)
	if c := only(t, e); c.State != dockerx.Exited {
		t.Fatalf("state %s", c.State)
	}
	if err := e.StartContainer(within(t), id); !errors.Is(err, local.ErrClosed) {
		t.Fatalf("start after close: %v", err)
	}
	must(t, e.Close()) // once more is no mistake
	eventually(t, "goroutines to end", func() bool { return runtime.NumGoroutine() <= before })
}

func TestManyAtOnce(t *testing.T) {
	e := open(t, options(t.TempDir(), image("1.2.3", true), image("1.2.4", false)))
	p := project(t, "")("1.2.3")
	must(t, e.Up(within(t), p, compose.UpSpec{}, nil))
	id := only(t, e).ID
	ctx := within(t)
	work := []func() error{
		func() error { _, err := e.Containers(ctx, ""); return err },
		func() error { _, err := e.Volumes(ctx); return err },
		func() error { return e.Pull(ctx, repo+":1.2.4", nil) },
		func() error { return e.Logs(ctx, id, dockerx.LogSpec{Tail: 3}, func(dockerx.LogLine) {}) },
		func() error { return e.SetRestart(ctx, id, "always") },
		func() error { return e.TagImage(ctx, repo+":1.2.3", dockerx.HoldPrefix+"pool-app:1") },
		func() error { return e.StopContainer(ctx, id, patience) },
		func() error { return e.StartContainer(ctx, id) },
	}
	var wg sync.WaitGroup
	for _, do := range work {
		wg.Go(func() {
			for range 5 {
				if err := do(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	must(t, e.StartContainer(ctx, id))
	if c := only(t, e); c.State != dockerx.Running || c.RestartPolicy != "always" {
		t.Fatalf("%s %s", c.State, c.RestartPolicy)
	}
}

func inOrder(t *testing.T, text string, parts ...string) {
	t.Helper()
	rest := text
	for _, part := range parts {
		at := strings.Index(rest, part)
		if at < 0 {
			t.Fatalf("no %q in its place in\n%s", part, text)
		}
		rest = rest[at:]
	}
}

// only is the one container of the project.
func only(t *testing.T, e *local.Engine) dockerx.Container {
	t.Helper()
	all, err := e.Containers(within(t), "pool")
	if err != nil || len(all) != 1 {
		t.Fatalf("%d containers, %v", len(all), err)
	}
	return all[0]
}

func logOf(t *testing.T, e *local.Engine, id string) string {
	t.Helper()
	var b strings.Builder
	must(t, e.Logs(within(t), id, dockerx.LogSpec{}, func(l dockerx.LogLine) {
		b.Write(l.Text)
		b.WriteByte('\n')
	}))
	return b.String()
}
