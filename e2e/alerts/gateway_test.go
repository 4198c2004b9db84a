//go:build linux

package alerts

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// fleetHost is a host that sends to a gateway what the rules of preset: host look at.
type fleetHost struct {
	name, id string
	// rule is the one that sees what is wrong with it, or none.
	rule string
}

// fleet makes hosts of which every fifth is well.
func fleet(n int) (hosts []fleetHost) {
	for i := range n {
		rule := []string{"cpu", "memory", "disk", "swap", ""}[i%5]
		hosts = append(hosts, fleetHost{name: fmt.Sprintf("host-%02d", i), id: fmt.Sprintf("%032x", i+1), rule: rule})
	}
	return hosts
}

// request is what the host sends once an interval, quiet or in trouble. A process of it is a resource of its own.
func (h *fleetHost) request(at time.Time, inTrouble bool) pmetric.Metrics {
	md := pmetric.NewMetrics()
	resource := func(attributes pcommon.Map) {
		attributes.PutStr("host.name", h.name)
		attributes.PutStr("host.id", h.id)
		attributes.PutStr("os.type", "linux")
	}
	rm := md.ResourceMetrics().AppendEmpty()
	resource(rm.Resource().Attributes())
	metrics := rm.ScopeMetrics().AppendEmpty().Metrics()
	gauge := func(rule, name string, quiet, loud float64, attributes ...string) {
		m := metrics.AppendEmpty()
		m.SetName(name)
		m.SetUnit("1")
		dp := m.SetEmptyGauge().DataPoints().AppendEmpty()
		dp.SetTimestamp(pcommon.NewTimestampFromTime(at))
		dp.SetDoubleValue(quiet)
		if inTrouble && rule == h.rule {
			dp.SetDoubleValue(loud)
		}
		for i := 0; i < len(attributes); i += 2 {
			dp.Attributes().PutStr(attributes[i], attributes[i+1])
		}
	}
	gauge("cpu", "system.cpu.utilization", 0.7, 0.1, "cpu.mode", "idle")
	gauge("", "system.cpu.utilization", 0.3, 0.3, "cpu.mode", "user")
	gauge("memory", "system.memory.utilization", 0.5, 0.97, "system.memory.state", "used")
	gauge("swap", "system.paging.utilization", 0.1, 0.6, "system.paging.state", "used")
	gauge("", "system.filesystem.usage", 0.4, 0.4, "system.filesystem.mountpoint", "/", "system.filesystem.state", "used")
	gauge("", "system.filesystem.usage", 0.6, 0.6, "system.filesystem.mountpoint", "/", "system.filesystem.state", "free")
	gauge("disk", "system.filesystem.usage", 0.4, 0.9, "system.filesystem.mountpoint", "/data", "system.filesystem.state", "used")
	gauge("disk", "system.filesystem.usage", 0.6, 0.1, "system.filesystem.mountpoint", "/data", "system.filesystem.state", "free")
	uptime := metrics.AppendEmpty()
	uptime.SetName("system.uptime")
	uptime.SetUnit("s")
	dp := uptime.SetEmptyGauge().DataPoints().AppendEmpty()
	dp.SetTimestamp(pcommon.NewTimestampFromTime(at))
	dp.SetDoubleValue(1e6)

	process := md.ResourceMetrics().AppendEmpty()
	resource(process.Resource().Attributes())
	process.Resource().Attributes().PutInt("process.pid", 1)
	metrics = process.ScopeMetrics().AppendEmpty().Metrics()
	gauge("", "process.cpu.utilization", 0.1, 0.1, "cpu.mode", "user")
	return md
}

// TestGatewayKeepsHostsApart has twenty hosts send to examples/gateway.yaml, all at once. Sixteen get into trouble: each alert comes once, with
// its host's resource, and resolves, in the file of the gateway and at the backend. All metrics are passed on.
func TestGatewayKeepsHostsApart(t *testing.T) {
	t.Parallel()
	dir, backendDir, port, grpc, address := t.TempDir(), t.TempDir(), harness.FreePort(t), harness.FreeAddress(t), harness.FreeAddress(t)
	backend := harness.Start(t, backendDir, fmt.Sprintf(harness.FileBackend, port))
	g := harness.StartExample(t, dir, "gateway.yaml", []string{fmt.Sprintf(`
receivers: {otlp: {protocols: {grpc: {endpoint: "%s"}, http: {endpoint: "%s"}}}}
connectors: {alert: {evaluation_interval: 1s, preset: {host: {override: {cpu: {for: 0s}, memory: {for: 0s}}}}}}
exporters: {file: {flush_interval: 50ms}}
service: {telemetry: {metrics: {level: none}}}
`, grpc, address)}, fmt.Sprintf("OTLP_ENDPOINT=127.0.0.1:%d", port), "STATE_DIRECTORY="+filepath.Join(dir, "state"))
	harness.AwaitListener(t, address)
	harness.AwaitListener(t, fmt.Sprintf("127.0.0.1:%d", port))

	files := []harness.AlertFile{harness.AlertFile(filepath.Join(dir, "state", "alerts", "alerts.jsonl")), harness.AlertFile(filepath.Join(backendDir, "logs.jsonl"))}
	const troubled = 16
	hosts, points, round := fleet(20), 0, 0
	first := time.Now().Add(-time.Minute)
	send := func(inTrouble bool) {
		var all sync.WaitGroup
		errs := make([]error, len(hosts))
		for i := range hosts {
			md := hosts[i].request(first.Add(time.Duration(round)*15*time.Second-time.Duration(i)*time.Millisecond), inTrouble)
			points += md.DataPointCount()
			all.Go(func() { errs[i] = harness.PostMetrics(t.Context(), address, md) })
		}
		all.Wait()
		require.NoError(t, errors.Join(errs...))
		round++
	}
	said := func(n int, what string) {
		for _, file := range files {
			file.Until(t, what, func() bool { return len(file.Read(t)) >= n })
		}
	}
	send(false)
	send(true)
	send(true)
	said(troubled, "every alert fires") // One that resolves before it was sent is never heard of.
	send(false)
	send(false)
	said(2*troubled, "every alert resolves")
	// What waits on disk at a stop goes out after the next start, so the stop waits until nothing does.
	harness.Eventually(t, "every point is passed on", func() error {
		passed, err := harness.Batches(filepath.Join(backendDir, "metrics.jsonl"))
		if err != nil {
			return err
		}
		left := points
		for _, md := range passed {
			left -= md.DataPointCount()
		}
		if left != 0 {
			return fmt.Errorf("%d of %d points are missing", left, points)
		}
		return nil
	})
	require.NoError(t, g.Stop(t, syscall.SIGTERM))
	require.NoError(t, backend.Stop(t, os.Interrupt))
	for _, file := range files {
		oneAlertEach(t, hosts, file.Read(t))
	}
}

// oneAlertEach checks that every host in trouble has one alert, by its rule and with its resource, and that the others have none.
func oneAlertEach(t *testing.T, hosts []fleetHost, records []harness.AlertRecord) {
	t.Helper()
	ofHost := map[string][]harness.AlertRecord{}
	for _, records := range harness.ByAlert(records) {
		harness.OneEpisode(t, records)
		assert.Len(t, records, 2)
		name := records[0].Resource["host.name"]
		assert.Empty(t, ofHost[name], "%s has one alert", name)
		ofHost[name] = records
	}
	for _, h := range hosts {
		for _, r := range ofHost[h.name] {
			assert.Equal(t, h.rule, r.Rule(), h.name)
			assert.Equal(t, map[string]string{"host.name": h.name, "host.id": h.id, "os.type": "linux"}, r.Resource)
			if h.rule == "disk" {
				assert.Equal(t, "/data", r.Attributes["system.filesystem.mountpoint"])
			}
		}
		assert.Equal(t, h.rule != "", len(ofHost[h.name]) > 0, h.name)
	}
}
