package stack

import (
	"context"
	"time"

	"belay/dockerx"
)

// Measurer measures stores, as far as it gets before ctx ends.
type Measurer interface {
	Sizes(ctx context.Context, stores []dockerx.Data) map[dockerx.Data]int64
}

// Measure fills in the sizes of the stack's stores, and of the databases that
// have a store of their own, within the given time. What is not known by then
// stays -1.
func Measure(ctx context.Context, m Measurer, s *Stack, within time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	var unknown []dockerx.Data
	for _, st := range s.Stores {
		if st.Bytes < 0 {
			unknown = append(unknown, st.Data)
		}
	}
	if len(unknown) == 0 {
		return
	}
	sizes := m.Sizes(ctx, unknown)
	for i := range s.Stores {
		fill(&s.Stores[i].Bytes, sizes, s.Stores[i].Data)
	}
	for i := range s.Databases {
		if s.Databases[i].Path == "" {
			fill(&s.Databases[i].Bytes, sizes, s.Databases[i].Store)
		}
	}
}

func fill(bytes *int64, sizes map[dockerx.Data]int64, d dockerx.Data) {
	if size, ok := sizes[d]; ok && *bytes < 0 {
		*bytes = size
	}
}
