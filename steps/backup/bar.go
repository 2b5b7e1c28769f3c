package backup

import (
	"belay/steps"
)

// bar adds the bytes of several stores up to one progress.
type bar struct {
	r     *steps.Reporter
	done  int64
	total int64 // 0 when a store's size is unknown
}

func newBar(r *steps.Reporter, stores []steps.Store) *bar {
	b := &bar{r: r}
	for _, s := range stores {
		if s.Bytes < 0 {
			b.total = 0
			return b
		}
		b.total += s.Bytes
	}
	return b
}

// during gives the callback for one store.
func (b *bar) during(s steps.Store) func(int64) {
	return func(n int64) { b.say(b.done+n, s.Name) }
}

// past counts a store that is through.
func (b *bar) past(n int64) { b.done += n }

// say never claims more than the whole: the sizes in the plan are a moment old.
func (b *bar) say(n int64, text string) {
	b.r.Progress(n, Whole(n, b.total), steps.Bytes, text)
}

// Whole is the total to show beside done: 0, unknown, when it was not known or
// has turned out to be too small.
func Whole(done, total int64) int64 {
	if total < done {
		return 0
	}
	return total
}
