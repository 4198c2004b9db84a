package translate

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// TestJoiningTakesTimeInProportion: whatever points somebody sends, ten times as many need ten times as many comparisons at most.
func TestJoiningTakesTimeInProportion(t *testing.T) {
	for name, attributes := range map[string]func(to pcommon.Map, i int){
		"none has another": func(to pcommon.Map, i int) {
			to.PutStr("cpu", fmt.Sprintf("cpu%d", i))
			to.PutStr("state", "softirq")
		},
		"the other is at the far end": func(to pcommon.Map, i int) {
			to.PutStr("cpu", fmt.Sprintf("cpu%d", min(i, 997-i)))
			to.PutStr("state", []string{"interrupt", "softirq"}[i%2])
		},
		"all are the same": func(to pcommon.Map, _ int) { to.PutStr("state", "softirq") },
		"all but one are the same": func(to pcommon.Map, i int) {
			to.PutStr("state", []string{"interrupt", "softirq"}[min(i, 1)])
		},
		"no attribute equals itself": func(to pcommon.Map, _ int) {
			to.PutDouble("x", math.NaN())
			to.PutStr("state", "softirq")
		},
		"nothing equals itself, within": func(to pcommon.Map, _ int) {
			to.PutEmptySlice("x").AppendEmpty().SetDouble(math.NaN())
			to.PutStr("state", "softirq")
		},
		"attributes of every kind": func(to pcommon.Map, i int) {
			to.PutBool("a", i%2 == 0)
			to.PutInt("b", int64(i))
			to.PutEmptyMap("c").PutInt("d", int64(i))
			to.PutEmptyBytes("e").Append(byte(i))
			to.PutStr("state", "softirq")
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, n := range []int{1_000, 10_000, 100_000} {
				metrics := pmetric.NewMetricSlice()
				m := metrics.AppendEmpty()
				m.SetName("system.cpu.time")
				of := m.SetEmptySum().DataPoints()
				of.EnsureCapacity(n)
				for i := range n {
					p := of.AppendEmpty()
					p.SetDoubleValue(1)
					attributes(p.Attributes(), i)
				}
				translator := ToOurs()
				translator.Metrics(metrics)
				assert.LessOrEqual(t, translator.joiner.compared, maxProbes*n, "%d points", n)
				sum := 0.0
				for _, p := range of.All() {
					sum += p.DoubleValue()
				}
				assert.InDelta(t, n, sum, 0, "nothing is lost or counted twice")
			}
		})
	}
}

// TestPointsOfDifferentTimesStayApart: a batch may hold several scrapes in one metric.
func TestPointsOfDifferentTimesStayApart(t *testing.T) {
	metrics := pmetric.NewMetricSlice()
	m := metrics.AppendEmpty()
	m.SetName("system.cpu.time")
	of := m.SetEmptySum().DataPoints()
	for i, value := range []float64{1, 2, 4, 8} {
		p := of.AppendEmpty()
		put(p, "state="+[]string{"softirq", "interrupt", "interrupt", "softirq"}[i], value)
		p.SetTimestamp(pcommon.Timestamp(1 + i%2)) //nolint:gosec // It is 1 or 2.
	}
	ToOurs().Metrics(metrics)
	got := map[pcommon.Timestamp]float64{}
	for _, p := range of.All() {
		got[p.Timestamp()] += p.DoubleValue()
	}
	assert.Equal(t, map[pcommon.Timestamp]float64{1: 5, 2: 10}, got)
	assert.Equal(t, 2, of.Len())
}

// TestPointsWithVeryManyAttributes are no host's, and stay as they are.
func TestPointsWithVeryManyAttributes(t *testing.T) {
	for _, n := range []int{maxAttributes, maxAttributes + 1} {
		metrics := pmetric.NewMetricSlice()
		m := metrics.AppendEmpty()
		m.SetName("system.cpu.time")
		of := m.SetEmptySum().DataPoints()
		for range 2 {
			p := of.AppendEmpty()
			put(p, "state=softirq", 1)
			for i := range n - 1 {
				p.Attributes().PutInt(fmt.Sprint(i), 1)
			}
		}
		ToOurs().Metrics(metrics)
		_, old := of.At(0).Attributes().Get("state")
		assert.Equal(t, n > maxAttributes, old)
		assert.Equal(t, map[bool]int{false: 1, true: 2}[n > maxAttributes], of.Len())
	}
}

// TestValuesOfDifferentKinds: no value is lost when a sender mixes integers, floating-point numbers and points without a value.
func TestValuesOfDifferentKinds(t *testing.T) {
	kinds := map[string]func(p pmetric.NumberDataPoint) float64{
		"int":    func(p pmetric.NumberDataPoint) float64 { p.SetIntValue(3); return 3 },
		"double": func(p pmetric.NumberDataPoint) float64 { p.SetDoubleValue(0.5); return 0.5 },
		"none":   func(pmetric.NumberDataPoint) float64 { return 0 },
	}
	for first, a := range kinds {
		for second, b := range kinds {
			for _, states := range [][2]string{{"interrupt", "softirq"}, {"softirq", "interrupt"}, {"softirq", "softirq"}} {
				metrics := pmetric.NewMetricSlice()
				m := metrics.AppendEmpty()
				m.SetName("system.cpu.time")
				of := m.SetEmptySum().DataPoints()
				want := 0.0
				for i, set := range []func(pmetric.NumberDataPoint) float64{a, b} {
					p := of.AppendEmpty()
					p.Attributes().PutStr("state", states[i])
					want += set(p)
				}
				ToOurs().Metrics(metrics)
				got := 0.0
				if metrics.Len() > 0 {
					for _, p := range of.All() {
						got += number(p)
					}
				}
				assert.InDelta(t, want, got, 0, "%s %s, %v", first, second, states)
			}
		}
	}
}
