//go:build linux

package alerts

import (
	"context"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// hotRule alerts on hosts that send to a gateway.
const hotRule = `
receivers: {otlp: {protocols: {http: {endpoint: "%s"}}}}
connectors:
  alert:
    evaluation_interval: 1s
    limits: {events_per_minute: 1000}
    rules:
      - name: hot
        metric: system.cpu.utilization
        thresholds: {warning: {above: "80%%"}, critical: {above: "95%%"}}
exporters:
  file/alerts: {path: alerts.jsonl, flush_interval: 20ms}
service:
  telemetry: {metrics: {level: none}, logs: {level: warn}}
  pipelines:
    metrics: {receivers: [otlp], exporters: [alert]}
    logs: {receivers: [alert], exporters: [file/alerts]}
`

// hotHost is the utilization of one host, in the unit that it sends.
type hotHost struct {
	name, unit string
	value      float64
}

func postHosts(t *testing.T, address string, hosts ...hotHost) {
	t.Helper()
	md := pmetric.NewMetrics()
	now := pcommon.NewTimestampFromTime(time.Now())
	for _, h := range hosts {
		rm := md.ResourceMetrics().AppendEmpty()
		rm.Resource().Attributes().PutStr("host.name", h.name)
		m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
		m.SetName("system.cpu.utilization")
		m.SetUnit(h.unit)
		dp := m.SetEmptyGauge().DataPoints().AppendEmpty()
		dp.SetTimestamp(now)
		dp.SetDoubleValue(h.value)
	}
	require.NoError(t, harness.PostMetrics(context.Background(), address, md))
}

// TestFleetOfSeveralUnitsIsWatched has hosts send shares and percentages, and one that sends bytes.
func TestFleetOfSeveralUnitsIsWatched(t *testing.T) {
	t.Parallel()
	dir, address := t.TempDir(), harness.FreeAddress(t)
	alerts := harness.AlertFile(filepath.Join(dir, "alerts.jsonl"))
	c := harness.Start(t, dir, fmt.Sprintf(hotRule, address))
	harness.AwaitListener(t, address)
	for _, h := range []hotHost{{"a", "1", 0.9}, {"b", "%", 91}, {"c", "{cpu}", 0.92}, {"d", "By", 93}, {"e", "%", 50}, {"f", "1", 0.97}} {
		postHosts(t, address, h)
	}
	alerts.Until(t, "four hosts fire, and one can't be watched", func() bool { return len(alerts.Read(t)) >= 5 })
	postHosts(t, address, hotHost{"b", "%", 10}, hotHost{"d", "By", 99})
	alerts.Await(t, "hot", "resolve", 1)
	require.NoError(t, c.Stop(t, syscall.SIGTERM))
	got := map[string]string{}
	for _, r := range alerts.Read(t) {
		switch {
		case r.Event == "alert.rule_error":
			assert.Equal(t, `rule "hot": metric system.cpu.utilization of host.name d: threshold 80% needs a metric of unit "1" or "%", not "By"; `+
				"what comes with other units is watched", r.Body)
			got["error"] += "1"
		case r.Transition() == "fire":
			got[r.Resource["host.name"]] = r.Severity() + " " + r.Attributes["alert.value"] + " > " + r.Attributes["alert.threshold"] + " " + r.Attributes["alert.metric.unit"]
		}
	}
	assert.Equal(t, map[string]string{
		"a": "warning 0.9 > 0.8 1", "b": "warning 91 > 80 %", "c": "warning 0.92 > 0.8 {cpu}", "f": "critical 0.97 > 0.95 1", "error": "1",
	}, got)
}

// TestThreeHundredHostsAtALimit has more hosts fire than may be announced at a time.
func TestThreeHundredHostsAtALimit(t *testing.T) {
	t.Parallel()
	const fleet, limit = 300, 200 // The limit is the default of limits::alerts_per_rule.
	dir, address := t.TempDir(), harness.FreeAddress(t)
	alerts := harness.AlertFile(filepath.Join(dir, "alerts.jsonl"))
	c := harness.Start(t, dir, fmt.Sprintf(hotRule, address))
	harness.AwaitListener(t, address)
	send := func(value func(i int) float64) {
		var all []hotHost
		for i := range fleet {
			all = append(all, hotHost{fmt.Sprintf("web-%03d", i), "1", value(i)})
		}
		postHosts(t, address, all...)
	}
	send(func(i int) float64 { return 0.81 + float64(i%100)/1000 })
	suppressed := func() (records []harness.AlertRecord) {
		for _, r := range alerts.Read(t) {
			if r.Event == "alert.suppressed" {
				records = append(records, r)
			}
		}
		return records
	}
	fires := func() map[string]string {
		announced := map[string]string{}
		for _, r := range alerts.Of(t, "hot") {
			if r.Transition() == "fire" {
				announced[r.Resource["host.name"]] = r.Severity()
			}
		}
		return announced
	}
	alerts.Until(t, "what is withheld is said", func() bool { return len(suppressed()) == 1 })
	announced := fires()
	assert.Len(t, announced, limit)
	said := suppressed()[0]
	assert.Equal(t, "100", said.Attributes["alert.suppressed.count"])
	assert.Contains(t, said.Body, "100 alerts of hot held back, limits::alerts_per_rule is 200: 100 warning; the worst: hot host.name=web-")
	c.AwaitOutput(t, "100 alerts of hot held back")

	// The mildest three become critical: those of them that wait are announced at once.
	send(func(i int) float64 {
		if i%100 == 0 {
			return 0.99
		}
		return 0.81 + float64(i%100)/1000
	})
	alerts.Until(t, "criticals need no place of warnings", func() bool {
		now := fires()
		return now["web-000"] != "" && now["web-100"] != "" && now["web-200"] != ""
	})
	assert.Len(t, suppressed(), 1, "it is said once")

	// All that were announced so far are well: their places go to those that waited.
	announced = fires()
	send(func(i int) float64 {
		if announced[fmt.Sprintf("web-%03d", i)] != "" {
			return 0.1
		}
		return 0.9
	})
	alerts.Until(t, "the others follow", func() bool { return len(fires()) == fleet })
	require.NoError(t, c.Stop(t, syscall.SIGTERM))
	assert.Len(t, suppressed(), 1)
}
