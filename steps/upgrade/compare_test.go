package upgrade

import (
	"context"
	"errors"
	"testing"

	"belay/dockerx"
	"belay/dockerx/tree"
	"belay/steps"
	"belay/steps/canary"
)

func counted(rows ...int64) canary.Canary {
	d := canary.Database{Kind: "postgres", Service: "db", Name: "app"}
	for _, n := range rows {
		d.Tables = append(d.Tables, canary.Table{Name: "t", Rows: n})
	}
	return canary.Canary{Databases: []canary.Database{d}}
}

// A healthy app on an empty database is the loss that health checks miss.
func TestEmptiedDatabaseIsSeen(t *testing.T) {
	for _, c := range []struct {
		before, now canary.Canary
		want        steps.Verdict
	}{
		{counted(100, 5), counted(100, 5), steps.Pass},
		{counted(100, 5), counted(80), steps.Pass}, // a migration may move and drop
		{counted(100, 5), counted(0, 0), steps.Fail},
		{counted(100, 5), counted(), steps.Fail},
		{counted(0), counted(0), steps.Pass},
	} {
		got := dataSignals(c.before, c.now)
		if len(got) != 1 || got[0].Verdict != c.want || got[0].Evidence == "" {
			t.Errorf("%v, then %v: %+v", c.before.Databases[0].Tables, c.now.Databases[0].Tables, got)
		}
	}
}

// scanner is an engine of which only the walk over a store is asked.
type scanner struct {
	Engine
	sum tree.Summary
	err error
}

func (s scanner) ScanTree(context.Context, dockerx.Data, []string) (tree.Summary, error) {
	return s.sum, s.err
}

func TestEmptiedVolumeIsSeen(t *testing.T) {
	for _, c := range []struct {
		engine scanner
		bytes  int64
		want   steps.Verdict
	}{
		{scanner{sum: tree.Summary{Files: 9, Bytes: 10}}, 10, steps.Pass},
		{scanner{sum: tree.Summary{Files: 0}}, 10, steps.Fail},
		{scanner{err: errors.New("changed while read")}, 10, steps.Unknown},
		{scanner{}, scanAtMost + 1, steps.Unknown},
	} {
		s := NewSession(Deps{Engine: c.engine})
		before := canary.Canary{Stores: []canary.Store{{Data: dockerx.Data{Kind: dockerx.VolumeData, Name: "uploads"}, Files: 9, Bytes: c.bytes}}}
		got := s.fileSignals(t.Context(), &steps.Plan{}, before)
		if len(got) != 1 || got[0].Verdict != c.want || got[0].Evidence == "" {
			t.Errorf("%+v: %+v", c, got)
		}
	}
}
