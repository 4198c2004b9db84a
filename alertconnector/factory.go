package alertconnector

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"

	"github.com/otelcol-psutil/otelcol-psutil/alertconnector/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertpipe"
)

// NewFactory returns the factory of the alert connector.
func NewFactory() connector.Factory { return newFactory(time.Now) }

func newFactory(now func() time.Time) connector.Factory {
	create := func(_ context.Context, set connector.Settings, cfg component.Config, next consumer.Logs) (connector.Metrics, error) {
		return newConnector(set, cfg.(*Config), next, now)
	}
	return connector.NewFactory(metadata.Type, func() component.Config { return alertpipe.DefaultConfig() },
		connector.WithMetricsToLogs(create, metadata.MetricsToLogsStability))
}
