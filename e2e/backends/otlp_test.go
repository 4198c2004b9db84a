//go:build linux

package backends

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// receiving is a collector that takes OTLP over gRPC and HTTP and writes it to a file.
const receiving = `
receivers:
  otlp: {protocols: {grpc: {endpoint: "%[1]s" %[3]s}, http: {endpoint: "%[2]s" %[3]s}}}
exporters: {file: {path: metrics.jsonl, flush_interval: 100ms}}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {metrics: {receivers: [otlp], exporters: [file]}}
`

// TestOTLPTakesTheExamplesBatches has examples/otlp.yaml send to a second collector: first while that is away, and then, restarted,
// again.
func TestOTLPTakesTheExamplesBatches(t *testing.T) {
	t.Parallel()
	dir, receiverDir := t.TempDir(), t.TempDir()
	address := harness.FreeAddress(t)
	settings, env := []string{everySecond, withFile("otlp_grpc")}, "OTLP_ENDPOINT="+address
	kept := keepBatches(t, harness.StartExample(t, dir, "otlp.yaml", settings, env), dir, syscall.SIGTERM)

	receiver := harness.Start(t, receiverDir, fmt.Sprintf(receiving, address, harness.FreeAddress(t), ""))
	harness.AwaitListener(t, address)
	sender := harness.StartExample(t, dir, "otlp.yaml", settings, env)
	sent, received := filepath.Join(dir, "metrics.jsonl"), filepath.Join(receiverDir, "metrics.jsonl")
	harness.Eventually(t, "a few batches are sent", func() error { return atLeast(sent, 1000) })
	arrives(t, received, kept)
	arrives(t, received, sent)
	stopQuietly(t, sender)
	stopQuietly(t, receiver)
	nothingElse(t, received, kept, sent)
}

// TestOTLPWithTLSAndToken sends through a gate that asks for a token, with TLS before and behind it.
func TestOTLPWithTLSAndToken(t *testing.T) {
	t.Parallel()
	const token = "Bearer let-me-in"
	for protocol, exporter := range map[string]string{
		"otlp_grpc": `exporters: {otlp_grpc: {endpoint: "%s", tls: {insecure: false, ca_file: "%s"}, headers: {authorization: "%s"}}}`,
		"otlp_http": `exporters: {otlp_http: {endpoint: "https://%s", tls: {ca_file: "%s"}, headers: {authorization: "%s"}}}`,
	} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			pki, receiverDir := newPKI(t), t.TempDir()
			addresses := map[string]string{"otlp_grpc": harness.FreeAddress(t), "otlp_http": harness.FreeAddress(t)}
			receiver := harness.Start(t, receiverDir, fmt.Sprintf(receiving, addresses["otlp_grpc"], addresses["otlp_http"],
				fmt.Sprintf(", tls: {cert_file: %q, key_file: %q}", pki.certFile, pki.keyFile)))
			gate := newGate(t, pki, token, addresses[protocol])
			received := filepath.Join(receiverDir, "metrics.jsonl")
			send := func(token string) (sender *harness.Process, sent string) {
				dir := t.TempDir()
				settings := []string{everySecond, withFile(protocol), fmt.Sprintf(exporter, gate.address, pki.caFile, token)}
				return harness.StartExample(t, dir, "otlp.yaml", settings), filepath.Join(dir, "metrics.jsonl")
			}

			stranger, _ := send("Bearer guessed")
			harness.Eventually(t, "a sender with another token is refused", func() error {
				if gate.refused.Load() == 0 {
					return errors.New("it was not refused")
				}
				return says(stranger, "error", map[string]string{"otlp_grpc": "Unauthenticated", "otlp_http": "401"}[protocol])
			})
			require.NoError(t, stranger.Stop(t, os.Interrupt))
			assert.Zero(t, gate.passed.Load())

			sender, sent := send(token)
			harness.Eventually(t, "a few batches are sent", func() error { return atLeast(sent, 1000) })
			arrives(t, received, sent)
			stopQuietly(t, sender)
			stopQuietly(t, receiver)
			assert.Positive(t, gate.passed.Load())
			nothingElse(t, received, sent)
		})
	}
}

// pointsByText counts the points of files, each by all that is known of it: resource, scope, metric, attributes, times and value.
func pointsByText(files ...string) (map[string]int, error) {
	points := make(map[string]int)
	for _, file := range files {
		all, err := harness.Batches(file)
		if err != nil {
			return nil, err
		}
		for _, md := range all {
			if err := countPoints(md, points); err != nil {
				return nil, err
			}
		}
	}
	return points, nil
}

// countPoints adds the points of a batch. The receiver psutil has sums and gauges only.
func countPoints(md pmetric.Metrics, points map[string]int) error {
	for _, rm := range md.ResourceMetrics().All() {
		resource := fmt.Sprint(rm.SchemaUrl(), rm.Resource().Attributes().AsRaw())
		for _, sm := range rm.ScopeMetrics().All() {
			scope := fmt.Sprint(sm.SchemaUrl(), sm.Scope().Name(), sm.Scope().Version(), sm.Scope().Attributes().AsRaw())
			for _, m := range sm.Metrics().All() {
				metric := fmt.Sprint(m.Name(), m.Unit(), m.Description(), m.Type())
				var dps pmetric.NumberDataPointSlice
				switch m.Type() {
				case pmetric.MetricTypeSum:
					dps = m.Sum().DataPoints()
					metric += fmt.Sprint(m.Sum().AggregationTemporality(), m.Sum().IsMonotonic())
				case pmetric.MetricTypeGauge:
					dps = m.Gauge().DataPoints()
				default:
					return fmt.Errorf("%s is a %s", m.Name(), m.Type())
				}
				for _, dp := range dps.All() {
					points[fmt.Sprint(resource, scope, metric, dp.Attributes().AsRaw(), dp.StartTimestamp(), dp.Timestamp(), dp.Flags(),
						dp.ValueType(), dp.IntValue(), dp.DoubleValue())]++
				}
			}
		}
	}
	return nil
}

// atLeast looks for a number of different points in a file.
func atLeast(file string, n int) error {
	points, err := pointsByText(file)
	if err == nil && len(points) < n {
		err = fmt.Errorf("only %d points", len(points))
	}
	return err
}

// arrives waits for everything that stands in a sender's file by now to be in the receiver's.
func arrives(t *testing.T, received, sent string) {
	t.Helper()
	want, err := pointsByText(sent)
	require.NoError(t, err)
	require.NotEmpty(t, want)
	harness.Eventually(t, "what was sent arrives", func() error {
		got, err := pointsByText(received)
		if err != nil {
			return err
		}
		missing := 0
		for text, n := range want {
			if got[text] < n {
				missing++
			}
		}
		if missing > 0 {
			return fmt.Errorf("%d of %d points are missing", missing, len(want))
		}
		return nil
	})
}

// nothingElse holds the receiver's file against those of the senders, when all have ended: no point is there twice, or changed, or made up.
func nothingElse(t *testing.T, received string, sent ...string) {
	t.Helper()
	got, err := pointsByText(received)
	require.NoError(t, err)
	want, err := pointsByText(sent...)
	require.NoError(t, err)
	for text, n := range got {
		assert.LessOrEqual(t, n, want[text], text)
	}
	assert.NotEmpty(t, got)
}

// says looks for a word in the lines of a level in a collector's log.
func says(c *harness.Process, level, word string) error {
	for line := range strings.Lines(c.Output()) {
		if strings.Contains(line, "\t"+level+"\t") && strings.Contains(line, word) {
			return nil
		}
	}
	return fmt.Errorf("it does not say %q", word)
}
