package history

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// process is a sample of a process with everything unknown but its totals of CPU and its memory.
func (f *feeder) process(pid int64, name string, cpu, memory float64) *ProcessSample {
	unknown := math.NaN()
	return &ProcessSample{
		Process: Process{Pid: pid, Created: 1000 + pid, Name: name}, Time: f.now.UnixNano(), Start: epoch.Add(-time.Hour).UnixNano(), CPU: cpu,
		Children: unknown, Read: unknown, Write: unknown, Utilization: unknown, Memory: memory, Threads: 1,
	}
}

func (f *feeder) table(samples ...*ProcessSample) {
	w := f.Begin(f.now)
	w.CPUs(2)
	r, _ := w.Resource(Key{1, 1}, func() []Attribute { return nil })
	for _, p := range samples {
		w.Process(r, p)
	}
	w.Commit()
}

func (f *feeder) other(cpu float64) *ProcessSample {
	p := f.process(0, "", cpu, 100)
	p.Process, p.Group, p.Count = Process{}, "other", 7
	return p
}

func TestTables(t *testing.T) {
	f := newFeeder(t, nil)
	assert.Zero(t, f.Table(f.at()).Time)
	f.table(f.process(1, "init", 5, 4096), f.process(2, "web", 100, 8192), f.other(3))
	first := f.at()
	f.now = f.now.Add(2 * time.Second)
	born := f.process(3, "new", 0.5, 1)
	born.Start = f.now.Add(-time.Second).UnixNano()
	shown := f.process(4, "shown", 70, 1)
	shown.Utilization = 0.25
	f.table(f.process(1, "init", 5, 4096), f.process(2, "web", 103, 8192), born, shown, f.process(5, "unknown", 9, 1), f.other(4))
	second := f.at()

	table := f.Table(first)
	assert.Equal(t, [3]int64{first, 0, second}, [3]int64{table.Time, table.Previous, table.Next})
	require.Len(t, table.Rows, 2)
	assert.True(t, math.IsNaN(table.Rows[0].CPU), "nothing to subtract from")
	assert.InDelta(t, 8192, table.Rows[1].Memory, 0)

	f.now = f.now.Add(2 * time.Second)
	for _, at := range []int64{second, f.at()} { // While it is open, and when it is stored.
		table = f.Table(second)
		assert.Equal(t, second, table.Time)
		assert.Equal(t, first, table.Previous)
		var names []string
		var cpu []float64
		for _, r := range table.Rows {
			names, cpu = append(names, r.Name), append(cpu, r.CPU)
		}
		assert.Equal(t, []string{"init", "web", "new", "shown", "unknown"}, names)
		assert.Equal(t, []any{0.0, 1.5, 0.25, 0.5, nil}, nulls(cpu))
		require.Len(t, table.Groups, 1)
		assert.InDelta(t, 0.5, table.Groups[0].CPU, 1e-9)
		assert.Equal(t, int64(7), table.Groups[0].Count)
		assert.Equal(t, int64(2), table.CPUs)
		_ = at
		f.table(f.process(1, "init", 5, 4096), f.other(4))
	}
}

func TestUnattributed(t *testing.T) {
	f := newFeeder(t, nil)
	for i := range 3 {
		w := f.Begin(f.now)
		r, _ := w.Resource(Key{1, 1}, func() []Attribute { return nil })
		w.Process(r, f.process(1, "init", 0, 1))
		w.Unattributed(f.now.UnixNano(), float64(i)*0.2)
		w.Commit()
		f.now = f.now.Add(2 * time.Second)
	}
	assert.InDelta(t, 0.1, f.Table(f.at()).Unattributed, 1e-9)
	assert.InDelta(t, 0.1, f.Table(epoch.Add(2*time.Second).UnixMicro()).Unattributed, 1e-9)
	assert.True(t, math.IsNaN(f.Table(epoch.UnixMicro()).Unattributed))
}

// TestOldTables: after the hour the busiest table of each quarter minute is left, with its first rows.
func TestOldTables(t *testing.T) {
	f := newFeeder(t, nil)
	cpu := make([]float64, 60)
	for i := range 3 * 1800 {
		var samples []*ProcessSample
		for pid := range cpu {
			if pid == i%60 {
				cpu[pid] += 0.01
			}
			samples = append(samples, f.process(int64(pid), fmt.Sprint("p", pid), cpu[pid], float64(pid)))
		}
		if i == 100 {
			cpu[42] += 3
			samples[42].CPU = cpu[42]
		}
		f.table(append(samples, f.other(0))...)
		f.now = f.now.Add(2 * time.Second)
	}
	old := f.Table(epoch.Add(205 * time.Second).UnixMicro())
	assert.Equal(t, 1, old.Tier)
	assert.Len(t, old.Rows, 25)
	assert.Equal(t, 35, old.Omitted)
	assert.Equal(t, epoch.Add(200*time.Second).UnixMicro(), old.Time, "the busiest of its quarter minute")
	busiest := 0.0
	for _, r := range old.Rows {
		busiest = max(busiest, r.CPU)
	}
	assert.InDelta(t, 1.5, busiest, 0.01)
	assert.NotZero(t, old.Previous)
	assert.NotZero(t, old.Next)
	recent := f.Table(f.now.Add(-30 * time.Minute).UnixMicro())
	assert.Equal(t, 0, recent.Tier)
	assert.Len(t, recent.Rows, 60)
	c := f.Catalogue(f.now)
	assert.Less(t, c.Used, c.Limit)
}

func TestTablesWithinMemory(t *testing.T) {
	f := newFeeder(t, func(c *Config) { c.MaxMemory, c.MaxSeries = 4<<20, 100 })
	pid := int64(0)
	for range 700 { // A storm: all processes are new each time.
		var samples []*ProcessSample
		for range 100 {
			pid++
			samples = append(samples, f.process(pid, strings.Repeat("x", rand.IntN(500)), rand.Float64(), rand.Float64()*1e9))
		}
		f.table(append(samples, f.other(0))...)
		c := f.Catalogue(f.now)
		require.LessOrEqual(t, c.Used, c.Limit)
		f.now = f.now.Add(2 * time.Second)
	}
	assert.NotEmpty(t, f.Table(f.at()).Groups)
}

func TestTablesOfOthers(t *testing.T) {
	f := newFeeder(t, nil)
	f.table(f.process(1, "init", 0, 1), f.other(1))
	main := f.at()
	f.now = f.now.Add(100 * time.Millisecond)
	f.table(f.process(9, "watched", 0, 1))
	assert.Equal(t, main, f.Table(f.at()).Time, "a receiver that shows a few does not take the place of one that shows all")
	w := f.Begin(f.now)
	r, _ := w.Resource(Key{2, 2}, func() []Attribute { return nil })
	assert.False(t, w.Process(r, f.process(1, "another host's", 0, 1)))
	w.Commit()
	f.now = f.now.Add(1900 * time.Millisecond)
	f.table(f.process(1, "init", 1, 1), f.other(2))
	assert.InDelta(t, 0.5, f.Table(f.at()).Rows[0].CPU, 1e-9)
	assert.Equal(t, main, f.Table(f.at()).Previous)
}

func TestCommandLines(t *testing.T) {
	f := newFeeder(t, nil)
	p := f.process(1, strings.Repeat("n", 100_000), 0, 1)
	p.CommandLine = strings.Repeat("secret ", 20_000)
	f.table(p)
	assert.Empty(t, f.Table(f.at()).Rows[0].CommandLine, "never unless asked for")
	assert.Less(t, len(f.Table(f.at()).Rows[0].Name), 200)
	cfg := DefaultConfig()
	cfg.CommandLines = true
	f.Reconfigure(cfg)
	f.now = f.now.Add(time.Second)
	p.Time = f.now.UnixNano()
	f.table(p)
	assert.Len(t, f.Table(f.at()).Rows[0].CommandLine, maxCommandLine+len("…"))
}
