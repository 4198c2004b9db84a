package alertmanagerexporter

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/otelcol-psutil/otelcol-psutil/alertmanagerexporter/internal/metadata"
)

// NewFactory returns the factory of the Alertmanager exporter.
func NewFactory() exporter.Factory {
	return exporter.NewFactory(metadata.Type, createDefaultConfig, exporter.WithLogs(createLogs, metadata.LogsStability))
}

func createLogs(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Logs, error) {
	return newLogs(ctx, set, cfg.(*Config), time.Now)
}

// newLogs puts the table before the queue of exporterhelper, and the requests behind it.
func newLogs(ctx context.Context, set exporter.Settings, cfg *Config, now func() time.Time) (*alertmanager, error) {
	am, err := newAlertmanager(set, cfg, now)
	if err != nil {
		return nil, err
	}
	am.Logs, err = exporterhelper.NewLogs(ctx, set, cfg, am.push,
		exporterhelper.WithCapabilities(consumer.Capabilities{MutatesData: false}),
		exporterhelper.WithStart(am.start), exporterhelper.WithShutdown(am.shutdown),
		// The HTTP client bounds each request. A bound on push would also count the wait for another's request.
		exporterhelper.WithTimeout(exporterhelper.TimeoutConfig{}),
		exporterhelper.WithRetry(cfg.RetryConfig), exporterhelper.WithQueue(cfg.QueueConfig))
	if err != nil {
		return nil, err
	}
	return am, nil
}
