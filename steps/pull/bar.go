package pull

import (
	"sync"

	"belay/dockerx"
	"belay/steps"
)

// bar adds layers up into one progress that never goes back. Layers whose size
// the engine does not know yet leave the total unknown.
type bar struct {
	mu     sync.Mutex
	r      *steps.Reporter
	ref    string
	layers map[string]dockerx.PullProgress
	most   int64
}

func newBar(r *steps.Reporter, ref string) *bar {
	return &bar{r: r, ref: ref, layers: map[string]dockerx.PullProgress{}}
}

func (b *bar) on(p dockerx.PullProgress) {
	b.mu.Lock()
	defer b.mu.Unlock()
	old := b.layers[p.Layer]
	switch p.Phase {
	case "complete", "exists", "extracting":
		p.Total = max(old.Total, p.Total)
		if p.Phase == "extracting" || p.Total < old.Total {
			p.Total = old.Total // extraction counts other bytes than the download did
		}
		p.Current = p.Total
	default:
		p.Current = max(old.Current, p.Current)
		p.Total = max(old.Total, p.Total)
	}
	b.layers[p.Layer] = p
	done, total := b.sum()
	b.most = max(b.most, done)
	b.r.Progress(b.most, total, steps.Bytes, b.ref)
}

func (b *bar) sum() (done, total int64) {
	known := true
	for _, l := range b.layers {
		done += l.Current
		total += l.Total
		if l.Total == 0 && l.Phase != "exists" && l.Phase != "complete" {
			known = false
		}
	}
	if !known {
		total = 0
	}
	return done, total
}

func (b *bar) bytes() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	done, _ := b.sum()
	return done
}
