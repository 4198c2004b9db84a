package psutilreceiver

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
)

// cpuSource samples the CPUs by the same streams as the scraper: with per_cpu each, else all together.
type cpuSource struct {
	recorder
	host   *host.Host
	perCPU bool

	utilization, time *sampledMetric // nil when not chosen
	last              time.Time      // read of the CPUs
	current           scrapeContext
	total             *sampledCPU
	cpus              map[int]*sampledCPU // by logical number, bounded by the CPUs that the host can have
}

// sampledCPU is one CPU, or all, with a series for each mode; those of what is not chosen are nil.
type sampledCPU struct {
	cpuStream
	utilization, time [len(cpuModes)]*sampledSeries
}

func newCPUSource(h *host.Host, perCPU bool, boot pcommon.Timestamp, rec recorder) *cpuSource {
	return &cpuSource{
		recorder: rec, host: h, perCPU: perCPU, current: scrapeContext{boot: max(boot, 1)}, cpus: make(map[int]*sampledCPU),
		utilization: rec.chosen("system.cpu.utilization"), time: rec.chosen("system.cpu.time"),
	}
}

func (s *cpuSource) sample(now time.Time) error {
	sample, err := s.host.CPU()
	if err != nil {
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
			s.total = s.learn(func(pcommon.Map) {})
		}
		s.total.advanceTotal(t, modesOf(&sample.Total), len(sample.PerCPU))
		s.record(s.total)
		return nil
	}
	for i := range sample.PerCPU {
		times := &sample.PerCPU[i]
		c, ok := s.cpus[times.Number]
		if !ok {
			c = s.learn(func(attributes pcommon.Map) { attributes.PutInt(cpuNumberKey, int64(times.Number)) })
			s.cpus[times.Number] = c
		}
		c.advanceOne(t, modesOf(times))
		s.record(c)
	}
	return nil
}

// learn begins the series of a CPU, which number tells from the others.
func (s *cpuSource) learn(number func(pcommon.Map)) *sampledCPU {
	c := &sampledCPU{}
	begin := func(m *sampledMetric, mode string) *sampledSeries {
		if m == nil {
			return nil
		}
		x := s.series(m, label{cpuModeKey, mode})
		number(x.attributes)
		return x
	}
	for i, mode := range cpuModes {
		c.utilization[i], c.time[i] = begin(s.utilization, mode.String()), begin(s.time, mode.String())
	}
	return c
}

// record takes the share of each mode in the time that all have counted, and with it the share's weight in the mean; and what was
// counted a second: nothing, where no tick has passed. Of a baseline neither is known.
func (s *cpuSource) record(c *sampledCPU) {
	var sum float64
	for _, d := range c.delta {
		sum += d
	}
	elapsed := s.current.elapsed.Seconds()
	if c.begun || elapsed <= 0 {
		return
	}
	for mode, d := range c.delta {
		if c.raw[mode] < 0 {
			continue // The system does not know this mode.
		}
		if x := c.utilization[mode]; x != nil && sum > 0 {
			x.samples.Observe(d/sum, sum)
		}
		if x := c.time[mode]; x != nil {
			x.samples.Observe(d/elapsed, elapsed)
		}
	}
}

func (s *cpuSource) close() error { return nil }
