package alertpipe

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A reload keeps what windows hold, with a storage and without: what they say goes on as if there had been none.
func TestAReloadKeepsWindows(t *testing.T) {
	for _, edit := range []func(*Config){nil, withStorage} {
		for _, reload := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, func(c *Config) {
					if edit != nil {
						edit(c)
					}
					c.Rules[0].Window, c.Rules[0].Aggregate = 2*time.Minute, "avg"
				}, 1)
				r.host.storage = &memoryStorage{}
				r.start()
				feed := func(n int, v float64) {
					for range n {
						advance(10 * time.Second)
						r.feed(v)
					}
				}
				feed(13, 100)
				require.NotEmpty(t, r.out[0].got())
				before := len(r.out[0].got())
				if reload {
					r.restart()
				}
				feed(4, 0)
				assert.Equal(t, []string{"deescalate", "resolve"}, r.out[0].got()[before:], "means down to 67 of 100")
				r.shutdown()
			})
		}
	}
}

// What no successor takes is let go of.
func TestSamplesInMemoryWaitTwoMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil, 1)
		r.start()
		r.feed(90)
		r.shutdown()
		at := r.pipe.set.Now()
		advance(3 * time.Minute)
		_, there := leftSamples.Take(r.pipe.set.owner(), at)
		assert.False(t, there)
	})
}
