package stack

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"belay/dockerx"
	"belay/dockerx/compose"
	"belay/steps/recipe"
)

func TestStateIsSaid(t *testing.T) {
	app := compose.Service{Name: "app", Image: "acme/app:1.2.3"}
	other := compose.Service{Name: "job", Image: "acme/job-tool:5", Restart: "no"}
	stays := other
	stays.Restart = "unless-stopped"
	serves := other
	serves.Ports = published(80, "80")
	set := func(change func(c *dockerx.Container)) svc { return svc{Service: other, change: change} }
	tests := []struct {
		name    string
		second  svc
		oneShot bool
		want    string
	}{
		{"one-shot that worked", set(exited(0)), true, ""},
		{"one-shot that failed", set(exited(3)), false, "job is stopped (exit code 3)."},
		{"stopped by hand", svc{Service: stays, change: exited(0)}, false, "job is stopped (exit code 0)."},
		{"whatever publishes a port stays", svc{Service: serves, change: exited(0)}, false, "job is stopped (exit code 0)."},
		{"no container", svc{Service: other, missing: true}, false, "job has no container."},
		{"restarting", set(func(c *dockerx.Container) { c.State, c.ExitCode = dockerx.Restarting, 1 }), false, "job keeps restarting (exit code 1)."},
		{"unhealthy", set(func(c *dockerx.Container) { c.Health = dockerx.Unhealthy }), false, "job runs and is unhealthy."},
		{"restarted lately", set(func(c *dockerx.Container) { c.RestartCount, c.StartedAt = 4, time.Now().Add(-3*time.Second) }), false, "job was restarted 4 times, last 3s ago."},
		{"restarted long ago", set(func(c *dockerx.Container) { c.RestartCount = 4 }), false, ""},
		{"not in the files", set(func(c *dockerx.Container) { c.Service = "gone" }), false, "gone has a container but is in no file any more"},
		{"made by compose run", set(func(c *dockerx.Container) { c.OneOff = true }), false, "job has no container."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, _ := fixture(svc{Service: app}, tt.second)
			d.Recipe.Group = []string{"app"}
			s := inspect(t, d)
			said := strings.Join(s.Warnings, "\n")
			if (tt.want == "") != (said == "") || !strings.Contains(said, tt.want) {
				t.Errorf("got %q, want %q", said, tt.want)
			}
			if job, _ := s.Service("job"); job.OneShot != tt.oneShot {
				t.Errorf("one-shot: got %v", job.OneShot)
			}
		})
	}
}

func TestAStackThatDoesNotRun(t *testing.T) {
	t.Run("no containers", func(t *testing.T) {
		stack := tymeslot("1.2.3")
		for i := range stack {
			stack[i].missing = true
		}
		d, e := fixture(stack...)
		e.images = map[string]dockerx.Image{}
		s := inspect(t, d)
		if got := first(s.Warnings); got != "The stack is not running: it has no containers." {
			t.Errorf("got %q", s.Warnings)
		}
		if s.Version.Text != "1.2.3" || len(s.Databases) != 1 || len(s.Stores) != 2 || len(StopOrder(s, recipe.Recipe{})) != 0 {
			t.Errorf("the files alone say enough: %+v", s)
		}
	})
	t.Run("all stopped", func(t *testing.T) {
		stack := tymeslot("1.2.3")
		for i := range stack {
			stack[i].change = exited(0)
			stack[i].Restart, stack[i].Ports = "no", nil
		}
		d, _ := fixture(stack...)
		for _, x := range inspect(t, d).Services {
			if x.OneShot {
				t.Errorf("%s was stopped with everything else: that does not make it a one-shot", x.Name)
			}
		}
	})
}

func TestAnInterruptedRecreationLeavesTheOneThatRuns(t *testing.T) {
	d, e := fixture(svc{Service: compose.Service{Name: "app", Image: "acme/app:1.2.3"}})
	left := e.containers[0]
	left.ID, left.State, left.CreatedAt, left.Image = "left", dockerx.Created, time.Now(), "acme/app:1.3.0"
	e.containers = append(e.containers, left)
	if s := inspect(t, d); s.Services[0].Container.ID != "c-app" || s.Version.Text != "1.2.3" {
		t.Errorf("got %+v", s.Services[0].Container)
	}
}

func TestDriftByHash(t *testing.T) {
	d, e := fixture(tymeslot("1.2.3")...)
	d.Model.EnvFiles = []string{"/srv/app/.env"}
	e.containers[0].ConfigHash, e.containers[1].ConfigHash = "aaa", "bbb"
	d.Hashes = func(context.Context) (map[string]string, error) {
		return map[string]string{"tymeslot": "ccc", "postgres": "bbb"}, nil
	}
	want := []string{"tymeslot: compose.yaml or .env was edited since it started"}
	if got := inspect(t, d).Drift; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	d.Hashes = func(context.Context) (map[string]string, error) { return nil, errors.New("no compose") }
	s := inspect(t, d)
	if len(s.Drift) != 0 || !strings.Contains(first(s.Warnings), "no compose") {
		t.Errorf("got %q, %q", s.Drift, s.Warnings)
	}
}

type broken struct{ fake }

func (*broken) Containers(context.Context, string) ([]dockerx.Container, error) {
	return nil, dockerx.ErrUnreachable
}

// Sizes that are not known in time are no warning: the screen says unknown and
// the plan asks again with more patience.
func TestSizesMayBeUnknown(t *testing.T) {
	d, e := fixture(tymeslot("1.2.3")...)
	unknown := inspect(t, d)
	if unknown.Stores[0].Bytes != -1 || strings.Contains(strings.Join(unknown.Warnings, " "), "volume") {
		t.Errorf("%+v, %q", unknown.Stores, unknown.Warnings)
	}
	e.volumes = []dockerx.Volume{{Name: unknown.Stores[0].Name, Size: 4711}}
	if s := inspect(t, d); s.Stores[0].Bytes != 4711 {
		t.Errorf("%+v", s.Stores)
	}
}

func TestInspectFailsOnlyWithoutAnEngine(t *testing.T) {
	d, e := fixture(tymeslot("1.2.3")...)
	e.volumesErr = errors.New("plugin is gone")
	if s := inspect(t, d); !strings.Contains(first(s.Warnings), "does not list its volumes") || s.Stores[0].Bytes != -1 {
		t.Errorf("got %q, %+v", s.Warnings, s.Stores)
	}
	d.Engine = &broken{}
	if _, err := Inspect(t.Context(), d); !errors.Is(err, dockerx.ErrUnreachable) {
		t.Errorf("got %v", err)
	}
	if _, err := Inspect(t.Context(), Deps{}); err == nil {
		t.Error("nothing to inspect must be an error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d.Engine = e
	if _, err := Inspect(ctx, d); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestRepoOf(t *testing.T) {
	tests := []struct{ image, label, recipe, want string }{
		{"ghcr.io/acme/shop:1", "https://github.com/acme/shop-server", "acme/notes", "github.com/acme/notes"},
		{"ghcr.io/acme/shop:1", "https://github.com/acme/shop-server", "", "github.com/acme/shop-server"},
		{"ghcr.io/acme/shop:1", "https://git.example.com/acme/shop", "", "github.com/acme/shop"},
		{"ghcr.io/acme/shop/server:1", "", "", "github.com/acme/shop"},
		{"acme/shop:1", "", "", ""},
		{"registry.lan/ghcr.io/shop:1", "", "", ""},
	}
	for _, tt := range tests {
		d, e := fixture(svc{Service: compose.Service{Name: "shop", Image: tt.image}})
		if tt.label != "" {
			e.label(tt.image, labelSource, tt.label)
		}
		d.Recipe.Releases.GitHub = tt.recipe
		if got := inspect(t, d).Repo; got != tt.want {
			t.Errorf("%+v: got %q", tt, got)
		}
	}
}

func TestTheGroupIsWhatBelongsTogether(t *testing.T) {
	plain := func(name, image string) svc { return svc{Service: compose.Service{Name: name, Image: image}} }
	tests := []struct {
		name  string
		stack []svc
		want  []string
	}{
		{"one service", []svc{plain("x", "nginx:1.27")}, []string{"x"}},
		{"only a database", []svc{plain("x", "postgres:17")}, []string{"x"}},
		{"a proxy before it", []svc{plain("proxy", "traefik:v3"), plain("app", "acme/app:1")}, []string{"app"}},
		{"one repository, mixed tags", []svc{plain("app", "nextcloud:32.0.1"), plain("cron", "nextcloud:32.0.2")}, []string{"app", "cron"}},
		{"one owner, one tag", []svc{plain("web", "ghcr.io/mastodon/mastodon:v4.3.17"), plain("streaming", "ghcr.io/mastodon/mastodon-streaming:v4.3.17")}, []string{"web", "streaming"}},
		{"a collector's images", []svc{plain("sonarr", "lscr.io/linuxserver/sonarr:latest"), plain("radarr", "lscr.io/linuxserver/radarr:latest")}, []string{"sonarr"}},
		{"official images", []svc{plain("a", "ghost:5"), plain("b", "wordpress:5")}, []string{"a"}},
		{"the largest", []svc{plain("solo", "acme/solo:1"), plain("b1", "other/b-api:2.0.1"), plain("b2", "other/b-web:2.0.1")}, []string{"b1", "b2"}},
		{"a supporting image of the same owner and tag", []svc{plain("web", "acme/shop:2.1.0"), plain("jobs", "acme/shop:2.1.0"), plain("mail", "axllent/mailpit:v1")}, []string{"web", "jobs"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, _ := fixture(tt.stack...)
			if got := inspect(t, d).Group; !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	t.Run("a database that the same variable pins", func(t *testing.T) {
		pin := compose.Pin{Kind: compose.PinEnv, Place: compose.Place{File: ".env", Line: 1, Col: 5}}
		d, _ := fixture(
			svc{Service: compose.Service{Name: "app", Image: "ghcr.io/acme/app:1.2.3", Pin: pin}},
			svc{Service: compose.Service{Name: "db", Image: "ghcr.io/acme/postgres:1.2.3", Pin: pin}},
		)
		if got := inspect(t, d).Group; !reflect.DeepEqual(got, []string{"app", "db"}) {
			t.Errorf("got %q: what moves in any case belongs to the group", got)
		}
	})
	t.Run("empty project", func(t *testing.T) {
		d, _ := fixture()
		if s := inspect(t, d); len(s.Group) != 0 || s.Version.Known() {
			t.Errorf("got %+v", s)
		}
	})
}

func TestTwoBuildsOfOneMovingTag(t *testing.T) {
	d, e := fixture(
		svc{Service: compose.Service{Name: "web", Image: "acme/shop:latest"}},
		svc{Service: compose.Service{Name: "jobs", Image: "acme/shop:latest"}, change: func(c *dockerx.Container) { c.ImageID = "sha256:older" }},
	)
	e.images["sha256:older"] = dockerx.Image{ID: "sha256:older"}
	want := []string{"web and jobs run two different builds of acme/shop:latest"}
	if got := inspect(t, d).Skew; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestStopOrder(t *testing.T) {
	plain := func(name, image string, deps ...string) svc {
		return svc{Service: compose.Service{
			Name: name, Image: image, DependsOn: deps, Volumes: []compose.Volume{volume("v_"+name, "/data")},
		}}
	}
	stack := func() []svc {
		return []svc{
			plain("db", "redis:7"), plain("api", "acme/shop:1.2.3", "db"), plain("web", "acme/shop:1.2.3", "api"),
			plain("proxy", "nginx:1.27", "web"), plain("mail", "mailpit:1"),
		}
	}
	tests := []struct {
		name  string
		order []string
		want  []string
	}{
		{"by dependency", nil, []string{"web", "api", "db"}},
		{"the recipe's", []string{"proxy", "api", "web", "gone"}, []string{"proxy", "api", "web", "db"}},
		{"the recipe's, with the database in it", []string{"db", "web"}, []string{"api", "db", "web"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, _ := fixture(stack()...)
			s := inspect(t, d)
			got := StopOrder(s, recipe.Recipe{Stop: recipe.Order{Order: tt.order}})
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// BenchmarkInspect is a host with 30 containers. The budget for knowing a stack
// is one second; what the engine takes comes on top of this.
func BenchmarkInspect(b *testing.B) {
	var services []svc
	for i := range 30 {
		services = append(services, svc{Service: compose.Service{
			Name: fmt.Sprintf("s%d", i), Image: fmt.Sprintf("acme/shop-%d:1.2.%d", i%7, i%3),
			Environment: map[string]string{"DATABASE_URL": "postgres://u:p@db:5432/x", "SMTP_HOST": "mail"},
			Volumes:     []compose.Volume{volume(fmt.Sprintf("v%d", i%5), "/data"), bind("/srv/x", "/x")},
		}})
	}
	d, _ := fixture(services...)
	for b.Loop() {
		if _, err := Inspect(b.Context(), d); err != nil {
			b.Fatal(err)
		}
	}
}
