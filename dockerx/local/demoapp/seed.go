package demoapp

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	words = "anemone barnacle crab limpet mussel urchin starfish kelp tide rock pool wave salt foam gull " +
		"sand shell current moon reef spray cliff harbour boat net rope buoy lantern fog morning walk"
	colours = "todo idea recipe letter travel garden book music repair family"
)

// seed makes the data of a first start: the schema, notes, and uploads beside
// the database. The same every time, so that two demos can be compared.
func seed(ctx context.Context, cfg config, log *logger, db *sql.DB) error {
	log.info("Database %s/tidepool.db is new", cfg.shown)
	at, err := schema(ctx, db)
	if err != nil {
		return err
	}
	// A first start goes through the old schema, then through the newer
	// migrations like everybody else's data.
	base := cfg
	base.major, base.minor = 1, 2
	if err := migrate(ctx, base, log, db, at); err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(1848, 7))
	if err := seedNotes(ctx, cfg, db, random); err != nil {
		return fmt.Errorf("sample notes: %w", err)
	}
	if err := seedUploads(cfg, random); err != nil {
		return fmt.Errorf("sample uploads: %w", err)
	}
	log.info("Made %d sample notes and %d uploads", cfg.notes, uploads)
	if at, err = schema(ctx, db); err != nil {
		return err
	}
	return migrate(ctx, cfg, log, db, at)
}

func seedNotes(ctx context.Context, cfg config, db *sql.DB, random *rand.Rand) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing to do after Commit
	start := time.Date(2025, 3, 1, 8, 0, 0, 0, time.UTC)
	for id := 1; id <= cfg.notes; id++ {
		at := start.Add(time.Duration(id) * 7 * time.Hour).Format(time.RFC3339)
		const note = `INSERT INTO notes (id, title, body, labels, created_at) VALUES (?, ?, ?, ?, ?)`
		_, err := tx.ExecContext(ctx, note, id, pick(random, words, 3, " "), pick(random, words, 40, " "),
			pick(random, colours, random.IntN(3), ","), at)
		if err != nil {
			return err
		}
		if id%10 != 0 {
			continue
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO reminders (note_id, due_at) VALUES (?, ?)`, id, at); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO settings VALUES ('theme', 'dusk'), ('language', 'en')`); err != nil {
		return err
	}
	return tx.Commit()
}

func seedUploads(cfg config, random *rand.Rand) error {
	for i := range uploads {
		dir := filepath.Join(cfg.data, "uploads", fmt.Sprintf("%02d", i%12))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		content := make([]byte, 2048+random.IntN(30<<10))
		for j := range content {
			content[j] = byte(random.Uint32())
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("photo-%03d.jpg", i)), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func pick(random *rand.Rand, list string, n int, sep string) string {
	all := strings.Fields(list)
	out := make([]string, n)
	for i := range out {
		out[i] = all[random.IntN(len(all))]
	}
	return strings.Join(out, sep)
}
