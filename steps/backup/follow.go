package backup

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"belay/dockerx"
	"belay/steps"
	"belay/steps/canary"
)

// every is how often the server is asked how far the dump is.
const every = time.Second

// appName is the name under which this run's dump shows in the server.
func (b base) appName() string { return "belay-" + b.plan.Run }

// endLeftovers ends dumps that an earlier attempt of this run left behind.
func (s *dumpStep) endLeftovers(ctx context.Context, box dockerx.Container, db steps.Database) error {
	sql := "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = " + quoted(s.appName()) +
		" AND pid <> pg_backend_pid();"
	if _, err := canary.Script(ctx, s.Engine, box, db, sql); err != nil {
		return fmt.Errorf("look for leftovers: %w", err)
	}
	return nil
}

// progress of the COPY that runs now: relation, estimated rows of it, rows done,
// estimated rows of the whole database.
const progressSQL = `
SELECT p.relid, greatest(c.reltuples, 0)::bigint, p.tuples_processed,
  (SELECT sum(greatest(reltuples, 0))::bigint FROM pg_class WHERE relkind = 'r')
FROM pg_stat_progress_copy p JOIN pg_stat_activity a USING (pid) JOIN pg_class c ON c.oid = p.relid
WHERE a.application_name = `

// follow reports how far a dump is, by the server's own view of it, until the
// returned function is called. A server older than 14 has no such view: then
// the bytes written so far are said, and no whole is made up.
func (s *dumpStep) follow(
	ctx context.Context, r *steps.Reporter, box dockerx.Container, db steps.Database, written *atomic.Int64,
) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	r.Progress(0, 0, steps.Rows, "dumping "+canary.Label(db))
	go func() {
		defer close(done)
		seen := rowsSeen{}
		for {
			select {
			case <-ctx.Done():
				return
			case <-s.After(every):
			}
			out, err := canary.Script(ctx, s.Engine, box, db, progressSQL+quoted(s.appName())+";")
			rows, total, ok := seen.add(string(out))
			switch {
			case ctx.Err() != nil:
				return
			case err == nil && ok:
				r.Progress(min(rows, total), total, steps.Rows, "dumping "+canary.Label(db)+", by the server's estimate")
			case err != nil:
				r.Progress(written.Load(), 0, steps.Bytes, "dumping "+canary.Label(db))
			}
		}
	}()
	return func() { cancel(); <-done }
}

// rowsSeen adds up the rows of tables that are through and of the one that runs.
type rowsSeen struct {
	table       string
	rows, whole int64 // of the tables before; of the one that runs
}

func (s *rowsSeen) add(line string) (rows, total int64, ok bool) {
	f := strings.Split(strings.TrimSpace(line), "\t")
	if len(f) != 4 {
		return 0, 0, false
	}
	whole, err1 := strconv.ParseInt(f[1], 10, 64)
	now, err2 := strconv.ParseInt(f[2], 10, 64)
	total, err3 := strconv.ParseInt(f[3], 10, 64)
	if err1 != nil || err2 != nil || err3 != nil {
		return 0, 0, false
	}
	if f[0] != s.table {
		s.rows += s.whole
	}
	s.table, s.whole = f[0], whole
	return s.rows + now, total, true
}

func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
