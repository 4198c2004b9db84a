package alertmanagerexporter

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-psutil/otelcol-psutil/alertmanagerexporter/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/alertmanagerexporter/internal/metadatatest"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertorigin"
)

// Somebody who can send logs neither fires an alert nor ends one: records count that the engine of this process has made. All of it is one line.
func TestExternalRecordsAreRefused(t *testing.T) {
	telemetry := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, telemetry.Shutdown(context.Background())) })
	b := newBench(t, func(c *Config) { c.AcceptExternalRecords = false })
	core, logged := observer.New(zap.DebugLevel)
	set := exportertest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = telemetry.NewTelemetrySettings()
	set.Logger = zap.New(core)
	var err error
	b.am, err = newLogs(t.Context(), set, b.cfg, b.now)
	require.NoError(t, err)
	require.NoError(t, b.am.open(t.Context(), b.host))
	b.am.client.http.Transport = b.server

	send := func(own bool, records ...say) {
		ld := logsOf(t, records...)
		if own {
			alertorigin.Mark(ld, b.now())
		}
		require.NoError(t, b.am.ConsumeLogs(t.Context(), ld))
	}
	send(true, say{id: "real", transition: "fire", severity: "warning", started: 10, at: 10, seq: 1})
	require.Equal(t, map[string]string{"real": "warning"}, b.server.active())
	send(false, say{id: "real", transition: "resolve", severity: "warning", started: 10, at: 11, seq: 2})
	send(false, say{id: "real", transition: "escalate", severity: "critical", started: 10, at: 11, seq: 2})
	send(false, say{id: "invented", transition: "fire", severity: "critical", started: 10, at: 11, seq: 1})
	others := plog.NewLogs()
	records := others.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for _, name := range []string{"alert.suppressed", "alert.rule_error", "alert.rule", "alert.state_change"} {
		records.AppendEmpty().SetEventName(name)
	}
	require.NoError(t, b.am.ConsumeLogs(t.Context(), others))
	assert.Equal(t, map[string]string{"real": "warning"}, b.server.active())
	send(true, say{id: "real", transition: "resolve", severity: "warning", started: 10, at: 12, seq: 2})
	assert.Empty(t, b.server.active())
	b.server.requireRight(t)

	assert.Equal(t, 1, logged.FilterMessageSnippet("accept_external_records").Len())
	metadatatest.AssertEqualAlertmanagerRecordsSkipped(t, telemetry, []metricdata.DataPoint[int64]{{
		Attributes: attribute.NewSet(attribute.String("reason", "external")), Value: 7,
	}}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
}
