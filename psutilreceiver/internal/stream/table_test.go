package stream

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTableIsAMap drives a table and a map through the same scrapes: streams that come, stay, go and return, in changing order, among
// identities that crowd into few places of the index.
func TestTableIsAMap(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 5))
	table, model := newTable(), map[identity]uint64{}
	for scrape := uint32(1); scrape <= 300; scrape++ {
		table.begin()
		streams := rng.IntN(200)
		if scrape%50 == 0 {
			streams = 3 * minShrink
		}
		seen := map[identity]bool{}
		for range streams {
			id := identity{a: rng.Uint64N(2048) << 3, b: 1 + rng.Uint64N(4*uint64(streams))}
			if seen[id] {
				table.touch(id, scrape)
				continue
			}
			seen[id] = true
			st, known := table.lookUp(id, scrape)
			total, modelled := model[id]
			require.Equal(t, modelled, known)
			require.Equal(t, total, st.total)
			total = rng.Uint64()
			st.total, model[id] = total, total
		}
		require.Len(t, model, table.len())
		if rng.IntN(4) == 0 {
			continue // A scrape that was not complete drops nothing.
		}
		table.evict(scrape)
		for id := range model {
			if !seen[id] {
				delete(model, id)
			}
		}
		require.Len(t, model, table.len())
		for id, total := range model {
			at, known := table.find(id)
			require.True(t, known)
			require.Equal(t, total, table.slots[at].series.total)
		}
	}
}
