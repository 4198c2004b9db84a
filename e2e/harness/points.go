package harness

import (
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"
)

// Point is a number point with its metric and, as AttributesOf gives them, its attributes.
type Point struct {
	Metric     pmetric.Metric
	Attributes string
	Value      float64
	Start, At  time.Time
}

// PointsOf lists the number points of a batch by "name{key=value,…}", attributes sorted by key.
func PointsOf(md pmetric.Metrics) map[string]Point {
	out := make(map[string]Point)
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				for _, dp := range NumberPoints(m).All() {
					p := Point{Metric: m, Attributes: AttributesOf(dp), Start: dp.StartTimestamp().AsTime(), At: dp.Timestamp().AsTime()}
					p.Value = dp.DoubleValue()
					if dp.ValueType() == pmetric.NumberDataPointValueTypeInt {
						p.Value = float64(dp.IntValue())
					}
					out[m.Name()+p.Attributes] = p
				}
			}
		}
	}
	return out
}

// NumberPoints gives the points of a sum or a gauge, and none of another metric.
func NumberPoints(m pmetric.Metric) pmetric.NumberDataPointSlice {
	switch m.Type() {
	case pmetric.MetricTypeSum:
		return m.Sum().DataPoints()
	case pmetric.MetricTypeGauge:
		return m.Gauge().DataPoints()
	default:
		return pmetric.NewNumberDataPointSlice()
	}
}

// AttributesOf gives the attributes of a point as "{key=value,…}", sorted by key, or "" if there are none.
func AttributesOf(dp pmetric.NumberDataPoint) string {
	if dp.Attributes().Len() == 0 {
		return ""
	}
	var parts []string
	for k, v := range dp.Attributes().All() {
		parts = append(parts, k+"="+v.AsString())
	}
	slices.Sort(parts)
	return "{" + strings.Join(parts, ",") + "}"
}
