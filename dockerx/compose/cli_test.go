package compose

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestFindCLI(t *testing.T) {
	for _, c := range []struct {
		name, mode string
		programs   []string
		want       error
		says       string
	}{
		{"plugin", "ok", []string{"docker", "docker-compose"}, nil, "docker compose"},
		{"standalone", "ok", []string{"docker-compose"}, nil, "docker-compose"},
		{"python tool", "v1", []string{"docker", "docker-compose"}, ErrComposeV1, "docker compose version"},
		{"nothing", "ok", nil, ErrComposeMissing, "docker-compose-plugin"},
		{"docker without the plugin", "v1", []string{"docker"}, ErrComposeMissing, "docker-compose-plugin"},
	} {
		t.Run(c.name, func(t *testing.T) {
			environ, _ := fake(t, c.mode, c.programs...)
			cli, err := FindCLI(t.Context(), environ)
			if !errors.Is(err, c.want) {
				t.Fatalf("error %v, want %v", err, c.want)
			}
			if err != nil {
				if !strings.Contains(err.Error(), c.says) {
					t.Errorf("%q does not say %q", err, c.says)
				}
				return
			}
			if got := filepath.Base(cli.argv[0]) + " " + strings.Join(cli.argv[1:], " "); strings.TrimSpace(got) != c.says {
				t.Errorf("found %q, want %q", got, c.says)
			}
		})
	}
}

func TestCLICalls(t *testing.T) {
	dir := t.TempDir()
	p := &Project{Name: "shop", Dir: dir, Files: []string{dir + "/a.yml", dir + "/b.yml"}, EnvFiles: []string{dir + "/.env"}}
	labelled := *p
	labelled.EnvExplicit, labelled.Profiles = true, []string{"x", "y"}
	common := "--project-directory " + dir + " -p shop -f " + dir + "/a.yml -f " + dir + "/b.yml "
	for _, c := range []struct {
		name, mode string
		p          *Project
		do         func(ctx context.Context, c *CLI, p *Project) error
		want       string
	}{
		{"up", "ok", p, func(ctx context.Context, c *CLI, p *Project) error {
			return c.Up(ctx, p, UpSpec{Services: []string{"app", "db"}, NoDeps: true}, nil)
		}, common + "--ansi never --progress plain up -d --no-build --pull never --remove-orphans=false --no-deps app db"},
		{"up with an old v2", "old", p, func(ctx context.Context, c *CLI, p *Project) error {
			return c.Up(ctx, p, UpSpec{}, nil)
		}, common + "--ansi never up -d --no-build --pull never --remove-orphans=false"},
		{"stop", "ok", &labelled, func(ctx context.Context, c *CLI, p *Project) error {
			return c.Stop(ctx, p, []string{"app"}, 1500*time.Millisecond, nil)
		}, common + "--env-file " + dir + "/.env --profile x --profile y --ansi never --progress plain stop --timeout 2 app"},
		{"run", "ok", p, func(ctx context.Context, c *CLI, p *Project) error {
			exit, err := c.Run(ctx, p, "app", []string{"migrate", "-v", "--all"}, nil)
			if exit != 0 {
				t.Errorf("exit %d", exit)
			}
			return err
		}, common + "--ansi never --progress plain run --rm --no-deps -T --pull never app migrate -v --all"},
	} {
		t.Run(c.name, func(t *testing.T) {
			environ, seen := fake(t, c.mode, "docker-compose")
			cli, err := FindCLI(t.Context(), environ)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.do(t.Context(), cli, c.p); err != nil {
				t.Fatal(err)
			}
			r := seen()
			if got := strings.Join(r.Args, " "); got != c.want {
				t.Errorf("called with\n%s, want\n%s", got, c.want)
			}
			if r.Stdin != "" || r.Pid != r.Group || r.Group == syscall.Getpgrp() {
				t.Errorf("stdin %q, pid %d, group %d (ours %d)", r.Stdin, r.Pid, r.Group, syscall.Getpgrp())
			}
			if r.Env["DOCKER_HOST"] != "unix:///nowhere.sock" || r.Env["DOCKER_CONTEXT"] != "far" || r.Env["PWD"] != dir || r.Dir != dir {
				t.Errorf("environment %v in %s", r.Env, r.Dir)
			}
		})
	}
}

func TestCLIInheritsDescriptors(t *testing.T) {
	environ, seen := fake(t, "ok", "docker")
	cli, err := FindCLI(t.Context(), environ)
	if err != nil {
		t.Fatal(err)
	}
	lock := filepath.Join(t.TempDir(), "lock")
	if err := os.WriteFile(lock, []byte("held"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(lock)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cli.ExtraFiles = []*os.File{f}
	if err := cli.Up(t.Context(), &Project{Name: "shop", Dir: t.TempDir()}, UpSpec{}, nil); err != nil {
		t.Fatal(err)
	}
	if got := seen().Extra; got != "held" {
		t.Errorf("descriptor 3 holds %q", got)
	}
}

func TestCLIOutputAndErrors(t *testing.T) {
	p := &Project{Name: "shop", Dir: t.TempDir()}
	lines := func(mode string) ([]string, error) {
		environ, _ := fake(t, mode, "docker")
		cli, err := FindCLI(t.Context(), environ)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		err = cli.Up(t.Context(), p, UpSpec{}, func(line string) { got = append(got, line) })
		return got, err
	}
	got, err := lines("ok")
	slices.Sort(got)
	if err != nil || !slices.Equal(got, []string{"err", "out"}) {
		t.Errorf("lines %q, error %v", got, err)
	}
	got, err = lines("long")
	if err != nil || len(got) != 3 || len(got[0]) != maxLine || got[1] != strings.Repeat("x", 10) || got[2] != "last" {
		t.Errorf("%d lines, error %v", len(got), err)
	}
	_, err = lines("fail")
	if err == nil || !strings.Contains(err.Error(), "docker compose up: exit status 17: Container x  Creating\nno such image: repo/app:9") {
		t.Errorf("error %q", err)
	}
}

func TestCLIRunGivesTheExitCode(t *testing.T) {
	environ, _ := fake(t, "fail", "docker")
	cli, err := FindCLI(t.Context(), environ)
	if err != nil {
		t.Fatal(err)
	}
	exit, err := cli.Run(t.Context(), &Project{Name: "shop", Dir: t.TempDir()}, "app", []string{"migrate"}, nil)
	if exit != 17 || err != nil {
		t.Errorf("exit %d, error %v", exit, err)
	}
}

func TestCLIConfigHash(t *testing.T) {
	environ, seen := fake(t, "hash", "docker")
	cli, err := FindCLI(t.Context(), environ)
	if err != nil {
		t.Fatal(err)
	}
	got, err := cli.ConfigHash(t.Context(), &Project{Name: "shop", Dir: t.TempDir()})
	if err != nil || len(got) != 2 || got["app"] != "0a1b" || got["db"] != "2c3d" {
		t.Errorf("hashes %v, error %v", got, err)
	}
	if args := seen().Args; !slices.Equal(args[len(args)-3:], []string{"config", "--hash", "*"}) {
		t.Errorf("called with %q", args)
	}
}

func TestCLICancelEndsTheWholeGroup(t *testing.T) {
	environ, seen := fake(t, "hang", "docker")
	cli, err := FindCLI(t.Context(), environ)
	if err != nil {
		t.Fatal(err)
	}
	cli.Grace = 50 * time.Millisecond // the fake ignores SIGTERM
	ctx, cancel := context.WithCancel(t.Context())
	err = cli.Up(ctx, &Project{Name: "shop", Dir: t.TempDir()}, UpSpec{}, func(string) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want the context's", err)
	}
	if err := syscall.Kill(-seen().Group, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("the group is still there: %v", err)
	}
}

func TestCLIRefusesFlagsAsServices(t *testing.T) {
	environ, _ := fake(t, "ok", "docker")
	cli, err := FindCLI(t.Context(), environ)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"-V", "--volumes", "", "a b", "a;b"} {
		if err := cli.Up(t.Context(), &Project{Name: "shop", Dir: t.TempDir()}, UpSpec{Services: []string{name}}, nil); err == nil {
			t.Errorf("%q was accepted as a service", name)
		}
	}
}
