package local

import (
	"context"
	"net/http"
	"time"

	"belay/dockerx"
)

const probeTimeout = 2 * time.Second

// probe runs a container's healthcheck until ctx ends: GET /health on the first
// address it listens on. A failure in the grace after a start does not count.
func (e *Engine) probe(ctx context.Context, id string) {
	r, err := e.load(id)
	if err != nil || !r.Checked || len(r.Listen) == 0 {
		return
	}
	client := &http.Client{
		Timeout:   probeTimeout,
		Transport: &http.Transport{DisableKeepAlives: true, Proxy: nil},
	}
	began, health, failures := time.Now(), dockerx.Starting, 0
	tick := time.NewTicker(e.o.Probe.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := health
		switch {
		case answers(ctx, client, "http://"+r.Listen[0]+"/health"):
			now, failures = dockerx.Healthy, 0
		case health == dockerx.Starting && time.Since(began) < e.o.Probe.Grace:
		default:
			if failures++; failures >= e.o.Probe.Retries {
				now = dockerx.Unhealthy
			}
		}
		if now != health && e.setHealth(ctx, id, now) {
			health = now
		}
	}
}

func (e *Engine) setHealth(ctx context.Context, id string, to dockerx.Health) bool {
	err := e.update(id, func(r *record) error {
		if ctx.Err() != nil || r.State != dockerx.Running {
			return context.Canceled // it ended meanwhile: that verdict stands
		}
		r.Health = to
		return nil
	})
	e.bell.ring()
	return err == nil
}

func answers(ctx context.Context, client *http.Client, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	resp, err := client.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode < http.StatusBadRequest
}
