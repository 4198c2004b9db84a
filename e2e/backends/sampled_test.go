//go:build linux

package backends

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// sampledHistograms samples ten times a second. What is cumulative goes through the example, and beside it are histograms of each second alone.
const sampledHistograms = `
receivers:
  psutil: &receiver
    collection_interval: 1s
    initial_delay: 0s
    scrapers: {cpu: , memory: }
    sampling: {interval: 100ms, temporality: cumulative}
  psutil/delta: {<<: *receiver, sampling: {interval: 100ms}}
exporters:
  prometheus_remote_write/delta: {http: {endpoint: "%s/api/v1/write"}, external_labels: {temporality: delta}}
service:
  pipelines:
    metrics/delta: {receivers: [psutil/delta], exporters: [prometheus_remote_write/delta]}
`

// TestSampledHistogramsReachPrometheus has distributions written to Prometheus, where they are native histograms if they are cumulative, and
// dropped on the way, but nothing else with them, if not.
func TestSampledHistogramsReachPrometheus(t *testing.T) {
	t.Parallel()
	dir, p := t.TempDir(), startPrometheus(t, harness.FreeAddress(t))
	c := harness.StartExample(t, dir, "prometheus-remote-write.yaml",
		[]string{fmt.Sprintf(sampledHistograms, p), withFile("prometheus_remote_write")}, "PROMETHEUS_URL="+string(p))
	const idle = `system_cpu_utilization_distribution{cpu_mode="idle"}`
	harness.Eventually(t, "histograms of five seconds", func() error {
		n, err := p.one("histogram_count(" + idle + ")")
		if err == nil && n < 40 {
			err = fmt.Errorf("only %v samples", n)
		}
		return err
	})
	harness.Eventually(t, "count and sum as they were sent", func() error {
		count, err := p.one("histogram_count(" + idle + ")")
		if err != nil {
			return err
		}
		sum, err := p.one("histogram_sum(" + idle + ")")
		if err != nil {
			return err
		}
		return wasSent(filepath.Join(dir, "metrics.jsonl"), "system.cpu.utilization.distribution", "idle", uint64(count), sum)
	})
	free := harness.FirstNumber(t, "/", "proc/meminfo", "MemFree:") / harness.FirstNumber(t, "/", "proc/meminfo", "MemTotal:")
	for expression, want := range map[string]struct{ value, delta float64 }{
		// The shares of each sample add up to 1.
		`sum(histogram_sum(system_cpu_utilization_distribution)) / max(histogram_count(system_cpu_utilization_distribution))`: {1, 1e-6},
		`histogram_quantile(0.5, system_memory_utilization_distribution{system_memory_state="free"})`:                         {free, 0.1},
		`histogram_quantile(0.99, system_memory_utilization_distribution{system_memory_state="free"})`:                        {free, 0.1},
	} {
		harness.Eventually(t, expression, func() error { return near(p, expression, want.value, want.delta) })
	}

	harness.Eventually(t, "the other metrics beside histograms of each second", func() error {
		return near(p, `count(count_over_time(system_cpu_utilization_ratio{temporality="delta"}[1m]) >= 3)`, 7, 0)
	})
	dropped, err := p.query(`{__name__=~".*_distribution",temporality="delta"}`)
	require.NoError(t, err)
	assert.Empty(t, dropped)
	stopQuietly(t, c)
}

// wasSent looks for a histogram with this count and sum among those of a file.
func wasSent(file, metric, attribute string, count uint64, sum float64) error {
	all, err := harness.Batches(file)
	if err != nil {
		return err
	}
	for _, md := range all {
		for _, dp := range histogramsOf(md, metric) {
			if mode, ok := dp.Attributes().Get("cpu.mode"); ok && mode.Str() == attribute && dp.Count() == count && dp.Sum() == sum {
				return nil
			}
		}
	}
	return fmt.Errorf("%s of %s was not sent with %d samples that add up to %v", metric, attribute, count, sum)
}

// histogramsOf lists the points of an exponential histogram in a batch.
func histogramsOf(md pmetric.Metrics, name string) (points []pmetric.ExponentialHistogramDataPoint) {
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				if m.Name() == name {
					for _, dp := range m.ExponentialHistogram().DataPoints().All() {
						points = append(points, dp)
					}
				}
			}
		}
	}
	return points
}

const sampledGauges = `
receivers:
  psutil:
    collection_interval: 1s
    initial_delay: 0s
    scrapers: {cpu: , memory: }
    sampling: {interval: 100ms, format: gauges}
`

// TestSampledGaugesReachInfluxDB has averages, extremes and percentiles written to InfluxDB, which has no histograms.
func TestSampledGaugesReachInfluxDB(t *testing.T) {
	t.Parallel()
	address := harness.FreeAddress(t)
	i := startInfluxDB(t, address)
	c := harness.StartExample(t, t.TempDir(), "influxdb.yaml", []string{sampledGauges}, "INFLUXDB_URL=http://"+address)
	free := harness.FirstNumber(t, "/", "proc/meminfo", "MemFree:") / harness.FirstNumber(t, "/", "proc/meminfo", "MemTotal:")
	last := 0.0
	for _, statistic := range []string{"min", "p50", "p95", "p99", "max"} {
		// The first second of each: what comes later is not of the same samples.
		q := fmt.Sprintf(`SELECT first(gauge) FROM "system.memory.utilization.%s" WHERE "system.memory.state" = 'free'`, statistic)
		harness.Eventually(t, q, func() error { return i.near(q, free, 0.1) })
		v, err := i.sum(q)
		require.NoError(t, err)
		assert.GreaterOrEqual(t, v, last, statistic)
		last = v
	}
	// The averages of the modes add up to 1, as the shares of each sample do.
	q := `SELECT last(gauge) FROM "system.cpu.utilization.avg"` + by("cpu.mode")
	harness.Eventually(t, q, func() error { return i.near(q, 1, 1e-6) })
	stopQuietly(t, c)
}
