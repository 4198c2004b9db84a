package process

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/proctest"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// TestShownProcessesHaveTheExactResidentMemory: of stat's, which misses what each CPU has not added yet, only the ranking and the remainder are made.
func TestShownProcessesHaveTheExactResidentMemory(t *testing.T) {
	h := proctest.NewHost(t)
	h.Process(1, "first", 1, map[string]string{"statm": "700 600 500 0 0 0 0\n"})
	h.Process(2, "second", 2, map[string]string{"statm": "70 60 50 0 0 0 0\n"})
	h.Process(3, "no statm", 3, nil)
	page := func(n uint64) uint64 { return n * uint64(os.Getpagesize()) }

	h.Write("proc/1/stat", strings.Replace(proctest.StatOf(1, "first", 'S', 1, 1), " 4096 2 ", " 4096 9 ", 1))

	tracker := newTracker(t, readerOf(t, h), Options{Fields: read.FieldMemory})
	for n := range 3 {
		s := scrape(t, tracker, n)
		shown := map[int32]*Process{}
		for _, p := range s.Shown {
			shown[p.PID] = p
		}
		require.Len(t, shown, 3)
		assert.Equal(t, page(600), shown[1].Levels[read.Resident])
		assert.Equal(t, page(700), shown[1].Levels[read.Virtual])
		assert.Equal(t, page(60), shown[2].Levels[read.Resident])
		assert.Equal(t, page(2), shown[3].Levels[read.Resident], "what cannot be read costs nothing of stat's")
		assert.Zero(t, shown[1].Have&read.FieldShared, "nobody asked for it")
	}

	top := newTracker(t, readerOf(t, h), Options{Fields: read.FieldMemory, Top: Top{N: 1, By: []RankKey{RankMemory}, Hysteresis: 1}})
	s := scrape(t, top, 0)
	require.Len(t, s.Shown, 1)
	assert.Equal(t, page(600), s.Shown[0].Levels[read.Resident])
	assert.Equal(t, page(4), s.Other.Levels[read.Resident], "the remainder is approximate")
}
