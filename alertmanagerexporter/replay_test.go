package alertmanagerexporter

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-psutil/otelcol-psutil/alertmanagerexporter/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertorigin"
)

// ownBench is an exporter that takes the records of this process alone.
func ownBench(t *testing.T) (*bench, *observer.ObservedLogs) {
	t.Helper()
	b := newBench(t, func(c *Config) { c.AcceptExternalRecords = false })
	core, logged := observer.New(zap.DebugLevel)
	set := exportertest.NewNopSettings(metadata.Type)
	set.Logger = zap.New(core)
	var err error
	b.am, err = newLogs(t.Context(), set, b.cfg, b.now)
	require.NoError(t, err)
	require.NoError(t, b.am.open(t.Context(), b.host))
	b.am.client.http.Transport = b.server
	return b, logged
}

func copyOf(ld plog.Logs) plog.Logs {
	c := plog.NewLogs()
	ld.CopyTo(c)
	return c
}

// labelSets are those of all alerts that the server has ever seen.
func labelSets(s *server) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.alerts))
}

// Who reads a record at a backend can send it again. As it is, or with something added to it, it changes nothing, whenever it comes; changed in any
// way it is refused.
func TestAReplayChangesNothing(t *testing.T) {
	b, _ := ownBench(t)
	history := []plog.Logs{
		logsOf(t, say{id: "replayed", transition: "fire", severity: "warning", started: 10, at: 10, seq: 1}),
		logsOf(t, say{id: "replayed", transition: "escalate", severity: "critical", previous: "warning", started: 10, at: 11, seq: 2}),
		logsOf(t, say{id: "replayed", transition: "resolve", severity: "critical", started: 10, at: 12, seq: 3}),
		logsOf(t, say{id: "replayed", transition: "fire", severity: "warning", started: 20, at: 20, seq: 1}),
		logsOf(t, say{id: "replayed", transition: "resolve", severity: "warning", started: 20, at: 21, seq: 2}),
	}
	want := []map[string]string{{"replayed": "warning"}, {"replayed": "critical"}, {}, {"replayed": "warning"}, {}}
	changes := map[string]func(pcommon.Resource, plog.LogRecord){
		"as it is":       func(pcommon.Resource, plog.LogRecord) {},
		"added":          func(_ pcommon.Resource, lr plog.LogRecord) { lr.Attributes().PutStr("zone", "elsewhere") },
		"resource added": func(r pcommon.Resource, _ plog.LogRecord) { r.Attributes().PutStr("service.name", "elsewhere") },
		"resource":       func(r pcommon.Resource, _ plog.LogRecord) { r.Attributes().PutStr("host.name", "elsewhere") },
		"group": func(_ pcommon.Resource, lr plog.LogRecord) {
			lr.Attributes().PutStr("system.filesystem.mountpoint", "/elsewhere")
		},
		"label": func(_ pcommon.Resource, lr plog.LogRecord) { lr.Attributes().PutStr("alert.label.team", "elsewhere") },
		"body":  func(_ pcommon.Resource, lr plog.LogRecord) { lr.Body().SetStr("elsewhere") },
		"alert": func(_ pcommon.Resource, lr plog.LogRecord) { lr.Attributes().PutStr("alert.id", "elsewhere") },
		"newer": func(_ pcommon.Resource, lr plog.LogRecord) { lr.SetObservedTimestamp(lr.ObservedTimestamp() + 1) },
	}
	for i, ld := range history {
		alertorigin.Mark(ld, b.now())
		require.NoError(t, b.am.ConsumeLogs(t.Context(), copyOf(ld)))
		require.Equal(t, want[i], b.server.active(), "record %d", i)
		before := labelSets(b.server)
		for what, change := range changes {
			for _, old := range history[:i+1] {
				again := copyOf(old)
				rl := again.ResourceLogs().At(0)
				change(rl.Resource(), rl.ScopeLogs().At(0).LogRecords().At(0))
				require.NoError(t, b.am.ConsumeLogs(t.Context(), again))
				require.Equal(t, want[i], b.server.active(), "%s after record %d", what, i)
			}
		}
		require.Equal(t, before, labelSets(b.server), "record %d", i)
	}
	b.clock = b.clock.Add(time.Duration(positionRetention) - time.Hour)
	b.am.resend(t.Context())
	for _, old := range history {
		require.NoError(t, b.am.ConsumeLogs(t.Context(), copyOf(old)))
		require.Empty(t, b.server.active(), "after ends are no longer told")
	}
	b.server.requireRight(t)
}

// What the alert component says of itself is logged once, however often somebody sends it again.
func TestAReplayedNoticeIsLoggedOnce(t *testing.T) {
	b, logged := ownBench(t)
	for _, name := range []string{"alert.suppressed", "alert.rule_error"} {
		ld := plog.NewLogs()
		lr := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		lr.SetEventName(name)
		lr.Attributes().PutStr("log.record.uid", t.Name()+name)
		alertorigin.Mark(ld, b.now())
		for range 5 {
			require.NoError(t, b.am.ConsumeLogs(t.Context(), copyOf(ld)))
		}
	}
	assert.Equal(t, 1, logged.FilterMessageSnippet("held back").Len())
	assert.Equal(t, 1, logged.FilterMessageSnippet("cannot be evaluated").Len())
}
