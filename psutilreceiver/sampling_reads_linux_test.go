package psutilreceiver

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/sampling"
)

// TestSampledSeriesAreThoseOfTheMetric compares for everything that can be sampled the unit and the attributes with those of the metric.
func TestSampledSeriesAreThoseOfTheMetric(t *testing.T) {
	for _, perCPU := range []bool{false, true} {
		t.Run(fmt.Sprintf("per_cpu=%v", perCPU), func(t *testing.T) {
			k := newKernelModel(t)
			k.root = copyServer(t)
			h := newSampledHost(t, k, everyScraper, onlyScrapers(sampledScrapers()...), func(cfg *Config) {
				cfg.Sampling.Metrics = sampledNames()
				cfg.Scrapers.CPU.Get().PerCPU = perCPU
				cfg.Scrapers.Disk.Get().Partitions = true
				cfg.Scrapers.Disk.Get().Exclude.Devices = []string{"nvme1n1"}
				cfg.Scrapers.Network.Get().Include.Interfaces = []string{"eno1", "wg0"}
			})
			h.scrape(t)
			require.NoError(t, overlay(k.root, os.DirFS(fixtureRoot("server-6.x.later"))))
			k.clock.step(10 * time.Second)
			h.receiver.sampler.sample()
			md := h.scrape(t)
			type shape struct {
				unit   string
				series []string
			}
			shapes := make(map[string]shape)
			for _, m := range md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
				s := shape{unit: m.Unit()}
				if m.Type() == pmetric.MetricTypeExponentialHistogram {
					for _, p := range m.ExponentialHistogram().DataPoints().All() {
						s.series = append(s.series, fmt.Sprint(p.Attributes().AsRaw()))
					}
				} else {
					for _, p := range numberPointsOf(m).All() {
						s.series = append(s.series, fmt.Sprint(p.Attributes().AsRaw()))
					}
				}
				slices.Sort(s.series)
				shapes[m.Name()] = s
			}
			require.Equal(t, 1, md.ResourceMetrics().Len(), "one resource, the host's")
			for i := range sampleable() {
				m := &sampleable()[i]
				main, ok := shapes[m.name]
				require.True(t, ok, "%s is not emitted", m.name)
				sampled, ok := shapes[m.baseName()+".distribution"]
				require.True(t, ok, "%s is not sampled", m.name)
				assert.Equal(t, main.series, sampled.series, m.name)
				assert.Equal(t, m.unit, main.unit, m.name)
				switch {
				case !m.counter:
					assert.Equal(t, main.unit, sampled.unit)
				case main.unit == "s":
					assert.Equal(t, "1", sampled.unit)
				default:
					assert.Equal(t, main.unit+"/s", sampled.unit)
				}
			}
		})
	}
}

func TestOnlyTheFilesThatAreNeededAreRead(t *testing.T) {
	k := newKernelModel(t)
	h := newSampledHost(t, k, func(cfg *Config) {
		cfg.Sampling.Metrics = []string{"system.cpu.load_average.1m", "system.memory.linux.pressure.total"}
	})
	watch, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	require.NoError(t, err)
	defer func() { require.NoError(t, unix.Close(watch)) }()
	for _, dir := range []string{"proc", "proc/pressure", "proc/net"} {
		_, err := unix.InotifyAddWatch(watch, filepath.Join(k.root, dir), unix.IN_OPEN)
		require.NoError(t, err)
	}
	h.receiver.sampler.sample()
	buf := make([]byte, 4096)
	n, err := unix.Read(watch, buf)
	require.NoError(t, err)
	var opened []string
	for rest := buf[:n]; len(rest) >= unix.SizeofInotifyEvent; {
		length := int(rest[12]) // Of the name, with zeros behind it.
		opened = append(opened, strings.TrimRight(string(rest[unix.SizeofInotifyEvent:unix.SizeofInotifyEvent+length]), "\x00"))
		rest = rest[unix.SizeofInotifyEvent+length:]
	}
	assert.Equal(t, []string{"loadavg", "memory"}, opened)
}

func TestFilesThatCannotBeReadAreLeftAloneForAnInterval(t *testing.T) {
	k := newKernelModel(t)
	h := newSampledHost(t, k)
	k.clock.step(time.Second)
	h.scrape(t)
	loadavg := filepath.Join(k.root, "proc/loadavg")
	require.NoError(t, os.Remove(loadavg))
	sample := func(seconds int) {
		for range seconds {
			k.clock.step(time.Second)
			h.receiver.sampler.sample()
		}
	}
	const load = "system.cpu.load_average.1m.distribution"
	sample(30)
	require.NoError(t, os.WriteFile(loadavg, []byte("3.00 0.00 0.00 1/1 1\n"), 0o600))
	sample(30)
	points := histogramsOf(t, h.scrape(t), pmetric.AggregationTemporalityDelta)
	assert.NotContains(t, points, load)
	assert.Equal(t, uint64(60), points["system.memory.utilization.distribution{system.memory.state=used}"].Count(), "the others go on")
	sample(60)
	assert.Equal(t, uint64(60), histogramsOf(t, h.scrape(t), pmetric.AggregationTemporalityDelta)[load].Count(), "it is back")
}

func TestAClockThatIsSetBack(t *testing.T) {
	h := newSampledHost(t, newKernelModel(t))
	h.scrape(t)
	name := fmt.Sprintf(userShare, ".distribution")
	h.run(t, 60, activity{busy: 0.1})
	first := histogramsOf(t, h.scrape(t), pmetric.AggregationTemporalityDelta)[name]
	o := h.receiver.groups[0].runs[0].sampled
	export := func(wall time.Time) map[string]pmetric.ExponentialHistogramDataPoint {
		md := pmetric.NewMetrics()
		o.export(&scrapeContext{now: wall, time: pcommon.NewTimestampFromTime(wall)}, md)
		return histogramsOf(t, md, pmetric.AggregationTemporalityDelta)
	}
	now := h.kernel.clock.read()
	h.run(t, 10, activity{busy: 0.2})
	assert.Empty(t, export(now.Add(-30*time.Second)), "held until the clock has caught up")
	h.run(t, 10, activity{busy: 0.4})
	p := export(now.Add(20 * time.Second))[name]
	assert.Equal(t, uint64(20), p.Count(), "nothing is forgotten")
	assert.Equal(t, first.Timestamp(), p.StartTimestamp())
	h.run(t, 10, activity{busy: 0.4})
	p = export(now.Add(-time.Hour))[name]
	assert.Equal(t, uint64(10), p.Count(), "set back by more, the new clock is the true one")
	assert.Less(t, p.StartTimestamp(), p.Timestamp())
}

func TestASampleAllocatesNothing(t *testing.T) {
	for name, configure := range map[string]func(*Config){
		"default set": func(*Config) {},
		"everything": func(cfg *Config) {
			cfg.Sampling.Metrics = sampledNames()
			cfg.Metrics.SystemMemoryLinuxWriteback.Enabled = true
		},
		"per CPU": func(cfg *Config) { cfg.Scrapers.CPU.Get().PerCPU = true },
	} {
		t.Run(name, func(t *testing.T) {
			k := newKernelModel(t)
			k.root = "" // This host: a copy of a kernel's files is not kept open.
			h := newSampledHost(t, k, configure)
			for range 10 {
				k.clock.step(time.Second)
				h.receiver.sampler.sample()
			}
			// What the kernel has no file for is tried again once a minute.
			h.receiver.sampler.sources = slices.DeleteFunc(h.receiver.sampler.sources, func(p pacedSource) bool { return !p.retry.IsZero() })
			require.NotEmpty(t, h.receiver.sampler.sources)
			for range 2 { // Buckets are allocated where values have not been before: let both histograms of a series have all.
				for _, g := range h.receiver.groups {
					for _, run := range g.runs {
						run.sampled.set.Take(func(x *sampledSeries, _ *sampling.Histogram) {
							x.samples.Observe(1, 1)
							x.samples.Observe(1<<31, 1)
						})
					}
				}
				h.receiver.sampler.sample()
			}
			assert.Zero(t, testing.AllocsPerRun(50, func() {
				k.clock.step(time.Second)
				h.receiver.sampler.sample()
			}))
		})
	}
}
