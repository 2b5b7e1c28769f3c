// Package github reads the releases of a project from GitHub's API, within the
// limits GitHub sets, and keeps a copy for when it cannot be asked. It must not
// know what a release's notes mean, nor who wants them.
package github

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	api "github.com/google/go-github/v60/github"

	"belay/releases"
)

// DefaultBaseURL is where GitHub's own API lives.
const DefaultBaseURL = "https://api.github.com/"

const (
	perPage        = 100
	maxPages       = 10
	maxTries       = 3
	maxBody        = 8 << 20
	requestTimeout = 10 * time.Second
	totalTimeout   = 15 * time.Second
	firstPause     = 300 * time.Millisecond
)

// Options say how GitHub is asked. The zero value asks github.com without a
// token and keeps nothing.
type Options struct {
	BaseURL  string           // GITHUB_API_URL; "" is DefaultBaseURL. http is allowed here only because a user wrote it
	Token    string           // sent to BaseURL's host and to no other
	HTTP     *http.Client     // its Transport is used; nil: http.DefaultTransport
	Now      func() time.Time // nil: time.Now
	CacheDir string           // made 0700; "": no cache
	Offline  bool             // never ask, use the cache whatever its age
}

// Client reads releases. It is safe for concurrent use.
type Client struct {
	api     *api.Client
	base    *url.URL
	cache   cache
	now     func() time.Time
	offline bool
	token   bool
	broken  error // what is wrong with the options; every call returns it

	request, total, pause time.Duration
}

// New makes a client. A base address that cannot be used is an ErrUnavailable of
// every later call, so that a wrong variable costs the notes and not the upgrade.
func New(o Options) *Client {
	c := &Client{
		now: o.Now, offline: o.Offline,
		request: requestTimeout, total: totalTimeout, pause: firstPause,
	}
	if c.now == nil {
		c.now = time.Now
	}
	c.base, c.broken = baseURL(o.BaseURL)
	if c.broken != nil {
		return c
	}
	c.cache = cache{dir: o.CacheDir, host: c.base.Host}
	guarded := newGuard(c.base, o.Token, o.HTTP)
	c.token = guarded.token != ""
	c.api = api.NewClient(&http.Client{Transport: guarded, CheckRedirect: sameSafety})
	c.api.BaseURL = c.base
	c.api.UserAgent = "belay"
	return c
}

// Releases lists the published releases of a repository ("owner/name") in
// GitHub's order. Errors: ErrNotFound, *LimitError, ErrOffline, ErrUnavailable.
// A copy from the cache is returned without an error; List says more.
func (c *Client) Releases(ctx context.Context, repo string) ([]releases.Release, error) {
	l, err := c.List(ctx, repo)
	return l.Releases, err
}

var repoPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}$`)

func validRepo(repo string) bool {
	_, name, _ := strings.Cut(repo, "/")
	return repoPattern.MatchString(repo) && name != "." && name != ".."
}

// baseURL reads the address of the API. The trailing slash matters: without it
// the last element of an Enterprise path is lost when addresses are joined.
func baseURL(raw string) (*url.URL, error) {
	if raw == "" {
		raw = DefaultBaseURL
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil {
		return nil, fmt.Errorf("the API address %q is not an http(s) address without a login: %w", redact(raw), ErrUnavailable)
	}
	u.RawQuery, u.Fragment = "", ""
	if !strings.HasSuffix(u.Path, "/") {
		u.Path += "/"
	}
	return u, nil
}

// redact keeps a password that stands in an address out of messages.
func redact(raw string) string {
	if i := strings.LastIndex(raw, "@"); i >= 0 {
		return "…" + raw[i:]
	}
	return raw
}

// sameSafety follows a few redirects (renamed repositories), but never from
// https down to http. The token stays behind on another host, see guard.
func sameSafety(req *http.Request, via []*http.Request) error {
	if len(via) >= 5 {
		return errors.New("more than 5 redirects")
	}
	if via[0].URL.Scheme == "https" && req.URL.Scheme != "https" {
		return errors.New("redirect from https to http refused")
	}
	return nil
}

// jitter spreads retries so that many hosts do not come back at once.
func jitter(d time.Duration) time.Duration {
	return d/2 + rand.N(d) //nolint:gosec // not a secret
}
