package loopback

import (
	"cmp"
	"hash/fnv"
	"net/url"
	"slices"
	"strings"
	"time"
)

// wireRelease is a release as GitHub writes it.
type wireRelease struct {
	URL         string      `json:"url"`
	AssetsURL   string      `json:"assets_url"`
	UploadURL   string      `json:"upload_url"`
	HTMLURL     string      `json:"html_url"`
	ID          int64       `json:"id"`
	Author      wireUser    `json:"author"`
	NodeID      string      `json:"node_id"`
	TagName     string      `json:"tag_name"`
	Target      string      `json:"target_commitish"`
	Name        string      `json:"name"`
	Draft       bool        `json:"draft"`
	Immutable   bool        `json:"immutable"`
	Prerelease  bool        `json:"prerelease"`
	CreatedAt   time.Time   `json:"created_at"`
	PublishedAt time.Time   `json:"published_at"`
	Assets      []wireAsset `json:"assets"`
	TarballURL  string      `json:"tarball_url"`
	ZipballURL  string      `json:"zipball_url"`
	Body        *string     `json:"body"` // null when nothing was written
}

type wireUser struct {
	Login     string `json:"login"`
	ID        int64  `json:"id"`
	URL       string `json:"url"`
	HTMLURL   string `json:"html_url"`
	Type      string `json:"type"`
	SiteAdmin bool   `json:"site_admin"`
}

type wireAsset struct {
	URL         string    `json:"url"`
	ID          int64     `json:"id"`
	Name        string    `json:"name"`
	ContentType string    `json:"content_type"`
	State       string    `json:"state"`
	Size        int       `json:"size"`
	Downloads   int       `json:"download_count"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
	DownloadURL string    `json:"browser_download_url"`
}

type wireRepo struct {
	ID            int64    `json:"id"`
	Name          string   `json:"name"`
	FullName      string   `json:"full_name"`
	Private       bool     `json:"private"`
	Owner         wireUser `json:"owner"`
	HTMLURL       string   `json:"html_url"`
	URL           string   `json:"url"`
	ReleasesURL   string   `json:"releases_url"`
	Fork          bool     `json:"fork"`
	Archived      bool     `json:"archived"`
	Visibility    string   `json:"visibility"`
	DefaultBranch string   `json:"default_branch"`
}

// newestFirst copies releases into the order GitHub lists them: by creation.
func newestFirst(list []Release) []Release {
	out := slices.Clone(list)
	for i := range out {
		if out[i].Created.IsZero() {
			out[i].Created = out[i].Published
		}
	}
	slices.SortStableFunc(out, func(a, b Release) int { return b.Created.Compare(a.Created) })
	return out
}

func (s *Server) wire(repo string, r Release) wireRelease {
	owner, _, _ := strings.Cut(repo, "/")
	site := "https://github.com/" + repo
	self := s.URL + "repos/" + repo + "/releases"
	tag := url.PathEscape(r.Tag)
	out := wireRelease{
		URL: self + "/" + tag, AssetsURL: self + "/" + tag + "/assets",
		UploadURL: self + "/" + tag + "/assets{?name,label}",
		HTMLURL:   site + "/releases/tag/" + tag,
		ID:        id(repo, r.Tag), NodeID: "RE_" + tag, Author: user(cmp.Or(r.Author, owner)),
		TagName: r.Tag, Target: "main", Name: cmp.Or(r.Name, r.Tag), Draft: r.Draft, Prerelease: r.Prerelease,
		CreatedAt: r.Created.UTC(), PublishedAt: r.Published.UTC(), Assets: []wireAsset{},
		TarballURL: self + "/tarball/" + tag, ZipballURL: self + "/zipball/" + tag,
	}
	if r.Body != "" {
		out.Body = &r.Body
	}
	for _, a := range r.Assets {
		out.Assets = append(out.Assets, wireAsset{
			URL: self + "/assets/" + url.PathEscape(a.Name), ID: id(repo, r.Tag, a.Name), Name: a.Name,
			ContentType: cmp.Or(a.Type, "application/octet-stream"), State: "uploaded", Size: a.Size,
			CreatedAt: r.Created.UTC(), UpdatedAt: r.Published.UTC(),
			DownloadURL: site + "/releases/download/" + tag + "/" + url.PathEscape(a.Name),
		})
	}
	return out
}

func (s *Server) wireRepository(repo string) wireRepo {
	owner, name, _ := strings.Cut(repo, "/")
	return wireRepo{
		ID: id(repo), Name: name, FullName: repo, Owner: user(owner), HTMLURL: "https://github.com/" + repo,
		URL: s.URL + "repos/" + repo, ReleasesURL: s.URL + "repos/" + repo + "/releases{/id}",
		Visibility: "public", DefaultBranch: "main",
	}
}

func user(login string) wireUser {
	return wireUser{Login: login, ID: id(login), URL: "https://api.github.com/users/" + login, HTMLURL: "https://github.com/" + login, Type: "User"}
}

// id makes the stable number GitHub would have given.
func id(parts ...string) int64 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(strings.Join(parts, "\x00"))) // a hash never fails
	return int64(h.Sum32())
}
