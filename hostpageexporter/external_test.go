package hostpageexporter

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/internal/metadatatest"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertorigin"
)

// The page shows the alerts of this Collector, and none that somebody has sent.
func TestExternalRecordsAreNotShown(t *testing.T) {
	t.Parallel()
	p := start(t, func(c *Config) { c.AcceptExternalRecords = false })
	attributes := func(id, transition, state string) map[string]any {
		return map[string]any{
			"alert.id": id, "alert.episode.id": "e" + id, "log.record.uid": id + transition, "alert.transition": transition, "alert.state": state,
			"alert.rule.name": "cpu", "alert.severity": "warning",
		}
	}
	own := plog.NewLogs()
	lr := own.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	lr.SetEventName("alert.state_change")
	lr.SetTimestamp(1)
	require.NoError(t, lr.Attributes().FromRaw(attributes("real", "fire", "firing")))
	alertorigin.Mark(own, p.now())
	require.NoError(t, p.logs.ConsumeLogs(t.Context(), own))

	p.alert("alert.state_change", attributes("real", "resolve", "resolved"))
	p.alert("alert.state_change", attributes("invented", "fire", "firing"))
	p.alert("alert.suppressed", nil)
	p.alert("alert.rule_error", nil)
	p.alert("alert.rule", map[string]any{"alert.rule.name": "invented"})
	_, answer := p.get("/api/alerts?from=0")
	assert.Equal(t, []any{"ereal"}, at(t, answer, "firing"))
	assert.Empty(t, at(t, answer, "notices"))
	metadatatest.AssertEqualHostPageRecordsDropped(t, p.tele, []metricdata.DataPoint[int64]{{
		Attributes: attribute.NewSet(attribute.String("reason", "external")), Value: 5,
	}}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
}
