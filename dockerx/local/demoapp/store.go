package demoapp

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"

	_ "modernc.org/sqlite" // the driver
)

// errNewer stops a version that does not know the schema it finds: putting back
// the image alone is not a rollback.
var errNewer = errors.New("the database was migrated by a newer version")

func open(cfg config, readOnly bool) (*sql.DB, error) {
	q := url.Values{"_pragma": {"busy_timeout(5000)", "foreign_keys(1)"}}
	if readOnly {
		if _, err := os.Stat(cfg.database()); err != nil {
			return nil, fmt.Errorf("open database: %w", err)
		}
		q.Add("_pragma", "query_only(1)")
	} else {
		q.Add("_pragma", "journal_mode(WAL)")
		q.Add("_pragma", "synchronous(NORMAL)") // safe against a crash of the app, and kind to slow disks
	}
	u := url.URL{Scheme: "file", Path: cfg.database(), RawQuery: q.Encode()}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	return db, nil
}

// prepare opens the data directory: seeds it on the first start, migrates it to
// this version's schema after that.
func prepare(ctx context.Context, cfg config, log *logger) (*sql.DB, error) {
	if err := os.MkdirAll(cfg.data, 0o755); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	_, err := os.Stat(cfg.database())
	first := errors.Is(err, fs.ErrNotExist)
	if err != nil && !first {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	db, err := open(cfg, false)
	if err != nil {
		return nil, err
	}
	if err := ready(ctx, cfg, log, db, first); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func ready(ctx context.Context, cfg config, log *logger, db *sql.DB, first bool) error {
	if first {
		return seed(ctx, cfg, log, db)
	}
	at, err := schema(ctx, db)
	if err != nil {
		return err
	}
	log.info("Database %s/tidepool.db, schema %d", cfg.shown, at)
	return migrate(ctx, cfg, log, db, at)
}

// schema is the newest migration that was applied, 0 in an empty database.
func schema(ctx context.Context, db *sql.DB) (int64, error) {
	const table = `CREATE TABLE IF NOT EXISTS schema_migrations (
		version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL)`
	if _, err := db.ExecContext(ctx, table); err != nil {
		return 0, fmt.Errorf("read schema version: %w", err)
	}
	var at sql.NullInt64
	if err := db.QueryRowContext(ctx, `SELECT max(version) FROM schema_migrations`).Scan(&at); err != nil {
		return 0, fmt.Errorf("read schema version: %w", err)
	}
	return at.Int64, nil
}
