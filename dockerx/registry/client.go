// Package registry asks image registries what can be installed: which tags a
// repository has, and what an image is before it is pulled. It must not know
// which image is wanted or why, and it never downloads a layer.
package registry

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

const (
	requestTimeout = 10 * time.Second
	callTimeout    = 30 * time.Second
	firstPause     = 200 * time.Millisecond
	pageSize       = 1000
	maxTags        = 10_000
	maxHeads       = 20
	maxAnswer      = 16 << 20
)

// Options say how registries are asked. The zero value asks as docker does: with
// the logins of the docker configuration, over https except on this host.
type Options struct {
	Keychain  authn.Keychain    // nil: the docker configuration ($DOCKER_CONFIG, credential helpers)
	Transport http.RoundTripper // nil: remote.DefaultTransport
	UserAgent string
	Insecure  []string // hosts ("10.0.0.2:5000") that may be asked over plain http, logins included
}

// Client asks registries. It is safe for concurrent use.
type Client struct {
	keychain  authn.Keychain
	transport http.RoundTripper
	agent     string
	insecure  map[string]bool
	pause     time.Duration
}

// New makes a client; nothing is asked yet.
func New(o Options) *Client {
	c := &Client{agent: o.UserAgent, insecure: map[string]bool{}, pause: firstPause}
	for _, host := range o.Insecure {
		c.insecure[strings.ToLower(host)] = true
	}
	chain := o.Keychain
	if chain == nil {
		chain = authn.DefaultKeychain
	}
	c.keychain = lenient{chain}
	next := o.Transport
	if next == nil {
		next = remote.DefaultTransport
	}
	c.transport = guard{next: next, insecure: c.insecure, timeout: requestTimeout}
	return c
}

// Listing is the tags of a repository as far as they were read.
type Listing struct {
	Tags      []string // the registry's order, often alphabetical: it says nothing of age
	Truncated bool     // there are more than 10,000
}

// Tags lists a repository's tags. repo has no tag: "ghcr.io/x/y", "postgres".
// Errors: ErrNoTag (no such repository), ErrDenied, ErrUnreachable.
func (c *Client) Tags(ctx context.Context, repo string) ([]string, error) {
	l, err := c.List(ctx, repo)
	return l.Tags, err
}

// List is Tags with the word on whether that was all.
func (c *Client) List(ctx context.Context, repo string) (Listing, error) {
	repository, err := name.NewRepository(repo, c.naming(repo)...)
	if err != nil {
		return Listing{}, fmt.Errorf("%q is not a repository: %w", repo, ErrNoTag)
	}
	l, err := c.list(ctx, repository)
	if err != nil {
		return Listing{}, fmt.Errorf("tags of %s: %w", repo, classify(ctx, err))
	}
	return l, nil
}

func (c *Client) list(ctx context.Context, repository name.Repository) (Listing, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	puller, err := c.puller()
	if err != nil {
		return Listing{}, err
	}
	pages, err := puller.Lister(ctx, repository)
	if err != nil {
		return Listing{}, err
	}
	var l Listing
	// A registry may give fewer tags a page than asked for, even none.
	for asked := 0; pages.HasNext(); asked++ {
		if len(l.Tags) >= maxTags || asked >= maxTags/100 {
			l.Truncated = true
			break
		}
		page, err := pages.Next(ctx)
		if err != nil {
			return Listing{}, err
		}
		l.Tags = append(l.Tags, page.Tags...)
	}
	if len(l.Tags) > maxTags {
		l.Tags, l.Truncated = l.Tags[:maxTags], true
	}
	return l, nil
}

func (c *Client) puller() (*remote.Puller, error) {
	options := []remote.Option{
		remote.WithAuthFromKeychain(c.keychain),
		remote.WithTransport(c.transport),
		remote.WithPageSize(pageSize),
		remote.WithRetryBackoff(remote.Backoff{Duration: c.pause, Factor: 3, Jitter: 0.5, Steps: 3}),
	}
	if c.agent != "" {
		options = append(options, remote.WithUserAgent(c.agent))
	}
	return remote.NewPuller(options...)
}

// naming allows plain http for registries on this host, and those the user named.
func (c *Client) naming(ref string) []name.Option {
	host, _, _ := strings.Cut(ref, "/")
	if c.insecure[strings.ToLower(host)] || loopback(host) {
		return []name.Option{name.Insecure}
	}
	return nil
}

func loopback(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// lenient goes on without a login when the docker configuration cannot be read
// or its credential helper fails: most images need none, and a registry that
// does will say so.
type lenient struct{ chain authn.Keychain }

// Resolve implements authn.Keychain.
func (l lenient) Resolve(target authn.Resource) (authn.Authenticator, error) {
	return l.ResolveContext(context.Background(), target)
}

// ResolveContext implements authn.ContextKeychain.
func (l lenient) ResolveContext(ctx context.Context, target authn.Resource) (authn.Authenticator, error) {
	auth, err := authn.Resolve(ctx, l.chain, target)
	if err == nil {
		return auth, nil
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return nil, ctx.Err()
	}
	return authn.Anonymous, nil
}
