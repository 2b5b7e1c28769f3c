package dockerx

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/system"
)

// serve answers API calls on a unix socket and returns the environment that
// leads to it.
func serve(t *testing.T, socket string, handlers map[string]http.HandlerFunc) []string {
	t.Helper()
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.41")
		if h, ok := handlers[r.Method+" "+r.URL.Path]; ok {
			h(w, r)
			return
		}
		if r.URL.Path != "/_ping" {
			t.Errorf("unexpected call %s %s", r.Method, r.URL)
			w.WriteHeader(http.StatusTeapot)
		}
	}))
	_ = server.Listener.Close()
	server.Listener = l
	server.Start()
	t.Cleanup(server.Close)
	return []string{"DOCKER_HOST=unix://" + socket}
}

// dockerConfig writes a ~/.docker with a current context and one context "far".
func dockerConfig(t *testing.T, current, far string) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if current != "" {
		write("config.json", `{"currentContext":"`+current+`"}`)
	}
	// The directory's name is the SHA-256 of "far".
	write("contexts/meta/512eea46ceb3921dff4363c7069d89d4964d1d9fccaa0f411851a7aa60a5c868/meta.json",
		`{"Name":"far","Metadata":{},"Endpoints":{"docker":{"Host":"`+far+`","SkipTLSVerify":false}}}`)
	return dir
}

func TestResolve(t *testing.T) {
	none := func(string) bool { return false }
	only := func(paths ...string) func(string) bool {
		return func(p string) bool { return slices.Contains(paths, p) }
	}
	far := "ssh://me@nas"
	for name, c := range map[string]struct {
		env    map[string]string
		cfg    string // current context
		exists func(string) bool
		host   string
		child  []string
		err    string
	}{
		"host wins":            {env: map[string]string{"DOCKER_HOST": "tcp://h:1", "DOCKER_CONTEXT": "far"}, cfg: "far", host: "tcp://h:1"},
		"host without scheme":  {env: map[string]string{"DOCKER_HOST": "h:2375"}, host: "tcp://h:2375"},
		"context variable":     {env: map[string]string{"DOCKER_CONTEXT": "far"}, host: far},
		"current context":      {cfg: "far", host: far},
		"variable over config": {env: map[string]string{"DOCKER_CONTEXT": "default"}, cfg: "far", exists: only(defaultSocket), host: "unix:///var/run/docker.sock"},
		"unknown context":      {env: map[string]string{"DOCKER_CONTEXT": "moon"}, err: `"moon"`},
		"unknown current":      {cfg: "moon", err: "docker context ls"},
		"default socket":       {env: map[string]string{"XDG_RUNTIME_DIR": "/run/user/7"}, exists: only(defaultSocket, "/run/user/7/docker.sock"), host: "unix:///var/run/docker.sock"},
		"rootless": {
			env: map[string]string{"XDG_RUNTIME_DIR": "/run/user/7"}, exists: only("/run/user/7/docker.sock", "/run/podman/podman.sock"),
			host: "unix:///run/user/7/docker.sock", child: []string{"DOCKER_HOST=unix:///run/user/7/docker.sock"},
		},
		"podman of the user": {
			env: map[string]string{"XDG_RUNTIME_DIR": "/run/user/7"}, exists: only("/run/user/7/podman/podman.sock"),
			host: "unix:///run/user/7/podman/podman.sock", child: []string{"DOCKER_HOST=unix:///run/user/7/podman/podman.sock"},
		},
		"podman of the system": {
			exists: only("/run/podman/podman.sock"),
			host:   "unix:///run/podman/podman.sock", child: []string{"DOCKER_HOST=unix:///run/podman/podman.sock"},
		},
		"nothing there":     {host: "unix:///var/run/docker.sock"},
		"TLS without files": {env: map[string]string{"DOCKER_HOST": "tcp://h:2376", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/belay-none"}, err: "DOCKER_CERT_PATH"},
	} {
		t.Run(name, func(t *testing.T) {
			env := map[string]string{"DOCKER_CONFIG": dockerConfig(t, c.cfg, far)}
			for k, v := range c.env {
				env[k] = v
			}
			if c.exists == nil {
				c.exists = none
			}
			cfg, err := loadConfig(env)
			if err != nil {
				t.Fatal(err)
			}
			got, err := resolve(env, cfg, nil, c.exists)
			if c.err != "" {
				if !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), c.err) {
					t.Errorf("got %v, want %q", err, c.err)
				}
				return
			}
			if err != nil || got.endpoint.Host != c.host || !slices.Equal(got.childEnv, c.child) {
				t.Errorf("got %q %q %v", got.endpoint.Host, got.childEnv, err)
			}
		})
	}
}

func TestBrokenConfigIsNoGuess(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Connect(t.Context(), ConnectOptions{Environ: []string{"DOCKER_CONFIG=" + dir}})
	if !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "config.json") {
		t.Errorf("got %v", err)
	}
}

func TestConnectNegotiates(t *testing.T) {
	environ := fakeEngine(t, nil)
	e, err := Connect(t.Context(), ConnectOptions{Environ: append(environ, "HOME="+t.TempDir())})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.Close() }()
	if v := e.api.ClientVersion(); v != "1.41" {
		t.Errorf("speaks %s", v)
	}
	other := e.ForRun("r1")
	if other.Run != "r1" || e.Run != "" || other.Host() != e.Host() {
		t.Errorf("%q %q", other.Run, e.Run)
	}
}

func TestUnreachableIsPutIntoWords(t *testing.T) {
	dir, err := os.MkdirTemp("", "belay-sock-")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	dead := filepath.Join(dir, "dead")
	l, err := net.Listen("unix", dead)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	_ = l.Close()
	silent := filepath.Join(dir, "silent")
	mute, err := net.Listen("unix", silent) // accepts, says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = mute.Close() }()
	for name, c := range map[string]struct{ host, want string }{
		"missing": {"unix://" + filepath.Join(dir, "none"), "systemctl start docker"},
		"dead":    {"unix://" + dead, "nothing listens"},
		"silent":  {"unix://" + silent, "did not answer"},
		"refused": {"tcp://127.0.0.1:1", "no Docker engine answers at tcp://127.0.0.1:1"},
		"absurd":  {"gopher://x", "gopher://x"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Connect(t.Context(), ConnectOptions{
				Environ: []string{"DOCKER_HOST=" + c.host, "HOME=" + dir}, Timeout: 500 * time.Millisecond,
			})
			var u *UnreachableError
			if !errors.As(err, &u) || !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v", err)
			}
			if err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line: %q", err)
			}
		})
	}
	at := address{}
	at.endpoint.Host = "unix:///var/run/docker.sock"
	if err := unreachable(t.Context(), at, 0, &net.OpError{Op: "dial", Err: os.ErrPermission}); !strings.Contains(err.Error(), "usermod -aG docker") {
		t.Errorf("no permission: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Connect(ctx, ConnectOptions{Environ: []string{"DOCKER_HOST=unix://" + silent, "HOME=" + dir}}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestIsLocal(t *testing.T) {
	for _, c := range []struct {
		host, system, name, goos string
		want                     bool
	}{
		{"unix:///var/run/docker.sock", "Debian", "box", "linux", true},
		{"unix:///Users/x/.docker/run/docker.sock", "Docker Desktop", "vm", "darwin", true},
		{"unix:///Users/x/.colima/docker.sock", "Ubuntu", "colima", "darwin", false},
		{"tcp://127.0.0.1:2375", "Debian", "box", "linux", true},
		{"tcp://127.0.0.1:2375", "Debian", "nas", "linux", false}, // a tunnel
		{"tcp://nas:2375", "Debian", "box", "linux", false},
		{"ssh://me@nas", "Debian", "box", "linux", false},
	} {
		info := system.Info{OperatingSystem: c.system, Name: c.name}
		if got := isLocal(c.host, info, "box", c.goos); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
