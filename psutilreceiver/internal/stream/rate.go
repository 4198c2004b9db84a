package stream

import (
	"math"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"
)

// Rates selects the sums beside which a gauge shows the change per second.
type Rates struct {
	// Enabled adds rates at all.
	Enabled bool
	// Metrics names the sums that get a rate; empty means every monotonic sum.
	Metrics []string
}

// rateMetric is the gauge <metric>.rate of one sum.
type rateMetric struct {
	name, description, unit string
}

// rates has the rate metric of each sum, nil for a sum without. It holds one
// entry for each metric name that of was called with.
type rates struct {
	enabled  bool
	selected map[string]struct{}
	metrics  map[string]*rateMetric
}

func newRates(cfg Rates) rates {
	r := rates{enabled: cfg.Enabled, metrics: make(map[string]*rateMetric)}
	if len(cfg.Metrics) > 0 {
		r.selected = make(map[string]struct{}, len(cfg.Metrics))
		for _, name := range cfg.Metrics {
			r.selected[name] = struct{}{}
		}
	}
	return r
}

// of returns the rate metric of a sum, nil for one without.
func (r *rates) of(sum pmetric.Metric) *rateMetric {
	if !r.enabled {
		return nil
	}
	name := sum.Name()
	metric, known := r.metrics[name]
	if !known {
		if _, selected := r.selected[name]; selected || r.selected == nil {
			metric = &rateMetric{
				name:        RateName(name),
				description: "Change of " + name + " per second.",
				unit:        RateUnit(sum.Unit()),
			}
		}
		r.metrics[name] = metric
	}
	return metric
}

// RateName returns the name of the gauge that shows the rate of a sum.
func RateName(sum string) string { return sum + ".rate" }

// RateUnit returns the UCUM unit of a rate: the unit of the sum over s. Seconds
// per second have no dimension, so the rate of a time is in 1.
func RateUnit(unit string) string {
	switch unit {
	case "s":
		return "1"
	case "":
		return "1/s"
	default:
		return unit + "/s"
	}
}

// appendTo adds an empty gauge for up to n points.
func (m *rateMetric) appendTo(metrics pmetric.MetricSlice, n int) pmetric.NumberDataPointSlice {
	metric := metrics.AppendEmpty()
	metric.SetName(m.name)
	metric.SetDescription(m.description)
	metric.SetUnit(m.unit)
	points := metric.SetEmptyGauge().DataPoints()
	points.EnsureCapacity(n)
	return points
}

// perSecond returns the rate of a difference, and whether it can be expressed:
// a huge difference over a tiny time may exceed what a float holds.
func perSecond(delta number, elapsed time.Duration) (float64, bool) {
	v := delta.float() / elapsed.Seconds()
	return v, !math.IsInf(v, 0)
}
