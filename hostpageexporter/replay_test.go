package hostpageexporter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertorigin"
)

// Who reads a record at a backend can send it again, as it is or with something added. The page shows what it has shown before.
func TestAReplayChangesNothingOnThePage(t *testing.T) {
	t.Parallel()
	p := start(t, func(c *Config) { c.AcceptExternalRecords = false })
	record := func(event string, at int64, attributes map[string]any) plog.Logs {
		ld := plog.NewLogs()
		lr := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		lr.SetEventName(event)
		lr.Body().SetStr("said at " + event)
		now := p.now().UnixNano()
		lr.SetTimestamp(pcommon.Timestamp(now + at*1_000_000))
		attributes["alert.rule.name"] = t.Name()
		require.NoError(t, lr.Attributes().FromRaw(attributes))
		return ld
	}
	change := func(at int64, episode, transition, state string) plog.Logs {
		return record("alert.state_change", at, map[string]any{
			"alert.id": "replayed", "alert.episode.id": episode, "log.record.uid": t.Name() + episode + transition, "alert.transition": transition,
			"alert.state": state, "alert.severity": "warning",
		})
	}
	history := []plog.Logs{
		change(1, "first", "fire", "firing"), change(2, "first", "resolve", "resolved"),
		record("alert.rule", 3, map[string]any{"alert.severity": "warning", "alert.threshold": 0.9}),
		record("alert.rule", 4, map[string]any{"alert.severity": "warning", "alert.threshold": 0.8}),
		record("alert.suppressed", 5, map[string]any{"log.record.uid": t.Name() + "s"}),
		record("alert.rule_error", 6, map[string]any{"log.record.uid": t.Name() + "e"}),
		change(7, "second", "fire", "firing"), change(8, "second", "resolve", "resolved"),
	}
	p.advance(time.Minute)
	for i, ld := range history {
		alertorigin.Mark(ld, p.now())
		require.NoError(t, p.logs.ConsumeLogs(t.Context(), copyOfLogs(ld)))
		_, before := p.get("/api/alerts?from=0")
		for _, old := range history[:i+1] {
			for _, add := range []bool{false, true} {
				again := copyOfLogs(old)
				if add {
					again.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().PutStr("zone", "elsewhere")
				}
				require.NoError(t, p.logs.ConsumeLogs(t.Context(), again))
			}
		}
		_, after := p.get("/api/alerts?from=0")
		assert.Equal(t, before, after, "after record %d", i)
	}
	_, answer := p.get("/api/alerts?from=0")
	assert.Len(t, at(t, answer, "notices"), 2)
	assert.Len(t, at(t, answer, "alerts"), 2)
	assert.Empty(t, at(t, answer, "firing"))
}

func copyOfLogs(ld plog.Logs) plog.Logs {
	c := plog.NewLogs()
	ld.CopyTo(c)
	return c
}
