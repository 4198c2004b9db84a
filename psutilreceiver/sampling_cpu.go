package psutilreceiver

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// cpuSource samples the CPUs through streams like those of the scraper: each with per_cpu, else all together.
type cpuSource struct {
	recorder
	host   *host.Host
	perCPU bool

	last    time.Time // read of the CPUs
	current scrapeContext
	total   *sampledCPU
	growth  cpuGrowth
	cpus    map[int]*sampledCPU // by logical number, bounded by the CPUs that the host can have
}

// sampledCPU is one CPU, or all, with a series for each mode; those of what is not chosen are nil.
type sampledCPU struct {
	cpuStream
	utilization, time [len(cpuModes)]*sampledSeries
}

func newCPUSource(perCPU bool, set sourceSettings) *cpuSource {
	return &cpuSource{
		recorder: set.recorder, host: set.host, perCPU: perCPU, current: scrapeContext{boot: max(set.boot, 1)}, cpus: make(map[int]*sampledCPU),
	}
}

func (s *cpuSource) sample(now time.Time) error {
	sample, err := s.host.CPU()
	if isLost(err) {
		return err
	}
	t := &s.current
	t.previous, t.now, t.time = t.time, now, pcommon.NewTimestampFromTime(now)
	if !s.last.IsZero() {
		t.elapsed = now.Sub(s.last)
	}
	s.last = now
	s.output.set.Lock()
	defer s.output.set.Unlock()
	if !s.perCPU {
		if s.total == nil {
			s.total = s.learn()
		}
		s.growth.advance(&s.total.cpuStream, t, sample)
		s.record(s.total)
		return nil
	}
	for i := range sample.PerCPU {
		times := &sample.PerCPU[i]
		c, ok := s.cpus[times.Number]
		if !ok {
			c = s.learn(metadata.WithCPULogicalNumberMetricAttribute(int64(times.Number)))
			s.cpus[times.Number] = c
		}
		c.advanceOne(t, modesOf(times))
		s.record(c)
	}
	return nil
}

// learn begins the series of a CPU, which has these attributes beside the mode.
func (s *cpuSource) learn(attributes ...metadata.MetricAttributeOption) *sampledCPU {
	c := &sampledCPU{}
	for i, mode := range cpuModes {
		c.utilization[i] = s.series(func(mb *builder) { mb.RecordSystemCPUUtilizationDataPoint(0, 0, mode, attributes...) })
		c.time[i] = s.series(func(mb *builder) { mb.RecordSystemCPUTimeDataPoint(0, 0, mode, attributes...) })
	}
	return c
}

// record observes the share of each mode in the time that was counted in all modes, weighted by that time, and the seconds of each mode that were
// counted per second, which may be 0: the kernel counts in ticks. At a baseline neither is known.
func (s *cpuSource) record(c *sampledCPU) {
	elapsed := s.current.elapsed.Seconds()
	if c.begun || elapsed <= 0 {
		return
	}
	for mode, d := range c.delta {
		if c.seenAs[mode] != modeKnown {
			continue
		}
		if x := c.utilization[mode]; x != nil && c.shares.known {
			x.samples.Observe(c.shares.of(mode), c.shares.whole)
		}
		if x := c.time[mode]; x != nil && !c.skips[mode] {
			x.samples.Observe(d/elapsed, elapsed)
		}
	}
}

func (s *cpuSource) close() error { return nil }

// cpuSampling samples what the scraper shows: the CPUs together, or each.
var cpuSampling = samplingKind{
	metrics: func(d describer) []sampledMetric {
		utilization, _ := d.describe(func(mb *builder) { mb.RecordSystemCPUUtilizationDataPoint(0, 0, cpuModes[0]) })
		time, _ := d.describe(func(mb *builder) { mb.RecordSystemCPUTimeDataPoint(0, 0, cpuModes[0]) })
		return []sampledMetric{newSampledMetric(utilization, samplingByDefault), newSampledMetric(time, samplingByName)}
	},
	sources: func(cfg *ScrapersConfig, set sourceSettings) []source {
		return []source{newCPUSource(cfg.CPU.Get().PerCPU, set)}
	},
}
