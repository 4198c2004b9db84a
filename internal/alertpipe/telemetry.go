package alertpipe

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert"
)

// Instruments take the account that a pipe gives of itself. They are those that the component's metadata.yaml declares.
type Instruments struct {
	Active             metric.Int64Gauge
	DeliveryAttempts   metric.Int64Counter
	EvaluationDuration metric.Float64Histogram
	EventsSuppressed   metric.Int64Counter
	LimitsExceeded     metric.Int64Counter
	OutboxDropped      metric.Int64Counter
	OutboxSize         metric.Int64Gauge
	OutboxUndelivered  metric.Int64Counter
	RuleErrors         metric.Int64Counter
	RuleLastMatchAge   metric.Float64Gauge
	SamplesIgnored     metric.Int64Counter
	Series             metric.Int64Gauge
	Transitions        metric.Int64Counter
}

// The outcomes of an attempt to deliver.
const (
	outcomeAccepted = "accepted"
	outcomeRetry    = "retry"
	outcomeRefused  = "refused"
)

// account records what a pipe does. The engine counts from its start; reported is what its counters have passed on.
type account struct {
	Instruments
	reported map[total]uint64
}

// total names one of the engine's totals.
type total struct{ instrument, rule, label string }

func newAccount(in Instruments) *account {
	return &account{Instruments: in, reported: map[total]uint64{}}
}

func (a *account) evaluated(d time.Duration) {
	a.EvaluationDuration.Record(context.Background(), d.Seconds())
}

func (a *account) attempted(outcome string) {
	a.DeliveryAttempts.Add(context.Background(), 1, attributes("outcome", outcome))
}

func (a *account) undelivered(records int) {
	a.OutboxUndelivered.Add(context.Background(), int64(records))
}

// report passes the engine's account on. The caller holds the lock of the engine.
func (a *account) report(s alert.Stats) {
	ctx := context.Background()
	a.Series.Record(ctx, int64(s.Series))
	a.OutboxSize.Record(ctx, int64(s.Outbox))
	a.add(a.OutboxDropped, total{instrument: "dropped"}, s.OutboxDropped)
	for reason, n := range s.SamplesIgnored {
		a.add(a.SamplesIgnored, total{"ignored", "", reason}, n, attribute.String("reason", reason))
	}
	for limit, n := range s.LimitsExceeded {
		a.add(a.LimitsExceeded, total{"exceeded", "", limit}, n, attribute.String("limit", limit))
	}
	for reason, n := range s.EventsSuppressed {
		a.add(a.EventsSuppressed, total{"suppressed", "", reason}, n, attribute.String("reason", reason))
	}
	for i := range s.Rules {
		a.reportRule(&s.Rules[i])
	}
}

func (a *account) reportRule(r *alert.RuleStats) {
	ctx := context.Background()
	rule := attribute.String("rule", r.Name)
	a.RuleLastMatchAge.Record(ctx, r.LastMatchAge.Seconds(), metric.WithAttributes(rule))
	a.add(a.RuleErrors, total{"errors", r.Name, ""}, r.Errors, rule)
	for severity, n := range r.Active {
		a.Active.Record(ctx, int64(n), metric.WithAttributes(rule, attribute.String("severity", severity)))
	}
	for transition, n := range r.Transitions {
		a.add(a.Transitions, total{"transitions", r.Name, transition}, n, rule, attribute.String("transition", transition))
	}
}

// add adds what a total has grown by since it was last passed on.
func (a *account) add(counter metric.Int64Counter, key total, n uint64, attrs ...attribute.KeyValue) {
	if n > a.reported[key] {
		counter.Add(context.Background(), int64(n-a.reported[key]), metric.WithAttributes(attrs...))
		a.reported[key] = n
	}
}

func attributes(key, value string) metric.MeasurementOption {
	return metric.WithAttributes(attribute.String(key, value))
}
