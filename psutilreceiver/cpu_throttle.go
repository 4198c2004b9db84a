package psutilreceiver

import (
	"errors"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// throttleScopes are the scopes of throttling.
var throttleScopes = [...]metadata.AttributeSystemCPULinuxThermalThrottleScope{
	host.ThrottleCore:    metadata.AttributeSystemCPULinuxThermalThrottleScopeCore,
	host.ThrottlePackage: metadata.AttributeSystemCPULinuxThermalThrottleScopePackage,
}

// throttleTotal is what all parts of one scope have together.
type throttleTotal struct {
	known  bool
	events int64
	time   float64
}

// scrapeThrottles records how often the CPUs were slowed down: of all cores together and of all packages, or of each.
func (s *cpuScraper) scrapeThrottles(t *scrapeContext) error {
	if s.throttles == nil {
		return nil
	}
	parts, err := s.throttles.Read()
	if errors.Is(err, host.ErrUnsupported) {
		return nil
	}
	if s.each != (cpuRecords{}) {
		for i := range parts {
			if p := &parts[i]; p.Online {
				s.recordThrottle(t, p.Scope, p.Events, p.Time, metadata.WithCPULogicalNumberMetricAttribute(int64(p.CPU)))
			}
		}
		return err
	}
	var totals [len(throttleScopes)]throttleTotal
	for i := range parts {
		totals[parts[i].Scope].add(&parts[i])
	}
	for scope := range totals {
		if total := &totals[scope]; total.known {
			s.recordThrottle(t, host.ThrottleScope(scope), total.events, total.time)
		}
	}
	return err
}

// add adds a part. One that could not be read makes the total one that could not be.
func (o *throttleTotal) add(p *host.Throttle) {
	if !o.known {
		*o = throttleTotal{known: true, events: p.Events, time: p.Time}
		return
	}
	if o.events >= 0 {
		o.events = sumOrOdd(o.events, p.Events)
	}
	if o.time >= 0 {
		o.time = sumOrOdd(o.time, p.Time)
	}
}

func sumOrOdd[T int64 | float64](a, b T) T {
	if b < 0 {
		return b
	}
	return a + b
}

func (s *cpuScraper) recordThrottle(
	t *scrapeContext, scope host.ThrottleScope, events int64, seconds float64, attributes ...metadata.MetricAttributeOption,
) {
	recordCounter(events, func(v int64) {
		s.mb.RecordSystemCPULinuxThermalThrottleEventsDataPoint(t.time, v, throttleScopes[scope], attributes...)
	})
	if seconds >= 0 || seconds == host.Odd {
		s.mb.RecordSystemCPULinuxThermalThrottleTimeDataPoint(t.time, seconds, throttleScopes[scope], attributes...)
	}
}
