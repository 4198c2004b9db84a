package history

import (
	"bytes"
	"encoding/gob"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// live feeds some hours at random: series that come and go, gaps, processes and alerts.
func (f *feeder) live(r *rand.Rand, scrapes int) {
	total := 0.0
	for i := range scrapes {
		values := make([]float64, 6)
		for n := range values {
			values[n] = math.Round(r.Float64() * 1e6)
			if r.IntN(20) == 0 || n == 5 && i < scrapes/2 {
				values[n] = math.NaN()
			}
		}
		total += r.Float64() * 100
		f.send("memory", Gauge, values...)
		f.send("io", Counter, total, 2*total)
		f.send("spread", Distribution, values[0])
		f.now = f.now.Add(time.Second)
		if r.IntN(300) == 0 {
			f.now = f.now.Add(time.Minute)
		}
	}
}

// same requires that two stores answer alike.
func same(t *testing.T, want, got *feeder) {
	t.Helper()
	metrics := []string{"memory", "io", "spread"}
	for _, back := range []time.Duration{time.Minute, 30 * time.Minute, 3 * time.Hour, 48 * time.Hour} {
		for _, width := range []int{60, 600} {
			a, b := want.query(want.now.Add(-back), want.now, width, metrics...), got.query(want.now.Add(-back), want.now, width, metrics...)
			require.Equal(t, a.plan, b.plan)
			require.Len(t, b.groups, len(a.groups))
			for i := range a.groups {
				require.Equal(t, a.groups[i].times, b.groups[i].times)
				require.Len(t, b.groups[i].series, len(a.groups[i].series))
				for j, x := range a.groups[i].series {
					y := b.groups[i].series[j]
					require.Equal(t, x.ID, y.ID)
					require.Equal(t, nulls(x.Avg), nulls(y.Avg))
					require.Equal(t, nulls(x.Min), nulls(y.Min))
					require.Equal(t, nulls(x.Max), nulls(y.Max))
				}
			}
		}
	}
	a, b := want.Catalogue(want.now), got.Catalogue(want.now)
	assert.Equal(t, a.Metrics, b.Metrics)
	for i := range a.Axes {
		b.Axes[i].First = a.Axes[i].First // When the times of a scrape are forgotten depends on when the store is swept.
	}
	assert.Equal(t, a.Axes, b.Axes)
	assert.Equal(t, a.Resources, b.Resources)
	assert.Equal(t, a.Store, b.Store)
}

// loaded saves a store, and returns what is loaded from the file.
func (f *feeder) loaded() *feeder {
	f.tb.Helper()
	path := filepath.Join(f.tb.TempDir(), "history")
	require.NoError(f.tb, f.Save(path, f.now))
	s, err := Load(path, f.cfg, f.now)
	require.NoError(f.tb, err)
	g := &feeder{Store: s, tb: f.tb, now: f.now}
	f.tb.Cleanup(s.Close)
	return g
}

func TestALoadedHistoryGoesOnAsTheSavedOne(t *testing.T) {
	for seed := range uint64(3) {
		r := rand.New(rand.NewPCG(seed, 1))
		f := newFeeder(t, func(c *Config) { c.MaxMemory = 4 << 20; c.MaxSeries = 100 })
		f.live(r, 500+r.IntN(5000))
		g := f.loaded()
		again := rand.New(rand.NewPCG(seed, 2))
		more := 200 + again.IntN(3000)
		f.live(rand.New(rand.NewPCG(seed, 3)), more)
		g.live(rand.New(rand.NewPCG(seed, 3)), more)
		same(t, f, g)
		assert.Empty(t, g.Store.loaded, "each series is the one that it was")
		used := func(f *feeder) int64 { f.mu.Lock(); defer f.mu.Unlock(); return f.used() }
		assert.InDelta(t, used(f), used(g), 256<<10, "memory is counted alike")
	}
}

func TestProcessesAndAlertsAreSaved(t *testing.T) {
	f := newFeeder(t, nil)
	for i := range 100 {
		w := f.Begin(f.now)
		w.CPUs(4)
		host, _ := w.Resource(Key{1, 1}, func() []Attribute { return []Attribute{{"host.name", "web1"}} })
		for pid := range int64(5) {
			w.Process(host, &ProcessSample{
				Process: Process{Pid: pid + 1, Name: "worker", Created: 7}, Time: f.now.UnixNano(), CPU: float64(i) * float64(pid), Memory: 100, Children: math.NaN(),
				Read: math.NaN(), Write: math.NaN(), Utilization: math.NaN(), Threads: 1,
			})
		}
		w.Commit()
		f.now = f.now.Add(2 * time.Second)
	}
	f.Alert(AlertRecord{Episode: "e", UID: "u", Rule: "cpu", Time: f.at(), Started: f.at(), Attributes: []Attribute{{"a", "b"}}})
	f.Keep("e")
	f.Rule(Rule{Name: "cpu", Severity: "critical", Attributes: map[string]any{"threshold": 0.9, "text": "x"}})
	g := f.loaded()
	at := epoch.Add(150 * time.Second).UnixMicro()
	assert.Equal(t, fmt.Sprint(f.Table(at).Rows), fmt.Sprint(g.Table(at).Rows), "NaN is not equal to itself")
	a, b := f.Alerts(0, f.at()+1), g.Alerts(0, f.at()+1)
	assert.Equal(t, fmt.Sprint(a.Episodes[0].table.Rows), fmt.Sprint(b.Episodes[0].table.Rows))
	for _, x := range []*Episode{&a.Episodes[0], &b.Episodes[0]} {
		x.changes, x.table = nil, nil
	}
	assert.Equal(t, a, b)
	assert.Equal(t, f.Catalogue(f.now).Rules, g.Catalogue(f.now).Rules)
	_, kept := g.Kept("e")
	assert.True(t, kept)
	assert.False(t, g.Alert(AlertRecord{Episode: "e", UID: "u"}), "a record that was there is none again")
}

func TestControlGroupsAreSaved(t *testing.T) {
	f := newFeeder(t, func(c *Config) { c.MaxMemory = 4 << 20; c.MaxSeries = 100 })
	const groups, scrapes = 20, 400
	feed := func(f *feeder, from, to int) {
		for i := from; i < to; i++ {
			var samples []*GroupSample
			for n := range groups {
				g := f.group(fmt.Sprintf("/system.slice/%d.service", n), float64(i*n)/10)
				g.Unit, g.Image, g.Memory, g.OOMKills, g.Delta = fmt.Sprintf("%d.service", n), "nginx:1", float64(i), 1, n == 0
				samples = append(samples, g)
			}
			f.groups(append(samples, f.group("other", float64(i)))...)
			f.now = f.now.Add(10 * time.Second)
		}
	}
	feed(f, 0, scrapes)
	g := f.loaded()
	assert.True(t, g.Catalogue(g.now).HasGroups)
	times := 0
	for at := epoch.UnixMicro(); at < f.at()-(20*time.Second).Microseconds(); at += (10 * time.Second).Microseconds() {
		a, b := f.ControlGroups(at), g.ControlGroups(at)
		require.Equal(t, [2]int64{a.Time, a.Previous}, [2]int64{b.Time, b.Previous})
		require.Equal(t, fmt.Sprint(a.Rows), fmt.Sprint(b.Rows), "NaN is not equal to itself")
		if a.Time != 0 {
			times++
		}
	}
	assert.Greater(t, times, scrapes/2)
	feed(g, scrapes, scrapes+3)
	last := g.ControlGroups(g.at())
	require.Len(t, last.Rows, groups+1)
	assert.InDelta(t, scrapes+3, last.Rows[0].OOMKills, 0, "what deltas sum up to goes on")
	assert.InDelta(t, 0.1, last.Rows[10].CPU, 1e-9)
	assert.Equal(t, f.ControlGroups(epoch.Add(time.Hour).UnixMicro()).Time, g.ControlGroups(epoch.Add(time.Hour).UnixMicro()).Time)
	g = g.loaded() // Again, with what was loaded and what came since.
	assert.Equal(t, last.Previous, g.ControlGroups(g.at()).Time)
	used := func(f *feeder) int64 { f.mu.Lock(); defer f.mu.Unlock(); return f.used() }
	assert.LessOrEqual(t, used(g), g.cfg.MaxMemory)
}

// TestAFileWithoutControlGroups holds that a history that an earlier version saved is read.
func TestAFileWithoutControlGroups(t *testing.T) {
	f := newFeeder(t, nil)
	f.live(rand.New(rand.NewPCG(1, 1)), 100)
	saved, err := f.saved(f.now)
	require.NoError(t, err)
	saved.Groups = nil
	var file bytes.Buffer
	e := gob.NewEncoder(&file)
	require.NoError(t, e.Encode(saved))
	for i, l := range saved.Logs {
		for n := range l.Segments {
			require.NoError(t, e.Encode(f.copySegment(i, l.First+uint32(n), l.Segments[n].Filled, nil)))
		}
	}
	text := append([]byte(savedHead), file.Bytes()...)
	path := filepath.Join(t.TempDir(), "history")
	require.NoError(t, os.WriteFile(path, fmt.Appendf(text, "%08x", crc32.ChecksumIEEE(text)), 0o600))
	s, err := Load(path, f.cfg, f.now)
	require.NoError(t, err)
	g := &feeder{Store: s, tb: t, now: f.now}
	t.Cleanup(s.Close)
	same(t, f, g)
	assert.False(t, g.Catalogue(g.now).HasGroups)
	g.groups(g.group("/a", 1))
	assert.Len(t, g.ControlGroups(g.at()).Rows, 1)
}

func TestAFileThatIsDamagedIsRefused(t *testing.T) {
	f := newFeeder(t, nil)
	f.live(rand.New(rand.NewPCG(1, 1)), 2000)
	path := filepath.Join(t.TempDir(), "history")
	require.NoError(t, f.Save(path, f.now))
	whole, err := os.ReadFile(path) //nolint:gosec // The test's own.
	require.NoError(t, err)
	refused := func(content []byte) {
		t.Helper()
		require.NoError(t, os.WriteFile(path, content, 0o600))
		s, err := Load(path, f.cfg, f.now)
		require.ErrorContains(t, err, path)
		require.Nil(t, s)
	}
	for n := 0; n < len(whole); n += 4096 {
		refused(whole[:n])
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		content := append([]byte(nil), whole...)
		content[r.IntN(len(content))] ^= byte(1 + r.IntN(255))
		refused(content)
	}
	noise := make([]byte, 10000)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	refused(noise)
	refused(append([]byte(savedHead), noise...))
}

func TestAFileOfOtherTiersOrTimesIsRefused(t *testing.T) {
	f := newFeeder(t, nil)
	f.live(rand.New(rand.NewPCG(1, 1)), 100)
	path := filepath.Join(t.TempDir(), "history")
	require.NoError(t, f.Save(path, f.now))
	other := f.cfg
	other.Tiers = other.Tiers[:2]
	_, err := Load(path, other, f.now)
	require.ErrorIs(t, err, errOther)
	_, err = Load(path, f.cfg, f.now.Add(-time.Hour))
	require.ErrorContains(t, err, "still to come")
	_, err = Load(path+"x", f.cfg, f.now)
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestASaveThatFailsLeavesTheFile(t *testing.T) {
	f := newFeeder(t, nil)
	f.live(rand.New(rand.NewPCG(1, 1)), 100)
	path := filepath.Join(t.TempDir(), "history")
	require.NoError(t, f.Save(path, f.now))
	require.Error(t, f.Save(filepath.Join(path, "below a file"), f.now))
	f.Close()
	require.Error(t, f.Save(path, f.now))
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, entries, 1, "nothing but the file")
	_, err = Load(path, f.cfg, f.now)
	require.NoError(t, err)
}

// Pushes go on while the history is written, and drop segments that are still to be written.
func TestASaveWhilePushesGoOn(t *testing.T) {
	f := newFeeder(t, func(c *Config) { c.MaxMemory = 4 << 20; c.MaxSeries = 100 })
	f.live(rand.New(rand.NewPCG(1, 1)), 4000)
	path := filepath.Join(t.TempDir(), "history")
	now := f.now
	done := make(chan error)
	go func() { done <- f.Save(path, now) }()
	f.live(rand.New(rand.NewPCG(1, 2)), 3000)
	require.NoError(t, <-done)
	s, err := Load(path, f.cfg, f.now)
	require.NoError(t, err)
	defer s.Close()
	g := &feeder{Store: s, tb: t, now: f.now}
	require.NotEmpty(t, g.query(now.Add(-10*time.Minute), now, 600, "memory").groups)
}
