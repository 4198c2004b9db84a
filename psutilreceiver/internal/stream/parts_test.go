package stream

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// process is Process with the two readings of the clock apart, and each resource as a part of its own: whatever holds for a scrape that
// comes whole must hold for one in parts.
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
