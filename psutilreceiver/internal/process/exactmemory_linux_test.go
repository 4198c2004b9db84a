package process

import (
	"fmt"
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

// TestTheExactMemoryOfAnIdleProcessIsReadLessOften, and at once when anything tells that it may have changed.
func TestTheExactMemoryOfAnIdleProcessIsReadLessOften(t *testing.T) {
	h := proctest.NewHost(t)
	page := func(n uint64) uint64 { return n * uint64(os.Getpagesize()) }
	stat := proctest.StatOf(1, "first", 'S', 1, 1)
	write := func(stat, statm string) {
		h.Process(1, "first", 1, map[string]string{"statm": statm})
		h.Write("proc/1/stat", stat)
	}
	write(stat, "700 600 500 0 0 0 0\n")
	tracker := newTracker(t, readerOf(t, h), Options{Fields: read.FieldMemory})
	n := 0
	resident := func() uint64 {
		shown := scrape(t, tracker, n).Shown
		n++
		require.Len(t, shown, 1)
		return shown[0].Levels[read.Resident]
	}
	require.Equal(t, page(600), resident())
	write(stat, "700 601 500 0 0 0 0\n")
	for range exactFor - 1 {
		resident()
	}
	require.Equal(t, page(601), resident(), "read again after a few scrapes")
	for i, changed := range []string{
		strings.Replace(stat, " 4096 2 ", " 4096 3 ", 1), strings.Replace(stat, " 4096 2 ", " 8192 3 ", 1),
	} {
		require.NotEqual(t, stat, changed)
		write(changed, fmt.Sprintf("700 %d 500 0 0 0 0\n", 700+i))
		require.Equal(t, page(uint64(700+i)), resident(), "stat has another memory")
	}
	columns := strings.Split(strings.TrimSpace(strings.Replace(stat, " 4096 2 ", " 8192 3 ", 1)), " ")
	for i, column := range []int{9, 11, 13, 14} { // Faults and CPU time.
		columns[column] += "9"
		write(strings.Join(columns, " ")+"\n", fmt.Sprintf("700 %d 500 0 0 0 0\n", 800+i))
		require.Equal(t, page(uint64(800+i)), resident(), "column %d", column)
	}
}
