package upgrade

import (
	"context"
	"fmt"
	"slices"

	"belay/steps"
	"belay/steps/backup"
	"belay/steps/canary"
)

// scanAtMost bounds the files that are counted again after an upgrade: counting
// reads them all, and a photo library must not keep the gate waiting for hours.
const scanAtMost = 4 << 30

// compare counts the databases once the new version is well. A migration may
// change counts; a database that held rows and is empty now is the healthy-looking
// loss that no health check sees.
func (s *Session) compare(p *steps.Plan) func(context.Context) ([]steps.Signal, error) {
	return func(ctx context.Context) ([]steps.Signal, error) {
		point, err := backup.Open(p.BackupDir)
		if err != nil || point.Skipped != "" {
			return nil, nil // skipped on the user's word: there is nothing to compare with
		}
		now, err := canary.Take(ctx, s.d.Engine, p.Project, p.Databases, sqliteStores(p), s.d.Now())
		if err != nil {
			return []steps.Signal{{Name: "data", Subject: p.Project, Verdict: steps.Fail, Evidence: err.Error()}}, nil
		}
		return append(dataSignals(point.Canary, now), s.fileSignals(ctx, p, point.Canary)...), nil
	}
}

// sqliteStores are the stores that hold an SQLite database; their tables can be
// read while the app runs, which is more than can be said of their files.
func sqliteStores(p *steps.Plan) []steps.Store {
	return slices.DeleteFunc(slices.Clone(p.Stores), func(st steps.Store) bool {
		return len(canary.SQLitePaths(p.Databases, st.Data)) == 0
	})
}

func dataSignals(before, now canary.Canary) []steps.Signal {
	var out []steps.Signal
	for _, old := range before.Databases {
		for _, db := range now.Databases {
			if db.Service != old.Service || db.Name != old.Name || db.Kind != old.Kind {
				continue
			}
			was, is := old.Rows(), db.Rows()
			sig := steps.Signal{Name: "data", Subject: old.Service, Verdict: steps.Pass, Evidence: fmt.Sprintf(
				"%s, %s before; %s, %s now", steps.Plural(len(old.Tables), "table"), steps.Plural(int(was), "row"),
				steps.Plural(len(db.Tables), "table"), steps.Plural(int(is), "row"))}
			if was > 0 && is == 0 {
				sig.Verdict = steps.Fail
				sig.Evidence = "every row is gone: " + sig.Evidence
			}
			out = append(out, sig)
		}
	}
	return out
}

// fileSignals counts the files of the app's own stores once more. The app runs
// meanwhile, so counts may differ; a store that held files and is empty now is a
// volume that was lost or replaced.
func (s *Session) fileSignals(ctx context.Context, p *steps.Plan, before canary.Canary) []steps.Signal {
	var out []steps.Signal
	for _, old := range before.Stores {
		sig := steps.Signal{Name: "files", Subject: old.Name, Verdict: steps.Pass}
		if old.Bytes > scanAtMost {
			sig.Verdict, sig.Evidence = steps.Unknown, steps.Size(old.Bytes)+" before; too much to count again now"
			out = append(out, sig)
			continue
		}
		sum, err := s.d.Engine.ScanTree(ctx, old.Data, nil)
		switch {
		case err != nil:
			sig.Verdict, sig.Evidence = steps.Unknown, "could not be counted while the app works: "+err.Error()
		case old.Files > 0 && sum.Files == 0:
			sig.Verdict, sig.Evidence = steps.Fail, fmt.Sprintf("every file is gone: %s before", steps.Plural(old.Files, "file"))
		default:
			sig.Evidence = fmt.Sprintf("%s, %s before; %s, %s now", steps.Plural(old.Files, "file"), steps.Size(old.Bytes), steps.Plural(sum.Files, "file"), steps.Size(sum.Bytes))
		}
		out = append(out, sig)
	}
	return out
}
