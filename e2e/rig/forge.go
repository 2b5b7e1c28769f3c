package rig

import (
	"crypto/sha256"
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

//go:embed notes/*.md
var notes embed.FS

// Forge answers as GitHub's API does for one repository: pages, Link headers,
// ETags and the rate limit's headers.
type Forge struct {
	URL string // for GITHUB_API_URL

	server *httptest.Server
	asked  atomic.Int64
}

// NewForge starts a forge that has published every version of the app, and one
// version for which nobody ever built an image.
func NewForge() *Forge {
	f := &Forge{}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /repos/"+Source+"/releases", f.releases)
	mux.HandleFunc("GET /repos/"+Source, f.repository)
	mux.HandleFunc("/", f.missing)
	f.server = httptest.NewServer(mux)
	f.URL = f.server.URL + "/"
	return f
}

// Asked counts the requests so far.
func (f *Forge) Asked() int64 { return f.asked.Load() }

// Close ends the forge.
func (f *Forge) Close() { f.server.Close() }

// page is one release in the API's own words.
type page struct {
	ID          int64     `json:"id"`
	TagName     string    `json:"tag_name"`
	Target      string    `json:"target_commitish"`
	Name        string    `json:"name"`
	Draft       bool      `json:"draft"`
	Prerelease  bool      `json:"prerelease"`
	CreatedAt   time.Time `json:"created_at"`
	PublishedAt time.Time `json:"published_at"`
	HTMLURL     string    `json:"html_url"`
	TarballURL  string    `json:"tarball_url"`
	Assets      []string  `json:"assets"`
	Body        *string   `json:"body"`
}

// history is what was published, newest first by creation, as the API lists it:
// the backport 1.2.4 comes after 1.3.0.
func history() []page {
	var out []page
	for i, v := range []string{"2.1.0-rc.1", "2.0.0", "1.5.0", "1.4.0", "1.3.1", "1.2.4", "1.3.0", "1.2.3", "1.2.2"} {
		when := time.Date(2026, 11, 10, 8, 0, 0, 0, time.UTC).AddDate(0, 0, -21*i)
		p := page{
			ID: int64(180000000 - i), TagName: "v" + v, Target: "main", Name: "Ledger " + v,
			Prerelease: strings.Contains(v, "-"), CreatedAt: when, PublishedAt: when.Add(5 * time.Minute),
			HTMLURL:    "https://github.com/" + Source + "/releases/tag/v" + v,
			TarballURL: "https://api.github.com/repos/" + Source + "/tarball/v" + v, Assets: []string{},
		}
		if b, err := notes.ReadFile("notes/" + v + ".md"); err == nil {
			body := strings.ReplaceAll(string(b), "\n", "\r\n") // as typed into the web form
			p.Body = &body
		}
		out = append(out, p)
	}
	return out
}

func (f *Forge) releases(w http.ResponseWriter, r *http.Request) {
	per, number := count(r, "per_page", 30), count(r, "page", 1)
	all := history()
	from := min((number-1)*per, len(all))
	to := min(from+per, len(all))
	if to < len(all) {
		w.Header().Set("Link", fmt.Sprintf(`<%srepos/%s/releases?per_page=%d&page=%d>; rel="next"`, f.URL, Source, per, number+1))
	}
	f.answer(w, r, all[from:to])
}

func (f *Forge) repository(w http.ResponseWriter, r *http.Request) {
	f.answer(w, r, map[string]any{
		"id": 900000001, "name": "ledger", "full_name": Source, "private": false, "archived": false,
		"default_branch": "main", "html_url": "https://github.com/" + Source,
	})
}

func (f *Forge) missing(w http.ResponseWriter, _ *http.Request) {
	f.asked.Add(1)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(http.StatusNotFound)
	_, _ = w.Write([]byte(`{"message":"Not Found","documentation_url":"https://docs.github.com/rest","status":"404"}`))
}

func (f *Forge) answer(w http.ResponseWriter, r *http.Request, body any) {
	used := f.asked.Add(1)
	b, err := json.Marshal(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	tag := fmt.Sprintf(`W/"%x"`, sha256.Sum256(b))
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("ETag", tag)
	h.Set("X-RateLimit-Limit", "5000")
	h.Set("X-RateLimit-Remaining", strconv.FormatInt(5000-used, 10))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10))
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = w.Write(b) // the client has gone when this fails
}

func count(r *http.Request, key string, other int) int {
	n, err := strconv.Atoi(r.URL.Query().Get(key))
	if err != nil || n < 1 {
		return other
	}
	return n
}
