package dockerx

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"belay/dockerx/tree"

	"github.com/docker/docker/api/types/container"
)

func TestInfo(t *testing.T) {
	e := real(t)
	info, err := e.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if info.ID == "" || info.Version == "" || info.APIVersion == "" || info.OS == "" || info.Arch == "" || info.RootDir == "" || info.Host == "" {
		t.Errorf("something is missing: %+v", info)
	}
	free, total, err := e.FreeSpace(t.Context())
	if err != nil || free > total || info.Local && total <= 0 {
		t.Errorf("free space %d of %d, %v", free, total, err)
	}
}

func TestExec(t *testing.T) {
	e := real(t)
	id := appContainer(t, e, appImage(t, e), nil)
	t.Run("streams and exit code", func(t *testing.T) {
		got, err := e.Exec(t.Context(), id, ExecSpec{Argv: []string{"/app", "exit", "7"}, Env: []string{"SECRET=s3"}})
		if err != nil || got.Exit != 7 || string(got.Stdout) != "to stdout\n" || string(got.Stderr) != "to stderr s3\n" {
			t.Errorf("%d %q %q %v", got.Exit, got.Stdout, got.Stderr, err)
		}
	})
	t.Run("stdin to a writer", func(t *testing.T) {
		in := bytes.Repeat([]byte("0123456789"), 300_000)
		var out bytes.Buffer
		got, err := e.Exec(t.Context(), id, ExecSpec{Argv: []string{"/app", "cat"}, Stdin: bytes.NewReader(in), Stdout: &out})
		if err != nil || got.Exit != 0 || !bytes.Equal(out.Bytes(), in) {
			t.Errorf("%d, %d of %d bytes, %v", got.Exit, out.Len(), len(in), err)
		}
	})
	t.Run("unread stdin", func(t *testing.T) {
		got, err := e.Exec(t.Context(), id, ExecSpec{Argv: []string{"/app", "exit", "3"}, Stdin: bytes.NewReader(make([]byte, 5<<20))})
		if err != nil || got.Exit != 3 {
			t.Errorf("%d %v", got.Exit, err)
		}
	})
	t.Run("broken stdin", func(t *testing.T) {
		broken := errors.New("disk fell out")
		_, err := e.Exec(t.Context(), id, ExecSpec{Argv: []string{"/app", "cat"}, Stdin: io.MultiReader(strings.NewReader("x"), broke{broken})})
		if !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no such program", func(t *testing.T) {
		got, err := e.Exec(t.Context(), id, ExecSpec{Argv: []string{"/nope"}})
		if err == nil && got.Exit == 0 {
			t.Errorf("taken for a success: %+v", got)
		}
		t.Logf("%d %q %q %v", got.Exit, got.Stdout, got.Stderr, err)
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := e.Exec(ctx, id, ExecSpec{Argv: []string{"/app", "hang"}, Stdout: onWrite(cancel)})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no such container", func(t *testing.T) {
		if _, err := e.Exec(t.Context(), "belay-none", ExecSpec{Argv: []string{"/app"}}); !errors.Is(err, ErrNotFound) {
			t.Errorf("got %v", err)
		}
	})
}

type broke struct{ err error }

func (b broke) Read([]byte) (int, error) { return 0, b.err }

type onWrite func()

func (f onWrite) Write(p []byte) (int, error) {
	f()
	return len(p), nil
}

func TestLogs(t *testing.T) {
	for _, tty := range []bool{false, true} {
		t.Run(map[bool]string{false: "streams", true: "terminal"}[tty], func(t *testing.T) {
			e := real(t)
			id := appContainer(t, e, appImage(t, e), func(c *container.Config, _ *container.HostConfig) {
				c.Tty = tty
				c.Labels[labelService] = "app"
			})
			began := time.Now().Add(-time.Minute)
			var lines []LogLine
			err := e.Logs(t.Context(), id, LogSpec{Follow: true}, func(l LogLine) {
				if lines = append(lines, l); string(l.Text) == "out: ready" {
					if err := e.StopContainer(t.Context(), id, 5*time.Second); err != nil {
						t.Error(err)
					}
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]bool{"out: serving": false, "err: serving": !tty}
			if !tty { // a terminal that closes may swallow what is not a whole line
				want["out: bye without an end of line"] = false
				// The engine cuts these into pieces; its timestamps must not stay inside.
				want[strings.Repeat("x", 40<<10)] = false
				want[strings.Repeat("y", 64<<10)] = false
			}
			for _, l := range lines {
				if l.Container != id || l.Service != "app" || l.Time.Before(began) || len(l.Text) > maxLine {
					t.Errorf("line: %s %s %v, %d bytes", l.Container, l.Service, l.Time, len(l.Text))
				}
				if isErr, ok := want[string(l.Text)]; ok && isErr == l.Stderr {
					delete(want, string(l.Text))
				}
			}
			for text := range want {
				t.Errorf("missing: %.60q", text)
			}
			var last []string
			if err := e.Logs(t.Context(), id, LogSpec{Tail: 1}, func(l LogLine) { last = append(last, string(l.Text)) }); err != nil {
				t.Fatal(err)
			}
			if len(last) != 1 {
				t.Errorf("tail 1: %q", last)
			}
		})
	}
}

func TestLogsEndWithContext(t *testing.T) {
	e := real(t)
	id := appContainer(t, e, appImage(t, e), nil)
	ctx, cancel := context.WithCancel(t.Context())
	err := e.Logs(ctx, id, LogSpec{Follow: true}, func(LogLine) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestContainers(t *testing.T) {
	e := real(t)
	id := appImage(t, e)
	vol := appVolume(t, e)
	project := "belay-test-" + token(t)
	make := func(service, number, oneOff string) string {
		return appContainer(t, e, id, func(c *container.Config, h *container.HostConfig) {
			c.Labels = map[string]string{
				labelProject: project, labelService: service, labelNumber: number, labelOneOff: oneOff,
				labelConfigHash: "abc", labelWorkingDir: "/srv/x", labelConfigFiles: "/srv/x/a.yml,/srv/x/b.yml",
			}
			c.Env = []string{"A=1", "B=x=y"}
			stop := 17
			c.StopTimeout = &stop
			c.Healthcheck = &container.HealthConfig{Test: []string{"CMD", "/app", "exit", "0"}, Interval: time.Hour}
			h.RestartPolicy = container.RestartPolicy{Name: "on-failure", MaximumRetryCount: 3}
			h.Binds = []string{vol + ":/x:ro", "/tmp:/y"}
			h.Tmpfs = map[string]string{"/z": ""}
		})
	}
	make("web", "1", "False")
	make("db", "2", "False")
	first := make("db", "1", "False")
	make("db", "9", "True")
	if err := e.StopContainer(t.Context(), first, time.Second); err != nil {
		t.Fatal(err)
	}
	list, err := e.Containers(t.Context(), project)
	if err != nil || len(list) != 4 {
		t.Fatalf("%d containers, %v", len(list), err)
	}
	if list[0].ID != first || list[0].State != Exited || list[1].Number != 2 || !list[2].OneOff || list[3].Service != "web" {
		t.Errorf("order: %+v", list)
	}
	c := list[3]
	if c.State != Running || c.Project != project || c.ImageID != id || c.ConfigHash != "abc" || c.WorkingDir != "/srv/x" ||
		len(c.ConfigFiles) != 2 || c.Env["B"] != "x=y" || c.StopTimeout != 17*time.Second || c.RestartPolicy != "on-failure:3" ||
		!c.HasHealthcheck || c.Health != Starting || c.StartedAt.IsZero() || !c.FinishedAt.IsZero() || strings.HasPrefix(c.Name, "/") {
		t.Errorf("%+v", c)
	}
	if len(c.Mounts) != 3 || c.Mounts[0].Data != (Data{VolumeData, vol}) || !c.Mounts[0].ReadOnly || c.Mounts[0].Anonymous ||
		c.Mounts[1].Data != (Data{BindData, "/tmp"}) || c.Mounts[2].Kind != TmpfsData {
		t.Errorf("mounts: %+v", c.Mounts)
	}
	all, err := e.Containers(t.Context(), "")
	if err != nil || len(all) < 4 {
		t.Errorf("all projects: %d, %v", len(all), err)
	}
	if _, err := e.Container(t.Context(), "belay-none"); !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestChanges(t *testing.T) {
	e := real(t)
	id := appContainer(t, e, appImage(t, e), func(_ *container.Config, h *container.HostConfig) {
		h.RestartPolicy = container.RestartPolicy{Name: "on-failure", MaximumRetryCount: 4}
	})
	ctx := t.Context()
	policy := func(want string) {
		t.Helper()
		c, err := e.Container(ctx, id)
		if err != nil || c.RestartPolicy != want {
			t.Errorf("policy %q, want %q (%v)", c.RestartPolicy, want, err)
		}
	}
	policy("on-failure:4")
	for _, p := range []string{"", "always", "on-failure:4", "unless-stopped"} {
		if err := e.SetRestart(ctx, id, p); err != nil {
			t.Fatal(err)
		}
		if p == "" {
			p = "no"
		}
		policy(p)
	}
	if err := e.SetRestart(ctx, id, "sometimes"); err == nil {
		t.Error("unknown policy: no error")
	}
	name := "belay-test-" + token(t)
	if err := e.RenameContainer(ctx, id, name); err != nil {
		t.Fatal(err)
	}
	if c, err := e.Container(ctx, name); err != nil || c.ID != id {
		t.Errorf("renamed: %v", err)
	}
	if u, err := e.Usage(ctx, id); err != nil || u.At.IsZero() || u.CPU <= 0 {
		t.Errorf("usage %+v, %v", u, err)
	}
	for range 2 { // the second changes nothing
		if err := e.StopContainer(ctx, id, 5*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.StartContainer(ctx, id); err != nil {
		t.Fatal(err)
	}
}

func TestHoldAndGuards(t *testing.T) {
	e := real(t)
	ctx := t.Context()
	id := appImage(t, e)
	hold := HoldPrefix + "demo-app:" + token(t)
	if err := e.TagImage(ctx, id, hold); err != nil {
		t.Fatal(err)
	}
	if i, err := e.Image(ctx, hold); err != nil || i.ID != id || len(i.Tags) != 2 {
		t.Errorf("%+v %v", i, err)
	}
	i, _ := e.Image(ctx, id)
	for _, tag := range i.Tags {
		if strings.HasPrefix(tag, "belay-test:") {
			if err := e.UntagImage(ctx, tag); !errors.Is(err, ErrNotOurs) {
				t.Errorf("untag %s: %v", tag, err)
			}
		}
	}
	if err := e.UntagImage(ctx, hold); err != nil {
		t.Errorf("untag: %v", err)
	}
	if err := e.UntagImage(ctx, hold); !errors.Is(err, ErrNotFound) {
		t.Errorf("untag again: %v", err)
	}
	if _, err := e.Image(ctx, id); err != nil {
		t.Errorf("image went with its hold: %v", err)
	}
	if _, err := e.Image(ctx, hold); !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v", err)
	}
	vol := appVolume(t, e)
	if err := e.RemoveVolume(ctx, vol); !errors.Is(err, ErrNotOurs) {
		t.Errorf("foreign volume: %v", err)
	}
	theirs := appContainer(t, e, id, nil)
	if err := e.RemoveContainer(ctx, theirs); !errors.Is(err, ErrNotOurs) {
		t.Errorf("foreign container: %v", err)
	}
	if c, err := e.Container(ctx, theirs); err != nil || c.State != Running {
		t.Errorf("foreign container: %v %v", c.State, err)
	}
	if err := e.CreateVolume(ctx, VolumeSpec{Name: "belay-test-" + token(t)}); !errors.Is(err, ErrNotOurs) {
		t.Errorf("volume without a run: %v", err)
	}
}

func TestVolumes(t *testing.T) {
	e := real(t)
	ctx := t.Context()
	name := "belay-test-" + token(t)
	spec := VolumeSpec{Name: name, Labels: map[string]string{LabelRun: e.Run, LabelRole: "scratch"}}
	if err := e.CreateVolume(ctx, spec); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.RemoveVolume(context.Background(), name) })
	if err := e.CreateVolume(ctx, spec); err == nil {
		t.Error("made twice")
	}
	v, err := e.Volume(ctx, name)
	if err != nil || v.Labels[LabelRun] != e.Run || v.Driver != "local" || v.Mountpoint == "" {
		t.Errorf("%+v %v", v, err)
	}
	list, err := e.Volumes(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(list, func(v Volume) bool { return v.Name == name && v.Size == -1 }) {
		t.Errorf("not listed, or with a size: %+v", list)
	}
	empty, full := Data{Kind: VolumeData, Name: name}, Data{Kind: BindData, Name: t.TempDir()}
	if err := os.WriteFile(filepath.Join(full.Name, "f"), make([]byte, 4711), 0o600); err != nil {
		t.Fatal(err)
	}
	sizes := e.Sizes(ctx, []Data{empty, full, {Kind: VolumeData, Name: name + "-none"}})
	if n, ok := sizes[empty]; !ok || n != 0 || sizes[full] != 4711 || len(sizes) != 2 {
		t.Errorf("sizes %v", sizes)
	}
	if err := e.RemoveVolume(ctx, name); err != nil {
		t.Error(err)
	}
	if err := e.RemoveVolume(ctx, name); !errors.Is(err, ErrNotFound) {
		t.Errorf("again: %v", err)
	}
	if _, err := e.Volume(ctx, name); !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestScratch(t *testing.T) {
	e := real(t)
	ctx := t.Context()
	id := appImage(t, e, `CMD ["data"]`)
	vol := appVolume(t, e)
	from := t.TempDir()
	if err := os.WriteFile(filepath.Join(from, "file"), []byte("restored"), 0o644); err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	if _, err := tree.Save(ctx, from, &archive, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := e.LoadTree(ctx, Data{VolumeData, vol}, &archive, nil); err != nil {
		t.Fatal(err)
	}
	spec := ScratchSpec{
		Name: "belay-test-" + token(t), ImageID: id,
		Mounts: []Mount{{Data: Data{VolumeData, vol}, Target: "/x"}},
	}
	if _, err := e.RunScratch(ctx, spec); !errors.Is(err, ErrNotOurs) {
		t.Errorf("without a label: %v", err)
	}
	spec.Labels = map[string]string{LabelRun: e.Run, LabelRole: "scratch"}
	scratch, err := e.RunScratch(ctx, spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.RemoveContainer(context.Background(), scratch) })
	var lines []string
	if err := e.Logs(ctx, scratch, LogSpec{Follow: true}, func(l LogLine) { lines = append(lines, string(l.Text)) }); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(lines, "|"); got != "restored <nil>|net: lo" {
		t.Errorf("scratch saw %q", got)
	}
	c, err := e.Container(ctx, scratch)
	if err != nil || c.RestartPolicy != "no" || len(c.Ports) != 0 || len(c.IPs) != 0 {
		t.Errorf("%+v %v", c, err)
	}
	missing := spec
	missing.Mounts = []Mount{{Data: Data{VolumeData, "belay-test-none-" + token(t)}, Target: "/x"}}
	if _, err := e.RunScratch(ctx, missing); !errors.Is(err, ErrNotFound) {
		t.Errorf("missing volume: %v", err)
	}
	if _, err := e.Volume(ctx, missing.Mounts[0].Name); !errors.Is(err, ErrNotFound) {
		t.Error("the missing volume was made")
	}
	if err := e.RemoveContainer(ctx, scratch); err != nil {
		t.Error(err)
	}
	if err := e.RemoveContainer(ctx, scratch); !errors.Is(err, ErrNotFound) {
		t.Errorf("again: %v", err)
	}
	if _, err := e.Volume(ctx, vol); err != nil {
		t.Errorf("the volume went with the container: %v", err)
	}
}
