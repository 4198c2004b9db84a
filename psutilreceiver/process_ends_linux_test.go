package psutilreceiver

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadatatest"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// toldSource reads /proc and is told of ends by the test.
type toldSource struct {
	*read.Reader
	exits []read.Exit
	lost  uint64
}

func (s *toldSource) Cgroup(uint64) string { return "" }

func (s *toldSource) Exits(visit func(*read.Exit)) uint64 {
	for i := range s.exits {
		visit(&s.exits[i])
	}
	lost := s.lost
	s.exits, s.lost = nil, 0
	return lost
}

// newToldHost is a host of the process scraper alone, which is told of ends.
func newToldHost(t *testing.T, configure func(*Config)) (*passHost, *toldSource) {
	t.Helper()
	h := newPassHost(t, func(cfg *Config) {
		onlyScrapers("process")(cfg)
		configure(cfg)
	})
	s := h.groups[0].runs[0].scraper.(*processScraper)
	source := &toldSource{Reader: read.New(h.root)}
	var err error
	require.NoError(t, s.tracker.Close())
	s.tracker, err = process.NewTracker(source, s.cfg.options(s.metrics, s.attributes))
	require.NoError(t, err)
	return h, source
}

func compilers(ancestor int32, seconds uint64) read.Exit {
	x := read.Exit{Processes: 7, Ancestor: ancestor, Comm: "cc1"}
	x.Totals[read.CPUUser], x.Totals[read.DiskReadBytes] = seconds*1e6, 4096
	return x
}

func TestProcessesThatNoScrapeSawAreShown(t *testing.T) {
	for _, temporality := range []Temporality{TemporalityDelta, TemporalityCumulative} {
		t.Run(string(temporality), func(t *testing.T) {
			tick := func(h *passHost) map[string]float64 {
				h.clock.step(h.groups[0].interval)
				return h.scrape(t, h.groups[0])
			}
			// after is what a total is at the second scrape of two that each added so much.
			after := func(first, second float64) float64 {
				if temporality == TemporalityDelta {
					return second
				}
				return first + second
			}
			t.Run("groups", func(t *testing.T) {
				h, source := newToldHost(t, func(cfg *Config) {
					cfg.Temporality = temporality
					cfg.Scrapers.Process.Get().GroupBy = []string{"executable"}
				})
				h.scrape(t, h.groups[0])
				source.exits = []read.Exit{compilers(1, 3)}
				got := tick(h)
				assert.InDelta(t, 3, got["cc1 process.cpu.time{cpu.mode=user}"], 1e-9)
				assert.Zero(t, got["cc1 process.group.process.count"])
				assert.NotContains(t, got, "cc1 process.memory.usage")
				source.exits = []read.Exit{compilers(1, 4)}
				got = tick(h)
				assert.InDelta(t, after(3, 4), got["cc1 process.cpu.time{cpu.mode=user}"], 1e-9)
				assert.InDelta(t, after(4096, 4096), got["cc1 process.disk.io{disk.io.direction=read}"], 1e-9)
				assert.InDelta(t, 0, got["other process.cpu.time{cpu.mode=user}"], 1e-9)
			})
			t.Run("processes", func(t *testing.T) {
				h, source := newToldHost(t, func(cfg *Config) {
					cfg.Temporality = temporality
					cfg.Scrapers.Process.Get().Top.N = 0
				})
				h.scrape(t, h.groups[0])
				source.exits = []read.Exit{compilers(1, 3), compilers(0, 5)}
				tick(h)
				source.exits = []read.Exit{compilers(1, 4), compilers(0, 6)}
				got := tick(h)
				assert.InDelta(t, after(3, 4), got["1 process.children.cpu.time{cpu.mode=user}"], 1e-9)
				assert.InDelta(t, after(5, 6), got["other process.cpu.time{cpu.mode=user}"], 1e-9)
				assert.InDelta(t, after(4096, 4096), got["other process.disk.io{disk.io.direction=read}"], 1e-9)
			})
		})
	}
}

func TestLostEndsAreCounted(t *testing.T) {
	h, source := newToldHost(t, func(*Config) {})
	telemetry := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, telemetry.Shutdown(context.Background())) })
	builder, err := metadata.NewTelemetryBuilder(telemetry.NewTelemetrySettings())
	require.NoError(t, err)
	h.groups[0].runs[0].scraper.(*processScraper).telemetry = builder
	h.scrape(t, h.groups[0])
	_, err = telemetry.GetMetric("otelcol_psutil_process_ends_lost")
	require.Error(t, err, "nothing was lost")
	for _, lost := range []uint64{3, 0, 4} {
		source.lost = lost
		h.clock.step(h.groups[0].interval)
		h.scrape(t, h.groups[0])
	}
	metadatatest.AssertEqualPsutilProcessEndsLost(t, telemetry, counts{{Value: 7}}, untimed...)
}

// TestStatesAreCountedByBPFAtAnotherInterval is what the processes scraper has of the process scraper's reader.
func TestStatesAreCountedByBPFAtAnotherInterval(t *testing.T) {
	needsBPF(t)
	cfg := createDefaultConfig().(*Config)
	cfg.Scrapers = offeredScrapers()
	process := cfg.Scrapers.Process.GetOrInsertDefault()
	process.CollectionInterval, process.Reader = time.Hour, ProcessReaderBPF
	cfg.Scrapers.Processes.GetOrInsertDefault()
	r, err := newReceiver(receivertest.NewNopSettings(metadata.Type), cfg, consumertest.NewNop())
	require.NoError(t, err)
	groups, err := r.buildGroups()
	require.NoError(t, err)
	counter := r.states.get()
	require.NotNil(t, counter)
	var letters [128]int32
	require.NoError(t, counter.CountStates(&letters))
	sum, listed := int32(0), 0
	for _, n := range letters {
		sum += n
	}
	proc := read.New("")
	require.NoError(t, proc.Scan(func(*read.Sample) { listed++ }))
	require.NoError(t, proc.Close())
	assert.InDelta(t, listed, sum, float64(listed)/4+20, "processes come and go")
	assert.Positive(t, letters['S'])
	for _, g := range groups {
		require.NoError(t, g.close())
	}
	assert.Nil(t, r.states.get())
}
