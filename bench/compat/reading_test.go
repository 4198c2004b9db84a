package compat

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// series is a stream of one of the two receivers.
type series struct {
	metric, attributes, process string
	shape                       string // unit, type, kind of number, temporality
	scope                       string
	points                      []point
}

type point struct {
	time  time.Time
	value float64
}

// kind is what the series of all processes have in common.
func (s *series) kind() string { return s.metric + "{" + s.attributes + "}" }

func (s *series) String() string {
	text := s.metric
	if s.attributes != "" {
		text += "{" + s.attributes + "}"
	}
	if s.process != "" {
		text += " of process " + s.process
	}
	return text
}

// output is what one receiver emitted.
type output struct {
	series    map[string]*series
	resources map[string]map[string]any // of processes, by pid
}

// scrapes are the points of a metric of one point each scrape.
func (o *output) scrapes() []point {
	if uptime := o.series["system.uptime||"]; uptime != nil {
		return uptime.points
	}
	return nil
}

// emitted is the file that a Collector writes, a message a line, and what was read of it.
type emitted struct {
	path string
	read int64 // bytes
	output
}

// follow reads the lines that have come whole since it was last called.
func (e *emitted) follow(t *testing.T) {
	t.Helper()
	file, err := os.Open(e.path)
	if os.IsNotExist(err) {
		return // It writes nothing yet.
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	if _, err := file.Seek(e.read, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(file)
	if err != nil {
		t.Fatal(err)
	}
	text = text[:bytes.LastIndexByte(text, '\n')+1]
	e.read += int64(len(text))
	for line := range bytes.Lines(text) {
		md, err := (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics(line)
		if err != nil {
			t.Fatalf("%s: %v", e.path, err)
		}
		for _, rm := range md.ResourceMetrics().All() {
			e.add(rm)
		}
	}
}

func newOutput() output {
	return output{series: map[string]*series{}, resources: map[string]map[string]any{}}
}

func (o *output) add(rm pmetric.ResourceMetrics) {
	process := ""
	if pid, ok := rm.Resource().Attributes().Get("process.pid"); ok {
		process = pid.AsString()
		o.resources[process] = rm.Resource().Attributes().AsRaw()
	}
	for _, sm := range rm.ScopeMetrics().All() {
		for _, m := range sm.Metrics().All() {
			shape, points := describe(m)
			for _, p := range points.All() {
				attributes := text(p.Attributes())
				key := m.Name() + "|" + attributes + "|" + process
				s := o.series[key]
				if s == nil {
					s = &series{metric: m.Name(), attributes: attributes, process: process, shape: shape + " " + p.ValueType().String(), scope: sm.Scope().Name()}
					o.series[key] = s
				}
				value := p.DoubleValue()
				if p.ValueType() == pmetric.NumberDataPointValueTypeInt {
					value = float64(p.IntValue())
				}
				s.points = append(s.points, point{p.Timestamp().AsTime(), value})
			}
		}
	}
}

func describe(m pmetric.Metric) (string, pmetric.NumberDataPointSlice) {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		return m.Unit() + " gauge", m.Gauge().DataPoints()
	case pmetric.MetricTypeSum:
		return fmt.Sprintf("%s sum monotonic=%t %s", m.Unit(), m.Sum().IsMonotonic(), m.Sum().AggregationTemporality()), m.Sum().DataPoints()
	}
	return m.Unit() + " " + m.Type().String(), pmetric.NewNumberDataPointSlice()
}

func text(attributes pcommon.Map) string {
	var parts []string
	for key, v := range attributes.All() {
		parts = append(parts, key+"="+v.AsString())
	}
	slices.Sort(parts)
	return strings.Join(parts, ",")
}
