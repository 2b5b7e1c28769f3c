package local

import (
	"fmt"
	"io"
	"net"
	"path"
	"path/filepath"
	"strconv"

	"belay/dockerx"
	"belay/dockerx/local/demoapp"
)

// Command is the first argument with which the engine starts its own program
// for a service. Whoever owns main hands what follows it to Main.
const Command = "__demo-app"

// Main runs a service and returns its exit code: args are those after Command,
// which may still stand before them.
func Main(args, environ []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == Command {
		args = args[1:]
	}
	return demoapp.Main(args, environ, stdin, stdout, stderr)
}

// argv is how a container's process is started.
func (e *Engine) argv(r *record) ([]string, error) {
	args, err := e.inside(r)
	if err != nil {
		return nil, err
	}
	if r.Mode == asOneOff {
		return append(args, r.Argv[1:]...), nil
	}
	for _, address := range r.Listen {
		args = append(args, "--listen", address)
	}
	return append(args, "serve"), nil
}

// inside gives the arguments that let a process see the container's data.
func (e *Engine) inside(r *record) ([]string, error) {
	args := []string{Command, "--root", e.rootfs(r.ID)}
	for _, m := range r.Mounts {
		if m.Kind == dockerx.TmpfsData {
			continue // the container's own root serves
		}
		dir, err := e.dataDir(m.Data)
		if err != nil {
			return nil, err
		}
		args = append(args, "--mount", m.Target+"="+dir)
	}
	return args, nil
}

// isApp says whether the images hold the program that an argv names.
func isApp(argv []string) bool { return len(argv) > 0 && path.Base(argv[0]) == demoapp.Name }

func (e *Engine) rootfs(id string) string { return filepath.Join(e.containerDir(id), "rootfs") }

// listenOn decides where a service listens: on its published ports, else on a
// free one of its own, so that its health can be asked.
func (e *Engine) listenOn(r *record) error {
	r.Listen = nil
	if r.Mode != asService {
		return nil
	}
	for i, p := range r.Ports {
		if p.Proto != "" && p.Proto != "tcp" {
			continue
		}
		ip := p.HostIP
		if ip == "" {
			ip = "127.0.0.1" // the demo never listens on the network unless told to
		}
		if p.Host == 0 {
			free, err := freePort(ip)
			if err != nil {
				return err
			}
			r.Ports[i].Host, p.Host = free, free
		}
		r.Listen = append(r.Listen, net.JoinHostPort(ip, strconv.Itoa(p.Host)))
	}
	if len(r.Listen) > 0 {
		return nil
	}
	free, err := freePort("127.0.0.1")
	if err != nil {
		return err
	}
	r.Listen = []string{net.JoinHostPort("127.0.0.1", strconv.Itoa(free))}
	return nil
}

func freePort(ip string) (int, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(ip, "0"))
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}
