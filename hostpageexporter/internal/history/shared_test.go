package history

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestScrapersThatBeginTogether: two scrapers whose first scrapes have the same time have axes of their own all the same, whichever is first, and a
// series that comes seldom with the scrapes of its own scraper stays with them.
func TestScrapersThatBeginTogether(t *testing.T) {
	for name, shift := range map[string]time.Duration{"before": -20 * time.Millisecond, "after": 20 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			f := newFeeder(t, nil)
			fast := func(i int) {
				f.now = epoch.Add(time.Duration(i) * time.Second)
				if i%4 == 0 {
					f.send("seldom", Gauge, 7)
				}
				f.send("fast", Counter, float64(100*i))
			}
			slow := func(i int) {
				f.now = epoch.Add(time.Duration(i)*time.Second + shift)
				f.send("slow", Gauge, 5, 6)
			}
			f.send("slow", Gauge, 5, 6)
			fast(0)
			for i := 1; i <= 20; i++ {
				if i%5 == 0 && shift < 0 {
					slow(i)
				}
				fast(i)
				if i%5 == 0 && shift > 0 {
					slow(i)
				}
			}
			var a answer
			require.NoError(t, f.Range(Query{Selection: Selection{Names: []string{"fast", "slow", "seldom"}}, From: epoch.UnixMicro(), To: f.at() + 2e6, Width: 600}, &a))
			times := map[int]int{}
			for _, g := range a.groups {
				for _, s := range g.series {
					some := 0
					for _, v := range s.Avg {
						if !math.IsNaN(v) {
							some++
						}
					}
					if s.Kind == Counter {
						require.Equal(t, 20, some, "a rate at each scrape but the first")
						require.Len(t, g.times, 21)
					}
					times[len(g.times)] += some
				}
			}
			require.Equal(t, 2*4, times[4], "each sample of the slow ones but their first, without gaps between them")
		})
	}
}
