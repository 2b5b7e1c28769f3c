package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

var errTooLarge = errors.New("answer larger than 16 MB")

// guard is the border to the network: no request waits for ever, no answer is
// read without end, and no login travels in the open.
type guard struct {
	next     http.RoundTripper
	insecure map[string]bool
	timeout  time.Duration
}

// RoundTrip implements http.RoundTripper.
func (g guard) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "https" && !g.open(req) {
		return nil, fmt.Errorf("plain http to %s refused", req.URL.Host)
	}
	ctx, cancel := context.WithTimeout(req.Context(), g.timeout)
	resp, err := g.next.RoundTrip(req.WithContext(ctx))
	if err != nil {
		cancel()
		return nil, err
	}
	resp.Body = &bounded{ReadCloser: resp.Body, left: maxAnswer, cancel: cancel}
	return resp, nil
}

// open reports whether a request may go over plain http: to this host and to
// registries the user named; within a private network only without a login.
func (g guard) open(req *http.Request) bool {
	if loopback(req.URL.Host) || g.insecure[strings.ToLower(req.URL.Host)] {
		return true
	}
	ip := net.ParseIP(req.URL.Hostname())
	return ip != nil && ip.IsPrivate() && req.Header.Get("Authorization") == ""
}

type bounded struct {
	io.ReadCloser
	left   int64
	cancel context.CancelFunc
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, errTooLarge
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1] // one more than allowed tells full from too large
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, errTooLarge
	}
	return n, err
}

// Close implements io.Closer.
func (b *bounded) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}
