// Package faults breaks what the distribution depends on, backends, disks and the process itself, and counts what is lost.
package faults

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// turning is the counter that tests turn: its deltas must add up to how far it was turned.
const turning = "system.cpu.context_switches"

// ledger adds up the deltas of what was delivered, and knows scrapes by their instants.
type ledger struct {
	deltas  map[string]map[time.Time]delta // of each series, by the end of the interval
	totals  map[string]harness.Point       // the newest cumulative point of each counter
	scrapes map[scrape]int                 // with the number of points
}

type delta struct {
	start time.Time
	value float64
}

// scrape is one scrape of one receiver.
type scrape struct {
	temporality pmetric.AggregationTemporality // that of the receiver; unspecified in the first scrape of deltas, which has none yet
	at          time.Time
}

func newLedger() *ledger {
	return &ledger{deltas: make(map[string]map[time.Time]delta), totals: make(map[string]harness.Point), scrapes: make(map[scrape]int)}
}

// enter takes one batch, which is one scrape.
func (l *ledger) enter(md pmetric.Metrics) {
	points := harness.PointsOf(md)
	if s, ok := scrapeOf(points); ok {
		l.scrapes[s] = md.DataPointCount()
	}
	for series, p := range points {
		if p.Metric.Type() != pmetric.MetricTypeSum || !p.Metric.Sum().IsMonotonic() {
			continue
		}
		if p.Metric.Sum().AggregationTemporality() == pmetric.AggregationTemporalityCumulative {
			if p.At.After(l.totals[series].At) {
				l.totals[series] = p
			}
			continue
		}
		if l.deltas[series] == nil {
			l.deltas[series] = make(map[time.Time]delta)
		}
		l.deltas[series][p.At] = delta{start: p.Start, value: p.Value}
	}
}

// scrapeOf tells which scrape the points are of.
func scrapeOf(points map[string]harness.Point) (scrape, bool) {
	p, ok := points[turning]
	if ok {
		return scrape{temporality: p.Metric.Sum().AggregationTemporality(), at: p.At}, true
	}
	p, ok = points["system.memory.limit"]
	return scrape{at: p.At}, ok
}

// turned is how far the counter was turned, by its deltas.
func (l *ledger) turned() (sum float64) {
	for _, d := range l.deltas[turning] {
		sum += d.value
	}
	return sum
}

// whole tells whether the intervals of every counter lie end to end.
func (l *ledger) whole() error {
	for series, intervals := range l.deltas {
		var last time.Time
		for _, at := range slices.SortedFunc(maps.Keys(intervals), time.Time.Compare) {
			if start := intervals[at].start; !last.IsZero() && !start.Equal(last) {
				return fmt.Errorf("%s: an interval ends at %v, the next begins at %v", series, last, start)
			}
			last = at
		}
	}
	return nil
}
