package psutilreceiver

import (
	"errors"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// CPUConfig configures the cpu scraper.
type CPUConfig struct {
	ScraperConfig `mapstructure:",squash"`

	// PerCPU reports time and utilization of each logical CPU instead of all together.
	PerCPU bool `mapstructure:"per_cpu"`
	// together are metrics of all CPUs together though PerCPU is set: a configuration of hostmetricsreceiver says it for each metric.
	together []string
}

const (
	systemCPUTime        = "system.cpu.time"
	systemCPUUtilization = "system.cpu.utilization"
)

// cpuRecords are which of the two metrics of a CPU are recorded.
type cpuRecords struct{ time, utilization bool }

// shown tells which metrics are recorded of each CPU, and which of all together.
func (c *CPUConfig) shown() (each, all cpuRecords) {
	if !c.PerCPU {
		return cpuRecords{}, cpuRecords{true, true}
	}
	all = cpuRecords{slices.Contains(c.together, systemCPUTime), slices.Contains(c.together, systemCPUUtilization)}
	return cpuRecords{!all.time, !all.utilization}, all
}

type cpuScraper struct {
	scraperSettings
	each   cpuRecords // recorded of each CPU
	all    cpuRecords // recorded of all together
	total  cpuStream
	growth cpuGrowth
	cpus   map[int]*cpuStream // by logical number; kept while a CPU is offline, so bounded by the CPUs that the host can have

	throttles *host.Throttles // nil if nothing of them is enabled

	cores    int // physical ones, at coresFor logical ones: once it is known, the topology is read again only when CPUs come or go
	coresFor int

	runQueues *host.RunQueues
}

func newCPUScraper(cfg CPUConfig, settings scraperSettings) (scraper, error) {
	each, all := cfg.shown()
	s := &cpuScraper{
		scraperSettings: settings, each: each, all: all, cpus: make(map[int]*cpuStream), runQueues: host.NewRunQueues(settings.host),
	}
	withTime := settings.metrics.SystemCPULinuxThermalThrottleTime.Enabled
	if withTime || settings.metrics.SystemCPULinuxThermalThrottleEvents.Enabled {
		s.throttles = host.NewThrottles(settings.host, withTime)
	}
	return s, nil
}

func (s *cpuScraper) close() error {
	if s.throttles == nil {
		return nil
	}
	return s.throttles.Close()
}

func (s *cpuScraper) scrape(t *scrapeContext) error {
	runQueues := auxiliary(s.scrapeRunQueues(t))
	sample, err := s.host.CPU()
	if isLost(err) {
		return errors.Join(err, runQueues)
	}
	recordKnown(int64(sample.Count), func(v int64) { s.mb.RecordSystemCPULogicalCountDataPoint(t.time, v) })
	if s.each != (cpuRecords{}) {
		s.scrapeEach(t, sample)
	}
	if s.all != (cpuRecords{}) {
		s.growth.advance(&s.total, t, sample)
		s.record(t, &s.total, s.all)
	}
	return auxiliary(errors.Join(err, s.scrapeCores(t, sample.Count), s.scrapeFrequencies(t), s.scrapeThrottles(t), runQueues))
}

func (s *cpuScraper) scrapeEach(t *scrapeContext, sample *host.CPUSample) {
	for i := range sample.PerCPU {
		times := &sample.PerCPU[i]
		c, ok := s.cpus[times.Number]
		if !ok {
			c = &cpuStream{}
			s.cpus[times.Number] = c
		}
		c.advanceOne(t, modesOf(times))
		s.record(t, c, s.each, metadata.WithCPULogicalNumberMetricAttribute(int64(times.Number)))
	}
}

func (s *cpuScraper) record(t *scrapeContext, c *cpuStream, metrics cpuRecords, attributes ...metadata.MetricAttributeOption) {
	s.mb.Reset(metadata.WithStartTime(c.start))
	for mode, value := range c.value {
		switch c.seenAs[mode] {
		case modeUnknown:
			continue
		case modeOdd: // The stage drops the point, and keeps the stream.
			if !metrics.time {
				continue
			}
			s.mb.RecordSystemCPUTimeDataPoint(t.time, host.Odd, cpuModes[mode], attributes...)
			continue
		}
		if metrics.time {
			s.mb.RecordSystemCPUTimeDataPoint(t.time, value, cpuModes[mode], attributes...)
		}
		if metrics.utilization && c.shares.known {
			s.mb.RecordSystemCPUUtilizationDataPoint(t.time, c.shares.of(mode), cpuModes[mode], attributes...)
		}
	}
	s.mb.Reset(metadata.WithStartTime(t.boot))
}

func (s *cpuScraper) scrapeCores(t *scrapeContext, logical int) error {
	if !s.metrics.SystemCPUPhysicalCount.Enabled || logical < 0 {
		return nil
	}
	if logical != s.coresFor {
		cores, err := s.host.PhysicalCPUs()
		if err != nil {
			return err
		}
		s.cores, s.coresFor = cores, logical
	}
	s.mb.RecordSystemCPUPhysicalCountDataPoint(t.time, int64(s.cores))
	return nil
}

func (s *cpuScraper) scrapeFrequencies(t *scrapeContext) error {
	m := &s.metrics
	if !m.SystemCPUFrequency.Enabled && !m.SystemCPUFrequencyMin.Enabled && !m.SystemCPUFrequencyMax.Enabled {
		return nil
	}
	frequencies, err := s.host.CPUFrequencies()
	for _, f := range frequencies {
		number := metadata.WithCPULogicalNumberMetricAttribute(int64(f.Number))
		recordKnown(f.Current, func(v int64) { s.mb.RecordSystemCPUFrequencyDataPoint(t.time, v, number) })
		recordKnown(f.Min, func(v int64) { s.mb.RecordSystemCPUFrequencyMinDataPoint(t.time, v, number) })
		recordKnown(f.Max, func(v int64) { s.mb.RecordSystemCPUFrequencyMaxDataPoint(t.time, v, number) })
	}
	return err
}

func (s *cpuScraper) scrapeRunQueues(t *scrapeContext) error {
	m := &s.metrics
	if !m.SystemCPULinuxRunQueueRunTime.Enabled && !m.SystemCPULinuxRunQueueWaitTime.Enabled && !m.SystemCPULinuxRunQueueTimeslices.Enabled {
		return nil
	}
	q, err := s.runQueues.Read()
	if isLost(err) {
		return err
	}
	s.mb.RecordSystemCPULinuxRunQueueRunTimeDataPoint(t.time, q.Run)
	s.mb.RecordSystemCPULinuxRunQueueWaitTimeDataPoint(t.time, q.Wait)
	s.mb.RecordSystemCPULinuxRunQueueTimeslicesDataPoint(t.time, q.Timeslices)
	return err
}

// cpuModes are the modes in the order of a modeTimes.
var cpuModes = [...]metadata.AttributeCPUMode{
	metadata.AttributeCPUModeUser, metadata.AttributeCPUModeNice, metadata.AttributeCPUModeSystem, metadata.AttributeCPUModeIdle,
	metadata.AttributeCPUModeIowait, metadata.AttributeCPUModeInterrupt, metadata.AttributeCPUModeSteal,
	metadata.AttributeCPUModeSoftirq,
}

// modeTimes has a time in seconds for each of cpuModes.
type modeTimes [len(cpuModes)]float64

func modesOf(t *host.CPUTimes) modeTimes {
	soft := -1.0 // Within interrupt.
	if t.Separate {
		soft = t.SoftInterrupt
	}
	return modeTimes{t.User, t.Nice, t.System, t.Idle, t.IOWait, t.Interrupt, t.Steal, soft}
}

// heldBack is the number of seconds by which a time may step back and still be taken for the kernel's inexact accounting of idle and iowait
// (proc(5)): the stream then keeps its value. More is a CPU that was away. It is the bound of node_exporter.
const heldBack = 3

// cpuStream makes streams that never fall of the times of one CPU, or of all. Each mode is judged alone: what can't be in one of them has no
// effect on the others.
type cpuStream struct {
	start  pcommon.Timestamp // of the streams; 0 before the first scrape
	begun  bool              // whether they began at this scrape, so that nothing before it is known
	seen   time.Time         // last scrape with this CPU
	online int               // CPUs that were online then, of the streams of all together
	raw    modeTimes         // highest times that the kernel has given since the streams began; negative for a mode without any yet
	base   modeTimes         // what of raw belongs to the time before the start
	value  modeTimes         // since the start: what is emitted
	delta  modeTimes         // since the previous scrape; zero when that is not known
	seenAs [len(cpuModes)]modeState
	skips  [len(cpuModes)]bool // whether a step of the mode is left out at this scrape, so that what it grew by is not known
	gap    modeTimes           // by how much a mode can have grown before this scrape since it was last read, because it could not be
	shares cpuShares           // of the time since the previous scrape
}

// modeState is what the last scrape had of a mode.
type modeState uint8

const (
	modeKnown   modeState = iota
	modeUnknown           // the system does not have it
	modeOdd               // it could not be read
)

// advanceTotal takes the times of all CPUs together. When a CPU goes offline the kernel's sum loses its idle time, and when it comes back
// the sum may regain it: the streams go on from where they were, and do not count what cannot have passed since they were last seen. That
// may be less than the elapsed time of the scrape, which is since one that read everything.
func (c *cpuStream) advanceTotal(t *scrapeContext, now modeTimes, online int) {
	if c.start == 0 {
		c.begin(t, t.boot, now, modeTimes{})
		c.online = online
		return
	}
	elapsed := t.now.Sub(c.seen).Seconds() * float64(max(online, c.online))
	c.online = online
	sound := c.advance(t, now, elapsed+heldBack)
	c.shares.advance(now, elapsed, sound)
}

// advanceOne takes the times of one CPU. One that appears, or that comes back after a scrape without it, starts new streams at the previous
// scrape, with as much of its times as can have passed since.
func (c *cpuStream) advanceOne(t *scrapeContext, now modeTimes) {
	switch {
	case t.previous == 0 && c.start == 0:
		c.begin(t, t.boot, now, modeTimes{})
	case c.start == 0 || c.wasAway(t):
		lived := t.elapsed.Seconds()
		if !c.seen.IsZero() {
			lived = t.now.Sub(c.seen).Seconds()
		}
		base := now
		for i, v := range now {
			if grown := v - max(c.raw[i], 0); grown >= 0 && grown <= lived+heldBack {
				base[i] = max(c.raw[i], 0)
			}
		}
		c.begin(t, t.previous, now, base)
		c.shares.begin(now, false)
	default:
		elapsed := t.now.Sub(c.seen).Seconds()
		sound := c.advance(t, now, elapsed+heldBack)
		c.shares.advance(now, elapsed, sound)
	}
}

func (c *cpuStream) wasAway(t *scrapeContext) bool { return t.now.Sub(c.seen) > t.elapsed }

func (c *cpuStream) begin(t *scrapeContext, start pcommon.Timestamp, now, base modeTimes) {
	*c = cpuStream{start: start, begun: true, seen: t.now, raw: now, base: base}
	c.shares.begin(now, true)
	for i, v := range now {
		if c.seenAs[i] = stateOf(v); v >= 0 {
			c.value[i] = v - base[i]
		}
	}
}

func stateOf(v float64) modeState {
	switch {
	case v >= 0:
		return modeKnown
	case v == host.Odd:
		return modeOdd
	}
	return modeUnknown
}

// advance takes the times that follow. A mode that fell, or that grew by more than can have passed, goes on from its value without that step; sound
// is whether there was none.
func (c *cpuStream) advance(t *scrapeContext, now modeTimes, most float64) (sound bool) {
	c.seen, c.begun, c.delta, c.skips = t.now, false, modeTimes{}, [len(cpuModes)]bool{}
	sound = true
	still := now == c.shares.last // What was not counted yet may be counted at once.
	for i, v := range now {
		c.seenAs[i] = stateOf(v)
		grown := v - c.raw[i]
		possible := most + c.gap[i]
		c.gap[i] = 0
		switch {
		case v < 0:
			c.gap[i] = possible - heldBack
		case c.raw[i] < 0: // The first time that it is known.
			c.raw[i] = v
			if c.start != t.boot {
				c.base[i] = v
			} else {
				c.base[i], c.value[i] = 0, v
			}
		case grown <= -heldBack || grown > possible:
			c.base[i], c.raw[i] = v-c.value[i], v
			c.skips[i], sound = true, false
		default:
			c.raw[i] = max(c.raw[i], v)
			value := max(c.raw[i]-c.base[i], c.value[i]) // Where the base has moved, rounding may give a little less than before.
			c.delta[i] = value - c.value[i]
			c.value[i] = value
			if still {
				c.gap[i] = max(possible-heldBack, 0)
			}
		}
	}
	return sound
}
