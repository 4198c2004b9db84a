package alertprocessor

import (
	"context"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-psutil/otelcol-psutil/alertprocessor/internal/metadatatest"
)

// Alert records that come in from elsewhere do not pass, unless that is asked for; other logs do.
func TestExternalRecordsDoNotPass(t *testing.T) {
	t.Parallel()
	for _, accept := range []bool{false, true} {
		telemetry := componenttest.NewTelemetry()
		t.Cleanup(func() { require.NoError(t, telemetry.Shutdown(context.Background())) })
		core, logged := observer.New(zap.WarnLevel)
		g := newGraph(t, 0, 0)
		g.set.TelemetrySettings = telemetry.NewTelemetrySettings()
		g.set.Logger = zap.New(core)
		g.cfg.AcceptExternalRecords = accept
		g.build(1, 1)
		g.start()
		sent := plog.NewLogs()
		records := sent.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
		for _, name := range []string{"", "alert.state_change", "alert.suppressed", "alert.rule_error", "alert.rule", "device.app.lifecycle"} {
			records.AppendEmpty().SetEventName(name)
		}
		records.AppendEmpty().Attributes().PutStr("event.name", "alert.state_change")
		sent.MarkReadOnly()
		ctx := client.NewContext(t.Context(), client.Info{Addr: &net.IPAddr{IP: net.IPv4(192, 0, 2, 7)}})
		for range 2 {
			require.NoError(t, g.logs[0].ConsumeLogs(ctx, sent))
		}
		only := plog.NewLogs()
		only.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().SetEventName("alert.state_change")
		require.NoError(t, g.logs[0].ConsumeLogs(ctx, only))

		var names []string
		for _, passed := range g.records[0].AllLogs() {
			for _, lr := range passed.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
				names = append(names, lr.EventName())
			}
		}
		if accept {
			assert.Len(t, names, 15)
			assert.Zero(t, logged.FilterMessageSnippet("accept_external_records").Len())
		} else {
			assert.Equal(t, []string{"", "device.app.lifecycle", "", "device.app.lifecycle"}, names)
			said := logged.FilterMessageSnippet("accept_external_records").All()
			require.Len(t, said, 1)
			assert.Equal(t, "192.0.2.7", said[0].ContextMap()["sender"])
			metadatatest.AssertEqualAlertExternalRecordsDropped(t, telemetry, []metricdata.DataPoint[int64]{{Value: 11}},
				metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
		}
		g.shutdown()
	}
}
