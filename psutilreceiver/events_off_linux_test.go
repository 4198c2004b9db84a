package psutilreceiver

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
)

// sockets counts the sockets that this process has open.
func sockets(t *testing.T) (n int) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	for _, e := range entries {
		if to, err := os.Readlink(filepath.Join("/proc/self/fd", e.Name())); err == nil && strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}

// TestEventsCostNothingWhereThereAreNone holds that without kinds of events there is neither a goroutine nor a socket for them, and no counter.
func TestEventsCostNothingWhereThereAreNone(t *testing.T) {
	running := func() int {
		stacks := make([]byte, 1<<20)
		return strings.Count(string(stacks[:runtime.Stack(stacks, true)]), "psutilreceiver.(*eventLooks)")
	}
	for _, kinds := range [][]string{nil, {"process.exit"}} {
		before := sockets(t)
		t.Run("", func(t *testing.T) {
			h := &eventsHost{logs: &consumertest.LogsSink{}, metrics: &consumertest.MetricsSink{}}
			cfg := createDefaultConfig().(*Config)
			onlyScrapers("load")(cfg)
			cfg.CollectionInterval, cfg.InitialDelay, cfg.Events.Kinds = 20*time.Millisecond, 0, kinds
			startWithEvents(t, cfg, h)
			if kinds == nil {
				assert.Zero(t, running())
				assert.Equal(t, before, sockets(t))
				assert.Nil(t, cfg.events.log)
				assert.Equal(t, int64(-1), h.counted("process.exit"))
			} else {
				assert.Positive(t, running(), "else this test finds none")
			}
		})
		assert.Equal(t, before, sockets(t))
	}
}
