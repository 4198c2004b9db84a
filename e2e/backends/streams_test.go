package backends

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// temporalities is a collector with one receiver for each temporality, and each of the exporters behind both.
const temporalities = `
receivers:
  psutil/cumulative: &receiver
    collection_interval: 1s
    initial_delay: 0s
    scrapers: {cpu: {}, network: {}, system: {}, process: {collection_interval: 1s, top: {n: 2}}}
  psutil/delta: {<<: *receiver, temporality: delta}
exporters:
  file/cumulative: {path: cumulative.jsonl, flush_interval: 100ms}
  file/delta: {path: delta.jsonl, flush_interval: 100ms}
  prometheus/cumulative: {endpoint: "127.0.0.1:%d", without_scope_info: true}
  prometheus/delta: {endpoint: "127.0.0.1:%d", without_scope_info: true}
  prometheus_remote_write/cumulative: {endpoint: %[3]s/cumulative/write}
  prometheus_remote_write/delta: {endpoint: %[3]s/delta/write}
  influxdb/cumulative: {endpoint: %[3]s/cumulative/api/v2/write, org: hosts, bucket: cumulative, token: none}
  influxdb/delta: {endpoint: %[3]s/delta/api/v2/write, org: hosts, bucket: delta, token: none}
  otlp_http/cumulative: {endpoint: %[3]s/cumulative}
  otlp_http/delta: {endpoint: %[3]s/delta}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    metrics/cumulative:
      receivers: [psutil/cumulative]
      exporters: [file/cumulative, prometheus/cumulative, prometheus_remote_write/cumulative, influxdb/cumulative, otlp_http/cumulative]
    metrics/delta:
      receivers: [psutil/delta]
      exporters: [file/delta, prometheus/delta, prometheus_remote_write/delta, influxdb/delta, otlp_http/delta]
`

// TestTemporalitiesThroughExporters runs two receivers of one host in one collector, one cumulative and one delta, and looks at what
// arrives behind each exporter.
func TestTemporalitiesThroughExporters(t *testing.T) {
	dir, server := t.TempDir(), newBackends(t)
	ports := map[string]int{"cumulative": harness.FreePort(t), "delta": harness.FreePort(t)}
	c := harness.Start(t, dir, fmt.Sprintf(temporalities, ports["cumulative"], ports["delta"], server.URL))
	series := map[string]map[string]float64{}
	harness.Eventually(t, "four batches at each backend", func() error {
		server.mu.Lock()
		defer server.mu.Unlock()
		for _, sender := range []string{"cumulative", "delta"} {
			if n := len(server.otlp[sender]); n < 4 {
				return fmt.Errorf("%d batches of %s by OTLP; errors: %w", n, sender, errors.Join(server.errs...))
			}
			if len(server.influx[sender]) == 0 || len(server.written[sender]) == 0 {
				return fmt.Errorf("nothing of %s at InfluxDB or by remote write; errors: %w", sender, errors.Join(server.errs...))
			}
		}
		return nil
	})
	for sender, port := range ports {
		harness.Eventually(t, "the Prometheus endpoint", func() (err error) { series[sender], err = harness.ScrapePrometheus(port); return err })
	}
	require.NoError(t, c.Stop(t, syscall.SIGTERM))
	require.Empty(t, server.errs)
	assert.Equal(t, 1, strings.Count(c.Output(), "Prometheus remote write drops delta sums"), "said at start, by the receiver that it concerns")

	files := map[string][]pmetric.Metrics{}
	for sender := range ports {
		var err error
		files[sender], err = harness.Batches(filepath.Join(dir, sender+".jsonl"))
		require.NoError(t, err)
		require.GreaterOrEqual(t, len(files[sender]), 4)
		t.Run("otlp/"+sender, func(t *testing.T) { checkChain(t, sender, server.otlp[sender]) })
		t.Run("file/"+sender, func(t *testing.T) { checkChain(t, sender, files[sender]) })
		t.Run("influxdb/"+sender, func(t *testing.T) { checkInflux(t, sender, server.influx[sender], files[sender]) })
		t.Run("prometheus/"+sender, func(t *testing.T) { checkPrometheus(t, sender, series[sender], files[sender]) })
		t.Run("prometheus_remote_write/"+sender, func(t *testing.T) {
			assert.True(t, bytes.Contains(server.written[sender], []byte("system_memory_usage")) ||
				bytes.Contains(server.written[sender], []byte("process_memory_usage")), "levels arrive")
			assert.Equal(t, sender == "cumulative", bytes.Contains(server.written[sender], []byte("system_cpu_time_seconds_total")))
			assert.Equal(t, sender == "cumulative", bytes.Contains(server.written[sender], []byte("process_cpu_time_seconds_total")))
		})
	}
}

const userTime = "system.cpu.time{cpu.mode=user}"

// checkChain looks at the host's CPU time and interrupts from batch to batch: cumulative points share a start and do not fall, delta
// intervals lie end to end.
func checkChain(t *testing.T, temporality string, got []pmetric.Metrics) {
	t.Helper()
	for _, name := range []string{userTime, "system.cpu.context_switches"} {
		var last harness.Point
		seen := 0
		for _, md := range got {
			p, ok := harness.PointsOf(md)[name]
			if !ok {
				continue
			}
			assert.Less(t, p.Start, p.At, name)
			assert.GreaterOrEqual(t, p.Value, 0.0, name)
			sum := p.Metric.Sum()
			if temporality == "delta" {
				assert.Equal(t, pmetric.AggregationTemporalityDelta, sum.AggregationTemporality(), name)
			} else {
				assert.Equal(t, pmetric.AggregationTemporalityCumulative, sum.AggregationTemporality(), name)
			}
			switch {
			case seen == 0:
			case temporality == "delta":
				assert.Equal(t, last.At, p.Start, name)
			default:
				assert.Equal(t, last.Start, p.Start, name)
				assert.GreaterOrEqual(t, p.Value, last.Value, name)
			}
			last = p
			seen++
		}
		assert.GreaterOrEqual(t, seen, 3, name)
	}
}

// checkInflux holds the lines of the host's CPU time against the points that they were made of.
func checkInflux(t *testing.T, temporality string, lines []harness.InfluxLine, sent []pmetric.Metrics) {
	t.Helper()
	field := map[string]string{"cumulative": "counter", "delta": "gauge"}[temporality] // A delta is no counter to the schema of Telegraf.
	values := map[time.Time]float64{}
	for _, md := range sent {
		if p, ok := harness.PointsOf(md)[userTime]; ok {
			values[p.At.UTC()] = p.Value
		}
	}
	seen := 0
	for _, l := range lines {
		for name, v := range l.Fields {
			assert.GreaterOrEqual(t, v, 0.0, "%s of %s", name, l.Series)
		}
		if l.Measurement() != "system.cpu.time" || !strings.Contains(l.Series, "cpu.mode=user") {
			continue
		}
		seen++
		want, ok := values[time.Unix(0, l.At).UTC()]
		if assert.Contains(t, l.Fields, field) && ok {
			assert.InDelta(t, want, l.Fields[field], 0)
		}
		assert.Contains(t, l.Fields, "start_time_unix_nano")
	}
	assert.GreaterOrEqual(t, seen, 3)
}

// checkPrometheus: cumulative points stand at the endpoint as they are; deltas are added up there from the Collector's start on.
func checkPrometheus(t *testing.T, temporality string, series map[string]float64, sent []pmetric.Metrics) {
	t.Helper()
	got, ok := series[`system_cpu_time_seconds_total{cpu_mode="user"}`]
	require.True(t, ok)
	var possible []float64
	sum := 0.0
	for _, md := range sent {
		p, ok := harness.PointsOf(md)[userTime]
		if !ok {
			continue
		}
		if sum += p.Value; temporality == "cumulative" {
			sum = p.Value
		}
		possible = append(possible, sum)
	}
	found := false
	for _, v := range possible {
		found = found || got > v-1e-9 && got < v+1e-9
	}
	assert.True(t, found, "%v at the endpoint is none of %v", got, possible)
}
