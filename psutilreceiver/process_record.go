package psutilreceiver

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// processRecorder records the enabled metrics of the table of process metrics.
type processRecorder struct {
	mb       *metadata.MetricsBuilder
	counters []processMetric
	others   []processMetric
	// values and base are those of the process or group that is recorded. They are here because local variables would be allocated for each.
	values processValues
	base   read.Totals
}

func newProcessRecorder(mb *metadata.MetricsBuilder, enabled *metadata.MetricsConfig) processRecorder {
	r := processRecorder{mb: mb}
	for _, m := range processMetrics {
		switch {
		case !m.enabled(enabled):
		case m.counters != nil:
			r.counters = append(r.counters, m)
		default:
			r.others = append(r.others, m)
		}
	}
	return r
}

// fieldsOf returns the fields that the enabled metrics need.
func fieldsOf(enabled *metadata.MetricsConfig) read.Fields {
	var fields read.Fields
	if enabled.SystemProcessCPUUnattributed.Enabled {
		fields = read.FieldCPU | read.FieldChildren
	}
	for _, m := range processMetrics {
		if m.enabled(enabled) {
			fields |= m.field | m.reads
		}
	}
	return fields
}

// recordCounters records the counters of one process or group at one time.
func (r *processRecorder) recordCounters(ts pcommon.Timestamp, total *read.Totals, have read.Fields) {
	for i := range r.counters {
		if m := &r.counters[i]; have&m.field != 0 {
			m.counters(r.mb, ts, total, have)
		}
	}
}

// recordValues records everything else of one process or group.
func (r *processRecorder) recordValues(v processValues) {
	r.values = v
	for i := range r.others {
		if m := &r.others[i]; m.field&^v.have == 0 {
			m.value(r.mb, &r.values)
		}
	}
}

// recordTotals records the counters of one process or group that were read, and returns their fields. Where deltas are computed from them, a
// counter that the previous scrape did not record gets a base at the time of that scrape, at which its delta begins: what was used by then has
// been counted elsewhere, in the remainder or under another identity, or is nothing. The counters of a process that was born since need none.
// Start is the builder's start time.
func (s *processScraper) recordTotals(
	t *scrapeContext, start pcommon.Timestamp, total *read.Totals, base read.Totals, have, recorded read.Fields,
) read.Fields {
	if total[read.ReapedUser]+total[read.ReapedSystem] == 0 {
		have &^= read.FieldChildren
	}
	based := s.delta && t.previous != 0
	s.recordSince(t, total, &base, have&^read.FieldChildren, recorded, based && (start < t.previous || base != read.Totals{}))
	if have&read.FieldReaped == 0 {
		return have
	}
	// The time of children that no scrape saw is counted since the first scrape, which comes after the creation of most processes.
	since := max(start, s.first)
	s.mb.StartAt(since)
	s.recordSince(t, total, &base, have&read.FieldReaped, recorded, based && since < t.previous)
	s.mb.StartAt(start)
	return have
}

// recordSince records counters that all count since the builder's start time, those of a new series with their base before them.
func (s *processScraper) recordSince(t *scrapeContext, total, base *read.Totals, have, recorded read.Fields, based bool) {
	if based {
		s.recorder.base = *base
		s.recorder.recordCounters(t.previous, &s.recorder.base, have&^recorded)
	}
	s.recorder.recordCounters(t.time, total, have)
}
