package health_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"belay/dockerx"
	"belay/steps"
	"belay/steps/health"
)

// stage is an engine and a clock in one: every look moves time on by a tick.
type stage struct {
	now   time.Time
	began time.Time
	at    func(elapsed time.Duration) []dockerx.Container
	cpu   func(elapsed time.Duration) time.Duration
	looks int
}

func (s *stage) Containers(context.Context, string) ([]dockerx.Container, error) {
	s.looks++
	return s.at(s.now.Sub(s.began)), nil
}

func (s *stage) Usage(context.Context, string) (dockerx.Usage, error) {
	u := dockerx.Usage{At: s.now}
	if s.cpu != nil {
		u.CPU = s.cpu(s.now.Sub(s.began))
	}
	return u, nil
}

func (s *stage) gate(probes ...steps.Probe) *health.Gate {
	s.now = time.Date(2026, 11, 20, 20, 0, 0, 0, time.UTC)
	s.began = s.now
	return &health.Gate{
		Engine: s, HTTP: http.DefaultClient, Project: "app", Probes: probes,
		Expect: expect(false),
		Window: 15 * time.Second, Limit: 60 * time.Second, Tick: time.Second,
		Now: func() time.Time { return s.now },
		After: func(d time.Duration) <-chan time.Time {
			s.now = s.now.Add(d)
			c := make(chan time.Time, 1)
			c <- s.now
			return c
		},
	}
}

func expect(oneShot bool) func(context.Context) ([]health.Expect, error) {
	return func(context.Context) ([]health.Expect, error) {
		return []health.Expect{{Service: "app", Image: "sha256:new", OneShot: oneShot}}, nil
	}
}

func up(mod ...func(*dockerx.Container)) []dockerx.Container {
	c := dockerx.Container{ID: "1", Service: "app", State: dockerx.Running, ImageID: "sha256:new", RestartPolicy: "always"}
	for _, m := range mod {
		m(&c)
	}
	return []dockerx.Container{c}
}

func always(c []dockerx.Container) func(time.Duration) []dockerx.Container {
	return func(time.Duration) []dockerx.Container { return c }
}

func report(t *testing.T) (*steps.Reporter, *[]steps.Signal) {
	t.Helper()
	var got []steps.Signal
	return steps.NewReporter(steps.Health, func(e steps.Event) {
		if e.Signal != nil {
			got = append(got, *e.Signal)
		}
	}, nil), &got
}

func TestSickStartsAreNeverCalledHealthy(t *testing.T) {
	crash := func(every time.Duration) func(time.Duration) []dockerx.Container {
		return func(d time.Duration) []dockerx.Container {
			return up(func(c *dockerx.Container) { c.RestartCount = int(d / every); c.ExitCode = 1 })
		}
	}
	for name, at := range map[string]func(time.Duration) []dockerx.Container{
		"crash loop":           crash(5 * time.Second),
		"slow crash loop":      crash(14 * time.Second),
		"between two restarts": always(up(func(c *dockerx.Container) { c.State = dockerx.Restarting })),
		"gone":                 always(nil),
		"another image":        always(up(func(c *dockerx.Container) { c.ImageID = "sha256:old" })),
		"unhealthy":            always(up(func(c *dockerx.Container) { c.HasHealthcheck, c.Health = true, dockerx.Unhealthy })),
		"starting for ever":    always(up(func(c *dockerx.Container) { c.HasHealthcheck, c.Health = true, dockerx.Starting })),
		"out of memory":        always(up(func(c *dockerx.Container) { c.OOMKilled = true })),
		"ended with 1":         always(up(func(c *dockerx.Container) { c.State, c.ExitCode, c.RestartPolicy = dockerx.Exited, 1, "no" })),
		"a server that ended":  always(up(func(c *dockerx.Container) { c.State, c.RestartPolicy = dockerx.Exited, "no" })),
		"only created":         always(up(func(c *dockerx.Container) { c.State = dockerx.Created })),
		"dies just before the end": func(d time.Duration) []dockerx.Container {
			return up(func(c *dockerx.Container) {
				if d > 13*time.Second {
					c.State, c.ExitCode = dockerx.Exited, 1
				}
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := &stage{at: at}
			r, got := report(t)
			_, err := s.gate().Wait(t.Context(), r)
			var sick *health.SickError
			if !errors.As(err, &sick) {
				t.Fatalf("called healthy: %v", err)
			}
			if len(*got) == 0 || strings.Contains(err.Error(), "the app is not healthy") {
				t.Errorf("no evidence: %v", err)
			}
		})
	}
}

func TestGoodStartsPass(t *testing.T) {
	for name, at := range map[string]func(time.Duration) []dockerx.Container{
		"steady":         always(up()),
		"healthy":        always(up(func(c *dockerx.Container) { c.HasHealthcheck, c.Health = true, dockerx.Healthy })),
		"no timers here": always(up(func(c *dockerx.Container) { c.HasHealthcheck = true })),
		"starting first": func(d time.Duration) []dockerx.Container {
			return up(func(c *dockerx.Container) {
				c.HasHealthcheck, c.Health = true, dockerx.Healthy
				if d < 40*time.Second {
					c.Health = dockerx.Starting
				}
			})
		},
		"one restart while the database wakes": func(d time.Duration) []dockerx.Container {
			return up(func(c *dockerx.Container) {
				if d > 3*time.Second {
					c.RestartCount = 1
				}
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := &stage{at: at}
			r, got := report(t)
			if _, err := s.gate().Wait(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			if s.now.Sub(s.began) < 15*time.Second || len(*got) == 0 {
				t.Errorf("after %s, %d signals", s.now.Sub(s.began), len(*got))
			}
		})
	}
}

func TestOneShotsMayEnd(t *testing.T) {
	s := &stage{at: always(up(func(c *dockerx.Container) { c.State, c.RestartPolicy = dockerx.Exited, "no" }))}
	g := s.gate()
	g.Expect = expect(true)
	r, _ := report(t)
	if _, err := g.Wait(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	s.at = always(up(func(c *dockerx.Container) { c.State, c.RestartPolicy, c.ExitCode = dockerx.Exited, "no", 3 }))
	if _, err := g.Wait(t.Context(), r); err == nil {
		t.Fatal("exit code 3 passed")
	}
}

// A long start that is visibly working is waited for; one that hangs is not.
func TestWorkIsWaitedFor(t *testing.T) {
	starting := func(until time.Duration) func(d time.Duration) []dockerx.Container {
		return func(d time.Duration) []dockerx.Container {
			return up(func(c *dockerx.Container) {
				c.HasHealthcheck, c.Health = true, dockerx.Starting
				if d > until {
					c.Health = dockerx.Healthy
				}
			})
		}
	}
	r, _ := report(t)
	busy := &stage{at: starting(2 * time.Hour), cpu: func(d time.Duration) time.Duration { return d / 2 }}
	if _, err := busy.gate().Wait(t.Context(), r); err != nil {
		t.Errorf("a working start of two hours was given up: %v", err)
	}
	hung := &stage{at: starting(2 * time.Hour)}
	if _, err := hung.gate().Wait(t.Context(), r); err == nil {
		t.Error("a hanging start passed")
	}
	if d := hung.now.Sub(hung.began); d > 5*time.Minute {
		t.Errorf("a hanging start was waited for %s", d)
	}
}

func TestProbes(t *testing.T) {
	for name, c := range map[string]struct {
		status  int
		body    string
		probe   steps.Probe
		well    bool
		verdict steps.Verdict // of the http signal, when well
	}{
		"ok":              {200, `{"status":"ok"}`, steps.Probe{}, true, steps.Pass},
		"plain text":      {200, `Healthy`, steps.Probe{}, true, steps.Pass},
		"degraded":        {200, `{"status":"degraded"}`, steps.Probe{}, true, steps.Warned},
		"sick":            {503, `{"status":"unhealthy"}`, steps.Probe{}, false, ""},
		"starting":        {503, `{"status":"starting"}`, steps.Probe{}, false, ""},
		"rate limit":      {429, ``, steps.Probe{}, false, ""},
		"another status":  {204, ``, steps.Probe{Status: 204}, true, steps.Pass},
		"field":           {200, `{"checks":{"db":"ok"}}`, steps.Probe{JSON: map[string]string{"checks.db": "ok"}}, true, steps.Pass},
		"wrong field":     {200, `{"checks":{"db":"gone"}}`, steps.Probe{JSON: map[string]string{"checks.db": "ok"}}, false, ""},
		"missing field":   {200, `[]`, steps.Probe{JSON: map[string]string{"checks.db": "ok"}}, false, ""},
		"version":         {200, `{"version":{"app":"v1.3.0"}}`, steps.Probe{Version: "version.app"}, true, steps.Pass},
		"another version": {200, `{"version":{"app":"v1.2.3"}}`, steps.Probe{Version: "version.app"}, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				_, _ = fmt.Fprint(w, c.body)
			}))
			defer srv.Close()
			c.probe.URL, c.probe.Service = srv.URL, "app"
			s := &stage{at: always(up())}
			g := s.gate(c.probe)
			g.Version = "1.3.0"
			r, _ := report(t)
			signals, err := g.Wait(t.Context(), r)
			if (err == nil) != c.well {
				t.Fatalf("well %v, want %v: %v", err == nil, c.well, err)
			}
			if c.well && signals[2].Verdict != c.verdict {
				t.Errorf("%+v", signals)
			}
		})
	}
}

func TestExtraSignalsHaveTheLastWord(t *testing.T) {
	s := &stage{at: always(up())}
	g := s.gate()
	g.Extra = func(context.Context) ([]steps.Signal, error) {
		return []steps.Signal{{Name: "data", Subject: "db", Verdict: steps.Fail, Evidence: "every row is gone"}}, nil
	}
	r, _ := report(t)
	if _, err := g.Wait(t.Context(), r); err == nil || !strings.Contains(err.Error(), "every row is gone") {
		t.Fatal(err)
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	s := &stage{at: always(up(func(c *dockerx.Container) { c.State = dockerx.Restarting }))}
	g := s.gate()
	ctx, cancel := context.WithCancel(t.Context())
	g.After = func(time.Duration) <-chan time.Time { cancel(); return nil }
	r, _ := report(t)
	if _, err := g.Wait(ctx, r); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}
