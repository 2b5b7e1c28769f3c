package github

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	api "github.com/google/go-github/v60/github"
)

// What can go wrong. Test with errors.Is; *LimitError with errors.As.
var (
	ErrNotFound    = errors.New("no such repository on GitHub, or it is private")
	ErrOffline     = errors.New("offline, and no copy of the releases is kept here")
	ErrUnavailable = errors.New("GitHub does not answer as it should")
)

// LimitError says that GitHub takes no more requests from here for now.
type LimitError struct {
	Reset time.Time // zero: GitHub did not say
	Token bool      // a token was sent; without one the limit is 60 an hour
}

// Error is the sentence a user can act on.
func (e *LimitError) Error() string {
	s := "GitHub's request limit is used up"
	if !e.Reset.IsZero() {
		s += " until " + e.Reset.Format("15:04")
	}
	if !e.Token {
		s += "; with GH_TOKEN set there are 5,000 requests an hour"
	}
	return s
}

// errNotModified is how a page that has not changed comes back.
var errNotModified = errors.New("not modified")

// errRefused is a token GitHub does not take.
var errRefused = errors.New("token refused")

// classify turns what go-github returns into this package's errors.
func (c *Client) classify(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	var rate *api.RateLimitError
	if errors.As(err, &rate) {
		return &LimitError{Reset: rate.Rate.Reset.Time, Token: c.token}
	}
	var abuse *api.AbuseRateLimitError
	if errors.As(err, &abuse) {
		limit := &LimitError{Token: c.token}
		if abuse.RetryAfter != nil {
			limit.Reset = c.now().Add(*abuse.RetryAfter)
		}
		return limit
	}
	var answer *api.ErrorResponse
	if errors.As(err, &answer) && answer.Response != nil {
		return c.classifyStatus(answer)
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

func (c *Client) classifyStatus(answer *api.ErrorResponse) error {
	resp := answer.Response
	switch resp.StatusCode {
	case http.StatusNotModified:
		return errNotModified
	case http.StatusUnauthorized:
		return errRefused
	case http.StatusNotFound:
		if !isJSON(resp.Header) {
			break // GitHub says it in JSON; this is somebody else's page
		}
		return ErrNotFound
	case http.StatusTooManyRequests:
		return &LimitError{Reset: c.resetOf(resp.Header), Token: c.token}
	case http.StatusForbidden:
		limited := resp.Header.Get("Retry-After") != "" || strings.Contains(strings.ToLower(answer.Message), "rate limit")
		if limited {
			return &LimitError{Reset: c.resetOf(resp.Header), Token: c.token}
		}
	}
	return fmt.Errorf("%w: it answered %d", ErrUnavailable, resp.StatusCode)
}

func (c *Client) resetOf(h http.Header) time.Time {
	if s, err := strconv.Atoi(h.Get("Retry-After")); err == nil && s >= 0 {
		return c.now().Add(time.Duration(s) * time.Second)
	}
	if s, err := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64); err == nil && s > 0 {
		return time.Unix(s, 0)
	}
	return time.Time{}
}

// passing reports whether trying again may help: the server's own faults and
// time-outs. A name that does not resolve or a refused connection will not heal
// within seconds.
func passing(err error, resp *api.Response) bool {
	if resp != nil && resp.Response != nil && resp.StatusCode >= 500 {
		return true
	}
	var network net.Error
	return errors.As(err, &network) && network.Timeout() ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, io.ErrUnexpectedEOF)
}
