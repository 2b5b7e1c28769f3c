package github

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	api "github.com/google/go-github/v60/github"

	"belay/releases"
)

// Listing is what is known of a repository's releases, and how well.
type Listing struct {
	Releases  []releases.Release // published ones, GitHub's order (by creation)
	Truncated bool               // there are older releases that were not read
	FromCache bool               // at least one page could not be confirmed with GitHub
	Age       time.Duration      // of the oldest unconfirmed page; 0 when the clock went back
	Cause     error              // why FromCache or Truncated; nil when nothing went wrong

	TokenRefused bool // GitHub did not take the token; asked again without
}

// Incomplete is a sentence for the user when the list may not be all, "" when it is.
func (l Listing) Incomplete() string {
	var parts []string
	if l.FromCache {
		parts = append(parts, fmt.Sprintf("the releases are a copy %s old (%s)", rough(l.Age), reason(l.Cause)))
	}
	if l.Truncated {
		parts = append(parts, fmt.Sprintf("only the newest %d releases were read", len(l.Releases)))
		if !l.FromCache && l.Cause != nil {
			parts[len(parts)-1] += " (" + reason(l.Cause) + ")"
		}
	}
	if l.TokenRefused {
		parts = append(parts, "GitHub refused the token, so it was asked without")
	}
	return strings.Join(parts, "; ")
}

func reason(err error) string {
	var limit *LimitError
	switch {
	case errors.As(err, &limit):
		return limit.Error()
	case errors.Is(err, ErrOffline):
		return "offline"
	case err == nil:
		return "not asked again"
	default:
		return ErrUnavailable.Error()
	}
}

func rough(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "less than a minute"
	case d < 2*time.Hour:
		return fmt.Sprintf("%d minutes", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d hours", int(d.Hours()))
	default:
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	}
}

// List reads all pages of a repository's releases, at most 1,000 of them. Pages
// that GitHub says are unchanged are taken from the cache and count as confirmed.
// When GitHub cannot be asked, the cache answers and the Listing says so.
func (c *Client) List(ctx context.Context, repo string) (Listing, error) {
	if c.broken != nil {
		return Listing{}, c.broken
	}
	if !validRepo(repo) {
		return Listing{}, fmt.Errorf("%q is not owner/name: %w", repo, ErrNotFound)
	}
	limited, cancel := context.WithTimeout(ctx, c.total)
	defer cancel()
	w := walk{client: c, repo: repo, parent: ctx, seen: map[string]bool{}}
	for n := 1; n <= maxPages; n++ {
		p, err := w.page(limited, n)
		if err != nil && n == 1 {
			return Listing{}, fmt.Errorf("releases of %s: %w", repo, err)
		}
		if err != nil {
			w.out.Truncated, w.out.Cause = true, err
			return w.out, nil
		}
		w.add(p.Releases)
		if !p.More {
			return w.out, nil
		}
	}
	w.out.Truncated = true
	return w.out, nil
}

// walk is one reading of one repository's pages.
type walk struct {
	client    *Client
	repo      string
	parent    context.Context //nolint:containedctx // lives for one call of List
	out       Listing
	seen      map[string]bool
	unchanged bool // GitHub said so of the first page
	cacheOnly bool // asking has failed; the rest comes from the cache
}

// add keeps each tag once: pages shift when a release appears while they are read.
func (w *walk) add(list []releases.Release) {
	for _, r := range list {
		if !w.seen[r.Tag] {
			w.seen[r.Tag] = true
			w.out.Releases = append(w.out.Releases, r)
		}
	}
}

func (w *walk) page(ctx context.Context, n int) (page, error) {
	c := w.client
	kept, hit := c.cache.load(w.repo, n)
	age := c.now().Sub(kept.Fetched)
	if c.offline || w.cacheOnly {
		if !hit {
			return page{}, ErrOffline
		}
		if c.offline && w.out.Cause == nil {
			w.out.Cause = ErrOffline
		}
		w.unconfirmed(age)
		return kept, nil
	}
	// Older pages do not change while the first one does not, edits aside.
	if n > 1 && w.unchanged && hit && age >= 0 && age < 24*time.Hour {
		return kept, nil
	}
	p, err := w.ask(ctx, n, kept.ETag)
	switch {
	case errors.Is(err, errNotModified) && hit:
		w.unchanged = w.unchanged || n == 1
		kept.Fetched = c.now()
		c.cache.store(w.repo, n, kept)
		return kept, nil
	case err == nil:
		c.cache.store(w.repo, n, p)
		return p, nil
	case hit && w.parent.Err() == nil && !errors.Is(err, ErrNotFound):
		w.cacheOnly, w.out.Cause = true, err
		w.unconfirmed(age)
		return kept, nil
	default:
		return page{}, err
	}
}

func (w *walk) unconfirmed(age time.Duration) {
	w.out.FromCache = true
	w.out.Age = max(w.out.Age, age, 0)
}

// ask gets one page from GitHub: three tries when it stumbles, once more without
// the token when it is refused.
func (w *walk) ask(ctx context.Context, n int, etag string) (page, error) {
	c := w.client
	pause := c.pause
	for try := 1; ; try++ {
		asking := ctx
		if w.out.TokenRefused {
			asking = withoutToken(ctx)
		}
		p, resp, err := c.get(asking, w.repo, n, etag)
		if err == nil {
			return p, nil
		}
		if w.parent.Err() != nil {
			return page{}, w.parent.Err()
		}
		sorted := c.classify(w.parent, err)
		if errors.Is(sorted, errRefused) {
			if w.out.TokenRefused || !c.token {
				return page{}, fmt.Errorf("%w: it wants a login", ErrUnavailable)
			}
			w.out.TokenRefused = true
			continue
		}
		if !passing(err, resp) || try == maxTries || !sleep(ctx, jitter(pause)) {
			return page{}, sorted
		}
		pause *= 2
	}
}

func (c *Client) get(ctx context.Context, repo string, n int, etag string) (page, *api.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, c.request)
	defer cancel()
	req, err := c.api.NewRequest(http.MethodGet, fmt.Sprintf("repos/%s/releases?per_page=%d&page=%d", repo, perPage, n), nil)
	if err != nil {
		return page{}, nil, err
	}
	if etag != "" {
		req.Header.Set("If-None-Match", etag)
	}
	var body bytes.Buffer
	resp, err := c.api.Do(ctx, req, &body)
	if err != nil {
		return page{}, resp, err
	}
	if !isJSON(resp.Header) {
		return page{}, resp, fmt.Errorf("%w: a page that is not GitHub's came back, perhaps a network's login", ErrUnavailable)
	}
	var list []*api.RepositoryRelease
	if err := json.Unmarshal(body.Bytes(), &list); err != nil {
		return page{}, resp, fmt.Errorf("answer unreadable: %w", err)
	}
	return page{Releases: c.convert(list), ETag: resp.Header.Get("ETag"), More: resp.NextPage == n+1, Fetched: c.now()}, resp, nil
}

func (c *Client) convert(list []*api.RepositoryRelease) []releases.Release {
	out := make([]releases.Release, 0, len(list))
	for _, r := range list {
		if r == nil || r.GetDraft() || r.GetTagName() == "" {
			continue
		}
		out = append(out, releases.Release{
			Tag: r.GetTagName(), Name: r.GetName(), Body: r.GetBody(), URL: c.webPage(r.GetHTMLURL()),
			Published: r.GetPublishedAt().Time, Prerelease: r.GetPrerelease(),
		})
	}
	return out
}

// webPage keeps an address only when a browser may be sent there.
func (c *Client) webPage(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != c.base.Scheme {
		return ""
	}
	return raw
}

// sleep waits, and reports false when the context ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
