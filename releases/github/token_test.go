package github_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"belay/releases/github"
	"belay/releases/github/loopback"
)

const secret = "ghp_0123456789"

func TestTheTokenGoesToItsHost(t *testing.T) {
	t.Parallel()
	s := serve(t, many(1))
	if _, err := quick(github.Options{BaseURL: s.URL, Token: secret}).Releases(t.Context(), repo); err != nil {
		t.Fatal(err)
	}
	if !s.Requests()[0].Token {
		t.Error("the token was not sent")
	}
}

func TestTheTokenStaysBehindOnARedirect(t *testing.T) {
	t.Parallel()
	other := serve(t, many(2)) // another port is another host
	s := serve(t, many(1))
	s.Script(loopback.Fault{Status: 301, Header: map[string]string{"Location": other.URL + "repos/" + repo + "/releases"}})
	got, err := quick(github.Options{BaseURL: s.URL, Token: secret}).Releases(t.Context(), repo)
	if err != nil || len(got) != 2 {
		t.Fatalf("%v %v", got, err)
	}
	if !s.Requests()[0].Token || other.Requests()[0].Token {
		t.Error("the token followed the redirect")
	}
}

func TestTheTokenFollowsARenameOnItsHost(t *testing.T) {
	t.Parallel()
	s := serve(t, many(3))
	s.Script(loopback.Fault{Status: 301, Header: map[string]string{"Location": s.URL + "repos/" + repo + "/releases?per_page=100"}})
	got, err := quick(github.Options{BaseURL: s.URL, Token: secret}).Releases(t.Context(), "old/name")
	if err != nil || len(got) != 3 || !s.Requests()[1].Token {
		t.Errorf("%v %v", got, err)
	}
}

func TestARedirectLoopEnds(t *testing.T) {
	t.Parallel()
	var hits atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		http.Redirect(w, r, r.URL.String(), http.StatusFound)
	}))
	defer srv.Close()
	if _, err := quick(github.Options{BaseURL: srv.URL}).Releases(t.Context(), repo); err == nil || hits.Load() > 6 {
		t.Errorf("%d requests, %v", hits.Load(), err)
	}
}

func TestARefusedTokenIsDropped(t *testing.T) {
	t.Parallel()
	s := serve(t, many(150))
	s.Script(loopback.Fault{Status: 401, Body: `{"message":"Bad credentials"}`})
	l, err := quick(github.Options{BaseURL: s.URL, Token: secret}).List(t.Context(), repo)
	if err != nil || len(l.Releases) != 150 || !l.TokenRefused || !strings.Contains(l.Incomplete(), "refused the token") {
		t.Fatalf("%d releases, %+v %v", len(l.Releases), l.TokenRefused, err)
	}
	reqs := s.Requests()
	if len(reqs) != 3 || !reqs[0].Token || reqs[1].Token || reqs[2].Token {
		t.Errorf("%+v", reqs)
	}
	s.Script(loopback.Fault{Status: 401})
	if _, err := quick(github.Options{BaseURL: s.URL}).List(t.Context(), repo); err == nil {
		t.Error("a login that is asked for without a token is no answer")
	}
}

type spy struct{ header http.Header }

func (s *spy) RoundTrip(r *http.Request) (*http.Response, error) {
	s.header = r.Header.Clone()
	return nil, &url.Error{Op: "Get", URL: r.URL.String(), Err: http.ErrServerClosed}
}

func TestNoTokenOverAnOpenLine(t *testing.T) {
	t.Parallel()
	for base, sent := range map[string]bool{"http://github.example/": false, "https://github.example/": true, "http://localhost:1/": true} {
		s := &spy{}
		_, err := quick(github.Options{BaseURL: base, Token: secret, HTTP: &http.Client{Transport: s}}).Releases(t.Context(), repo)
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Fatalf("%s: %v", base, err)
		}
		if got := s.header.Get("Authorization") != ""; got != sent {
			t.Errorf("%s: token sent %v", base, got)
		}
	}
}

func TestTokenFromTheEnvironment(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		environ []string
		want    string
	}{
		{nil, ""},
		{[]string{"GITHUB_TOKEN=b"}, "b"},
		{[]string{"GITHUB_TOKEN=b", "GH_TOKEN=a"}, "a"},
		{[]string{"GITHUB_TOKEN=b", "GH_TOKEN="}, "b"},
		{[]string{"GH_TOKEN= a\n"}, "a"},
		{[]string{"GH_TOKEN=a\nX: y"}, ""},
		{[]string{"GH_TOKEN=old", "GH_TOKEN=new"}, "new"},
		{[]string{"XGH_TOKEN=a"}, ""},
	} {
		if got := github.Token(c.environ); got != c.want {
			t.Errorf("%q: %q", c.environ, got)
		}
	}
}
