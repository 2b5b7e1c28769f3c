package registry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	server "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"belay/dockerx/registry"
)

var created = time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // a constant

// none knows no login, whatever the machine that runs the tests has.
type none struct{}

func (none) Resolve(authn.Resource) (authn.Authenticator, error) { return authn.Anonymous, nil }

func serve(t *testing.T, wrap func(http.Handler) http.Handler) (host string) {
	t.Helper()
	handler := server.New(server.Logger(log.New(io.Discard, "", 0)))
	if wrap != nil {
		handler = wrap(handler)
	}
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

func client() *registry.Client {
	return registry.New(registry.Options{Keychain: none{}, UserAgent: "belay/test"}).Hurry(20*time.Second, time.Millisecond)
}

func image(t *testing.T, arch string, layers int) v1.Image {
	t.Helper()
	img, err := random.Image(1000, int64(layers))
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Created = "linux", arch, v1.Time{Time: created}
	config.Config.Labels = map[string]string{"org.opencontainers.image.version": "1.2.4", "arch": arch}
	if img, err = mutate.ConfigFile(img, config); err != nil {
		t.Fatal(err)
	}
	return img
}

func size(t *testing.T, img v1.Image) int64 {
	t.Helper()
	m, err := img.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	var n int64
	for _, l := range m.Layers {
		n += l.Size
	}
	return n
}

func digest(t *testing.T, of interface{ Digest() (v1.Hash, error) }) string {
	t.Helper()
	d, err := of.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

func reference(t *testing.T, s string) name.Reference {
	t.Helper()
	ref, err := name.ParseReference(s, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func push(t *testing.T, ref string, img v1.Image, options ...remote.Option) {
	t.Helper()
	if err := remote.Write(reference(t, ref), img, options...); err != nil {
		t.Fatal(err)
	}
}

func TestTags(t *testing.T) {
	t.Parallel()
	host := serve(t, nil)
	img := image(t, "amd64", 1)
	for _, tag := range []string{"1.2.3", "1.2.4", "latest"} {
		push(t, host+"/tide/pool:"+tag, img)
	}
	got, err := client().Tags(t.Context(), host+"/tide/pool")
	slices.Sort(got)
	if err != nil || !slices.Equal(got, []string{"1.2.3", "1.2.4", "latest"}) {
		t.Errorf("%v %v", got, err)
	}
	for _, repo := range []string{host + "/nobody/nothing", "UPPER/case", "", "a b", host + "/x:1@sha256:00"} {
		if _, err := client().Tags(t.Context(), repo); !errors.Is(err, registry.ErrNoTag) {
			t.Errorf("%q: %v", repo, err)
		}
	}
}

func TestTagsFollowPagesUpToALimit(t *testing.T) {
	t.Parallel()
	pages := func(count, size int) string {
		var asked atomic.Int32
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, "/tags/list") {
				return
			}
			n := int(asked.Add(1))
			var tags []string
			for i := range size {
				tags = append(tags, fmt.Sprintf("%q", fmt.Sprintf("1.%d.%d", n, i)))
			}
			if n < count {
				w.Header().Set("Link", `</v2/a/b/tags/list?last=x>; rel="next"`)
			}
			_, _ = fmt.Fprintf(w, `{"name":"a/b","tags":[%s]}`, strings.Join(tags, ","))
		}))
		t.Cleanup(s.Close)
		return strings.TrimPrefix(s.URL, "http://") + "/a/b"
	}
	for _, c := range []struct {
		count, size, want int
		truncated         bool
	}{{1, 5, 5, false}, {3, 1000, 3000, false}, {10, 1000, 10000, false}, {12, 1000, 10000, true}, {1 << 30, 0, 0, true}, {4, 3000, 10000, true}} {
		l, err := client().List(t.Context(), pages(c.count, c.size))
		if err != nil || len(l.Tags) != c.want || l.Truncated != c.truncated {
			t.Errorf("%d pages of %d: %d tags, truncated %v, %v", c.count, c.size, len(l.Tags), l.Truncated, err)
		}
	}
}

func TestResolveASingleManifest(t *testing.T) {
	t.Parallel()
	host := serve(t, nil)
	img := image(t, "amd64", 3)
	push(t, host+"/tide/pool:1.2.4", img)
	for _, ref := range []string{host + "/tide/pool:1.2.4", host + "/tide/pool@" + digest(t, img), host + "/tide/pool:1.2.4@" + digest(t, img)} {
		got, err := client().Resolve(t.Context(), ref, "linux", "amd64")
		if err != nil {
			t.Fatal(err)
		}
		if got.Digest != digest(t, img) || got.PlatformDigest != got.Digest || got.Size != size(t, img) || !got.Created.Equal(created) || got.Labels["org.opencontainers.image.version"] != "1.2.4" {
			t.Errorf("%s: %+v", ref, got)
		}
	}
	if _, err := client().Resolve(t.Context(), host+"/tide/pool:1.2.4", "linux", "arm64"); !errors.Is(err, registry.ErrNoPlatform) || !strings.Contains(err.Error(), "linux/amd64") {
		t.Errorf("%v", err)
	}
	for _, ref := range []string{host + "/tide/pool:9.9.9", host + "/no/body:1", host + "/tide/pool", "UPPER:1", "", "a:b:c", host + "/tide/pool@sha256:" + strings.Repeat("0", 64)} {
		if _, err := client().Resolve(t.Context(), ref, "linux", "amd64"); !errors.Is(err, registry.ErrNoTag) {
			t.Errorf("%q: %v", ref, err)
		}
	}
}

func TestResolvePicksThePlatformFromAnIndex(t *testing.T) {
	t.Parallel()
	host := serve(t, nil)
	platforms := map[string]v1.Image{"amd64": image(t, "amd64", 2), "arm64": image(t, "arm64", 1), "arm": image(t, "arm", 4)}
	older := image(t, "arm", 5)
	add := func(img v1.Image, os, arch, variant string) mutate.IndexAddendum {
		return mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: os, Architecture: arch, Variant: variant}}}
	}
	index := mutate.AppendManifests(
		empty.Index,
		add(image(t, "amd64", 1), "unknown", "unknown", ""), // an attestation
		add(older, "linux", "arm", "v6"),
		add(platforms["arm64"], "linux", "arm64", "v8"),
		add(platforms["arm"], "linux", "arm", "v7"),
		add(platforms["amd64"], "linux", "amd64", ""),
	)
	if err := remote.WriteIndex(reference(t, host+"/tide/pool:1.2.4"), index); err != nil {
		t.Fatal(err)
	}
	for arch, img := range platforms {
		got, err := client().Resolve(t.Context(), host+"/tide/pool:1.2.4", "linux", arch)
		if err != nil {
			t.Fatal(err)
		}
		if got.Digest != digest(t, index) || got.PlatformDigest != digest(t, img) || got.Size != size(t, img) || got.Labels["arch"] != arch {
			t.Errorf("%s: %+v", arch, got)
		}
	}
	_, err := client().Resolve(t.Context(), host+"/tide/pool:1.2.4", "linux", "riscv64")
	if !errors.Is(err, registry.ErrNoPlatform) || !strings.Contains(err.Error(), "linux/amd64, linux/arm, linux/arm64") {
		t.Errorf("%v", err)
	}
}

// basic asks for a login; a wrong one is refused.
func basic(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, pass, ok := r.BasicAuth(); !ok || user != "me" || pass != "secret" {
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}`))
			return
		}
		next.ServeHTTP(w, r)
	})
}

type login struct{ user, pass string }

func (l login) Resolve(authn.Resource) (authn.Authenticator, error) {
	return &authn.Basic{Username: l.user, Password: l.pass}, nil
}

type brokenChain struct{}

func (brokenChain) Resolve(authn.Resource) (authn.Authenticator, error) {
	return nil, errors.New("docker-credential-desktop.exe: not found")
}

func TestLogins(t *testing.T) {
	t.Parallel()
	host := serve(t, basic)
	push(t, host+"/tide/pool:1", image(t, "amd64", 1), remote.WithAuth(&authn.Basic{Username: "me", Password: "secret"}))
	for name, c := range map[string]struct {
		chain authn.Keychain
		want  error
	}{
		"right": {login{"me", "secret"}, nil}, "wrong": {login{"me", "guess"}, registry.ErrDenied},
		"none": {none{}, registry.ErrDenied}, "a broken helper": {brokenChain{}, registry.ErrDenied},
	} {
		cl := registry.New(registry.Options{Keychain: c.chain}).Hurry(time.Second, time.Millisecond)
		_, tagsErr := cl.Tags(t.Context(), host+"/tide/pool")
		_, resolveErr := cl.Resolve(t.Context(), host+"/tide/pool:1", "linux", "amd64")
		_, _, matchErr := cl.MatchDigest(t.Context(), host+"/tide/pool", "sha256:x", []string{"1"})
		for _, err := range []error{tagsErr, resolveErr, matchErr} {
			if !errors.Is(err, c.want) || strings.Contains(fmt.Sprint(err), "guess") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	open := serve(t, nil)
	push(t, open+"/tide/pool:1", image(t, "amd64", 1))
	if _, err := registry.New(registry.Options{Keychain: brokenChain{}}).Tags(t.Context(), open+"/tide/pool"); err != nil {
		t.Errorf("a broken helper hides a public image: %v", err)
	}
}

func TestLoginsOfTheDockerConfiguration(t *testing.T) {
	host := serve(t, basic)
	push(t, host+"/tide/pool:1", image(t, "amd64", 1), remote.WithAuth(&authn.Basic{Username: "me", Password: "secret"}))
	dir := t.TempDir()
	config := fmt.Sprintf(`{"auths":{%q:{"auth":"bWU6c2VjcmV0"}}}`, host) // me:secret
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DOCKER_CONFIG", dir)
	if got, err := registry.New(registry.Options{}).Tags(t.Context(), host+"/tide/pool"); err != nil || len(got) != 1 {
		t.Errorf("%v %v", got, err)
	}
}

func answer(status int, body string) func(http.Handler) http.Handler {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/v2/" {
				return
			}
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		})
	}
}

func TestWhatRegistriesAnswer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   string
		want   error
	}{
		"manifest unknown":    {404, `{"errors":[{"code":"MANIFEST_UNKNOWN","message":"x"}]}`, registry.ErrNoTag},
		"name unknown":        {404, `{"errors":[{"code":"NAME_UNKNOWN","message":"x"}]}`, registry.ErrNoTag},
		"plain 404":           {404, `page not found`, registry.ErrNoTag},
		"denied":              {403, `{"errors":[{"code":"DENIED","message":"x"}]}`, registry.ErrDenied},
		"plain 403":           {403, ``, registry.ErrDenied},
		"too many requests":   {429, `{"errors":[{"code":"TOOMANYREQUESTS","message":"x"}]}`, registry.ErrUnreachable},
		"broken":              {500, `oops`, registry.ErrUnreachable},
		"a hotel's login":     {200, `<html>log in</html>`, registry.ErrUnreachable},
		"a very long answer":  {200, strings.Repeat("a", 17<<20), registry.ErrUnreachable},
		"a long error answer": {500, "\x1b[2J" + strings.Repeat("a", 1<<20), registry.ErrUnreachable},
	} {
		host := serve(t, answer(c.status, c.body))
		_, tagsErr := client().Tags(t.Context(), host+"/a/b")
		_, resolveErr := client().Resolve(t.Context(), host+"/a/b:1", "linux", "amd64")
		for _, err := range []error{tagsErr, resolveErr} {
			if !errors.Is(err, c.want) || len(err.Error()) > 400 || strings.Contains(err.Error(), "\x1b") {
				t.Errorf("%s: %.500v", name, err)
			}
		}
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.NotFoundHandler())
	host := strings.TrimPrefix(s.URL, "http://")
	s.Close()
	if _, err := client().Tags(t.Context(), host+"/a/b"); !errors.Is(err, registry.ErrUnreachable) {
		t.Errorf("nobody listens: %v", err)
	}
	quit := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-quit:
		case <-r.Context().Done():
		}
	}))
	defer silent.Close()
	defer close(quit)
	cl := registry.New(registry.Options{Keychain: none{}}).Hurry(50*time.Millisecond, time.Millisecond)
	if _, err := cl.Resolve(t.Context(), strings.TrimPrefix(silent.URL, "http://")+"/a/b:1", "linux", "amd64"); !errors.Is(err, registry.ErrUnreachable) {
		t.Errorf("silence: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := client().Tags(ctx, serve(t, nil)+"/a/b"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// recorder answers nothing and remembers where requests would have gone.
type recorder struct{ urls chan string }

func (r recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	login := ""
	if req.Header.Get("Authorization") != "" {
		login = " with a login"
	}
	select {
	case r.urls <- req.URL.Scheme + "://" + req.URL.Host + login:
	default:
	}
	return nil, errors.New("no network here")
}

func TestPlainHTTPOnlyWhereItIsSafeToUse(t *testing.T) {
	t.Parallel()
	for repo, open := range map[string]bool{
		"postgres": false, "ghcr.io/a/b": false, "registry.example:5000/app": false,
		"localhost:5000/app": true, "127.0.0.1:5000/app": true, "127.9.9.9:5000/app": true,
		"10.0.0.5:5000/app": true, "127.0.0.1.evil.example/app": false, "named.example:5000/app": true,
	} {
		r := recorder{make(chan string, 50)}
		_, err := registry.New(registry.Options{Keychain: none{}, Transport: r, Insecure: []string{"named.example:5000"}}).Hurry(time.Second, time.Millisecond).Tags(t.Context(), repo)
		if !errors.Is(err, registry.ErrUnreachable) {
			t.Fatalf("%s: %v", repo, err)
		}
		close(r.urls)
		plain := false
		for u := range r.urls {
			plain = plain || strings.HasPrefix(u, "http://")
			if repo == "postgres" && u != "https://index.docker.io" {
				t.Errorf("postgres was looked for at %s", u)
			}
		}
		if plain != open {
			t.Errorf("%s: plain http %v", repo, plain)
		}
	}
}

func TestMatchDigest(t *testing.T) {
	t.Parallel()
	host := serve(t, nil)
	images := map[string]v1.Image{}
	var tags []string
	for i := 30; i > 0; i-- {
		tag := fmt.Sprintf("1.2.%d", i)
		images[tag] = image(t, "amd64", 1)
		tags = append(tags, tag)
		push(t, host+"/tide/pool:"+tag, images[tag])
	}
	push(t, host+"/tide/pool:latest", images["1.2.25"])
	match := func(want v1.Image, tags ...string) (string, bool) {
		tag, ok, err := client().MatchDigest(t.Context(), host+"/tide/pool", digest(t, want), tags)
		if err != nil {
			t.Error(err)
		}
		return tag, ok
	}
	if tag, ok := match(images["1.2.25"], tags...); !ok || tag != "1.2.25" {
		t.Errorf("%q %v", tag, ok)
	}
	if tag, ok := match(images["1.2.25"], "gone", "latest", "1.2.25"); !ok || tag != "latest" {
		t.Errorf("the first that matches: %q %v", tag, ok)
	}
	if tag, ok := match(images["1.2.5"], tags...); ok {
		t.Errorf("more than 20 were asked: %q", tag)
	}
	if tag, ok := match(images["1.2.5"]); ok {
		t.Errorf("nothing to ask, and yet %q", tag)
	}
	if _, ok, err := client().MatchDigest(t.Context(), host+"/tide/pool", "", []string{"gone"}); ok || err != nil {
		t.Errorf("no digest matches a tag that is gone: %v", err)
	}
}
