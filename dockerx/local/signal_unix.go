//go:build unix

package local

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const exitKilled = 128 + int(syscall.SIGKILL)

// ownGroup keeps a terminal's ctrl+c away from the services: belay stops them.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func terminate(pid int) { _ = syscall.Kill(pid, syscall.SIGTERM) } // gone already: what was wanted
func kill(pid int)      { _ = syscall.Kill(pid, syscall.SIGKILL) }

// exitCode is a process's exit code the way engines count: 128 + signal.
func exitCode(s *os.ProcessState) int {
	if ws, ok := s.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return s.ExitCode()
}

// killAndWait ends a process that is nobody's child any more.
func killAndWait(p owner) error {
	limit := time.Now().Add(defaultGrace)
	for p.alive() {
		kill(p.PID)
		if time.Now().After(limit) {
			return fmt.Errorf("process %d does not end", p.PID)
		}
		time.Sleep(5 * time.Millisecond) // no event tells of the end of somebody else's child
	}
	return nil
}

func freeSpace(dir string) (free, total int64, err error) {
	var st unix.Statfs_t
	for {
		err = unix.Statfs(dir, &st)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		return -1, -1, fmt.Errorf("free space of %s: %w", dir, err)
	}
	block := int64(st.Bsize)
	return int64(st.Bavail) * block, int64(st.Blocks) * block, nil
}
