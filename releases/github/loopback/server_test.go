package loopback_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"belay/releases/github/loopback"
)

func get(t *testing.T, url string, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func serve(t *testing.T) *loopback.Server {
	t.Helper()
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	s, err := loopback.Serve(map[string][]loopback.Release{"Tide/Pool": {
		{Tag: "v1", Published: day},
		{Tag: "v3", Published: day.Add(48 * time.Hour), Body: "text", Assets: []loopback.Asset{{Name: "a.tgz", Size: 3}}},
		{Tag: "v2", Published: day.Add(24 * time.Hour), Created: day.Add(-time.Hour)},
		{Tag: "v4", Published: day.Add(72 * time.Hour), Draft: true},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestReleasesLookLikeGitHubs(t *testing.T) {
	t.Parallel()
	s := serve(t)
	resp, body := get(t, s.URL+"repos/tide/pool/releases")
	if resp.StatusCode != 200 || !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") || resp.Header.Get("X-RateLimit-Remaining") == "" {
		t.Fatalf("%d %v", resp.StatusCode, resp.Header)
	}
	var list []map[string]any
	if err := json.Unmarshal([]byte(body), &list); err != nil {
		t.Fatal(err)
	}
	if len(list) != 3 || list[0]["tag_name"] != "v3" || list[1]["tag_name"] != "v1" || list[2]["tag_name"] != "v2" {
		t.Fatalf("not in the order of creation, or a draft: %s", body)
	}
	if list[0]["body"] != "text" || list[1]["body"] != nil {
		t.Errorf("bodies %v %v", list[0]["body"], list[1]["body"])
	}
	for _, key := range []string{"id", "url", "html_url", "name", "draft", "prerelease", "created_at", "published_at", "author", "assets", "tarball_url", "zipball_url", "node_id", "target_commitish"} {
		if _, ok := list[0][key]; !ok {
			t.Errorf("%s is missing", key)
		}
	}
}

func TestPagesLink(t *testing.T) {
	t.Parallel()
	s := serve(t)
	resp, _ := get(t, s.URL+"repos/tide/pool/releases?per_page=2&page=1")
	if link := resp.Header.Get("Link"); !strings.Contains(link, `page=2>; rel="next"`) || !strings.Contains(link, `rel="last"`) {
		t.Errorf("%q", link)
	}
	resp, body := get(t, s.URL+"repos/tide/pool/releases?per_page=2&page=2")
	if link := resp.Header.Get("Link"); strings.Contains(link, "next") || !strings.Contains(link, `rel="prev"`) || strings.Count(body, `"tag_name"`) != 1 {
		t.Errorf("%q %s", link, body)
	}
	if _, body := get(t, s.URL+"repos/tide/pool/releases?page=99999999"); body != "[]" {
		t.Errorf("%s", body)
	}
}

func TestUnchangedIs304AndMissingIs404(t *testing.T) {
	t.Parallel()
	s := serve(t)
	resp, _ := get(t, s.URL+"repos/tide/pool/releases")
	if resp, body := get(t, s.URL+"repos/tide/pool/releases", "If-None-Match", resp.Header.Get("ETag")); resp.StatusCode != 304 || body != "" {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	for _, path := range []string{"repos/no/body/releases", "repos/no/body", "user", ""} {
		if resp, body := get(t, s.URL+path); resp.StatusCode != 404 || !strings.Contains(body, `"message":"Not Found"`) {
			t.Errorf("%s: %d %s", path, resp.StatusCode, body)
		}
	}
	if resp, body := get(t, s.URL+"repos/tide/pool"); resp.StatusCode != 200 || !strings.Contains(body, `"full_name":"Tide/Pool"`) {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}

func TestTheLimitRunsOut(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.Limit(1, time.Now().Add(time.Hour))
	if resp, _ := get(t, s.URL+"repos/tide/pool"); resp.StatusCode != 200 || resp.Header.Get("X-RateLimit-Remaining") != "0" {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
	if resp, body := get(t, s.URL+"repos/tide/pool"); resp.StatusCode != 403 || !strings.Contains(body, "rate limit exceeded") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}

func TestCloseTwiceAndBadNames(t *testing.T) {
	t.Parallel()
	s := serve(t)
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := loopback.Serve(map[string][]loopback.Release{"nobody": nil}); err == nil {
		t.Error("a name without an owner is served")
	}
}
