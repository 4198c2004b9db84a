package hostpageexporter

import (
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// TestThePageShowsTheOldForm: what came in the form of hostmetricsreceiver has the names and attributes that the page, and hosttop, look for.
func TestThePageShowsTheOldForm(t *testing.T) {
	md, err := golden.ReadMetrics("../psutilreceiver/testdata/golden/server-6.x.hostmetrics.cumulative.yaml")
	require.NoError(t, err)
	sent := pmetric.NewMetrics()
	md.CopyTo(sent)
	p := start(t, nil)
	setTimes(md, pcommon.NewTimestampFromTime(p.now()))
	md.CopyTo(sent)
	require.NoError(t, p.metrics.ConsumeMetrics(t.Context(), md))
	assert.Equal(t, sent, md, "other exporters have it, too")

	_, meta := p.get("/api/meta")
	keys := map[string][]any{}
	for _, m := range at(t, meta, "metrics").([]any) {
		m := m.(map[string]any)
		found, _ := m["attributes"].([]any)
		keys[m["name"].(string)] = found
	}
	for name, want := range map[string][]any{
		"system.cpu.utilization":         {"cpu.mode"},
		"host_page.cpu.utilization":      {"cpu.mode"},
		"system.memory.usage":            {"system.memory.state"},
		"system.memory.linux.available":  {},
		"system.paging.usage":            {"system.device", "system.paging.state"},
		"system.disk.io":                 {"disk.io.direction", "system.device"},
		"system.network.io":              {"network.interface.name", "network.io.direction"},
		"system.network.packet.count":    {"network.io.direction", "system.device"},
		"system.network.packet.dropped":  {"network.interface.name", "network.io.direction"},
		"system.process.count":           {"process.state"},
		"system.network.conntrack.limit": {},
	} {
		require.Contains(t, keys, name)
		assert.ElementsMatch(t, want, keys[name], name)
	}
	for name, found := range keys {
		for _, old := range []string{"state", "direction", "device", "status", "type", "mountpoint", "mode", "cpu"} {
			assert.NotContains(t, found, old, name)
		}
	}
	_, processes := p.get("/api/processes")
	assert.NotEmpty(t, processes["rows"], "%v", processes)
}

// setTimes gives all points a time.
func setTimes(md pmetric.Metrics, now pcommon.Timestamp) {
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				points := pmetric.NewNumberDataPointSlice()
				switch m.Type() {
				case pmetric.MetricTypeGauge:
					points = m.Gauge().DataPoints()
				case pmetric.MetricTypeSum:
					points = m.Sum().DataPoints()
				}
				for _, dp := range points.All() {
					dp.SetTimestamp(now)
				}
			}
		}
	}
}
