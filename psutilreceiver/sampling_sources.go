package psutilreceiver

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/sampling"
)

// recorder makes the series of one scraper.
type recorder struct {
	output    *sampledOutput
	metrics   []*sampledMetric // that are chosen
	describer describer
	begun     time.Time
}

// at gives the monotonic time of a sample, since the sampler was made.
func (r *recorder) at(now time.Time) time.Duration { return now.Sub(r.begun) }

// chosen gives the metric of the point that zero records, and the attributes of the point; nil when it is not to be sampled.
func (r *recorder) chosen(zero func(mb *builder)) (*sampledMetric, pcommon.Map) {
	described, attributes := r.describer.describe(zero)
	for _, m := range r.metrics {
		if m.name == described.Name() {
			return m, attributes
		}
	}
	return nil, attributes
}

// series begins the series of the point that zero records, nil when it is not to be sampled. The set must be locked.
func (r *recorder) series(zero func(mb *builder)) *sampledSeries {
	m, attributes := r.chosen(zero)
	if m == nil {
		return nil
	}
	x := &sampledSeries{metric: m, attributes: pcommon.NewMap()}
	attributes.CopyTo(x.attributes)
	x.samples = r.output.set.Add(x)
	return x
}

// sampledSeries is one series of a sampled metric.
type sampledSeries struct {
	metric     *sampledMetric
	attributes pcommon.Map

	counter sampling.Counter // used by the sampler alone
	samples *sampling.Series[*sampledSeries]

	since *cumulated // used by the export alone; nil where histograms are not cumulative
}

// record takes a value that was read: that of a gauge, or the total of a counter. A negative one is not known.
func (x *sampledSeries) record(v float64, at time.Duration) {
	switch {
	case v < 0:
	case !x.metric.counter:
		x.samples.Observe(v, 1)
	default:
		if rate, elapsed, ok := x.counter.Advance(v, at); ok {
			x.samples.Observe(rate, elapsed)
		}
	}
}

// levels is a source whose series are always the same.
type levels[T any] struct {
	recorder
	read   func() (T, error)
	latest T // kept here, so that handing it to the rows allocates nothing
	rows   []levelRow[T]
}

// levelRow is a row of the scraper with its series.
type levelRow[T any] struct {
	series *sampledSeries
	value  func(*T) float64
}

func newLevels[T any](read func() (T, error), rows []pointRow[T], rec recorder) *levels[T] {
	l := &levels[T]{recorder: rec, read: read}
	rec.output.set.Lock()
	defer rec.output.set.Unlock()
	for _, row := range rows {
		if row.sampling == samplingNever {
			continue
		}
		if x := rec.series(func(mb *builder) { row.zero(mb, new(T)) }); x != nil {
			l.rows = append(l.rows, levelRow[T]{x, row.value})
		}
	}
	return l
}

func (l *levels[T]) sample(now time.Time) error {
	var err error
	if l.latest, err = l.read(); err != nil {
		return err
	}
	l.output.set.Lock()
	defer l.output.set.Unlock()
	for i := range l.rows {
		row := &l.rows[i]
		row.series.record(row.value(&l.latest), l.at(now))
	}
	return nil
}

func (l *levels[T]) close() error { return nil }
