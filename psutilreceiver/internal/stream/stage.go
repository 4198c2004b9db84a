package stream

import (
	"math"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// Settings is the configuration of a Stage.
type Settings struct {
	// Temporality is that of every monotonic sum; anything but delta leaves
	// them cumulative.
	Temporality pmetric.AggregationTemporality
	// Rates adds gauges beside the sums.
	Rates Rates
	// Returning is set where things may be left out of a complete scrape and
	// return later under their old start, as processes do that are shown only
	// while they are among the top. State is dropped when a stream is absent,
	// so a stream then counts in full only if it started at or after the last
	// complete scrape: nothing is ever counted twice.
	Returning bool
}

// Resets counts the restarts of streams since the stage was made.
type Resets struct {
	// LowerValue counts values that fell under an unchanged start.
	LowerValue uint64
	// StartChanged counts starts that moved: another thing of the same name.
	StartChanged uint64
	// ClockStepped counts streams that were moved to a wall clock which had
	// stepped back by more than HoldLimit; their values went on unbroken.
	ClockStepped uint64
}

// Dropped counts the points that were left out since the stage was made.
type Dropped struct {
	// Baseline counts first points that gave no delta.
	Baseline uint64
	// Held counts points that were not after their stream's previous point, as
	// happens when the clock is set back.
	Held uint64
	// Invalid counts points that were no totals: without a value or a time, NaN,
	// infinite or negative.
	Invalid uint64
}

// Stage turns the monotonic cumulative sums of one scraper into streams of the
// chosen temporality, in place. Gauges, sums that are not monotonic and all
// other kinds of metric pass untouched. State is kept by resource attributes,
// scope, metric name, value type and point attributes, the latter in any order.
//
// Scrapes are not safe for concurrent use; the counters may be read at any time.
type Stage struct {
	delta     bool
	returning bool
	rates     rates
	hash      *hasher
	streams   table

	origin time.Time
	scrape scrape

	tracked                                      atomic.Int64
	lowerValue, startChanged, clockSteps         atomic.Uint64
	droppedBaseline, droppedHeld, droppedInvalid atomic.Uint64
}

// NewStage returns a stage that has seen no scrape.
func NewStage(settings Settings) *Stage {
	return &Stage{
		delta:     settings.Temporality == pmetric.AggregationTemporalityDelta,
		returning: settings.Returning,
		rates:     newRates(settings.Rates),
		hash:      newHasher(),
		streams:   newTable(),
		scrape:    scrape{first: math.MaxUint64, bornFrom: math.MaxUint64},
	}
}

// Tracked returns the number of streams remembered after the last scrape.
func (s *Stage) Tracked() int { return int(s.tracked.Load()) }

// Resets returns how often streams restarted, by reason.
func (s *Stage) Resets() Resets {
	return Resets{
		LowerValue:   s.lowerValue.Load(),
		StartChanged: s.startChanged.Load(),
		ClockStepped: s.clockSteps.Load(),
	}
}

// Dropped returns how many points were left out, by reason.
func (s *Stage) Dropped() Dropped {
	return Dropped{Baseline: s.droppedBaseline.Load(), Held: s.droppedHeld.Load(), Invalid: s.droppedInvalid.Load()}
}

// Begin opens a scrape. Now is its time, with its monotonic reading: rates are
// taken by the latter, and the former must be the time on the points and the one
// passed to Starts.Begin.
func (s *Stage) Begin(now time.Time) {
	if s.origin.IsZero() {
		s.origin = now
	}
	s.begin(pcommon.NewTimestampFromTime(now), now.Sub(s.origin))
}

// begin is Begin with the two readings of the clock apart: at is the wall clock,
// mono the monotonic time since the first scrape.
func (s *Stage) begin(at pcommon.Timestamp, mono time.Duration) {
	s.scrape.number++
	s.scrape.at = at
	s.scrape.elapsed = mono - s.scrape.mono
	s.scrape.mono = mono
	s.streams.begin()
}

// Edit turns the points of a part of what the scrape emitted into those of streams. All points of a stream must be
// in the same part. A metric, scope or resource that is left without points is
// dropped.
func (s *Stage) Edit(md pmetric.Metrics) {
	resources := md.ResourceMetrics()
	emptied := false
	for i := range resources.Len() {
		if s.resource(resources.At(i)) {
			emptied = true
		}
	}
	if emptied {
		resources.RemoveIf(func(rm pmetric.ResourceMetrics) bool { return rm.ScopeMetrics().Len() == 0 })
	}
}

// End closes the scrape. Complete says that it emitted every stream that exists,
// so that the state of all others is dropped; a partial scrape drops none.
func (s *Stage) End(complete bool) {
	if complete {
		s.complete(s.scrape.at)
	}
	s.tracked.Store(int64(s.streams.len()))
}

// complete ends a scrape that left nothing out.
func (s *Stage) complete(at pcommon.Timestamp) {
	if s.scrape.first == math.MaxUint64 {
		s.scrape.first, s.scrape.bornFrom = at, at
	}
	if s.returning {
		s.scrape.bornFrom = at
	}
	s.streams.evict(s.scrape.number)
}

// resource returns whether anything in rm was left without points.
func (s *Stage) resource(rm pmetric.ResourceMetrics) bool {
	id := s.hash.attributes(rm.Resource().Attributes())
	scopes := rm.ScopeMetrics()
	emptied := false
	for i := range scopes.Len() {
		scope := scopes.At(i).Scope()
		scopeID := id.then(s.hash.text(scope.Name())).then(s.hash.text(scope.Version()))
		if s.metrics(scopeID, scopes.At(i).Metrics()) {
			emptied = true
		}
	}
	if emptied {
		scopes.RemoveIf(func(sm pmetric.ScopeMetrics) bool { return sm.Metrics().Len() == 0 })
	}
	return emptied
}

func (s *Stage) metrics(scope identity, metrics pmetric.MetricSlice) bool {
	emptied := false
	// Rates are appended after the metrics that the scrape emitted.
	for i := range metrics.Len() {
		metric := metrics.At(i)
		if metric.Type() != pmetric.MetricTypeSum {
			continue
		}
		sum := metric.Sum()
		if !sum.IsMonotonic() || sum.AggregationTemporality() != pmetric.AggregationTemporalityCumulative {
			continue
		}
		s.sum(scope, metric, sum, metrics)
		if sum.DataPoints().Len() == 0 {
			emptied = true
		}
	}
	if emptied {
		metrics.RemoveIf(func(m pmetric.Metric) bool {
			return m.Type() == pmetric.MetricTypeSum && m.Sum().DataPoints().Len() == 0
		})
	}
	return emptied
}

func (s *Stage) sum(scope identity, metric pmetric.Metric, sum pmetric.Sum, metrics pmetric.MetricSlice) {
	id := scope.then(s.hash.text(metric.Name()))
	rate := s.rates.of(metric)
	var gauge pmetric.NumberDataPointSlice
	hasGauge := false
	points := sum.DataPoints()
	n := points.Len()
	points.RemoveIf(func(p pmetric.NumberDataPoint) bool {
		out, keep := s.point(id, p)
		if !keep || rate == nil || out.elapsed == 0 {
			return !keep
		}
		if v, ok := perSecond(out.delta, out.elapsed); ok {
			if !hasGauge {
				gauge, hasGauge = rate.appendTo(metrics, n), true
			}
			r := gauge.AppendEmpty()
			r.SetTimestamp(p.Timestamp())
			r.SetDoubleValue(v)
			p.Attributes().CopyTo(r.Attributes())
		}
		return false
	})
	if s.delta {
		sum.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
	}
}

// point brings p up to its stream and rewrites it, and returns whether it is to
// be kept.
func (s *Stage) point(metric identity, p pmetric.NumberDataPoint) (outcome, bool) {
	id := metric.then(s.hash.attributes(p.Attributes())).with(identity{a: uint64(p.ValueType())})
	total, ok := totalOf(p)
	if !ok || p.Timestamp() == 0 {
		s.droppedInvalid.Add(1)
		s.streams.touch(id, s.scrape.number)
		return outcome{}, false
	}
	out := s.observe(id, observation{
		total: total, float: p.ValueType() == pmetric.NumberDataPointValueTypeDouble,
		given: p.StartTimestamp(), time: p.Timestamp(),
	})
	if !s.count(&out) {
		return out, false
	}
	if !s.delta {
		p.SetStartTimestamp(out.start)
		return out, true
	}
	p.SetStartTimestamp(out.from)
	if out.delta == total {
		return out, true
	}
	if p.ValueType() == pmetric.NumberDataPointValueTypeInt {
		p.SetIntValue(out.delta.i)
	} else {
		p.SetDoubleValue(out.delta.f)
	}
	return out, true
}

func (s *Stage) observe(id identity, o observation) outcome {
	st, known := s.streams.lookUp(id, s.scrape.number)
	base := s.delta && o.time != s.scrape.at
	if !known || base && o.time > st.time {
		return st.first(o, &s.scrape)
	}
	return st.next(o, &s.scrape)
}

// count counts an outcome, and returns whether it gives a point.
func (s *Stage) count(out *outcome) bool {
	if out.clockStepped {
		s.clockSteps.Add(1)
	}
	switch out.kind {
	case baseline:
		if s.delta {
			s.droppedBaseline.Add(1)
			return false
		}
	case held:
		s.droppedHeld.Add(1)
		return false
	case lowerValue:
		s.lowerValue.Add(1)
	case startChanged:
		s.startChanged.Add(1)
	}
	return true
}
