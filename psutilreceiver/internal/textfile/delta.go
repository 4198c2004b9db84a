package textfile

import (
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// totals are what a histogram had counted at its last point.
type totals struct {
	time    pcommon.Timestamp
	count   uint64
	sum     float64
	bounds  []float64
	buckets []uint64
	round   uint64
}

// difference makes a histogram one of what was counted since its last point, and tells whether it is to be kept: the first of a series, and the first
// with other bounds, is what the next is compared with.
func (s *Set) difference(series string, p pmetric.HistogramDataPoint) bool {
	now := totals{p.Timestamp(), p.Count(), p.Sum(), p.ExplicitBounds().AsRaw(), p.BucketCounts().AsRaw(), s.round}
	last, there := s.totals[series]
	s.totals[series] = now
	if !there || !slices.Equal(last.bounds, now.bounds) {
		return false
	}
	p.SetStartTimestamp(last.time)
	for i, n := range last.buckets {
		if now.buckets[i] < n {
			return true // It has begun again at zero: all of it is new.
		}
	}
	p.SetCount(now.count - last.count)
	p.SetSum(now.sum - last.sum)
	for i, n := range last.buckets {
		p.BucketCounts().SetAt(i, now.buckets[i]-n)
	}
	return true
}

// differences makes the points of a histogram those of what was counted since the last. keys are its series, in the order of the points.
func (s *Set) differences(name string, keys []string, h pmetric.Histogram) {
	h.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
	i := 0
	h.DataPoints().RemoveIf(func(p pmetric.HistogramDataPoint) bool {
		i++
		return !s.difference(name+"{"+keys[i-1], p)
	})
}
