package alertconnector

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/alertconnector/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertpipe"
)

// alertConnector is one input and one sink of a pipe. The Collector makes one for each ID, starts it after the logs pipelines and
// before the metrics pipelines, and stops it the other way round.
type alertConnector struct {
	input *alertpipe.Input
	sink  *alertpipe.Sink
}

func newConnector(set connector.Settings, cfg *Config, next consumer.Logs, now func() time.Time) (*alertConnector, error) {
	t, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	pipe, err := alertpipe.New(alertpipe.Settings{
		ID: set.ID, Kind: component.KindConnector, Logger: set.Logger, Now: now,
		Instruments: alertpipe.Instruments{
			Active: t.AlertActive, DeliveryAttempts: t.AlertDeliveryAttempts, EvaluationDuration: t.AlertEvaluationDuration,
			EventsSuppressed: t.AlertEventsSuppressed, OutboxDropped: t.AlertOutboxDropped, OutboxSize: t.AlertOutboxSize,
			OutboxUndelivered: t.AlertOutboxUndelivered, RuleErrors: t.AlertRuleErrors, RuleLastMatchAge: t.AlertRuleLastMatchAge,
			SamplesIgnored: t.AlertSamplesIgnored, Series: t.AlertSeries, Transitions: t.AlertTransitions,
		},
	}, cfg)
	if err != nil {
		return nil, err
	}
	return &alertConnector{input: pipe.NewInput(), sink: pipe.NewSink(next)}, nil
}

// Start starts the engine and the way out of it.
func (c *alertConnector) Start(ctx context.Context, host component.Host) error {
	if err := c.sink.Start(ctx, host); err != nil {
		return err
	}
	return c.input.Start(ctx, host)
}

// Shutdown delivers what is left.
func (c *alertConnector) Shutdown(ctx context.Context) error {
	return errors.Join(c.input.Shutdown(ctx), c.sink.Shutdown(ctx))
}

// Capabilities says that metrics are only read.
func (*alertConnector) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: false}
}

// ConsumeMetrics shows the metrics to the rules. It never fails: an error would make the sender repeat what the exporters
// beside the connector have got.
func (c *alertConnector) ConsumeMetrics(_ context.Context, md pmetric.Metrics) error {
	c.input.Consume(md)
	return nil
}
