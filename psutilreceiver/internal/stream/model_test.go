package stream

import (
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// record is one point of a stream, before or after the stage.
type record struct {
	key         string
	start, time int64
	total       int64   // of an integer stream
	float       float64 // of a double stream
}

// model is a second statement of the rules of a stream, made to be read: it
// keeps every point it was ever shown, by text, in signed integers.
type model struct {
	delta, returning bool
	lives            map[string][]life
	completed        []int64 // times of complete scrapes
	monos            []int64 // of all scrapes
}

// life is a point that was let through, with what was said of its stream then.
type life struct {
	given record
	start int64
	mono  int64
}

// scrape returns the points and the rates that are expected of a scrape.
func (m *model) scrape(points []record, at, mono int64, complete bool) (want []record, rates map[string]float64) {
	rates = map[string]float64{}
	seen := map[string]bool{}
	for _, p := range points {
		seen[p.key] = true
		past := m.lives[p.key]
		now := life{given: p, start: p.start, mono: mono}
		if len(past) == 0 {
			if now.start >= p.time {
				back := int64(1)
				if n := len(m.monos); n > 0 {
					back = max(back, mono-m.monos[n-1])
				}
				now.start = p.time - back
			}
			if !m.delta || m.bornInView(p.start) {
				want = append(want, record{p.key, now.start, p.time, p.total, p.float})
			}
			m.lives[p.key] = []life{now}
			continue
		}
		last := past[len(past)-1]
		lastTime := last.given.time
		if lag := lastTime - p.time; lag >= 0 {
			if lag <= int64(HoldLimit) || mono <= last.mono {
				continue
			}
			lastTime = p.time - (mono - last.mono)
			if last.start >= lastTime {
				last.start = lastTime - (last.given.time - last.start)
			}
		}
		counted := record{p.key, lastTime, p.time, p.total - last.given.total, p.float - last.given.float}
		now.start = last.start
		restarted := p.start != last.given.start && (p.start >= lastTime || len(m.completed) > 0 && p.start >= m.completed[0])
		fell := p.total < last.given.total || p.float < last.given.float
		if restarted || fell {
			counted.total, counted.float = p.total, p.float
			if restarted && p.start > lastTime && p.start < p.time {
				counted.start = p.start
			}
			now.start = counted.start
		} else if mono > last.mono {
			rates[p.key] = (float64(counted.total) + counted.float) / (float64(mono-last.mono) / 1e9)
		}
		m.lives[p.key] = append(past, now)
		if m.delta {
			want = append(want, counted)
		} else {
			want = append(want, record{p.key, now.start, p.time, p.total, p.float})
		}
	}
	m.monos = append(m.monos, mono)
	if complete {
		m.completed = append(m.completed, at)
		for key := range m.lives {
			if !seen[key] {
				delete(m.lives, key)
			}
		}
	}
	return want, rates
}

func (m *model) bornInView(start int64) bool {
	n := len(m.completed)
	if n == 0 {
		return false
	}
	if m.returning {
		return start >= m.completed[n-1]
	}
	return start >= m.completed[0]
}

// metricsOf returns a scrape of the given points: a resource for each key, with
// the point in an integer and in a double metric as the record says.
func metricsOf(points []record) pmetric.Metrics {
	md := pmetric.NewMetrics()
	for _, p := range points {
		rm := md.ResourceMetrics().AppendEmpty()
		rm.Resource().Attributes().PutStr("name", p.key)
		name := "ints"
		if p.float != 0 {
			name = "doubles"
		}
		dp := appendSum(rm.ScopeMetrics().AppendEmpty(), name, "By").AppendEmpty()
		dp.SetStartTimestamp(pcommon.Timestamp(p.start))
		dp.SetTimestamp(pcommon.Timestamp(p.time))
		if p.float != 0 {
			dp.SetDoubleValue(p.float)
		} else {
			dp.SetIntValue(p.total)
		}
	}
	return md
}

// recordsOf is the inverse of metricsOf, with the rates apart.
func recordsOf(md pmetric.Metrics) (points []record, rates map[string]float64) {
	rates = map[string]float64{}
	eachMetric(md, func(rm pmetric.ResourceMetrics, _ pmetric.ScopeMetrics, m pmetric.Metric) {
		name, _ := rm.Resource().Attributes().Get("name")
		if m.Type() == pmetric.MetricTypeGauge {
			for _, p := range m.Gauge().DataPoints().All() {
				rates[name.Str()] = p.DoubleValue()
			}
			return
		}
		for _, p := range m.Sum().DataPoints().All() {
			r := record{key: name.Str(), start: int64(p.StartTimestamp()), time: int64(p.Timestamp())}
			if p.ValueType() == pmetric.NumberDataPointValueTypeInt {
				r.total = p.IntValue()
			} else {
				r.float = p.DoubleValue()
			}
			points = append(points, r)
		}
	})
	return points, rates
}

// nearly compares two rates that were rounded in different orders.
func nearly(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(math.Abs(a), math.Abs(b)) }
