// Command entry is the first process of the PostgreSQL image: it makes the data
// directory on the first start and then becomes the server. It honours the
// variables that the common PostgreSQL images honour and must not know ledger.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// bin is where Debian keeps the server's programs.
const bin = "/usr/lib/postgresql/15/bin/"

// Debian's postgres user has no fixed number; the package always makes it first.
const passwd = "/etc/passwd"

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "entry:", err)
		os.Exit(1)
	}
}

// run prepares the data directory when the server is asked for, then replaces
// this process: signals of `docker stop` reach the server itself.
func run(argv []string) error {
	if len(argv) == 0 || strings.HasPrefix(argv[0], "-") {
		argv = append([]string{"postgres"}, argv...)
	}
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return err
	}
	if argv[0] != "postgres" {
		return syscall.Exec(path, argv, os.Environ())
	}
	uid, gid, err := owner("postgres")
	if err != nil {
		return err
	}
	c, err := read(os.Getenv)
	if err != nil {
		return err
	}
	if os.Geteuid() == 0 {
		if err := own(c.data, uid, gid); err != nil {
			return err
		}
		if err := become(uid, gid); err != nil {
			return err
		}
	}
	if err := prepare(c); err != nil {
		return err
	}
	return syscall.Exec(path, argv, append(os.Environ(), "PGDATA="+c.data))
}

// own makes the directories of the server and gives them to its user.
func own(data string, uid, gid int) error {
	for _, d := range []struct {
		path string
		mode os.FileMode
	}{{data, 0o700}, {"/var/run/postgresql", 0o2775}} {
		if err := os.MkdirAll(d.path, d.mode); err != nil {
			return err
		}
		if err := os.Chown(d.path, uid, gid); err != nil {
			return err
		}
	}
	return os.Chmod(data, 0o700)
}

// become drops root for good.
func become(uid, gid int) error {
	if err := syscall.Setgroups([]int{gid}); err != nil {
		return err
	}
	if err := syscall.Setgid(gid); err != nil {
		return err
	}
	return syscall.Setuid(uid)
}

// prepare runs initdb into an empty data directory; an existing cluster is left
// as it is. A first start that was cut short leaves no PG_VERSION behind,
// because the cluster is made beside and moved in when it is whole.
func prepare(c config) error {
	if _, err := os.Stat(filepath.Join(c.data, "PG_VERSION")); err == nil {
		return nil
	} else if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if c.password == "" && c.method != "trust" {
		return errors.New("the database is not initialised and POSTGRES_PASSWORD is not set")
	}
	return initialise(c)
}
