package loopback

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// front records the request, plays a scripted fault, and keeps the limit's books.
func (s *Server) front(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fault, scripted := s.arrive(r)
		if scripted && s.play(w, r, fault) {
			return
		}
		left, limit, reset, ok := s.spend()
		h := w.Header()
		h.Set("X-RateLimit-Limit", strconv.Itoa(limit))
		h.Set("X-RateLimit-Remaining", strconv.Itoa(left))
		h.Set("X-RateLimit-Used", strconv.Itoa(max(limit-left, 0)))
		h.Set("X-RateLimit-Reset", strconv.FormatInt(reset.Unix(), 10))
		h.Set("X-RateLimit-Resource", "core")
		h.Set("X-GitHub-Media-Type", "github.v3; format=json")
		if !ok {
			sendError(w, http.StatusForbidden, "API rate limit exceeded for 127.0.0.1.",
				"https://docs.github.com/rest/overview/resources-in-the-rest-api#rate-limiting")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Server) arrive(r *http.Request) (Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, Request{
		Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery,
		Token: r.Header.Get("Authorization") != "", Conditional: r.Header.Get("If-None-Match") != "",
	})
	if len(s.faults) == 0 {
		return Fault{}, false
	}
	fault := s.faults[0]
	s.faults = s.faults[1:]
	return fault, true
}

// play answers with a fault and reports whether that was the whole answer.
func (s *Server) play(w http.ResponseWriter, r *http.Request, f Fault) bool {
	if f.Hang {
		select {
		case <-r.Context().Done():
		case <-s.quit:
		}
		return true
	}
	if f.Drop {
		panic(http.ErrAbortHandler) // net/http's own way to cut a connection
	}
	for key, value := range f.Header {
		w.Header().Set(key, value)
	}
	if f.Status == 0 {
		return false
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
	}
	w.WriteHeader(f.Status)
	_, _ = w.Write([]byte(f.Body)) // the client may be gone
	return true
}

func (s *Server) spend() (left, limit int, reset time.Time, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Now().After(s.reset) {
		s.remaining, s.reset = s.limit, time.Now().Add(time.Hour)
	}
	if s.remaining <= 0 {
		return 0, s.limit, s.reset, false
	}
	s.remaining--
	return s.remaining, s.limit, s.reset, true
}

func (s *Server) find(r *http.Request) (repository, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	repo, ok := s.repos[strings.ToLower(r.PathValue("owner")+"/"+r.PathValue("repo"))]
	return repo, ok
}

func (s *Server) listReleases(w http.ResponseWriter, r *http.Request) {
	repo, ok := s.find(r)
	if !ok {
		notFound(w, r)
		return
	}
	size := number(r.URL.Query(), "per_page", 30, 100)
	page := number(r.URL.Query(), "page", 1, 1<<20)
	visible := make([]wireRelease, 0, len(repo.releases))
	for _, release := range repo.releases {
		if !release.Draft {
			visible = append(visible, s.wire(repo.name, release))
		}
	}
	last := max((len(visible)+size-1)/size, 1)
	if link := links(s.URL+strings.TrimPrefix(r.URL.Path, "/"), size, page, last); link != "" {
		w.Header().Set("Link", link)
	}
	from := min((page-1)*size, len(visible))
	sendJSON(w, r, visible[from:min(from+size, len(visible))])
}

func (s *Server) getRepository(w http.ResponseWriter, r *http.Request) {
	repo, ok := s.find(r)
	if !ok {
		notFound(w, r)
		return
	}
	sendJSON(w, r, s.wireRepository(repo.name))
}

// links writes the Link header with which GitHub tells of other pages.
func links(base string, size, page, last int) string {
	var parts []string
	add := func(n int, rel string) {
		parts = append(parts, fmt.Sprintf(`<%s?per_page=%d&page=%d>; rel="%s"`, base, size, n, rel))
	}
	if page > 1 {
		add(page-1, "prev")
	}
	if page < last {
		add(page+1, "next")
		add(last, "last")
	}
	if page > 1 {
		add(1, "first")
	}
	return strings.Join(parts, ", ")
}

func number(q url.Values, key string, otherwise, most int) int {
	n, err := strconv.Atoi(q.Get(key))
	if err != nil || n < 1 {
		return otherwise
	}
	return min(n, most)
}

func sendJSON(w http.ResponseWriter, r *http.Request, value any) {
	data, err := json.Marshal(value)
	if err != nil {
		sendError(w, http.StatusInternalServerError, "Server Error", "")
		return
	}
	sum := sha256.Sum256(data)
	tag := `W/"` + hex.EncodeToString(sum[:]) + `"`
	w.Header().Set("ETag", tag)
	w.Header().Set("Cache-Control", "public, max-age=60, s-maxage=60")
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(data) // the client may be gone
}

func notFound(w http.ResponseWriter, _ *http.Request) {
	sendError(w, http.StatusNotFound, "Not Found", "https://docs.github.com/rest/releases/releases#list-releases")
}

func sendError(w http.ResponseWriter, status int, message, docs string) {
	data, _ := json.Marshal(map[string]string{ // strings: cannot fail
		"message": message, "documentation_url": docs, "status": strconv.Itoa(status),
	})
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(data)
}
