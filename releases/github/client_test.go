package github_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"belay/releases/github"
	"belay/releases/github/loopback"
)

const repo = "tidepool/tidepool"

func published(n int) time.Time {
	return time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Hour)
}

// many makes n releases, the newest first: v1.0.n … v1.0.1.
func many(n int) []loopback.Release {
	var out []loopback.Release
	for i := n; i > 0; i-- {
		out = append(out, loopback.Release{Tag: fmt.Sprintf("v1.0.%d", i), Body: fmt.Sprintf("- change %d", i), Published: published(i)})
	}
	return out
}

func serve(t *testing.T, list []loopback.Release) *loopback.Server {
	t.Helper()
	s, err := loopback.Serve(map[string][]loopback.Release{repo: list})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// clock is a time that tests set.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func quick(o github.Options) *github.Client {
	return github.New(o).Hurry(20*time.Second, time.Minute, time.Millisecond)
}

func TestReleasesAreReadAsPublished(t *testing.T) {
	t.Parallel()
	s := serve(t, []loopback.Release{
		{Tag: "v1.3.0", Name: "Tidepool 1.3", Body: "### Breaking\r\n- x", Published: published(3)},
		{Tag: "v1.4.0-rc.1", Published: published(4), Prerelease: true},
		{Tag: "v1.5.0", Body: "not yet", Published: published(5), Draft: true},
	})
	got, err := quick(github.Options{BaseURL: s.URL}).Releases(t.Context(), repo)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].Tag != "v1.4.0-rc.1" || !got[0].Prerelease || got[0].Body != "" {
		t.Fatalf("%+v", got)
	}
	r := got[1]
	if r.Name != "Tidepool 1.3" || r.Body != "### Breaking\r\n- x" || !r.Published.Equal(published(3)) || r.URL != "https://github.com/tidepool/tidepool/releases/tag/v1.3.0" {
		t.Errorf("%+v", r)
	}
}

func TestPagesAreFollowedToTheEnd(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		there, want, calls int
		truncated          bool
	}{{0, 0, 1, false}, {1, 1, 1, false}, {100, 100, 1, false}, {101, 101, 2, false}, {250, 250, 3, false}, {1000, 1000, 10, false}, {1001, 1000, 10, true}} {
		s := serve(t, many(c.there))
		l, err := quick(github.Options{BaseURL: s.URL}).List(t.Context(), repo)
		if err != nil {
			t.Fatal(err)
		}
		if len(l.Releases) != c.want || l.Truncated != c.truncated || len(s.Requests()) != c.calls {
			t.Errorf("%d there: %d read, truncated %v, %d calls", c.there, len(l.Releases), l.Truncated, len(s.Requests()))
		}
		if (l.Incomplete() != "") != c.truncated {
			t.Errorf("%d there: incomplete %q", c.there, l.Incomplete())
		}
	}
}

func TestUnchangedPagesCostOneConditionalRequest(t *testing.T) {
	t.Parallel()
	s := serve(t, many(150))
	dir := filepath.Join(t.TempDir(), "cache")
	at := &clock{published(2000)}
	c := quick(github.Options{BaseURL: s.URL, CacheDir: dir, Now: at.now})
	if _, err := c.List(t.Context(), repo); err != nil {
		t.Fatal(err)
	}
	at.at = at.at.Add(time.Hour)
	l, err := c.List(t.Context(), repo)
	if err != nil || len(l.Releases) != 150 || l.FromCache || l.Incomplete() != "" {
		t.Fatalf("%d releases, %+v, %v", len(l.Releases), l.Incomplete(), err)
	}
	reqs := s.Requests()
	if len(reqs) != 3 || !reqs[2].Conditional || !strings.Contains(reqs[2].Query, "per_page=100&page=1") {
		t.Errorf("%+v", reqs)
	}
	s.Put(repo, many(151))
	if l, _ = c.List(t.Context(), repo); len(l.Releases) != 151 {
		t.Errorf("the new release is not seen: %d", len(l.Releases))
	}
}

func TestCacheIsPrivate(t *testing.T) {
	t.Parallel()
	s := serve(t, many(1))
	dir := filepath.Join(t.TempDir(), "a", "cache")
	if _, err := quick(github.Options{BaseURL: s.URL, CacheDir: dir}).List(t.Context(), repo); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Fatalf("directory %v %v", info.Mode(), err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Fatalf("%v %v", files, err)
	}
	if info, _ := files[0].Info(); info.Mode().Perm() != 0o600 {
		t.Errorf("file %v", info.Mode())
	}
}

func TestOfflineUsesTheCacheAndSaysHowOldItIs(t *testing.T) {
	t.Parallel()
	s := serve(t, many(120))
	dir := t.TempDir()
	at := &clock{published(2000)}
	offline := quick(github.Options{BaseURL: s.URL, CacheDir: dir, Now: at.now, Offline: true})
	if _, err := offline.List(t.Context(), repo); !errors.Is(err, github.ErrOffline) {
		t.Fatalf("empty cache: %v", err)
	}
	if _, err := quick(github.Options{BaseURL: s.URL, CacheDir: dir, Now: at.now}).List(t.Context(), repo); err != nil {
		t.Fatal(err)
	}
	asked := len(s.Requests())
	at.at = at.at.Add(30 * 24 * time.Hour)
	l, err := offline.List(t.Context(), repo)
	if err != nil || len(l.Releases) != 120 || !l.FromCache || l.Age != 30*24*time.Hour || !strings.Contains(l.Incomplete(), "30 days old (offline)") {
		t.Errorf("%d releases, age %v, %q, %v", len(l.Releases), l.Age, l.Incomplete(), err)
	}
	at.at = at.at.Add(-60 * 24 * time.Hour)
	if l, err = offline.List(t.Context(), repo); err != nil || l.Age != 0 {
		t.Errorf("a clock that went back: age %v, %v", l.Age, err)
	}
	if len(s.Requests()) != asked {
		t.Error("offline asked the network")
	}
}

func TestAClockThatWentBackMakesPagesStale(t *testing.T) {
	t.Parallel()
	s := serve(t, many(150))
	dir := t.TempDir()
	at := &clock{published(2000)}
	c := quick(github.Options{BaseURL: s.URL, CacheDir: dir, Now: at.now})
	for range 2 {
		if _, err := c.List(t.Context(), repo); err != nil {
			t.Fatal(err)
		}
		at.at = at.at.Add(-time.Hour)
	}
	if n := len(s.Requests()); n != 4 {
		t.Errorf("%d requests, want both pages asked again", n)
	}
}

func TestACorruptCacheIsAMiss(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string][]byte{"empty": {}, "zeroes": make([]byte, 100), "half": []byte(`{"Format":1,"Key":"`), "other": []byte(`{"Format":1,"Key":"x","Releases":[]}`)} {
		s := serve(t, many(3))
		dir := t.TempDir()
		c := quick(github.Options{BaseURL: s.URL, CacheDir: dir})
		if _, err := c.List(t.Context(), repo); err != nil {
			t.Fatal(err)
		}
		files, _ := filepath.Glob(filepath.Join(dir, "*.json"))
		for _, f := range files {
			if err := os.WriteFile(f, damage, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		l, err := c.List(t.Context(), repo)
		if reqs := s.Requests(); err != nil || len(l.Releases) != 3 || reqs[len(reqs)-1].Conditional {
			t.Errorf("%s: %d releases, %v", name, len(l.Releases), err)
		}
	}
}

func TestACacheThatCannotBeWrittenIsNoError(t *testing.T) {
	t.Parallel()
	s := serve(t, many(3))
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if l, err := quick(github.Options{BaseURL: s.URL, CacheDir: filepath.Join(file, "x")}).List(t.Context(), repo); err != nil || len(l.Releases) != 3 {
		t.Errorf("%v", err)
	}
}

func TestALimitFallsBackToTheCache(t *testing.T) {
	t.Parallel()
	s := serve(t, many(120))
	dir := t.TempDir()
	reset := time.Now().Add(37 * time.Minute).Truncate(time.Second)
	if _, err := quick(github.Options{BaseURL: s.URL, CacheDir: dir}).List(t.Context(), repo); err != nil {
		t.Fatal(err)
	}
	s.Limit(0, reset)
	_, err := quick(github.Options{BaseURL: s.URL}).List(t.Context(), repo)
	var limit *github.LimitError
	if !errors.As(err, &limit) || !limit.Reset.Equal(reset) || !strings.Contains(err.Error(), reset.Format("15:04")) {
		t.Fatalf("without a cache: %v", err)
	}
	l, err := quick(github.Options{BaseURL: s.URL, CacheDir: dir}).List(t.Context(), repo)
	if err != nil || len(l.Releases) != 120 || !l.FromCache || !errors.As(l.Cause, &limit) || !strings.Contains(l.Incomplete(), "limit is used up until") {
		t.Errorf("%d, %q, %v", len(l.Releases), l.Incomplete(), err)
	}
}

func TestHowGitHubSaysLimit(t *testing.T) {
	t.Parallel()
	at := &clock{published(0)}
	later := at.at.Add(90 * time.Second)
	for name, c := range map[string]struct {
		fault loopback.Fault
		reset time.Time
	}{
		"429 with retry-after": {loopback.Fault{Status: 429, Header: map[string]string{"Retry-After": "90"}, Body: `{"message":"slow down"}`}, later},
		"403 secondary": {loopback.Fault{
			Status: 403, Header: map[string]string{"Retry-After": "90"},
			Body: `{"message":"You have exceeded a secondary rate limit.","documentation_url":"https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"}`,
		}, later},
		"403 in words":    {loopback.Fault{Status: 403, Body: `{"message":"API rate limit exceeded for 10.0.0.1"}`}, time.Time{}},
		"429 with reset":  {loopback.Fault{Status: 429, Header: map[string]string{"X-RateLimit-Reset": fmt.Sprint(later.Unix())}, Body: `{}`}, later},
		"429 and nothing": {loopback.Fault{Status: 429, Body: ``}, time.Time{}},
	} {
		s := serve(t, many(1))
		s.Script(c.fault)
		_, err := quick(github.Options{BaseURL: s.URL, Now: at.now}).List(t.Context(), repo)
		var limit *github.LimitError
		if !errors.As(err, &limit) || !limit.Reset.Equal(c.reset) {
			t.Errorf("%s: %v", name, err)
		}
		if len(s.Requests()) != 1 {
			t.Errorf("%s: asked %d times", name, len(s.Requests()))
		}
	}
}

func TestStumblesAreTriedThreeTimes(t *testing.T) {
	t.Parallel()
	bad := loopback.Fault{Status: 502, Body: "bad gateway"}
	s := serve(t, many(2))
	s.Script(bad, bad)
	if got, err := quick(github.Options{BaseURL: s.URL}).Releases(t.Context(), repo); err != nil || len(got) != 2 {
		t.Errorf("%v", err)
	}
	s.Script(bad, bad, bad)
	if _, err := quick(github.Options{BaseURL: s.URL}).Releases(t.Context(), repo); !errors.Is(err, github.ErrUnavailable) {
		t.Errorf("%v", err)
	}
	if n := len(s.Requests()); n != 6 {
		t.Errorf("%d requests, want 6", n)
	}
}

func TestAFailingSecondPageLeavesTheFirst(t *testing.T) {
	t.Parallel()
	s := serve(t, many(150))
	bad := loopback.Fault{Status: 500}
	s.Script(loopback.Fault{}, bad, bad, bad)
	l, err := quick(github.Options{BaseURL: s.URL}).List(t.Context(), repo)
	if err != nil || len(l.Releases) != 100 || !l.Truncated || !errors.Is(l.Cause, github.ErrUnavailable) || !strings.Contains(l.Incomplete(), "only the newest 100") {
		t.Errorf("%d, %q, %v", len(l.Releases), l.Incomplete(), err)
	}
}

func TestWhatIsNotGitHubIsUnavailable(t *testing.T) {
	t.Parallel()
	html := map[string]string{"Content-Type": "text/html"}
	for name, f := range map[string]loopback.Fault{
		"captive portal":      {Status: 200, Header: html, Body: "<html>Log in to the hotel's network</html>"},
		"portal's 404":        {Status: 404, Header: html, Body: "<html>not here</html>"},
		"portal's 403":        {Status: 403, Header: html, Body: "<html>blocked</html>"},
		"an object":           {Status: 200, Body: `{"a":1}`},
		"half a list":         {Status: 200, Body: `[{"tag_name":"v1`},
		"nothing":             {Status: 200, Body: ``},
		"endless":             {Status: 200, Body: `["` + strings.Repeat("a", 9<<20) + `"]`},
		"redirect to nowhere": {Status: 302, Header: map[string]string{"Location": "ftp://example.invalid/"}},
		"dropped":             {Drop: true},
	} {
		s := serve(t, many(1))
		s.Script(f, f, f)
		if got, err := quick(github.Options{BaseURL: s.URL}).List(t.Context(), repo); !errors.Is(err, github.ErrUnavailable) {
			t.Errorf("%s: %v %v", name, got, err)
		}
	}
}

func TestNotFound(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	c := quick(github.Options{BaseURL: s.URL})
	for _, name := range []string{"nobody/nothing", "", "tidepool", "a/b/c", "../x", "a/..", "a b/c", "x/y?z", "x/%2e%2e", "-a/b"} {
		if _, err := c.Releases(t.Context(), name); !errors.Is(err, github.ErrNotFound) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if n := len(s.Requests()); n != 1 {
		t.Errorf("%d requests: names that cannot exist were asked for", n)
	}
}

func TestASilentServerCostsNoMoreThanTheBudget(t *testing.T) {
	t.Parallel()
	s := serve(t, many(1))
	s.Script(loopback.Fault{Hang: true}, loopback.Fault{Hang: true}, loopback.Fault{Hang: true}, loopback.Fault{Hang: true})
	c := github.New(github.Options{BaseURL: s.URL}).Hurry(40*time.Millisecond, 60*time.Millisecond, time.Millisecond)
	if _, err := c.List(t.Context(), repo); !errors.Is(err, github.ErrUnavailable) {
		t.Errorf("%v", err)
	}
	if n := len(s.Requests()); n > 3 {
		t.Errorf("%d requests", n)
	}
}

func TestCancellingIsNotGitHubsFault(t *testing.T) {
	t.Parallel()
	s := serve(t, many(1))
	dir := t.TempDir()
	if _, err := quick(github.Options{BaseURL: s.URL, CacheDir: dir}).List(t.Context(), repo); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := quick(github.Options{BaseURL: s.URL, CacheDir: dir}).List(ctx, repo); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	s := serve(t, many(1))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := quick(github.Options{BaseURL: s.URL}).List(t.Context(), repo); !errors.Is(err, github.ErrUnavailable) {
		t.Errorf("%v", err)
	}
}

func TestBaseURL(t *testing.T) {
	t.Parallel()
	s := serve(t, many(1))
	if _, err := quick(github.Options{BaseURL: strings.TrimSuffix(s.URL, "/")}).Releases(t.Context(), repo); err != nil {
		t.Errorf("without its slash: %v", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/api/v3/repos/tidepool/tidepool/releases", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`[]`))
	})
	enterprise := httptest.NewServer(mux)
	defer enterprise.Close()
	if _, err := quick(github.Options{BaseURL: enterprise.URL + "/api/v3"}).Releases(t.Context(), repo); err != nil {
		t.Errorf("an Enterprise path: %v", err)
	}
	for _, bad := range []string{"ftp://x/", "api.github.com", "://", "https://me:secret@github.example/", "https:///x"} {
		_, err := quick(github.Options{BaseURL: bad}).Releases(t.Context(), repo)
		if !errors.Is(err, github.ErrUnavailable) || strings.Contains(fmt.Sprint(err), "secret") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
