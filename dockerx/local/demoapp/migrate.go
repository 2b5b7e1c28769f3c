package demoapp

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

const batch = 200 // notes that add_tags moves in one transaction

// migration is one change of the schema, part of every version from major.minor on.
type migration struct {
	id           int64
	name         string
	major, minor int
	run          func(ctx context.Context, m *migrator) error
}

func migrations() []migration {
	return []migration{
		{20260110, "create_notes", 1, 0, createNotes},
		{20260302, "add_reminders", 1, 2, addReminders},
		{20261101, "add_tags", 1, 3, addTags},
		{20261205, "add_revisions", 2, 0, addRevisions},
	}
}

// migrator is what a migration works with.
type migrator struct {
	cfg config
	log *logger
	db  *sql.DB
}

// migrate brings the database from the schema `at` to that of this version.
func migrate(ctx context.Context, cfg config, log *logger, db *sql.DB, at int64) error {
	var due []migration
	for _, m := range migrations() {
		known := cfg.has(m.major, m.minor)
		if !known && at >= m.id {
			return fmt.Errorf("%w: schema %d, Tidepool %s knows nothing of it", errNewer, at, cfg.version)
		}
		if known && m.id > at {
			due = append(due, m)
		}
	}
	log.info("Running %d migrations", len(due))
	for _, m := range due {
		if err := apply(ctx, cfg, log, db, m); err != nil {
			return fmt.Errorf("migration %d %s failed: %w", m.id, m.name, err)
		}
	}
	if len(due) > 0 {
		log.info("Database migrations completed")
	}
	return nil
}

func apply(ctx context.Context, cfg config, log *logger, db *sql.DB, m migration) error {
	log.info("Running migration %d %s", m.id, m.name)
	start := time.Now()
	if err := m.run(ctx, &migrator{cfg: cfg, log: log, db: db}); err != nil {
		return err
	}
	const done = `INSERT INTO schema_migrations (version, name, applied_at) VALUES (?, ?, ?)`
	if _, err := db.ExecContext(ctx, done, m.id, m.name, start.UTC().Format(time.RFC3339)); err != nil {
		return err
	}
	log.info("Migrated in %.1f s", time.Since(start).Seconds())
	return nil
}

func createNotes(ctx context.Context, m *migrator) error {
	return m.exec(ctx,
		`CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT NOT NULL, body TEXT NOT NULL,
			labels TEXT NOT NULL DEFAULT '', created_at TEXT NOT NULL)`,
		`CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL)`)
}

func addReminders(ctx context.Context, m *migrator) error {
	return m.exec(ctx, `CREATE TABLE reminders (id INTEGER PRIMARY KEY,
		note_id INTEGER NOT NULL REFERENCES notes(id), due_at TEXT NOT NULL)`)
}

// addTags turns the comma separated labels of a note into tags of their own and
// drops the column. Every part commits by itself, as migrations of big tables
// do; so a failure leaves a database that no version can use.
func addTags(ctx context.Context, m *migrator) error {
	err := m.exec(ctx,
		`CREATE TABLE tags (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)`,
		`CREATE TABLE note_tags (note_id INTEGER NOT NULL REFERENCES notes(id),
			tag_id INTEGER NOT NULL REFERENCES tags(id), PRIMARY KEY (note_id, tag_id))`,
		`ALTER TABLE notes RENAME COLUMN labels TO labels_old`)
	if err != nil {
		return err
	}
	var last int64
	if err := m.db.QueryRowContext(ctx, `SELECT coalesce(max(id), 0) FROM notes`).Scan(&last); err != nil {
		return err
	}
	for from := int64(0); from < last; from += batch {
		if err := m.tagBatch(ctx, from); err != nil {
			return err
		}
		m.log.info("add_tags: notes up to %d of %d", min(from+batch, last), last)
		if m.cfg.fail == FailMigration && from+batch >= last/2 {
			// The bug of this build: it makes a tag twice.
			return m.exec(ctx, `INSERT INTO tags (name) SELECT name FROM tags LIMIT 1`)
		}
		if err := pause(ctx, m.cfg.pace); err != nil {
			return err
		}
	}
	return m.exec(ctx, `ALTER TABLE notes DROP COLUMN labels_old`)
}

func addRevisions(ctx context.Context, m *migrator) error {
	return m.exec(ctx,
		`CREATE TABLE revisions (id INTEGER PRIMARY KEY, note_id INTEGER NOT NULL REFERENCES notes(id),
			body TEXT NOT NULL, at TEXT NOT NULL)`,
		`INSERT INTO revisions (note_id, body, at) SELECT id, body, created_at FROM notes`)
}

func (m *migrator) tagBatch(ctx context.Context, from int64) error {
	tx, err := m.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing to do after Commit
	labels, err := batchLabels(ctx, tx, from)
	if err != nil {
		return err
	}
	for id, list := range labels {
		for _, name := range strings.Split(list, ",") {
			if _, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO tags (name) VALUES (?)`, name); err != nil {
				return err
			}
			const link = `INSERT OR IGNORE INTO note_tags (note_id, tag_id) SELECT ?, id FROM tags WHERE name = ?`
			if _, err := tx.ExecContext(ctx, link, id, name); err != nil {
				return err
			}
		}
	}
	return tx.Commit()
}

func batchLabels(ctx context.Context, tx *sql.Tx, from int64) (map[int64]string, error) {
	const q = `SELECT id, labels_old FROM notes WHERE id > ? AND id <= ? AND labels_old <> ''`
	rows, err := tx.QueryContext(ctx, q, from, from+batch)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	labels := map[int64]string{}
	for rows.Next() {
		var id int64
		var list string
		if err := rows.Scan(&id, &list); err != nil {
			return nil, err
		}
		labels[id] = list
	}
	return labels, rows.Err()
}

func (m *migrator) exec(ctx context.Context, statements ...string) error {
	for _, s := range statements {
		if _, err := m.db.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
