// Package hostmetricsreceiver gives the psutil receiver the types host_metrics and hostmetrics, so that a configuration that is written for
// the Collector's hostmetricsreceiver runs as it stands. docs/migrating.md says what changes.
package hostmetricsreceiver

import (
	"go.opentelemetry.io/collector/receiver"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver"
)

// NewFactory returns the factory of the psutil receiver with the types and defaults of hostmetricsreceiver.
func NewFactory() receiver.Factory { return psutilreceiver.NewHostmetricsFactory() }
