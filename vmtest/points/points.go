// Package points reads what the file exporter wrote, and checks what must hold of any stream of metrics.
package points

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// Kind is what a point's value means.
type Kind int

// The kinds of metrics that the receiver emits.
const (
	Gauge Kind = iota
	Level      // a sum that may fall
	Total      // a cumulative monotonic sum
	Delta      // a delta monotonic sum
)

// Point is one number with what identifies its stream.
type Point struct {
	Metric     string
	Unit       string
	Resource   map[string]string
	Attributes map[string]string
	Kind       Kind
	Start      int64 // nanoseconds of the wall clock
	Time       int64
	Value      float64
	Batch      int // lines of the file before that of the point

	key, stream string
}

// At is the point's time.
func (p *Point) At() time.Time { return time.Unix(0, p.Time) }

// Key is the metric with the point's attributes, as Key makes it.
func (p *Point) Key() string { return p.key }

// Key is a metric with attributes, given as key, value, key, value.
func Key(metric string, attributes ...string) string {
	m := make(map[string]string, len(attributes)/2)
	for i := 0; i < len(attributes); i += 2 {
		m[attributes[i]] = attributes[i+1]
	}
	return metric + join(m)
}

// Stream identifies the point's stream among all others.
func (p *Point) Stream() string { return p.stream }

func (p *Point) String() string {
	return fmt.Sprintf("%s %v at %s since %s, batch %d", p.stream, p.Value, at(p.Time), at(p.Start), p.Batch)
}

func at(t int64) string { return time.Unix(0, t).UTC().Format("01-02 15:04:05.000000") }

// Points are in the order in which they were written.
type Points []*Point

// Parse reads lines of OTLP JSON. A last line that is not complete is left out: the file may have been read while it was written.
func Parse(text []byte) (Points, error) {
	var all Points
	batch := 0
	for line := range bytes.Lines(text) {
		if !bytes.HasSuffix(line, []byte("\n")) {
			break
		}
		metrics, err := new(pmetric.JSONUnmarshaler).UnmarshalMetrics(line)
		if err != nil {
			return nil, fmt.Errorf("batch %d: %w", batch, err)
		}
		if !utf8.Valid(line) {
			return nil, fmt.Errorf("batch %d is not valid UTF-8", batch)
		}
		if all, err = appendBatch(all, metrics, batch); err != nil {
			return nil, err
		}
		batch++
	}
	return all, nil
}

func appendBatch(all Points, metrics pmetric.Metrics, batch int) (Points, error) {
	for _, rm := range metrics.ResourceMetrics().All() {
		resource := textOf(rm.Resource().Attributes())
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				kind, numbers, err := numbersOf(m)
				if err != nil {
					return nil, fmt.Errorf("batch %d: %w", batch, err)
				}
				for _, n := range numbers.All() {
					all = append(all, newPoint(m, kind, resource, n, batch))
				}
			}
		}
	}
	return all, nil
}

func numbersOf(m pmetric.Metric) (Kind, pmetric.NumberDataPointSlice, error) {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		return Gauge, m.Gauge().DataPoints(), nil
	case pmetric.MetricTypeSum:
		switch s := m.Sum(); {
		case !s.IsMonotonic():
			return Level, s.DataPoints(), nil
		case s.AggregationTemporality() == pmetric.AggregationTemporalityDelta:
			return Delta, s.DataPoints(), nil
		default:
			return Total, s.DataPoints(), nil
		}
	}
	return 0, pmetric.NumberDataPointSlice{}, fmt.Errorf("%s is a %v", m.Name(), m.Type())
}

func newPoint(m pmetric.Metric, kind Kind, resource map[string]string, n pmetric.NumberDataPoint, batch int) *Point {
	p := &Point{
		Metric: m.Name(), Unit: m.Unit(), Kind: kind, Resource: resource, Attributes: textOf(n.Attributes()), Batch: batch,
		Start: int64(n.StartTimestamp()), Time: int64(n.Timestamp()),
	}
	if p.Value = n.DoubleValue(); n.ValueType() == pmetric.NumberDataPointValueTypeInt {
		p.Value = float64(n.IntValue())
	}
	p.key = p.Metric + join(p.Attributes)
	p.stream = p.key + " of " + join(identifying(resource))
	if kind == Delta {
		p.stream = "delta of " + p.stream // A test may run two receivers of different temporality.
	}
	return p
}

// identifying leaves out what does not tell one resource from another but describes it.
func identifying(resource map[string]string) map[string]string {
	if resource["process.pid"] == "" {
		return resource
	}
	return map[string]string{"process.pid": resource["process.pid"], "process.creation.time": resource["process.creation.time"]}
}

func textOf(m pcommon.Map) map[string]string {
	text := make(map[string]string, m.Len())
	for k, v := range m.All() {
		text[k] = v.AsString()
	}
	return text
}

func join(m map[string]string) string {
	var b strings.Builder
	b.WriteByte('{')
	for i, k := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(k + "=" + m[k])
	}
	b.WriteByte('}')
	return b.String()
}

// Of gives the points of a metric with these attributes, of points or resources, given as key, value, key, value.
func (ps Points) Of(metric string, attributes ...string) Points {
	var found Points
	for _, p := range ps {
		if p.Metric == metric && p.has(attributes) {
			found = append(found, p)
		}
	}
	return found
}

func (p *Point) has(attributes []string) bool {
	for i := 0; i < len(attributes); i += 2 {
		if p.Attributes[attributes[i]] != attributes[i+1] && p.Resource[attributes[i]] != attributes[i+1] {
			return false
		}
	}
	return true
}

// Between gives the points of a time from, to, both included.
func (ps Points) Between(from, to int64) Points {
	var found Points
	for _, p := range ps {
		if from <= p.Time && p.Time <= to {
			found = append(found, p)
		}
	}
	return found
}

// Times are the different times of points, in the order in which they came.
func (ps Points) Times() []int64 {
	var times []int64
	seen := make(map[int64]bool)
	for _, p := range ps {
		if !seen[p.Time] {
			seen[p.Time] = true
			times = append(times, p.Time)
		}
	}
	return times
}

// Streams gives the points of each stream.
func (ps Points) Streams() map[string]Points {
	streams := make(map[string]Points)
	for _, p := range ps {
		streams[p.stream] = append(streams[p.stream], p)
	}
	return streams
}
