package dockerx

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/docker/docker/client"
)

// connectTimeout is how long an engine may take to answer the first question.
// ssh has 30 seconds of its own to connect.
const connectTimeout = 40 * time.Second

// ConnectOptions is what Connect is told of the world.
type ConnectOptions struct {
	// Environ is the environment ("KEY=value"): DOCKER_HOST, DOCKER_CONTEXT,
	// DOCKER_CONFIG, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH, HOME, XDG_RUNTIME_DIR.
	Environ []string
	// Executable is the file the volume helper is made from. Empty: this program.
	Executable string
	// Timeout bounds the first answer. Zero: 40 seconds.
	Timeout time.Duration
}

// UnreachableError is why no engine answers: a sentence for people that names
// the address and what to do next. It is an ErrUnreachable.
type UnreachableError struct {
	Address  string
	Sentence string
	Err      error // the cause; may be nil
}

// Error is the sentence.
func (e *UnreachableError) Error() string { return e.Sentence }

// Unwrap gives ErrUnreachable and the cause.
func (e *UnreachableError) Unwrap() []error {
	if e.Err == nil {
		return []error{ErrUnreachable}
	}
	return []error{ErrUnreachable, e.Err}
}

// Connect finds the engine as the docker CLI does (DOCKER_HOST, DOCKER_CONTEXT,
// the current context of config.json, the default socket) and, where there is no
// default socket, tries the rootless and the Podman sockets. It asks the engine
// for its API version. Every failure is an UnreachableError.
func Connect(ctx context.Context, o ConnectOptions) (*Engine, error) {
	env := environment(o.Environ)
	config, configErr := loadConfig(env)
	at, err := resolve(env, config, configErr, isThere)
	if err != nil {
		return nil, err
	}
	opts, err := at.endpoint.ClientOpts()
	if err != nil {
		return nil, &UnreachableError{Address: at.endpoint.Host, Err: err, Sentence: fmt.Sprintf(
			"the Docker address %s (%s) cannot be used: %v", at.endpoint.Host, at.source, err)}
	}
	api, err := client.NewClientWithOpts(opts...)
	if err != nil {
		return nil, &UnreachableError{Address: at.endpoint.Host, Err: err, Sentence: fmt.Sprintf(
			"the Docker address %s (%s) cannot be used: %v", at.endpoint.Host, at.source, err)}
	}
	if o.Timeout == 0 {
		o.Timeout = connectTimeout
	}
	if err := greet(ctx, api, at, o.Timeout); err != nil {
		_ = api.Close()
		return nil, err
	}
	return &Engine{
		api: api, host: at.endpoint.Host, childEnv: at.childEnv, config: config,
		executable: o.Executable, helper: &helperImage{},
	}, nil
}

func isThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil || !errors.Is(err, fs.ErrNotExist)
}

// greet asks for the API version, which also settles the one that is spoken.
func greet(ctx context.Context, api *client.Client, at address, timeout time.Duration) error {
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if path, ok := strings.CutPrefix(at.endpoint.Host, "unix://"); ok {
		// The client's own error hides why a socket cannot be opened.
		conn, err := (&net.Dialer{}).DialContext(limited, "unix", path)
		if err != nil {
			return unreachable(ctx, at, timeout, err)
		}
		_ = conn.Close()
	}
	ping, err := api.Ping(limited)
	if err != nil {
		return unreachable(ctx, at, timeout, err)
	}
	api.NegotiateAPIVersionPing(ping)
	return nil
}

// unreachable puts a failed greeting into words.
func unreachable(ctx context.Context, at address, timeout time.Duration, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	host := at.endpoint.Host
	socket, isSocket := strings.CutPrefix(host, "unix://")
	where := host
	if isSocket {
		where = socket
	}
	if at.source != "" {
		where += " (" + at.source + ")"
	}
	say := func(format string, args ...any) error {
		return &UnreachableError{Address: host, Err: err, Sentence: fmt.Sprintf(format, args...)}
	}
	switch {
	case isSocket && errors.Is(err, fs.ErrPermission):
		return say("no permission to use the Docker socket %s: run `sudo usermod -aG docker $USER` and log in again, or run belay with sudo", where)
	case isSocket && errors.Is(err, fs.ErrNotExist):
		return say("there is no Docker socket at %s: start the engine (`sudo systemctl start docker`), or set DOCKER_HOST to the address it listens on", where)
	case isSocket && errors.Is(err, syscall.ECONNREFUSED):
		return say("nothing listens on the Docker socket %s: start the engine with `sudo systemctl start docker`", where)
	case errors.Is(err, context.DeadlineExceeded):
		return say("the Docker engine at %s did not answer within %s: check that the address is right and the engine is running", where, timeout)
	case strings.HasPrefix(host, "ssh://"):
		return say("the Docker engine at %s cannot be reached over ssh: try `ssh %s docker version` (%s)", where, strings.TrimPrefix(host, "ssh://"), firstLine(err))
	case strings.Contains(err.Error(), "tls:") || strings.Contains(err.Error(), "x509:"):
		return say("the Docker engine at %s does not accept this TLS setup: check DOCKER_CERT_PATH and DOCKER_TLS_VERIFY (%s)", where, firstLine(err))
	}
	return say("no Docker engine answers at %s: check that it is running and that the address is right (%s)", where, firstLine(err))
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return strings.TrimSpace(line)
}
