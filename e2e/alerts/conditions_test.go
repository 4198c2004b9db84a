//go:build linux

package alerts

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// conditional has a rule of each form of condition. The time zone is looked up in the binary: there may be no database on the host.
const conditional = `
receivers: {otlp: {protocols: {http: {endpoint: "%[1]s"}}}}
connectors:
  alert:
    evaluation_interval: 1s
    rules:
      - name: host_down
        metric: up
        thresholds: {critical: {below: 1}}
      - name: link
        metric: system.network.io
        thresholds: {warning: {above: {attribute: network.link.speed, unit: Mbit/s, scale: 80%%}}}
      - name: connections
        metric: system.network.conntrack.count
        thresholds:
          warning: {above: {metric: system.network.conntrack.limit, scale: 0.8}, clear: {scale: 0.7}}
          critical: {above: {metric: system.network.conntrack.limit, scale: 0.95}}
      - name: disk
        metric: system.filesystem.utilization
        thresholds: {warning: {above: 85%%, clear: 80%%}}
        thresholds_by:
          attribute: system.filesystem.mountpoint
          groups: [{match: /data, thresholds: {warning: 95%%}}, {match: {glob: /snap/*}, thresholds: off}]
      - {name: at_work, metric: queue, threshold: 5, severity: warning, active: {hours: "00:00-24:00", time_zone: Europe/Berlin}}
      - {name: off_work, metric: queue, threshold: 5, severity: warning, active: {days: [%[2]s], time_zone: Europe/Berlin}}
      - {name: held, metric: queue, threshold: 5, severity: warning, unless: {rule: host_down, equal: [host.name]}}
      - {name: beside, metric: queue, threshold: 5, severity: critical, and: {rule: host_down, equal: [host.name]}}
exporters: {file: {path: %[3]q, flush_interval: 50ms}}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    metrics: {receivers: [otlp], exporters: [alert]}
    logs: {receivers: [alert], exporters: [file]}
`

// reading is one gauge for a round.
type reading struct {
	name, unit string
	value      float64
	attributes map[string]any
}

// TestConditions fires each form of condition in the distribution.
func TestConditions(t *testing.T) {
	t.Parallel()
	dir, address := t.TempDir(), harness.FreeAddress(t)
	file := harness.AlertFile(filepath.Join(dir, "alerts.jsonl"))
	farDay := strings.ToLower(time.Now().AddDate(0, 0, 3).Weekday().String())
	harness.Start(t, dir, fmt.Sprintf(conditional, address, farDay, string(file)))
	harness.AwaitListener(t, address)

	round := 0
	first := time.Now().Add(-time.Minute)
	send := func(up float64, bad bool) {
		choose := func(good, wrong float64) float64 {
			if bad {
				return wrong
			}
			return good
		}
		md := pmetric.NewMetrics()
		rm := md.ResourceMetrics().AppendEmpty()
		rm.Resource().Attributes().PutStr("host.name", "db1")
		metrics := rm.ScopeMetrics().AppendEmpty().Metrics()
		for _, x := range []reading{
			{"up", "1", up, nil},
			{"system.network.io", "By/s", choose(1e6, 110e6), map[string]any{"network.interface.name": "eth0", "network.link.speed": 1000}},
			{"system.network.io", "By/s", choose(1e6, 110e6), map[string]any{"network.interface.name": "eth1", "network.link.speed": 10000}},
			{"system.network.conntrack.count", "{entry}", choose(10, 900), nil},
			{"system.network.conntrack.limit", "{entry}", 1024, nil},
			{"system.filesystem.utilization", "1", choose(0.1, 0.9), map[string]any{"system.filesystem.mountpoint": "/"}},
			{"system.filesystem.utilization", "1", choose(0.1, 0.9), map[string]any{"system.filesystem.mountpoint": "/data"}},
			{"system.filesystem.utilization", "1", 1, map[string]any{"system.filesystem.mountpoint": "/snap/core"}},
			{"queue", "1", choose(1, 9), nil},
		} {
			m := metrics.AppendEmpty()
			m.SetName(x.name)
			m.SetUnit(x.unit)
			dp := m.SetEmptyGauge().DataPoints().AppendEmpty()
			dp.SetTimestamp(pcommon.NewTimestampFromTime(first.Add(time.Duration(round) * 10 * time.Second)))
			dp.SetDoubleValue(x.value)
			require.NoError(t, dp.Attributes().FromRaw(x.attributes))
		}
		round++
		require.NoError(t, harness.PostMetrics(t.Context(), address, md))
	}
	send(0, false)
	file.Await(t, "host_down", "fire", 1)
	send(0, true) // The host is down, and all else is wrong, too.
	for _, rule := range []string{"link", "connections", "disk", "at_work", "beside"} {
		file.Await(t, rule, "fire", 1)
	}
	assert.Empty(t, file.Of(t, "held"))
	send(1, true)
	file.Await(t, "host_down", "resolve", 1)
	ended := file.Await(t, "beside", "resolve", 1)
	assert.Equal(t, "only_if", ended.Reason())
	file.Await(t, "held", "fire", 1)
	send(1, false)
	for _, rule := range []string{"link", "connections", "disk", "at_work", "held"} {
		file.Await(t, rule, "resolve", 1)
	}

	var bodies []string
	for _, r := range file.Read(t) {
		if r.Transition() == "fire" {
			bodies = append(bodies, r.Body)
		}
	}
	assert.ElementsMatch(t, []string{
		"host_down on db1: up is 0 (< 1)",
		"link eth0 on db1: system.network.io is 104.9 MiB/s (> 95.4 MiB/s = 0.8 × network.link.speed)",
		"connections on db1: system.network.conntrack.count is 900 (> 819.2 = 0.8 × system.network.conntrack.limit)",
		"disk / on db1: system.filesystem.utilization is 90.0% (> 85%)",
		"at_work on db1: queue is 9 (> 5)",
		"held on db1: queue is 9 (> 5)",
		"beside on db1: queue is 9 (> 5)",
	}, bodies)
}
