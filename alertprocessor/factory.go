package alertprocessor

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processorhelper"

	"github.com/otelcol-psutil/otelcol-psutil/alertprocessor/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertpipe"
)

// NewFactory returns the factory of the alert processor.
func NewFactory() processor.Factory { return newFactory(time.Now).processorFactory() }

// factory makes the nodes of one Collector configuration. All nodes of one ID get the same configuration object and share a pipe.
type factory struct {
	now   func() time.Time
	pipes alertpipe.Shared
}

func newFactory(now func() time.Time) *factory { return &factory{now: now} }

func (f *factory) processorFactory() processor.Factory {
	return processor.NewFactory(metadata.Type, func() component.Config { return alertpipe.DefaultConfig() },
		processor.WithMetrics(f.createMetrics, metadata.MetricsStability), processor.WithLogs(f.createLogs, metadata.LogsStability))
}

var passThrough = processorhelper.WithCapabilities(consumer.Capabilities{MutatesData: false})

func (f *factory) createMetrics(
	ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Metrics,
) (processor.Metrics, error) {
	pipe, err := f.pipe(set, cfg.(*Config))
	if err != nil {
		return nil, err
	}
	input := pipe.NewInput()
	look := func(_ context.Context, md pmetric.Metrics) (pmetric.Metrics, error) {
		input.Consume(md)
		return md, nil
	}
	return processorhelper.NewMetrics(ctx, set, cfg, next, look, passThrough,
		processorhelper.WithStart(input.Start), processorhelper.WithShutdown(input.Shutdown))
}

func (f *factory) createLogs(
	ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Logs,
) (processor.Logs, error) {
	pipe, err := f.pipe(set, cfg.(*Config))
	if err != nil {
		return nil, err
	}
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	sink := pipe.NewSink(next)
	passing := &passingLogs{acceptExternal: cfg.(*Config).AcceptExternalRecords, logger: set.Logger, telemetry: telemetry, now: f.now}
	return processorhelper.NewLogs(ctx, set, cfg, next, passing.pass, passThrough,
		processorhelper.WithStart(sink.Start), processorhelper.WithShutdown(sink.Shutdown))
}

// pipe returns the pipe of a configuration.
func (f *factory) pipe(set processor.Settings, cfg *Config) (*alertpipe.Pipe, error) {
	return f.pipes.Of(cfg, func() (alertpipe.Settings, error) {
		telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
		if err != nil {
			return alertpipe.Settings{}, err
		}
		return alertpipe.Settings{ID: set.ID, Kind: component.KindProcessor, Logger: set.Logger, Instruments: instruments(telemetry), Now: f.now}, nil
	})
}

func instruments(t *metadata.TelemetryBuilder) alertpipe.Instruments {
	return alertpipe.Instruments{
		Active: t.AlertActive, DeliveryAttempts: t.AlertDeliveryAttempts, EvaluationDuration: t.AlertEvaluationDuration,
		EventsSuppressed: t.AlertEventsSuppressed, LimitsExceeded: t.AlertLimitsExceeded, OutboxDropped: t.AlertOutboxDropped, OutboxSize: t.AlertOutboxSize,
		OutboxUndelivered: t.AlertOutboxUndelivered, RuleErrors: t.AlertRuleErrors, RuleLastMatchAge: t.AlertRuleLastMatchAge,
		SamplesIgnored: t.AlertSamplesIgnored, Series: t.AlertSeries, Transitions: t.AlertTransitions,
	}
}
