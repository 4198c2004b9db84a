package process

import (
	"testing"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestWindowDistinguishesSpikesFromLoad has one process that burns a CPU all the time and one that does so in every fourth scrape.
func TestWindowDistinguishesSpikesFromLoad(t *testing.T) {
	source := &fakeSource{processes: []fakeProcess{proc(10, 1, "burns", 0), proc(11, 1, "spikes", 7_000_000)}}
	tracker, err := NewTracker(source, Options{Fields: read.FieldCPU, Window: 4})
	require.NoError(t, err)
	for n := range 14 {
		s, err := tracker.Scrape(second(n))
		require.NoError(t, err)
		burns, spikes := s.Shown[0], s.Shown[1]
		if n == 0 {
			assert.False(t, burns.HasWindow, "first sight")
		} else {
			assert.True(t, burns.HasWindow)
			assert.InDelta(t, 0.5, burns.WindowUtilization[0], 1e-9, "scrape %d: one CPU of two", n)
		}
		if n >= 4 {
			assert.InDelta(t, 0.125, spikes.WindowUtilization[0], 1e-9, "scrape %d: a quarter of that", n)
			assert.Zero(t, spikes.WindowUtilization[1])
		}
		source.processes[0].Totals[read.CPUUser] += 1_000_000
		if n%4 == 3 {
			source.processes[1].Totals[read.CPUUser] += 1_000_000
		}
	}
}

func TestWindowOfANewProcessAndAfterAGap(t *testing.T) {
	source := &fakeSource{processes: []fakeProcess{proc(10, 1, "old", 0)}}
	tracker, err := NewTracker(source, Options{Fields: read.FieldCPU, Window: 3})
	require.NoError(t, err)
	scrape := func(n int, elapsed time.Duration) *Snapshot {
		at := second(n)
		at.Elapsed = elapsed
		s, err := tracker.Scrape(at)
		require.NoError(t, err)
		return s
	}
	scrape(0, 0)
	source.processes[0].Totals[read.CPUSystem] += 500_000
	source.processes = append(source.processes, proc(12, 1, "young", 300_000))
	s := scrape(1, time.Second)
	assert.InDelta(t, 0.25, s.Shown[0].WindowUtilization[1], 1e-9)
	assert.False(t, s.Shown[1].HasWindow, "what it used before it was seen has no known time")
	source.breakAfter = 1
	_, err = tracker.Scrape(second(2))
	require.ErrorIs(t, err, errFake)
	source.breakAfter = 0
	source.processes[1].Totals[read.CPUUser] += 800_000
	s = scrape(3, 2*time.Second) // Elapsed counts from the last scrape that succeeded.
	assert.InDelta(t, 0.2, s.Shown[1].WindowUtilization[0], 1e-9)
	assert.InDelta(t, 0.5/6, s.Shown[0].WindowUtilization[1], 1e-9)
}

func TestWindowIsBounded(t *testing.T) {
	for _, window := range []int{-1, MaxWindow + 1} {
		_, err := NewTracker(&fakeSource{}, Options{Window: window})
		assert.ErrorContains(t, err, "window is")
	}
}
