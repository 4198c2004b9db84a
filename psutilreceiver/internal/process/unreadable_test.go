package process

import (
	"testing"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestAProcessThatOneScanCouldNotReadIsNotNewborn: a process born after the first scrape, which a later scan lists but cannot read for lack of
// descriptors, must not count from birth a second time when it is back.
func TestAProcessThatOneScanCouldNotReadIsNotNewborn(t *testing.T) {
	source := &fakeSource{processes: []fakeProcess{proc(1, 0, "init", 0)}}
	tracker := newTracker(t, source, Options{})
	scrape(t, tracker, 0)
	source.processes = append(source.processes, proc(100, 1, "late", 50))
	s := scrape(t, tracker, 1)
	require.Len(t, s.Shown, 2)
	assert.Equal(t, uint64(50), s.Shown[1].Delta[read.CPUUser], "born since: all of it")

	all := source.processes
	source.processes = all[:1]
	source.unreadable = 1
	require.Len(t, scrape(t, tracker, 2).Shown, 1)
	source.processes, source.unreadable = all, 0
	all[1] = proc(100, 1, "late", 60)
	s = scrape(t, tracker, 3)
	require.Len(t, s.Shown, 2)
	assert.Zero(t, s.Shown[1].Delta[read.CPUUser], "how much of it is new is not known")
	assert.Equal(t, uint64(60), s.Shown[1].Total[read.CPUUser])

	source.processes = append(source.processes, proc(101, 1, "later", 7))
	s = scrape(t, tracker, 4)
	require.Len(t, s.Shown, 3)
	assert.Equal(t, uint64(7), s.Shown[2].Delta[read.CPUUser], "one born after that counts from birth")
}
