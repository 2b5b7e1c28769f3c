package demoapp

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"slices"
)

// count prints the rows of the named tables, of all without names. A table that
// does not exist is named on stderr and makes the exit code 3.
func count(ctx context.Context, cfg config, stdout, stderr io.Writer) int {
	db, err := open(cfg, true)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitFailed
	}
	defer func() { _ = db.Close() }()
	have, err := tables(ctx, db)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitFailed
	}
	want := cfg.args
	if len(want) == 0 {
		want = have
	}
	exit := exitOK
	for _, name := range want {
		if !slices.Contains(have, name) {
			fmt.Fprintf(stderr, "no table %s\n", name)
			exit = exitMissing
			continue
		}
		var n int64
		// The name is one of the database's own tables: nothing to escape.
		if err := db.QueryRowContext(ctx, `SELECT count(*) FROM "`+name+`"`).Scan(&n); err != nil {
			fmt.Fprintln(stderr, err)
			return exitFailed
		}
		fmt.Fprintf(stdout, "%s %d\n", name, n)
	}
	return exit
}

// check asks SQLite whether its file is sound.
func check(ctx context.Context, cfg config, stdout io.Writer) error {
	db, err := open(cfg, true)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	var verdict string
	if err := db.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&verdict); err != nil {
		return fmt.Errorf("check: %w", err)
	}
	if verdict != "ok" {
		return errors.New("check: " + verdict)
	}
	_, err = fmt.Fprintln(stdout, verdict)
	return err
}

func tables(ctx context.Context, db *sql.DB) ([]string, error) {
	rows, err := db.QueryContext(ctx, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`)
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var out []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, fmt.Errorf("list tables: %w", err)
		}
		out = append(out, name)
	}
	return out, rows.Err()
}
