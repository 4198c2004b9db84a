//go:build linux

package truth

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

const sampledConfig = `
receivers:
  psutil:
    collection_interval: 10s
    initial_delay: 0s
    scrapers: {cpu: {}, network: {}}
    sampling: {interval: 200ms, metrics: [system.cpu.utilization, system.network.io]}
  psutil/gauges:
    collection_interval: 10s
    initial_delay: 0s
    scrapers: {cpu: {}, network: {}}
    sampling: {interval: 200ms, metrics: [system.cpu.utilization, system.network.io], format: gauges}
exporters:
  file/histograms: {path: histograms.jsonl, flush_interval: 100ms}
  file/gauges: {path: gauges.jsonl, flush_interval: 100ms}
service:
  telemetry: {metrics: {level: none}, logs: {level: warn}}
  pipelines:
    metrics/histograms: {receivers: [psutil], exporters: [file/histograms]}
    metrics/gauges: {receivers: [psutil/gauges], exporters: [file/gauges]}
`

// distributions gives the exponential histogram points of a batch by metric and attributes.
func distributions(md pmetric.Metrics) map[string]pmetric.ExponentialHistogramDataPoint {
	found := make(map[string]pmetric.ExponentialHistogramDataPoint)
	for _, rm := range md.ResourceMetrics().All() {
		for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
			if m.Type() != pmetric.MetricTypeExponentialHistogram {
				continue
			}
			for _, p := range m.ExponentialHistogram().DataPoints().All() {
				attributes := pmetric.NewNumberDataPoint()
				p.Attributes().CopyTo(attributes.Attributes())
				found[m.Name()+harness.AttributesOf(attributes)] = p
			}
		}
	}
	return found
}

// burnCPUs keeps every CPU busy for a time.
func burnCPUs(d time.Duration) {
	var all sync.WaitGroup
	end := time.Now().Add(d)
	for range 2 * runtime.NumCPU() {
		all.Go(func() {
			for time.Now().Before(end) {
			}
		})
	}
	all.Wait()
}

// sendOverLoopback lets so many bytes go through the loopback interface.
func sendOverLoopback(t *testing.T, bytes int64) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	sent := make(chan error, 1)
	go func() { sent <- sendTo(listener.Addr().String(), bytes) }()
	conn, err := listener.Accept()
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	received, err := io.Copy(io.Discard, conn)
	require.NoError(t, err)
	assert.GreaterOrEqual(t, received, bytes)
	require.NoError(t, <-sent)
}

func sendTo(address string, bytes int64) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	chunk := make([]byte, 1<<16)
	for sent := int64(0); sent < bytes; sent += int64(len(chunk)) {
		if _, err := conn.Write(chunk); err != nil {
			return err
		}
	}
	return nil
}

// batchesFrom waits until there are n batches in a file.
func batchesFrom(t *testing.T, path string, n int) []pmetric.Metrics {
	t.Helper()
	var got []pmetric.Metrics
	harness.Eventually(t, fmt.Sprintf("%d batches in %s", n, filepath.Base(path)), func() (err error) {
		if got, err = harness.Batches(path); err == nil && len(got) < n {
			err = fmt.Errorf("only %d", len(got))
		}
		return err
	})
	return got
}

// TestABurstShowsBetweenTheExports loads the host for two of the ten seconds between two exports. Other work on the machine may make
// it busier than this test alone does, never less.
func TestABurstShowsBetweenTheExports(t *testing.T) {
	const lo = "{network.interface.name=lo,network.io.direction=receive}"
	const sent = 64 << 20
	dir := t.TempDir()
	c := harness.Start(t, dir, sampledConfig)
	histograms := filepath.Join(dir, "histograms.jsonl")
	before := len(batchesFrom(t, histograms, 2))
	burnCPUs(2 * time.Second)
	sendOverLoopback(t, sent)
	all := batchesFrom(t, histograms, before+2)
	gauges := batchesFrom(t, filepath.Join(dir, "gauges.jsonl"), before+1)

	leastIdle, mostReceived, total := 1.0, 0.0, 0.0
	for i := 1; i < len(all); i++ {
		points, plain := distributions(all[i]), harness.PointsOf(all[i])
		idle, ok := points["system.cpu.utilization.distribution{cpu.mode=idle}"]
		require.True(t, ok, "batch %d has no distribution", i)
		leastIdle = min(leastIdle, idle.Min())
		require.Less(t, idle.StartTimestamp(), idle.Timestamp())
		require.LessOrEqual(t, idle.Max(), 1.0)
		if i > 1 { // The first sample was taken before the first scrape.
			for _, mode := range []string{"user", "system", "idle"} {
				p := points["system.cpu.utilization.distribution{cpu.mode="+mode+"}"]
				assert.InDelta(t, plain["system.cpu.utilization{cpu.mode="+mode+"}"].Value, p.Sum()/float64(p.Count()), 0.05, "the mean, %s", mode)
			}
		}
		network := points["system.network.io.rate.distribution"+lo]
		mostReceived = max(mostReceived, network.Max())
		total += network.Sum() / float64(network.Count()) * network.Timestamp().AsTime().Sub(network.StartTimestamp().AsTime()).Seconds()
		assert.Equal(t, "By/s", unitOf(all[i], "system.network.io.rate.distribution"))
	}
	assert.LessOrEqual(t, leastIdle, 0.05, "at some moment the CPUs were busy")
	first, last := harness.PointsOf(all[0])["system.network.io"+lo], harness.PointsOf(all[len(all)-1])["system.network.io"+lo]
	counted := last.Value - first.Value
	assert.InEpsilon(t, counted, total, 0.1, "the means add up to what was counted")
	assert.Greater(t, mostReceived, 1.5*counted/last.At.Sub(first.At).Seconds(), "the burst stands out")

	checkGauges(t, gauges)
	require.NoError(t, c.Stop(t, os.Interrupt))
	assert.Empty(t, c.Output(), "nothing to warn of")
}

func unitOf(md pmetric.Metrics, name string) string {
	for _, rm := range md.ResourceMetrics().All() {
		for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
			if m.Name() == name {
				return m.Unit()
			}
		}
	}
	return ""
}

// checkGauges compares the gauges of every batch with each other.
func checkGauges(t *testing.T, gauges []pmetric.Metrics) {
	t.Helper()
	leastIdle := 1.0
	for _, md := range gauges[1:] {
		points := harness.PointsOf(md)
		at := func(suffix string) float64 {
			p, ok := points["system.cpu.utilization"+suffix+"{cpu.mode=idle}"]
			require.True(t, ok, suffix)
			return p.Value
		}
		order := []float64{at(".min"), at(".p50"), at(".p95"), at(".p99"), at(".max")}
		assert.IsNonDecreasing(t, order)
		assert.GreaterOrEqual(t, at(".avg"), at(".min"))
		assert.LessOrEqual(t, at(".avg"), at(".max"))
		leastIdle = min(leastIdle, at(".min"))
		assert.Empty(t, distributions(md))
	}
	assert.LessOrEqual(t, leastIdle, 0.05)
}
