package alertpipe

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/xpdata/entity"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

// multiplied are all things that can be repeated in a request of metrics, and some that can be repeated together: each makes a request with n of it.
var multiplied = map[string]func(n int, at pcommon.Timestamp) pmetric.Metrics{
	"resources": func(n int, at pcommon.Timestamp) pmetric.Metrics {
		return request(n, 1, 1, at, func(i int, rm pmetric.ResourceMetrics) {
			rm.Resource().Attributes().PutStr("host.name", fmt.Sprint("h", i))
		}, nil)
	},
	"resources of one identity": func(n int, at pcommon.Timestamp) pmetric.Metrics {
		return request(n, 1, 1, at, func(i int, rm pmetric.ResourceMetrics) { rm.Resource().Attributes().PutInt("os.version", int64(i)) }, nil)
	},
	"attributes of a resource": func(n int, at pcommon.Timestamp) pmetric.Metrics {
		return request(1, 1, 1, at, func(_ int, rm pmetric.ResourceMetrics) { put(rm.Resource().Attributes(), n) }, nil)
	},
	"identifying keys of a resource": func(n int, at pcommon.Timestamp) pmetric.Metrics {
		return request(1, 1, 1, at, func(_ int, rm pmetric.ResourceMetrics) {
			put(rm.Resource().Attributes(), n)
			ref := entity.ResourceEntityRefs(rm.Resource()).AppendEmpty()
			for i := range n {
				ref.IdKeys().Append(fmt.Sprint("key", i))
			}
		}, nil)
	},
	"entity references": func(n int, at pcommon.Timestamp) pmetric.Metrics {
		return request(1, 1, 1, at, func(_ int, rm pmetric.ResourceMetrics) {
			for range n {
				entity.ResourceEntityRefs(rm.Resource()).AppendEmpty().IdKeys().Append("host.name")
			}
		}, nil)
	},
	"scopes": func(n int, at pcommon.Timestamp) pmetric.Metrics { return request(1, n, 1, at, nil, nil) },
	"scopes of a long resource": func(n int, at pcommon.Timestamp) pmetric.Metrics {
		return request(1, n, 1, at, func(_ int, rm pmetric.ResourceMetrics) { put(rm.Resource().Attributes(), 100) }, nil)
	},
	"attributes of a scope": func(n int, at pcommon.Timestamp) pmetric.Metrics {
		md := request(1, 1, 1, at, nil, nil)
		put(md.ResourceMetrics().At(0).ScopeMetrics().At(0).Scope().Attributes(), n)
		return md
	},
	"metrics": func(n int, at pcommon.Timestamp) pmetric.Metrics { return request(1, 1, n, at, nil, nil) },
	"units": func(n int, at pcommon.Timestamp) pmetric.Metrics {
		return request(1, 1, n, at, nil, func(i int, m pmetric.Metric) { m.SetUnit(fmt.Sprint("{u", i, "}")) })
	},
	"points": points(func(i int, dp pmetric.NumberDataPoint) { dp.Attributes().PutInt("i", int64(i)) }),
	"times of a point": points(func(i int, dp pmetric.NumberDataPoint) {
		dp.SetTimestamp(dp.Timestamp() + pcommon.Timestamp(i)*pcommon.Timestamp(time.Millisecond))
	}),
	"times in reverse": points(func(i int, dp pmetric.NumberDataPoint) {
		dp.SetTimestamp(dp.Timestamp() - pcommon.Timestamp(i)*pcommon.Timestamp(time.Millisecond))
	}),
	"points of as many times": points(func(i int, dp pmetric.NumberDataPoint) {
		dp.Attributes().PutInt("i", int64(i))
		dp.SetTimestamp(dp.Timestamp() + pcommon.Timestamp(i)*pcommon.Timestamp(time.Millisecond))
	}),
	"points of as many times in reverse": points(func(i int, dp pmetric.NumberDataPoint) {
		dp.Attributes().PutInt("i", int64(i))
		dp.SetTimestamp(dp.Timestamp() - pcommon.Timestamp(i)*pcommon.Timestamp(time.Millisecond))
	}),
	"points of the past": points(func(i int, dp pmetric.NumberDataPoint) {
		dp.Attributes().PutInt("i", int64(i))
		dp.SetTimestamp(1)
	}),
	"points of the future": points(func(i int, dp pmetric.NumberDataPoint) {
		dp.Attributes().PutInt("i", int64(i))
		dp.SetTimestamp(dp.Timestamp() * 2)
	}),
	"points with the same key": points(func(int, pmetric.NumberDataPoint) {}),
	"points that fire": points(func(i int, dp pmetric.NumberDataPoint) {
		dp.Attributes().PutInt("i", int64(i))
		dp.SetDoubleValue(1e12)
	}),
	"attributes of a point": func(n int, at pcommon.Timestamp) pmetric.Metrics {
		return request(1, 1, 1, at, nil, func(_ int, m pmetric.Metric) { put(m.Gauge().DataPoints().At(0).Attributes(), n) })
	},
	"exemplars": func(n int, at pcommon.Timestamp) pmetric.Metrics {
		return request(1, 1, 1, at, nil, func(_ int, m pmetric.Metric) {
			for i := range n {
				x := m.Gauge().DataPoints().At(0).Exemplars().AppendEmpty()
				x.SetTraceID([16]byte{byte(i), 1})
				x.SetTimestamp(pcommon.Timestamp(i))
			}
		})
	},
	"buckets": func(n int, at pcommon.Timestamp) pmetric.Metrics {
		return request(1, 1, 1, at, nil, func(_ int, m pmetric.Metric) {
			m.SetName("d")
			h := m.SetEmptyHistogram()
			h.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
			dp := h.DataPoints().AppendEmpty()
			dp.SetTimestamp(at)
			dp.SetCount(uint64(n) + 1)
			dp.BucketCounts().Append(1)
			for i := range n {
				dp.ExplicitBounds().Append(float64(i))
				dp.BucketCounts().Append(1)
			}
		})
	},
	"exponential buckets": func(n int, at pcommon.Timestamp) pmetric.Metrics {
		return request(1, 1, 1, at, nil, func(_ int, m pmetric.Metric) {
			m.SetName("d")
			h := m.SetEmptyExponentialHistogram()
			h.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
			dp := h.DataPoints().AppendEmpty()
			dp.SetTimestamp(at)
			dp.SetCount(2 * uint64(n))
			for range n {
				dp.Positive().BucketCounts().Append(1)
				dp.Negative().BucketCounts().Append(1)
			}
		})
	},
	"quantiles": func(n int, at pcommon.Timestamp) pmetric.Metrics {
		return request(1, 1, 1, at, nil, func(_ int, m pmetric.Metric) {
			m.SetName("d")
			dp := m.SetEmptySummary().DataPoints().AppendEmpty()
			dp.SetTimestamp(at)
			dp.SetCount(1)
			for i := range n {
				dp.QuantileValues().AppendEmpty().SetQuantile(float64(i) / float64(2*n))
			}
		})
	},
	"depth of a value": ofValue(func(n int, v pcommon.Value) {
		for range n {
			v = v.SetEmptySlice().AppendEmpty()
		}
	}),
	"depth of maps": ofValue(func(n int, v pcommon.Value) {
		for range n {
			v = v.SetEmptyMap().PutEmpty("k")
		}
	}),
	"items of a list": ofValue(func(n int, v pcommon.Value) {
		list := v.SetEmptySlice()
		for i := range n {
			list.AppendEmpty().SetInt(int64(i))
		}
	}),
	"keys of a map":     ofValue(func(n int, v pcommon.Value) { put(v.SetEmptyMap(), n) }),
	"bytes of a value":  ofValue(func(n int, v pcommon.Value) { v.SetEmptyBytes().FromRaw(make([]byte, 100*n)) }),
	"length of a value": ofValue(func(n int, v pcommon.Value) { v.SetStr(strings.Repeat("é", 50*n)) }),
	"length of a key": func(n int, at pcommon.Timestamp) pmetric.Metrics {
		return request(1, 1, 1, at, func(_ int, rm pmetric.ResourceMetrics) {
			rm.Resource().Attributes().PutStr(strings.Repeat("k", 100*n), "v")
		}, func(_ int, m pmetric.Metric) {
			m.Gauge().DataPoints().At(0).Attributes().PutStr(strings.Repeat("k", 100*n), "v")
		})
	},
	"length of a unit": func(n int, at pcommon.Timestamp) pmetric.Metrics {
		return request(1, 1, 1, at, nil, func(_ int, m pmetric.Metric) { m.SetUnit(strings.Repeat("u", 100*n)) })
	},
	"length of a name": func(n int, at pcommon.Timestamp) pmetric.Metrics {
		md := request(1, 1, 1, at, nil, nil)
		sm := md.ResourceMetrics().At(0).ScopeMetrics().At(0)
		sm.Scope().SetName(strings.Repeat("n", 100*n))
		sm.Scope().SetVersion(strings.Repeat("v", 100*n))
		sm.Metrics().AppendEmpty().SetName(strings.Repeat("m", 100*n))
		return md
	},
}

// request makes a request of so many resources, scopes in each and metrics in each of these, with one point each.
func request(resources, scopes, metrics int, at pcommon.Timestamp, ofResource func(int, pmetric.ResourceMetrics), ofMetric func(int, pmetric.Metric)) pmetric.Metrics {
	md := pmetric.NewMetrics()
	for r := range resources {
		rm := md.ResourceMetrics().AppendEmpty()
		rm.Resource().Attributes().PutStr("host.name", "h")
		if ofResource != nil {
			ofResource(r, rm)
		}
		for s := range scopes {
			sm := rm.ScopeMetrics().AppendEmpty()
			sm.Scope().SetName(fmt.Sprint("scope", s))
			for i := range metrics {
				m := sm.Metrics().AppendEmpty()
				m.SetName("m")
				dp := m.SetEmptyGauge().DataPoints().AppendEmpty()
				dp.SetTimestamp(at)
				dp.SetDoubleValue(1)
				if ofMetric != nil {
					ofMetric(i, m)
				}
			}
		}
	}
	return md
}

func points(edit func(int, pmetric.NumberDataPoint)) func(int, pcommon.Timestamp) pmetric.Metrics {
	return func(n int, at pcommon.Timestamp) pmetric.Metrics {
		return request(1, 1, 1, at, nil, func(_ int, m pmetric.Metric) {
			all := m.SetEmptyGauge().DataPoints()
			for i := range n {
				dp := all.AppendEmpty()
				dp.SetTimestamp(at)
				dp.SetDoubleValue(1)
				edit(i, dp)
			}
		})
	}
}

func ofValue(fill func(int, pcommon.Value)) func(int, pcommon.Timestamp) pmetric.Metrics {
	return func(n int, at pcommon.Timestamp) pmetric.Metrics {
		return request(1, 1, 1, at, func(_ int, rm pmetric.ResourceMetrics) {
			fill(n, rm.Resource().Attributes().PutEmpty("v"))
			fill(n, rm.Resource().Attributes().PutEmpty("host.id"))
		}, func(_ int, m pmetric.Metric) { fill(n, m.Gauge().DataPoints().At(0).Attributes().PutEmpty("v")) })
	}
}

func put(attrs pcommon.Map, n int) {
	attrs.EnsureCapacity(attrs.Len() + n)
	raw := make(map[string]any, n)
	for key, v := range attrs.All() {
		raw[key] = v.AsRaw()
	}
	for i := range n {
		raw[fmt.Sprint("key", i)] = "value"
	}
	if attrs.FromRaw(raw) != nil {
		panic("attributes")
	}
}

// rulesOfAllKinds look at m, and at d for points that describe many values.
func rulesOfAllKinds() []rules.RuleConfig {
	edit := func(name string, f func(*rules.RuleConfig)) rules.RuleConfig {
		rc := rules.RuleConfig{Name: name, Metric: "m", Threshold: 1e9, Severity: "warning"}
		f(&rc)
		return rc
	}
	return []rules.RuleConfig{
		edit("plain", func(*rules.RuleConfig) {}),
		edit("with a unit", func(rc *rules.RuleConfig) { rc.Threshold = "5GiB" }),
		edit("of a host", func(rc *rules.RuleConfig) {
			rc.GroupBy, rc.Message = []string{"resource.host.name"}, `{{ .Resource "v" }}`
		}),
		edit("fleet", func(rc *rules.RuleConfig) { rc.GroupBy, rc.GroupAggregate = []string{}, "sum" }),
		edit("window", func(rc *rules.RuleConfig) { rc.Window, rc.Aggregate = time.Minute, "avg" }),
		edit("regex", func(rc *rules.RuleConfig) {
			rc.Match = map[string]any{"resource": map[string]any{"v": map[string]any{"not_regex": "x+y+z"}}, "v": map[string]any{"not_regex": "x+"}}
		}),
		edit("absent", func(rc *rules.RuleConfig) {
			rc.Threshold, rc.GroupBy, rc.Absent = nil, []string{"resource.host.name", "i"}, &rules.AbsentConfig{For: 5 * time.Minute}
		}),
		edit("change", func(rc *rules.RuleConfig) { rc.Change = &rules.ChangeConfig{Since: time.Hour} }),
		edit("ratio", func(rc *rules.RuleConfig) {
			rc.Metric, rc.GroupBy = "", []string{"resource.host.name"}
			rc.Ratio = &rules.RatioConfig{Numerator: rules.SelectorConfig{Metric: "m"}, Denominator: rules.SelectorConfig{Metric: "m"}}
		}),
		edit("p95", func(rc *rules.RuleConfig) { rc.Metric, rc.Statistic = "d", "p95" }),
		edit("count", func(rc *rules.RuleConfig) { rc.Metric, rc.Statistic = "d", "count" }),
	}
}

// cost is what a request and the tick after it make the engine do. Allocations and bytes are those of the whole process meanwhile.
type cost struct{ allocations, bytes, work float64 }

func costOf(t *testing.T, build func(int, pcommon.Timestamp) pmetric.Metrics, n int) cost {
	t.Helper()
	cfg := rules.DefaultConfig()
	cfg.Rules = rulesOfAllKinds()
	compiled, err := rules.Compile(cfg)
	require.NoError(t, err)
	engine, now, f := alert.New(compiled, feedStart), feedStart, feeder{}
	var total cost
	for range 3 {
		now = now.Add(15 * time.Second)
		md := build(n, pcommon.NewTimestampFromTime(now))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		engine.Begin(now)
		f.feed(engine, md)
		engine.Flush(now)
		engine.Evaluate(now)
		engine.Snapshot(now)
		runtime.ReadMemStats(&after)
		total.allocations += float64(after.Mallocs - before.Mallocs)
		total.bytes += float64(after.TotalAlloc - before.TotalAlloc)
	}
	total.work = float64(engine.Work())
	return total
}

// least has the least of each of two measurements: what other goroutines of the process allocate meanwhile only adds to the counts.
func (c cost) least(other cost) cost {
	return cost{allocations: min(c.allocations, other.allocations), bytes: min(c.bytes, other.bytes), work: min(c.work, other.work)}
}

// growth are costs of a request, of one that is ten times as large, and of one that is a hundred times as large.
type growth struct{ one, ten, hundred cost }

func growthOf(t *testing.T, build func(int, pcommon.Timestamp) pmetric.Metrics) growth {
	const n = 20
	return growth{costOf(t, build, n), costOf(t, build, 10*n), costOf(t, build, 100*n)}
}

// tooMuch tells where a cost grows by more than the request does, "" for nowhere.
func (g growth) tooMuch(what string, of func(cost) float64, slack float64) string {
	one, ten, hundred := of(g.one), of(g.ten), of(g.hundred)
	if hundred-ten <= 20*max(0, ten-one)+slack {
		return ""
	}
	return fmt.Sprintf("%s: %.0f, %.0f, %.0f", what, one, ten, hundred)
}

// allocations tells where allocations grow by more than the request does. The runtime counts those of the whole process.
func (g growth) allocations() string {
	return g.tooMuch("allocations", func(c cost) float64 { return c.allocations }, 5000) + g.tooMuch("bytes", func(c cost) float64 { return c.bytes }, 2<<20)
}

// TestWorkGrowsWithTheRequest feeds ten times and a hundred times as much of everything that can be repeated: what it costs grows by as much at most.
// Work is the engine's own count. Allocations are measured again where they are too many, and the least of each counts.
func TestWorkGrowsWithTheRequest(t *testing.T) {
	const most = 10
	for name, build := range multiplied {
		t.Run(name, func(t *testing.T) {
			g := growthOf(t, build)
			assert.Empty(t, g.tooMuch("series looked at", func(c cost) float64 { return c.work }, 50_000))
			for again := 1; again < most && g.allocations() != ""; again++ {
				next := growthOf(t, build)
				g = growth{g.one.least(next.one), g.ten.least(next.ten), g.hundred.least(next.hundred)}
			}
			assert.Empty(t, g.allocations())
			t.Logf("%v", g)
		})
	}
}
