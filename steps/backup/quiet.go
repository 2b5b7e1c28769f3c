package backup

import (
	"context"
	"fmt"

	"belay/steps"
	"belay/steps/canary"
)

// databaseCanary holds the counts taken when the app was down and the databases
// still up.
const databaseCanary = "canary-databases.json"

// Count is the work that belongs between stopping the app and stopping the
// databases: nothing writes any more and the servers still answer, so this count
// is exact. Its result goes beside the restore point; prove compares the copy with
// it. A database that is down already is left to prove, with a warning.
func Count(ctx context.Context, d Deps, p *steps.Plan, runDir string, r *steps.Reporter) error {
	b := base{Deps: d, plan: p, dir: Dir(p, runDir)}
	return b.countQuiet(ctx, r)
}

func (b base) countQuiet(ctx context.Context, r *steps.Reporter) error {
	if done, err := b.sealed(); done || err != nil {
		return err
	}
	if b.plan.NoBackup != "" {
		return nil
	}
	all, err := b.Engine.Containers(ctx, b.plan.Project)
	if err != nil {
		return fmt.Errorf("find the databases: %w", err)
	}
	var up []steps.Database
	down := false
	for _, db := range b.plan.Databases {
		if !canary.Served(db) {
			continue
		}
		if _, ok := canary.Running(all, db.Service); !ok {
			down = true
			continue
		}
		up = append(up, db)
	}
	if down {
		var c canary.Canary
		if ok, err := readJSON(b.path(databaseCanary), &c); ok || err != nil {
			return err // stopped by an earlier attempt, after it had counted
		}
		r.Warn("A database is down already, so its rows cannot be counted before the copy; they are counted in the copy alone.")
	}
	r.Progress(0, 0, steps.Rows, "counting tables and rows")
	c, err := canary.TakeDatabases(ctx, b.Engine, b.plan.Project, up, b.Now())
	if err != nil {
		return err
	}
	return writeJSON(b.path(databaseCanary), c)
}
