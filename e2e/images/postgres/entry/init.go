package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// config is what the image's variables say.
type config struct {
	data, user, password, database, method string
}

// read takes the variables as the common PostgreSQL images do: the user is
// postgres and the database is named like the user unless told otherwise.
func read(env func(string) string) (config, error) {
	c := config{
		data: env("PGDATA"), user: env("POSTGRES_USER"), password: env("POSTGRES_PASSWORD"),
		database: env("POSTGRES_DB"), method: env("POSTGRES_HOST_AUTH_METHOD"),
	}
	if file := env("POSTGRES_PASSWORD_FILE"); file != "" {
		b, err := os.ReadFile(file)
		if err != nil {
			return c, err
		}
		c.password = strings.TrimRight(string(b), "\n")
	}
	if c.data == "" {
		c.data = "/var/lib/postgresql/data"
	}
	if c.user == "" {
		c.user = "postgres"
	}
	if c.database == "" {
		c.database = c.user
	}
	if c.method == "" {
		c.method = "scram-sha-256"
	}
	return c, nil
}

// initialise makes the cluster in a directory inside the data directory and
// moves it up, PG_VERSION last: a cut-short first start is done again.
func initialise(c config) error {
	fresh := filepath.Join(c.data, ".init")
	if err := empty(c.data); err != nil {
		return err
	}
	args := []string{
		"--pgdata", fresh, "--username", c.user, "--encoding", "UTF8", "--locale", "C.UTF-8",
		"--auth-local", "trust", "--auth-host", "trust",
	}
	if c.password != "" {
		file, err := os.CreateTemp("", "pw")
		if err != nil {
			return err
		}
		defer os.Remove(file.Name())
		if _, err := file.WriteString(c.password + "\n"); err != nil {
			return err
		}
		if err := file.Close(); err != nil {
			return err
		}
		args = append(args, "--pwfile", file.Name())
	}
	if err := command("", bin+"initdb", args...); err != nil {
		return err
	}
	if err := configure(c, fresh); err != nil {
		return err
	}
	return moveUp(fresh, c.data)
}

// configure opens the cluster to the container's network, with a password, and
// makes the database.
func configure(c config, dir string) error {
	hba := fmt.Sprintf("host all all all %s\n", c.method)
	if err := appendTo(filepath.Join(dir, "pg_hba.conf"), hba); err != nil {
		return err
	}
	if err := appendTo(filepath.Join(dir, "postgresql.conf"), "listen_addresses = '*'\n"); err != nil {
		return err
	}
	if c.database == "postgres" {
		return nil
	}
	sql := "CREATE DATABASE \"" + strings.ReplaceAll(c.database, `"`, `""`) + "\";\n"
	return command(sql, bin+"postgres", "--single", "-D", dir, "-j", "postgres")
}

// empty clears what an earlier, cut-short first start left. There is no
// PG_VERSION, so there is no cluster to lose; anything else is refused.
func empty(data string) error {
	entries, err := os.ReadDir(data)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == "lost+found" {
			continue
		}
		if _, err := os.Stat(filepath.Join(data, ".init")); err != nil {
			return fmt.Errorf("%s is not empty and is not a cluster: %s", data, e.Name())
		}
		if e.Name() != ".init" {
			if err := os.RemoveAll(filepath.Join(data, e.Name())); err != nil {
				return err
			}
		}
	}
	return os.RemoveAll(filepath.Join(data, ".init"))
}

func moveUp(from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == "PG_VERSION" {
			continue
		}
		if err := os.Rename(filepath.Join(from, e.Name()), filepath.Join(to, e.Name())); err != nil {
			return err
		}
	}
	if err := os.Rename(filepath.Join(from, "PG_VERSION"), filepath.Join(to, "PG_VERSION")); err != nil {
		return err
	}
	return os.Remove(from)
}

func appendTo(path, text string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(text); err != nil {
		return err
	}
	return f.Close()
}

func command(stdin, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(name), err)
	}
	return nil
}

// owner finds a user's numbers without the C library.
func owner(name string) (uid, gid int, err error) {
	b, err := os.ReadFile(passwd)
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(b)) {
		f := strings.Split(line, ":")
		if len(f) < 4 || f[0] != name {
			continue
		}
		if uid, err = strconv.Atoi(f[2]); err != nil {
			return 0, 0, err
		}
		gid, err = strconv.Atoi(f[3])
		return uid, gid, err
	}
	return 0, 0, fmt.Errorf("no user %s in %s", name, passwd)
}
