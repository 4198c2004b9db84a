package alertprocessor

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor/processorhelper"
	"go.uber.org/zap"

	"github.com/otelcol-psutil/otelcol-psutil/alertprocessor/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertorigin"
)

// passingLogs are the logs that pass through one pipeline.
type passingLogs struct {
	acceptExternal bool
	logger         *zap.Logger
	telemetry      *metadata.TelemetryBuilder
	warned         sync.Once
	now            func() time.Time
}

// pass returns the logs without alert records that somebody else has made: behind this processor they would be taken for its own.
func (p *passingLogs) pass(ctx context.Context, logs plog.Logs) (plog.Logs, error) {
	if p.acceptExternal {
		return logs, nil
	}
	rest, external := alertorigin.WithoutExternal(logs, p.now())
	if external == 0 {
		return logs, nil
	}
	p.telemetry.AlertExternalRecordsDropped.Add(ctx, int64(external))
	p.warned.Do(func() {
		p.logger.Warn("Alert records that this Collector did not make came into a logs pipeline and are dropped, for behind it they would be taken for its "+
			"own; accept_external_records: true lets them pass. This is logged once", zap.String("sender", alertorigin.Sender(ctx)))
	})
	if rest.LogRecordCount() == 0 {
		return rest, processorhelper.ErrSkipProcessingData
	}
	return rest, nil
}
