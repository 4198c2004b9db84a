package oracle

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/model/labels"
	promrules "github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
)

// ready is a storage whose answer lies ready, so that the benchmark measures rules and not a storage.
type ready struct {
	*memoryQuerier
	series []storage.Series
}

func (r *ready) Querier(int64, int64) (storage.Querier, error) { return r, nil }

func (r *ready) Select(context.Context, bool, *storage.SelectHints, ...*labels.Matcher) storage.SeriesSet {
	return &seriesList{r.series, -1}
}

const (
	benchRules  = 12
	benchSeries = 10_000
)

// benchAggregate is what the i-th rule compares: every other one the last value, the others a window of five minutes.
func benchAggregate(i int) string {
	if i%2 == 0 {
		return ""
	}
	return []string{"avg", "max", "rate"}[i/2%3]
}

// BenchmarkRules is one evaluation of 12 rules over 10,000 series, a sample every 15 seconds: by us, taking the samples in included,
// and by Prometheus, without that. Quiet is when nothing is above the threshold, busy when a tenth of the series is.
func BenchmarkRules(b *testing.B) {
	for _, busy := range []bool{false, true} {
		name := map[bool]string{false: "quiet", true: "busy"}[busy]
		b.Run(name+"/ours", func(b *testing.B) { benchOurs(b, busy) })
		b.Run(name+"/prometheus", func(b *testing.B) { benchPrometheus(b, busy) })
	}
}

func benchValue(series int, busy bool, round int) float64 {
	if busy && series%10 == 0 {
		return 1e6 + float64(round)*1e5
	}
	return float64(round)
}

func benchOurs(b *testing.B, busy bool) {
	b.Helper()
	cfg := rules.DefaultConfig()
	cfg.Limits.Series, cfg.Limits.AlertsPerRule, cfg.Limits.EventsPerMinute, cfg.Limits.Outbox = benchSeries, 1<<30, 1<<30, 1<<30
	for i := range benchRules {
		rc := rules.RuleConfig{Name: fmt.Sprintf("rule%d", i), Metric: metric, Threshold: 1000, Severity: "warning", Lookback: "5m"}
		if rc.Aggregate = benchAggregate(i); rc.Aggregate != "" {
			rc.Window = 5 * time.Minute
		}
		cfg.Rules = append(cfg.Rules, rc)
	}
	compiled, err := rules.Compile(cfg)
	require.NoError(b, err)
	engine := alert.New(compiled, at(0))
	attrs := make([][]attr.Attr, benchSeries)
	for i := range attrs {
		attrs[i] = []attr.Attr{{Key: "device", Value: attr.StringValue(fmt.Sprintf("veth%05d", i))}, {Key: "direction", Value: attr.StringValue("receive")}}
	}
	var p alert.Point
	round := func(n int) {
		now := at(time.Duration(n) * 15 * time.Second)
		engine.Begin(now)
		m := engine.Matcher(metric)
		m.Select(&attr.Origin{}, alert.Stream{Kind: window.CumulativeCounter})
		p.Time = now.UnixNano()
		for i := range attrs {
			p.Attributes, p.Value = attrs[i], benchValue(i, busy, n)
			m.Observe(&p)
		}
		engine.Flush(now)
		engine.Evaluate(now)
	}
	n := 0
	for ; n < 30; n++ {
		round(n)
	}
	for _, ev := range engine.Peek(nil, engine.Pending()) {
		engine.Ack(ev.Seq)
	}
	b.ReportAllocs()
	for b.Loop() {
		round(n)
		n++
	}
	b.ReportMetric(float64(len(engine.Active())), "alerts")
}

func benchPrometheus(b *testing.B, busy bool) {
	b.Helper()
	var m memory
	for i := range benchSeries {
		l := labels.FromStrings(model.MetricNameLabel, metric, "device", fmt.Sprintf("veth%05d", i), "direction", "receive")
		for n := range 30 {
			m.append(l, time.Duration(n)*15*time.Second, benchValue(i, busy, n))
		}
	}
	r := &ready{memoryQuerier: &memoryQuerier{memory: &m}}
	for _, s := range m.series {
		r.series = append(r.series, storage.NewListSeries(s.labels, s.samples))
	}
	query := promrules.EngineQueryFunc(promEngine(5*time.Minute), r)
	var all []*promrules.AlertingRule
	for i := range benchRules {
		expr := "m > 1000"
		switch f := benchAggregate(i); f {
		case "":
		case "rate":
			expr = "rate(m[5m]) > 1000"
		default:
			expr = f + "_over_time(m[5m]) > 1000"
		}
		parsed, err := promParser.ParseExpr(expr)
		require.NoError(b, err)
		all = append(all, promrules.NewAlertingRule(fmt.Sprintf("rule%d", i), parsed, 0, 0, labels.FromStrings("severity", "warning"), labels.EmptyLabels(),
			labels.EmptyLabels(), "", true, promslog.NewNopLogger()))
	}
	now := at(29 * 15 * time.Second)
	b.ReportAllocs()
	for b.Loop() {
		for _, rule := range all {
			if _, err := rule.Eval(context.Background(), 0, now, query, nil, 0); err != nil {
				b.Fatal(err)
			}
		}
	}
	alerts := 0
	for _, rule := range all {
		alerts += rule.ActiveAlertsCount()
	}
	b.ReportMetric(float64(alerts), "alerts")
}
