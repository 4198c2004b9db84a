package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
)

// What stands in the template where each host's request differs. Times and values are eight bytes at a fixed place, so that a request is
// made by copying the template and writing over them.
const (
	nameMark  = "host-NNNNNN"
	idMark    = "IIIIIIII-0000-4000-8000-000000000000"
	timeMark  = 0x1d0c_ba98_7654_3210
	startMark = 0x1d0c_0123_4567_89ab
	// valueMark has the number of the series in its lower 16 bits.
	valueMark     = 0x4012_5eed_c0de_0000
	valueMarkMask = ^uint64(0xffff)
)

// kind tells how the value of a series goes on.
type kind int

const (
	// gauge holds its value, give or take a little.
	gauge kind = iota
	// counter grows by its value each second.
	counter
	// ramp holds its value, and in trouble changes by the symptom's each second.
	ramp
)

// series is one series of a host.
type series struct {
	kind    kind
	integer bool
	quiet   float64
	// symptom is the index of the symptom that moves the series, or -1.
	symptom int
}

// template is the request of any host.
type template struct {
	series []series
	text   []byte
	// The places of what differs. values has one for each series.
	names, ids, times, starts, values []int
}

// newTemplate makes the request of a host with at least so many series, as the psutil receiver would send it: those of the system in one
// resource, then processes, each a resource of its own.
func newTemplate(atLeast int) (*template, error) {
	b := &builder{md: pmetric.NewMetrics()}
	b.system()
	for pid := 1000; len(b.series) < atLeast; pid++ {
		b.process(pid)
	}
	text, err := pmetricotlp.NewExportRequestFromMetrics(b.md).MarshalProto()
	if err != nil {
		return nil, err
	}
	t := &template{series: b.series, text: text, values: make([]int, len(b.series))}
	t.names, t.ids = places(text, nameMark), places(text, idMark)
	found := 0
	for at := 0; at+8 <= len(text); at++ {
		switch bits := binary.LittleEndian.Uint64(text[at:]); {
		case bits == timeMark:
			t.times = append(t.times, at)
		case bits == startMark:
			t.starts = append(t.starts, at)
		case bits&valueMarkMask == valueMark:
			t.values[bits&^valueMarkMask] = at
			found++
		}
	}
	if found != len(t.series) || len(t.times) != len(t.series) {
		return nil, fmt.Errorf("%d values and %d times in the request of %d series", found, len(t.times), len(t.series))
	}
	return t, nil
}

func places(text []byte, mark string) (at []int) {
	for from := 0; ; {
		i := bytes.Index(text[from:], []byte(mark))
		if i < 0 {
			return at
		}
		at = append(at, from+i)
		from += i + len(mark)
	}
}

// trouble is what a host goes through.
type trouble struct {
	symptom  int
	from, to time.Time
}

// render appends the request of a host at one time to an empty buffer.
func (t *template) render(buf []byte, h *host, now time.Time) []byte {
	buf = append(buf, t.text...)
	for _, at := range t.names {
		copy(buf[at:], h.name)
	}
	for _, at := range t.ids {
		copy(buf[at:], h.id)
	}
	for _, at := range t.times {
		binary.LittleEndian.PutUint64(buf[at:], uint64(now.UnixNano()))
	}
	for _, at := range t.starts {
		binary.LittleEndian.PutUint64(buf[at:], uint64(h.booted.UnixNano()))
	}
	noise := uint64(h.number)<<32 ^ uint64(now.UnixNano())
	for i := range t.series {
		v := t.series[i].value(h, now, &noise)
		bits := math.Float64bits(v)
		if t.series[i].integer {
			bits = uint64(int64(v))
		}
		binary.LittleEndian.PutUint64(buf[t.values[i]:], bits)
	}
	return buf
}

// value is that of the series at one time.
func (s *series) value(h *host, now time.Time, noise *uint64) float64 {
	var troubled time.Duration // So long has the trouble moved this series by now.
	if h.trouble.symptom == s.symptom && now.After(h.trouble.from) {
		troubled = min(now.Sub(h.trouble.from), h.trouble.to.Sub(h.trouble.from))
	}
	inTrouble := troubled > 0 && now.Before(h.trouble.to)
	switch {
	case s.kind == counter && troubled > 0:
		return s.quiet*now.Sub(h.booted).Seconds() + (symptoms[s.symptom].loud-s.quiet)*troubled.Seconds()
	case s.kind == counter:
		return s.quiet * now.Sub(h.booted).Seconds()
	case s.kind == ramp && inTrouble:
		return s.quiet + symptoms[s.symptom].loud*troubled.Seconds()
	case s.kind == ramp:
		return s.quiet
	}
	v := s.quiet
	if inTrouble {
		v = symptoms[s.symptom].loud
	}
	*noise = *noise*6364136223846793005 + 1442695040888963407
	if !s.integer || v > 1000 {
		v *= 1 + 0.02*(float64(*noise>>40)/(1<<24)-0.5)
	}
	return v
}

// builder collects the series of a template.
type builder struct {
	md     pmetric.Metrics
	scope  pmetric.ScopeMetrics
	metric pmetric.Metric
	// own is the index of the process, or 0 for the system and the first one. Only those are ever in trouble.
	own    int
	series []series
}

func (b *builder) resource(attributes ...string) {
	rm := b.md.ResourceMetrics().AppendEmpty()
	put(rm.Resource().Attributes(), append([]string{"host.name", nameMark, "host.id", idMark, "os.type", "linux"}, attributes...))
	b.scope = rm.ScopeMetrics().AppendEmpty()
	b.scope.Scope().SetName("github.com/otelcol-psutil/otelcol-psutil/psutilreceiver")
	b.scope.Scope().SetVersion("0.1.0")
}

// begin begins a metric: a monotonic sum of a counter, a gauge of a share, a load or a time, else a sum that is not monotonic.
func (b *builder) begin(name, unit string, k kind) {
	b.metric = b.scope.Metrics().AppendEmpty()
	b.metric.SetName(name)
	b.metric.SetUnit(unit)
	if k != counter && slices.Contains([]string{"1", "{thread}", "s"}, unit) {
		b.metric.SetEmptyGauge()
		return
	}
	sum := b.metric.SetEmptySum()
	sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	sum.SetIsMonotonic(k == counter)
}

// point adds a series to the metric.
func (b *builder) point(k kind, integer bool, quiet float64, attributes ...string) {
	var dp pmetric.NumberDataPoint
	if b.metric.Type() == pmetric.MetricTypeSum {
		dp = b.metric.Sum().DataPoints().AppendEmpty()
		dp.SetStartTimestamp(startMark)
	} else {
		dp = b.metric.Gauge().DataPoints().AppendEmpty()
	}
	dp.SetTimestamp(timeMark)
	mark := valueMark | uint64(len(b.series))
	if integer {
		dp.SetIntValue(int64(mark))
	} else {
		dp.SetDoubleValue(math.Float64frombits(mark))
	}
	put(dp.Attributes(), attributes)
	b.series = append(b.series, series{kind: k, integer: integer, quiet: quiet, symptom: b.symptomOf(attributes)})
}

func (b *builder) symptomOf(attributes []string) int {
	if b.own > 0 {
		return -1
	}
	for i, s := range symptoms {
		if s.metric != b.metric.Name() {
			continue
		}
		if !slices.ContainsFunc(strings.Fields(s.attributes), func(v string) bool { return !slices.Contains(attributes, v) }) {
			return i
		}
	}
	return -1
}

func put(to pcommon.Map, pairs []string) {
	for i := 0; i < len(pairs); i += 2 {
		to.PutStr(pairs[i], pairs[i+1])
	}
}
