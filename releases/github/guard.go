package github

import (
	"context"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
)

var errTooLarge = errors.New("answer larger than 8 MB")

// anonymous marks a request that goes without the token.
type anonymous struct{}

func withoutToken(ctx context.Context) context.Context {
	return context.WithValue(ctx, anonymous{}, true)
}

// guard is the border to the network: the token goes to the host it was set for
// and to no other, whatever a redirect says, and no answer is read without end.
type guard struct {
	base  *url.URL
	token string
	next  http.RoundTripper
}

func newGuard(base *url.URL, token string, client *http.Client) guard {
	g := guard{base: base, token: clean(token), next: http.DefaultTransport}
	if client != nil && client.Transport != nil {
		g.next = client.Transport
	}
	if base.Scheme != "https" && !loopbackHost(base.Hostname()) {
		g.token = "" // readable by everyone on the way
	}
	return g
}

// RoundTrip implements http.RoundTripper.
func (g guard) RoundTrip(req *http.Request) (*http.Response, error) {
	out := req.Clone(req.Context())
	out.Header.Del("Authorization")
	home := out.URL.Scheme == g.base.Scheme && strings.EqualFold(out.URL.Host, g.base.Host)
	if home && g.token != "" && req.Context().Value(anonymous{}) == nil {
		out.Header.Set("Authorization", "Bearer "+g.token)
	}
	resp, err := g.next.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	resp.Body = &capped{ReadCloser: resp.Body, left: maxBody}
	return resp, nil
}

type capped struct {
	io.ReadCloser
	left int64
}

func (c *capped) Read(p []byte) (int, error) {
	if c.left < 0 {
		return 0, errTooLarge
	}
	if int64(len(p)) > c.left+1 {
		p = p[:c.left+1] // one more than allowed tells full from too large
	}
	n, err := c.ReadCloser.Read(p)
	c.left -= int64(n)
	if c.left < 0 {
		return 0, errTooLarge
	}
	return n, err
}

// isJSON tells GitHub's answer from the login page of a hotel's network.
func isJSON(h http.Header) bool {
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && (kind == "application/json" || strings.HasSuffix(kind, "+json"))
}

func loopbackHost(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Token picks the token a user set for GitHub, as the gh program does: GH_TOKEN,
// then GITHUB_TOKEN. environ is in the form of os.Environ; "" when there is none.
func Token(environ []string) string {
	for _, key := range []string{"GH_TOKEN=", "GITHUB_TOKEN="} {
		for i := len(environ) - 1; i >= 0; i-- { // the last one wins
			if value, ok := strings.CutPrefix(environ[i], key); ok && clean(value) != "" {
				return clean(value)
			}
		}
	}
	return ""
}

// clean drops a token that could not stand in a header.
func clean(token string) string {
	token = strings.TrimSpace(token)
	for i := range len(token) {
		if token[i] <= ' ' || token[i] >= 0x7f {
			return ""
		}
	}
	return token
}
