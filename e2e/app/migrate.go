package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"belay/e2e/app/pg"
)

// migration is one step of the schema. Each statement commits by itself.
type migration struct {
	id         int64
	name       string
	statements []statement
}

// statement is one change. Batches are repeated until no row comes back.
type statement struct {
	log, sql string
	batches  bool
}

// pause between batches: big tables take long, and the tests' table is small.
const pause = "SELECT pg_sleep(0.25)"

// migrate brings the schema up, one migration after the other, and says so in
// the words of a common framework.
func migrate(ctx context.Context, db *database, all []migration) error {
	_, err := db.query(ctx, `CREATE TABLE IF NOT EXISTS schema_migrations
		(version bigint PRIMARY KEY, inserted_at timestamptz NOT NULL DEFAULT now())`)
	if err != nil {
		return err
	}
	rows, err := db.query(ctx, `SELECT version FROM schema_migrations`)
	if err != nil {
		return err
	}
	done := map[string]bool{}
	for _, r := range rows {
		done[r[0]] = true
	}
	for _, m := range all {
		if done[strconv.FormatInt(m.id, 10)] {
			continue
		}
		if err := apply(ctx, db, m); err != nil {
			return err
		}
	}
	return nil
}

func apply(ctx context.Context, db *database, m migration) error {
	began := time.Now()
	logf("info", "== Running %d Ledger.Repo.Migrations.%s.change/0 forward", m.id, m.name)
	for _, s := range m.statements {
		logf("info", "%s", s.log)
		if err := execute(ctx, db, s); err != nil {
			var e *pg.Error
			if errors.As(err, &e) {
				logf("error", "** (Postgrex.Error) ERROR %s %s", e.Code, e.Message)
			}
			return fmt.Errorf("migration %d %s failed: %w", m.id, m.name, err)
		}
	}
	if _, err := db.query(ctx, fmt.Sprintf(`INSERT INTO schema_migrations (version) VALUES (%d)`, m.id)); err != nil {
		return err
	}
	logf("info", "== Migrated %d in %.1fs", m.id, time.Since(began).Seconds())
	return nil
}

func execute(ctx context.Context, db *database, s statement) error {
	total := 0
	for {
		rows, err := db.query(ctx, s.sql)
		if err != nil || !s.batches || len(rows) == 0 {
			return err
		}
		total += len(rows)
		logf("info", "%s: %d rows", s.log, total)
		if _, err := db.query(ctx, pause); err != nil {
			return err
		}
	}
}
