package psutilreceiver

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/xreceiver"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// NewFactory returns the factory of the psutil receiver.
func NewFactory() receiver.Factory {
	return receiver.NewFactory(metadata.Type, createDefaultConfig,
		receiver.WithMetrics(createMetricsReceiver, metadata.MetricsStability),
		receiver.WithLogs(createLogsReceiver, metadata.LogsStability))
}

// NewHostmetricsFactory returns the factory of the same receiver under the types of hostmetricsreceiver, and with its defaults. Its configurations are
// accepted as they stand.
func NewHostmetricsFactory() receiver.Factory {
	return xreceiver.NewFactory(hostmetricsType, createHostmetricsConfig,
		xreceiver.WithMetrics(createMetricsReceiver, metadata.MetricsStability),
		xreceiver.WithLogs(createLogsReceiver, metadata.LogsStability),
		xreceiver.WithDeprecatedTypeAlias(deprecatedHostmetricsType))
}

// The types of hostmetricsreceiver: that of today, and that which most configurations have.
var (
	hostmetricsType           = component.MustNewType("host_metrics")
	deprecatedHostmetricsType = component.MustNewType("hostmetrics")
)

func createMetricsReceiver(
	_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Metrics,
) (receiver.Metrics, error) {
	return newReceiver(set, cfg.(*Config), next)
}

func createLogsReceiver(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Logs) (receiver.Logs, error) {
	return newEntityReceiver(set, cfg.(*Config), next)
}
