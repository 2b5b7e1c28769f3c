// Package loopback is a server on 127.0.0.1 that speaks the part of GitHub's REST
// API that belay uses, from releases it is given: for the demo, which needs no
// network, and for tests of the real client. It must not know that client.
package loopback

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Release is one release to serve. Created decides the order, as on GitHub; a
// zero Created is Published.
type Release struct {
	Tag        string
	Name       string // "": the tag
	Body       string
	Author     string // "": the repository's owner
	Created    time.Time
	Published  time.Time
	Prerelease bool
	Draft      bool // stored, never served: GitHub hides drafts too
	Assets     []Asset
}

// Asset is one file of a release.
type Asset struct {
	Name string
	Size int
	Type string
}

// Fault is one scripted answer in place of the real one.
type Fault struct {
	Status int // 0: the real answer, after Header was added
	Header map[string]string
	Body   string
	Drop   bool // close the connection without an answer
	Hang   bool // do not answer until the client leaves or the server closes
}

// Request is one request the server saw.
type Request struct {
	Method, Path, Query string
	Token               bool // an Authorization header came along
	Conditional         bool // an If-None-Match header came along
}

// Server is a running server. URL ends with a slash and is what GITHUB_API_URL
// should hold.
type Server struct {
	URL string

	http *http.Server
	done chan struct{}
	quit chan struct{}
	once sync.Once

	mu        sync.Mutex
	repos     map[string]repository // by lower-case owner/name
	faults    []Fault
	requests  []Request
	limit     int
	remaining int
	reset     time.Time
}

type repository struct {
	name     string // as given
	releases []Release
}

// Serve starts a server on a free loopback port. Keys of data are "owner/name".
func Serve(data map[string][]Release) (*Server, error) {
	for name := range data {
		if owner, repo, ok := strings.Cut(name, "/"); !ok || owner == "" || repo == "" || strings.Contains(repo, "/") {
			return nil, fmt.Errorf("serve releases: %q is not owner/name", name)
		}
	}
	var config net.ListenConfig
	listener, err := config.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("serve releases: %w", err)
	}
	s := &Server{
		URL:  "http://" + listener.Addr().String() + "/",
		done: make(chan struct{}), quit: make(chan struct{}),
		repos: map[string]repository{}, limit: 5000, remaining: 5000, reset: time.Now().Add(time.Hour),
	}
	for name, list := range data {
		s.Put(name, list)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /repos/{owner}/{repo}/releases", s.listReleases)
	mux.HandleFunc("GET /repos/{owner}/{repo}", s.getRepository)
	mux.HandleFunc("/", notFound)
	s.http = &http.Server{Handler: s.front(mux), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		defer close(s.done)
		_ = s.http.Serve(listener) // returns when Close closes the listener
	}()
	return s, nil
}

// Close stops the server and waits until it has stopped. Calling it again does nothing.
func (s *Server) Close() error {
	var err error
	s.once.Do(func() {
		close(s.quit)
		err = s.http.Close()
		<-s.done
	})
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Put sets the releases of one repository, for what is published while it runs.
func (s *Server) Put(name string, list []Release) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.repos[strings.ToLower(name)] = repository{name: name, releases: newestFirst(list)}
}

// Script queues faults: each answers one request, in order; then the server is
// itself again.
func (s *Server) Script(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, faults...)
}

// Limit sets how many requests are left until reset; at 0 the server refuses as
// GitHub does.
func (s *Server) Limit(remaining int, reset time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remaining, s.reset = remaining, reset
}

// Requests lists what was asked so far, oldest first.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}
