package backup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"

	"belay/dockerx"
	"belay/steps"
	"belay/steps/canary"
)

// dumpList is what the step leaves for the manifest, beside the dumps.
const dumpList = "dumps/dumps.json"

// dumpMagic starts every dump in pg_dump's own format.
const dumpMagic = "PGDMP"

type dumpStep struct{ base }

func (s *dumpStep) ID() steps.ID  { return steps.Dump }
func (s *dumpStep) Title() string { return "dump " + s.kinds() }

// Do makes a portable dump of each database that has one, while the app serves.
// The rollback does not use it: it outlives a change of host or server version.
func (s *dumpStep) Do(ctx context.Context, r *steps.Reporter) error {
	if done, err := s.sealed(); done || err != nil {
		return err
	}
	if s.plan.NoBackup != "" {
		r.Fact("summary", "skipped, as you typed")
		return writeJSON(s.path(dumpList), []Artefact{})
	}
	list := []Artefact{}
	var said []string
	globals := map[string]bool{}
	for _, db := range s.plan.Databases {
		if !dumpable(db) {
			said = append(said, canary.Label(db)+" has no dump: the cold copy holds it")
			continue
		}
		box, err := s.server(ctx, db)
		if err != nil {
			return err
		}
		a, err := s.dump(ctx, r, box, db)
		if err != nil {
			return fmt.Errorf("dump %s: %w", canary.Label(db), err)
		}
		list = append(list, a)
		said = append(said, steps.Size(a.Bytes))
		if globals[db.Service] {
			continue
		}
		globals[db.Service] = true
		if g, err := s.globals(ctx, box, db); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			r.Warn(fmt.Sprintf("The roles of %s were not dumped: %v. The rollback does not need them; a move to another server would.", db.Service, err))
		} else {
			list = append(list, g)
		}
	}
	if len(said) == 0 {
		said = append(said, "no database to dump")
	}
	r.Fact("summary", strings.Join(said, "; "))
	return writeJSON(s.path(dumpList), list)
}

func dumpable(db steps.Database) bool { return db.Kind == canary.Postgres && db.Dumpable }

func (s *dumpStep) kinds() string {
	for _, db := range s.plan.Databases {
		if dumpable(db) {
			return db.Service
		}
	}
	return "nothing"
}

func (s *dumpStep) server(ctx context.Context, db steps.Database) (dockerx.Container, error) {
	all, err := s.Engine.Containers(ctx, s.plan.Project)
	if err != nil {
		return dockerx.Container{}, fmt.Errorf("find the container of %s: %w", db.Service, err)
	}
	box, ok := canary.Running(all, db.Service)
	if !ok {
		return dockerx.Container{}, fmt.Errorf("dump %s: service %s is not running", canary.Label(db), db.Service)
	}
	return box, nil
}

// dump writes one database and proves that the file can be read to its end.
// pg_dump's own format, because a plain dump that is cut off restores in part
// without any error.
func (s *dumpStep) dump(ctx context.Context, r *steps.Reporter, box dockerx.Container, db steps.Database) (Artefact, error) {
	if err := s.endLeftovers(ctx, box, db); err != nil {
		return Artefact{}, err
	}
	user, name := canary.Login(db)
	var written atomic.Int64
	stop := s.follow(ctx, r, box, db, &written)
	defer stop()
	file := dumpFile(db)
	a, err := s.stream(ctx, box, file, dockerx.ExecSpec{
		Argv: []string{"pg_dump", "-Fc", "-Z1", "-w", "-U", user, "-d", name},
		Env:  canary.Env(box, db, s.appName()),
	}, &written)
	stop()
	if err != nil {
		return Artefact{}, err
	}
	a.Role, a.Service, a.Database = RoleDump, db.Service, name
	r.Progress(0, a.Bytes, steps.Bytes, "reading the dump back")
	return a, s.readBack(ctx, r, box, a)
}

// globals dumps roles and tablespaces of a server.
func (s *dumpStep) globals(ctx context.Context, box dockerx.Container, db steps.Database) (Artefact, error) {
	user, name := canary.Login(db)
	a, err := s.stream(ctx, box, globalsFile(db.Service), dockerx.ExecSpec{
		Argv: []string{"pg_dumpall", "--globals-only", "-w", "-U", user, "-l", name},
		Env:  canary.Env(box, db, s.appName()),
	}, new(atomic.Int64))
	a.Role, a.Service = RoleGlobals, db.Service
	return a, err
}

// stream runs a program whose output becomes a file of the restore point. The
// end of the output alone says nothing: the program's exit decides.
func (s *dumpStep) stream(
	ctx context.Context, box dockerx.Container, file string, spec dockerx.ExecSpec, written *atomic.Int64,
) (Artefact, error) {
	out, err := newSink(s.Create, s.path(file))
	if err != nil {
		return Artefact{}, err
	}
	spec.Stdout = &counted{w: out, n: written}
	res, err := s.Engine.Exec(ctx, box.ID, spec)
	switch {
	case out.err != nil: // the disk's word counts before the engine's
		err = fmt.Errorf("write %s: %w", file, out.err)
	case err != nil:
		err = fmt.Errorf("run %s: %w", spec.Argv[0], err)
	case res.Exit != 0:
		err = fmt.Errorf("%s ended with %d: %s", spec.Argv[0], res.Exit, canary.Told(res.Stderr))
	case out.n == 0:
		err = fmt.Errorf("%s ended well but wrote nothing", spec.Argv[0])
	}
	if err != nil {
		out.drop()
		return Artefact{}, err
	}
	sum, n, err := out.seal()
	return Artefact{File: file, SHA256: sum, Bytes: n}, err
}

// readBack streams the dump into pg_restore, which reads every block of it;
// listing its contents would prove nothing (the list stands at the front).
func (s *dumpStep) readBack(ctx context.Context, r *steps.Reporter, box dockerx.Container, a Artefact) error {
	f, err := os.Open(s.path(a.File))
	if err != nil {
		return fmt.Errorf("open the dump: %w", err)
	}
	defer func() { _ = f.Close() }()
	head := make([]byte, len(dumpMagic))
	if _, err := io.ReadFull(f, head); err != nil || !bytes.Equal(head, []byte(dumpMagic)) {
		return errors.New("what pg_dump wrote is not a dump")
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read the dump back: %w", err)
	}
	in := &meter{ctx: ctx, r: f, on: func(n int64) { r.Progress(n, a.Bytes, steps.Bytes, "reading the dump back") }}
	res, err := s.Engine.Exec(ctx, box.ID, dockerx.ExecSpec{
		Argv: []string{"pg_restore", "-f", "/dev/null"}, Stdin: in, Stdout: io.Discard,
	})
	switch {
	case err != nil:
		return fmt.Errorf("read the dump back: %w", err)
	case res.Exit != 0:
		return fmt.Errorf("the dump cannot be read back: %s", canary.Told(res.Stderr))
	case in.n != a.Bytes:
		return fmt.Errorf("the dump cannot be read back: %d of %d bytes were", in.n, a.Bytes)
	}
	return nil
}

func (s *dumpStep) Observe(ctx context.Context) (steps.Observation, error) {
	if ok, err := s.standing(); ok || err != nil {
		return observed(ok, err)
	}
	var list []Artefact
	ok, err := readJSON(s.path(dumpList), &list)
	if err != nil || !ok {
		return steps.NotDone, err
	}
	p := RestorePoint{Dir: s.dir, Manifest: Manifest{Artefacts: list}}
	if p.Check(ctx) != nil {
		return steps.Partial, nil
	}
	return steps.Done, nil
}

// Undo ends a dump that still runs in the container (it outlives belay and holds
// its lock) and removes what was half written.
func (s *dumpStep) Undo(ctx context.Context, r *steps.Reporter) error {
	for _, db := range s.plan.Databases {
		if !dumpable(db) {
			continue
		}
		box, err := s.server(ctx, db)
		if err != nil {
			continue // a server that is down dumps nothing
		}
		if err := s.endLeftovers(ctx, box, db); err != nil {
			r.Warn(fmt.Sprintf("A dump may still be running in %s: %v.", db.Service, err))
		}
	}
	return dropPartials(s.path("dumps"))
}

// counted tells another goroutine how much was written.
type counted struct {
	w io.Writer
	n *atomic.Int64
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n.Add(int64(n))
	return n, err
}
