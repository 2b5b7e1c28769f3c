package dockerx

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// fakeEngine is an API server on a socket; calls are answered by the handlers.
func fakeEngine(t *testing.T, handlers map[string]http.HandlerFunc) []string {
	t.Helper()
	dir, err := os.MkdirTemp("", "belay-sock-") // t.TempDir's path may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return serve(t, filepath.Join(dir, "s"), handlers)
}

const pulled = `{"status":"Pulling from x/y","id":"1.3.0"}
{"status":"Pulling fs layer","progressDetail":{},"id":"aaa"}
{"status":"Already exists","progressDetail":{},"id":"bbb"}
{"status":"Waiting","progressDetail":{},"id":"aaa"}
{"status":"Downloading","progressDetail":{"current":10,"total":100},"progress":"[> ]","id":"aaa"}
{"status":"Downloading","progressDetail":{"current":97,"total":100},"id":"aaa"}
{"status":"Verifying Checksum","progressDetail":{},"id":"aaa"}
{"status":"Download complete","progressDetail":{},"id":"aaa"}
{"status":"Extracting","progressDetail":{"current":50,"total":100},"id":"aaa"}
{"status":"Pull complete","progressDetail":{},"id":"aaa"}
{"status":"Digest: sha256:123"}
{"status":"Status: Downloaded newer image for x/y:1.3.0"}
`

func TestReadPull(t *testing.T) {
	seconds := `{"status":"Downloading","progressDetail":{"current":10,"total":100},"id":"aaa"}
{"status":"Download complete","progressDetail":{"hidecounts":true},"id":"aaa"}
{"status":"Extracting","progressDetail":{"current":3,"units":"s"},"id":"aaa"}
{"status":"Pull complete","progressDetail":{"hidecounts":true},"id":"aaa"}`
	for name, c := range map[string]struct {
		stream string
		want   []PullProgress
		err    string
		kind   error
	}{
		"classic store": {stream: pulled, want: []PullProgress{
			{"aaa", "waiting", 0, 0},
			{"bbb", "exists", 0, 0},
			{"aaa", "waiting", 0, 0},
			{"aaa", "downloading", 10, 100},
			{"aaa", "downloading", 97, 100},
			{"aaa", "downloading", 100, 100},
			{"aaa", "downloading", 100, 100},
			{"aaa", "extracting", 50, 100},
			{"aaa", "complete", 100, 100},
		}},
		"containerd store counts seconds": {stream: seconds, want: []PullProgress{
			{"aaa", "downloading", 10, 100},
			{"aaa", "downloading", 100, 100},
			{"aaa", "extracting", 0, 100},
			{"aaa", "complete", 100, 100},
		}},
		"retry": {stream: `{"status":"Retrying in 5 seconds","progressDetail":{},"id":"aaa"}`, want: []PullProgress{{"aaa", "waiting", 0, 0}}},
		"fails half way": {
			stream: `{"status":"Downloading","progressDetail":{"current":10,"total":100},"id":"aaa"}` + "\n" +
				`{"errorDetail":{"message":"unexpected EOF"},"error":"unexpected EOF"}` + "\n" + `{"status":"Pull complete","id":"aaa"}`,
			want: []PullProgress{{"aaa", "downloading", 10, 100}}, err: "unexpected EOF",
		},
		"disk full":     {stream: `{"errorDetail":{"message":"write /var/lib/docker/tmp/x: no space left on device"}}`, err: "no space", kind: ErrNoSpace},
		"tag unknown":   {stream: `{"error":"manifest unknown: manifest unknown"}`, err: "manifest unknown", kind: ErrNotFound},
		"breaks off":    {stream: `{"status":"Downlo`, err: "breaks off"},
		"not an answer": {stream: `<html>`, err: "breaks off"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []PullProgress
			err := wrap(readPull(strings.NewReader(c.stream), func(p PullProgress) { got = append(got, p) }), "pull")
			if !slices.Equal(got, c.want) {
				t.Errorf("got %+v", got)
			}
			if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("error %v, want %q", err, c.err)
			}
			if c.kind != nil && !errors.Is(err, c.kind) {
				t.Errorf("%v is no %v", err, c.kind)
			}
		})
	}
}

func TestPull(t *testing.T) {
	home := t.TempDir()
	login := base64.StdEncoding.EncodeToString([]byte("me:s3cret"))
	config := fmt.Sprintf(`{"auths":{"ghcr.io":{"auth":%q}}}`, login)
	if err := os.WriteFile(filepath.Join(home, "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	var asked *http.Request
	environ := fakeEngine(t, map[string]http.HandlerFunc{
		"POST /v1.41/images/create": func(w http.ResponseWriter, r *http.Request) {
			asked = r
			_, _ = w.Write([]byte(pulled))
		},
		"GET /v1.41/images/ghcr.io/x/y:1.3.0/json":             func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"Id":"sha256:1"}`)) },
		"GET /v1.41/images/lost:latest/json":                   notFound,
		"GET /v1.41/images/docker.io/library/lost:latest/json": notFound,
	})
	e, err := Connect(t.Context(), ConnectOptions{Environ: append(environ, "DOCKER_CONFIG="+home)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.Close() }()
	if err := e.Pull(t.Context(), "ghcr.io/x/y:1.3.0", nil); err != nil {
		t.Fatal(err)
	}
	raw, err := base64.URLEncoding.DecodeString(asked.Header.Get("X-Registry-Auth"))
	var auth struct{ Username, Password string }
	if err != nil || json.Unmarshal(raw, &auth) != nil || auth.Username != "me" || auth.Password != "s3cret" {
		t.Errorf("login %q, %v", raw, err)
	}
	if strings.Contains(asked.URL.String(), "s3cret") {
		t.Error("the password is in the address")
	}
	// A good stream and no image is no success. Another registry gets no login,
	// a name without a tag means latest and not every tag.
	if err := e.Pull(t.Context(), "lost", nil); !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v", err)
	}
	if got := asked.Header.Get("X-Registry-Auth"); got != "" || asked.URL.Query().Get("tag") != "latest" {
		t.Errorf("login %q, %s", got, asked.URL)
	}
	if err := e.Pull(t.Context(), "not a reference", nil); err == nil {
		t.Error("nonsense: no error")
	}
}

func notFound(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusNotFound)
	_, _ = w.Write([]byte(`{"message":"No such image"}`))
}
