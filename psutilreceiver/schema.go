package psutilreceiver

import (
	"context"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// schemaURL is that of the conventions which the names follow. The generated code has that of the newest conventions which OpenTelemetry's Go library
// has constants of.
const schemaURL = "https://opentelemetry.io/schemas/1.44.0"

// schemaConsumer says by which conventions the metrics are named that it passes on.
type schemaConsumer struct{ consumer.Metrics }

// ConsumeMetrics passes the metrics on.
func (c schemaConsumer) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	for _, rm := range md.ResourceMetrics().All() {
		rm.SetSchemaUrl(schemaURL)
	}
	return c.Metrics.ConsumeMetrics(ctx, md)
}
