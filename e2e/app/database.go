package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"belay/e2e/app/pg"
)

// database is the one connection of the app, opened again when it was lost.
type database struct {
	config pg.Config

	mu   sync.Mutex
	conn *pg.Conn
}

func newDatabase(env func(string) string) *database {
	return &database{config: pg.Config{
		Addr: env("DB_HOST") + ":5432", User: env("DB_USER"), Password: env("DB_PASSWORD"),
		Database: env("DB_NAME"), App: "ledger",
	}}
}

// wait gives a database that is starting its time.
func (d *database) wait(ctx context.Context, most time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		_, err := d.query(ctx, "SELECT 1")
		if err == nil {
			return nil
		}
		logf("warning", "database: %v, trying again", err)
		select {
		case <-ctx.Done():
			return fmt.Errorf("database does not answer: %w", err)
		case <-tick.C:
		}
	}
}

func (d *database) query(ctx context.Context, sql string) ([][]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conn == nil || d.conn.Broken() {
		conn, err := pg.Connect(ctx, d.config)
		if err != nil {
			return nil, err
		}
		d.conn = conn
	}
	return d.conn.Query(ctx, sql)
}

func (d *database) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conn != nil {
		_ = d.conn.Close()
	}
}
