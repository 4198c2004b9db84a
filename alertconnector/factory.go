package alertconnector

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"

	"github.com/otelcol-psutil/otelcol-psutil/alertconnector/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertpipe"
)

// NewFactory returns the factory of the alert connector.
func NewFactory() connector.Factory { return newFactory(time.Now) }

// factory makes the nodes of one Collector configuration. Those of one ID share a pipe: one for logs and one for metrics, if pipelines of both
// begin with it. The Collector gives the metrics of all pipelines that end in the connector to each of them.
type factory struct {
	now   func() time.Time
	pipes alertpipe.Shared
}

func newFactory(now func() time.Time) connector.Factory {
	f := &factory{now: now}
	return connector.NewFactory(metadata.Type, func() component.Config { return alertpipe.DefaultConfig() },
		connector.WithMetricsToLogs(f.createLogs, metadata.MetricsToLogsStability),
		connector.WithMetricsToMetrics(f.createMetrics, metadata.MetricsToMetricsStability))
}

func (f *factory) createLogs(_ context.Context, set connector.Settings, cfg component.Config, next consumer.Logs) (connector.Metrics, error) {
	pipe, err := f.pipe(set, cfg.(*Config))
	if err != nil {
		return nil, err
	}
	return &alertConnector{input: pipe.NewTwin(), output: pipe.NewSink(next)}, nil
}

func (f *factory) createMetrics(_ context.Context, set connector.Settings, cfg component.Config, next consumer.Metrics) (connector.Metrics, error) {
	pipe, err := f.pipe(set, cfg.(*Config))
	if err != nil {
		return nil, err
	}
	return &alertConnector{input: pipe.NewTwin(), output: pipe.NewStateSink(next)}, nil
}

func (f *factory) pipe(set connector.Settings, cfg *Config) (*alertpipe.Pipe, error) {
	if cfg.AcceptExternalRecords {
		return nil, errors.New("accept_external_records means nothing in a connector, through which no records pass: set it of the exporter that is to take them")
	}
	return f.pipes.Of(cfg, func() (alertpipe.Settings, error) {
		t, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
		if err != nil {
			return alertpipe.Settings{}, err
		}
		return alertpipe.Settings{
			ID: set.ID, Kind: component.KindConnector, Logger: set.Logger, Now: f.now,
			Instruments: alertpipe.Instruments{
				Active: t.AlertActive, DeliveryAttempts: t.AlertDeliveryAttempts, EvaluationDuration: t.AlertEvaluationDuration,
				EventsSuppressed: t.AlertEventsSuppressed, LimitsExceeded: t.AlertLimitsExceeded, OutboxDropped: t.AlertOutboxDropped, OutboxSize: t.AlertOutboxSize,
				OutboxUndelivered: t.AlertOutboxUndelivered, RuleErrors: t.AlertRuleErrors, RuleLastMatchAge: t.AlertRuleLastMatchAge,
				SamplesIgnored: t.AlertSamplesIgnored, Series: t.AlertSeries, Transitions: t.AlertTransitions,
			},
		}, nil
	})
}
