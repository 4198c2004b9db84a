package stream

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// process edits what one scrape emitted, each resource as a part of its own: whatever holds for a scrape that comes whole must hold for one in
// parts. The two readings of the clock are apart.
func (s *Stage) process(md pmetric.Metrics, at pcommon.Timestamp, mono time.Duration, complete bool) {
	s.begin(at, mono)
	parts := pmetric.NewMetrics().ResourceMetrics()
	md.ResourceMetrics().MoveAndAppendTo(parts)
	for i := range parts.Len() {
		part := pmetric.NewMetrics()
		parts.At(i).MoveTo(part.ResourceMetrics().AppendEmpty())
		s.Edit(part)
		part.ResourceMetrics().MoveAndAppendTo(md.ResourceMetrics())
	}
	s.End(complete)
}

// processWhole edits what a complete scrape emitted, as one part.
func (s *Stage) processWhole(md pmetric.Metrics, now time.Time) {
	s.Begin(now)
	s.Edit(md)
	s.End(true)
}
