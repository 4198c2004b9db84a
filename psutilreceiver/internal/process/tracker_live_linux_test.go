package process

import (
	"testing"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/proctest"
)

func TestMain(m *testing.M) { proctest.Main(m, nil) }

func liveReader(tb testing.TB) *read.Reader {
	tb.Helper()
	r := read.New("")
	tb.Cleanup(func() { assert.NoError(tb, r.Close()) })
	return r
}

func TestLiveTimeOfAChildThatNoScrapeSaw(t *testing.T) {
	c := proctest.StartChild(t)
	require.Equal(t, "done", c.Ask(""))
	tracker := newTracker(t, liveReader(t), Options{Filter: Filter{Include: Match{PIDs: []int32{int32(c.PID())}}}})
	scrape(t, tracker, 0)
	require.Equal(t, "done", c.Ask("burn in a child"))
	s := scrape(t, tracker, 1)
	require.Len(t, s.Shown, 1)
	p := s.Shown[0]
	assert.GreaterOrEqual(t, p.Delta[read.ReapedUser]+p.Delta[read.ReapedSystem], uint64(40_000))
	assert.Equal(t, p.Delta[read.ReapedUser], p.Total[read.ReapedUser])
}
