package alertconnector

import (
	"context"
	"errors"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertpipe"
)

// alertConnector is one input and one output of a pipe. The Collector makes one for each ID and signal, starts it after the pipelines that begin
// with it and before those that end in it, and stops it the other way round.
type alertConnector struct {
	input  *alertpipe.Input
	output component.Component
}

// Start starts the engine and the way out of it.
func (c *alertConnector) Start(ctx context.Context, host component.Host) error {
	if err := c.output.Start(ctx, host); err != nil {
		return err
	}
	return c.input.Start(ctx, host)
}

// Shutdown delivers what is left.
func (c *alertConnector) Shutdown(ctx context.Context) error {
	return errors.Join(c.input.Shutdown(ctx), c.output.Shutdown(ctx))
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
