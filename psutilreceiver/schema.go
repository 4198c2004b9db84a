package psutilreceiver

import (
	"context"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/internal/hostmetrics"
)

// schemaURL is that of the conventions which the names follow. The generated code has that of the newest conventions which OpenTelemetry's Go library
// has constants of.
const schemaURL = "https://opentelemetry.io/schemas/1.44.0"

// schemaConsumer says by which conventions the metrics are named that it passes on.
type schemaConsumer struct {
	consumer.Metrics
	url string
}

// schemaOf is the schema of the names that the configuration asks for.
func (c *Config) schemaOf() string {
	if c.Compat == compatHostmetrics {
		return hostmetrics.SchemaURL
	}
	return schemaURL
}

// ConsumeMetrics passes the metrics on.
func (c schemaConsumer) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	for _, rm := range md.ResourceMetrics().All() {
		rm.SetSchemaUrl(c.url)
	}
	return c.Metrics.ConsumeMetrics(ctx, md)
}
