package promapi

import (
	"math"
	"slices"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/internal/history"
)

// tableMetric is a metric that is read from tables. Its name, unit and attributes are those of the receiver.
type tableMetric struct {
	name, unit, help string
	kind             history.Kind
	summed           bool           // Tables have what came a second, which is added up from 0; else the value as it is.
	own              []labels.Label // What distinguishes its points, if there are several.
}

// rate is a counter of which tables have the change a second.
func rate(name, unit, help string) tableMetric {
	return tableMetric{name: name, unit: unit, help: help, kind: history.Counter, summed: true}
}

// total is a counter that tables have.
func total(name, unit, help string) tableMetric {
	return tableMetric{name: name, unit: unit, help: help, kind: history.Counter}
}

func level(name, unit, help string) tableMetric {
	return tableMetric{name: name, unit: unit, help: help, kind: history.Gauge}
}

// with gives the points an attribute.
func (m tableMetric) with(key, value string) tableMetric {
	if l, ok := label(key, value); ok {
		m.own = []labels.Label{l}
	}
	return m
}

func (m *tableMetric) prometheusName() string { return metricName(m.name, m.unit, m.kind) }

func (m *tableMetric) info() metricInfo {
	kind := "gauge"
	if m.kind == history.Counter {
		kind = "counter"
	}
	return metricInfo{kind, m.help, m.unit}
}

// tableSeries is the series of a metric that are made of tables, by whose they are.
type tableSeries[K comparable] struct {
	metric   *tableMetric
	matchers []*labels.Matcher
	host     []labels.Label
	all      map[K]*tableValues

	previous, time int64 // Of the table that is added.
}

// tableValues is one series.
type tableValues struct {
	labels  labels.Labels
	wanted  bool
	total   float64
	missing bool  // In the newest table.
	seen    int64 // The time of the newest table that has it.
	samples sampleList
}

func newTableSeries[K comparable](m *tableMetric, matchers []*labels.Matcher, host []labels.Label) *tableSeries[K] {
	return &tableSeries[K]{metric: m, matchers: matchers, host: host, all: map[K]*tableValues{}}
}

// begin begins a table, of which the one before was at a time, 0 if there is none.
func (s *tableSeries[K]) begin(previous, at int64) { s.previous, s.time = previous, at }

// add adds a row of the table.
func (s *tableSeries[K]) add(key K, v float64, describe func() []labels.Label) {
	if math.IsNaN(v) {
		return
	}
	x := s.all[key]
	if x == nil {
		x = &tableValues{missing: true, labels: labelsOf(s.metric.prometheusName(), slices.Concat(describe(), s.metric.own), s.host)}
		x.wanted = matches(s.matchers, x.labels)
		s.all[key] = x
	}
	x.seen = s.time
	if !x.wanted {
		return
	}
	if s.metric.summed {
		if x.missing && s.previous != 0 {
			x.samples.add(s.previous, x.total)
		}
		if s.previous != 0 {
			x.total += v * float64(s.time-s.previous) / 1e6
		}
		v = x.total
	}
	x.missing = false
	x.samples.add(s.time, v)
}

// end ends a table: what it does not have ends.
func (s *tableSeries[K]) end() {
	for _, x := range s.all {
		if x.seen != s.time && !x.missing {
			x.missing = true
			x.samples.add(s.time, staleMarker)
		}
	}
}

// allSeries are the series that are wanted.
func allSeries[K comparable](all []*tableSeries[K]) (out []storage.Series) {
	for _, s := range all {
		for _, x := range s.all {
			if x.wanted {
				out = append(out, x.samples.series(x.labels))
			}
		}
	}
	return out
}

// known leaves out labels that have no value.
func known(all []labels.Label) []labels.Label {
	return slices.DeleteFunc(all, func(l labels.Label) bool { return l.Value == "" })
}
