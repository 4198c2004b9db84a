package hostile

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness/collector"
)

// gateway is examples/gateway.yaml with few places for alerts, before a backend.
type gateway struct {
	*harness.Process

	address       string // Where it takes metrics.
	telemetryPort int
	alerts        harness.AlertFile
}

func startGateway(t *testing.T) *gateway {
	t.Helper()
	dir, backendDir, port := t.TempDir(), t.TempDir(), harness.FreePort(t)
	g := &gateway{
		address: harness.FreeAddress(t), telemetryPort: harness.FreePort(t), alerts: harness.AlertFile(filepath.Join(dir, "state", "alerts", "alerts.jsonl")),
	}
	harness.Start(t, backendDir, fmt.Sprintf(harness.FileBackend, port))
	harness.AwaitListener(t, fmt.Sprintf("127.0.0.1:%d", port))
	g.Process = harness.StartExample(t, dir, "gateway.yaml", []string{fmt.Sprintf(`
receivers: {otlp: {protocols: {grpc: {endpoint: "%s"}, http: {endpoint: "%s"}}}}
connectors: {alert: {evaluation_interval: 1s, limits: {alerts_per_rule: 200}, preset: {host: {override: {cpu: {for: 0s}}}}}}
exporters: {file: {flush_interval: 50ms}}
service: {telemetry: {metrics: {level: normal, readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: %d}}}}]}}}
`, harness.FreeAddress(t), g.address, g.telemetryPort)}, fmt.Sprintf("OTLP_ENDPOINT=127.0.0.1:%d", port), "STATE_DIRECTORY="+filepath.Join(dir, "state"))
	harness.AwaitListener(t, g.address)
	return g
}

// awaitTelemetry waits until the gateway's own telemetry meets a condition, and gives it.
func (g *gateway) awaitTelemetry(t *testing.T, what string, met func(collector.Telemetry) bool) (telemetry collector.Telemetry) {
	t.Helper()
	harness.Eventually(t, what, func() (err error) {
		if telemetry, err = collector.Fetch(g.telemetryPort); err == nil && !met(telemetry) {
			err = errors.New("not yet")
		}
		return err
	})
	return telemetry
}

// evaluations is how often the rules have been evaluated: for each batch and at each tick.
func evaluations(telemetry collector.Telemetry) float64 {
	return telemetry.Sum("otelcol_alert_evaluation_duration_count")
}

// knownHost is a host that has sent before others.
const knownHost = "known"

// makeKnown sends the values of knownHost, and waits until the rules follow them and a tick has come, so that it is known before others are.
func (g *gateway) makeKnown(t *testing.T) {
	t.Helper()
	require.NoError(t, harness.PostMetrics(t.Context(), g.address, host(knownHost, 0.9, 0.1)))
	const series = 2
	followed := g.awaitTelemetry(t, "the rules follow its series", func(all collector.Telemetry) bool { return all.Sum("otelcol_alert_series") == series })
	// Nothing is sent meanwhile. One tick may have begun before the values came.
	g.awaitTelemetry(t, "two ticks", func(all collector.Telemetry) bool { return evaluations(all) >= evaluations(followed)+2 })
}

// host is what a host sends of its CPU and its memory.
func host(name string, idle, used float64) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("host.name", name)
	sm := rm.ScopeMetrics().AppendEmpty()
	gauge(sm, "system.cpu.utilization", "1", idle).Attributes().PutStr("cpu.mode", "idle")
	gauge(sm, "system.memory.utilization", "1", used).Attributes().PutStr("system.memory.state", "used")
	return md
}

func gauge(sm pmetric.ScopeMetrics, name, unit string, v float64) pmetric.NumberDataPoint {
	m := sm.Metrics().AppendEmpty()
	m.SetName(name)
	m.SetUnit(unit)
	dp := m.SetEmptyGauge().DataPoints().AppendEmpty()
	dp.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
	dp.SetDoubleValue(v)
	return dp
}

// junk is a request of about so many bytes of all kinds of junk, from one sender.
func junk(n, size int) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	resource := rm.Resource().Attributes()
	raw := map[string]any{"host.name": "junk"}
	for i := range size / 100 {
		raw[fmt.Sprintf("key%d.%d", n, i)] = "v"
	}
	if err := resource.FromRaw(raw); err != nil {
		panic(err)
	}
	resource.PutStr("long", strings.Repeat("x", size/4))
	deep := resource.PutEmpty("deep")
	for range size / 100 {
		deep = deep.SetEmptySlice().AppendEmpty()
	}
	sm := rm.ScopeMetrics().AppendEmpty()
	for i := range 20 {
		gauge(sm, "system.cpu.utilization", fmt.Sprintf("unit%d.%d", n, i), 0).Attributes().PutStr("cpu.mode", "idle")
		gauge(sm, "system.memory.utilization", fmt.Sprintf("unit%d.%d", n, i), 1).Attributes().PutStr("system.memory.state", "used")
	}
	gauge(sm, "system.memory.utilization", strings.Repeat("u", size/4), 1).Attributes().PutStr("system.memory.state", "used")
	for _, at := range []time.Duration{-time.Hour, time.Hour} {
		dp := gauge(sm, "system.paging.utilization", "1", 1)
		dp.SetTimestamp(pcommon.NewTimestampFromTime(time.Now().Add(at)))
		dp.Attributes().PutStr("system.paging.state", "used")
	}
	m := sm.Metrics().AppendEmpty()
	m.SetName("system.filesystem.usage")
	points := m.SetEmptyGauge().DataPoints()
	for i := range size / 1000 {
		dp := points.AppendEmpty()
		dp.SetTimestamp(pcommon.NewTimestampFromTime(time.Now().Add(-time.Duration(i) * time.Millisecond)))
		dp.SetIntValue(1)
		dp.Attributes().PutStr("system.filesystem.state", "used")
		dp.Attributes().PutStr("system.filesystem.mountpoint", fmt.Sprint("/", n, "/", i%50))
	}
	return md
}

// flood sends rounds of hosts that are made up and fire, each with requests of junk, until it is stopped.
type flood struct {
	stop    chan struct{}
	senders sync.WaitGroup
	rounds  atomic.Int64 // That are complete.
	// How many requests were taken, and how many were not.
	taken, failed atomic.Int64
}

const (
	inventedHosts = 1000
	junkOfRound   = 4
	junkBytes     = 333_000
)

// floodOf begins a flood. Its senders wait a little after each request, so that the tests of other packages get on.
func floodOf(t *testing.T, g *gateway) *flood {
	t.Helper()
	f := &flood{stop: make(chan struct{})}
	send := func(md pmetric.Metrics) {
		if err := harness.PostMetrics(t.Context(), g.address, md); err != nil {
			f.failed.Add(1)
		} else {
			f.taken.Add(1)
		}
	}
	const workers = 4
	f.senders.Go(func() {
		for round := 0; !f.stopped(); round++ {
			var of sync.WaitGroup
			for worker := range workers {
				of.Go(func() {
					for n := worker; n < inventedHosts && !f.stopped(); n += workers {
						send(host(fmt.Sprint("invented", n), 0, 1))
						time.Sleep(time.Millisecond)
					}
				})
			}
			of.Go(func() {
				for n := range junkOfRound {
					send(junk(round*junkOfRound+n, junkBytes))
				}
			})
			of.Wait()
			f.rounds.Add(1)
		}
	})
	return f
}

func (f *flood) stopped() bool {
	select {
	case <-f.stop:
		return true
	default:
		return false
	}
}

// await waits for so many rounds in all.
func (f *flood) await(t *testing.T, rounds int64) {
	t.Helper()
	harness.Eventually(t, "the flood", func() error {
		if n := f.rounds.Load(); n < rounds {
			return fmt.Errorf("%d of %d rounds", n, rounds)
		}
		return nil
	})
}

func (f *flood) end() {
	close(f.stop)
	f.senders.Wait()
}

// TestKnownHostIsHeardInAFlood has a thousand invented hosts fire again and again, and one sender send junk and units that nobody knows. The alert of a
// host that was there before is announced and resolved while that goes on, memory_limiter has nothing to refuse, and the log has a line of each kind.
func TestKnownHostIsHeardInAFlood(t *testing.T) {
	g := startGateway(t)
	g.makeKnown(t)

	begin := time.Now()
	f := floodOf(t, g)
	end := sync.OnceFunc(f.end)
	t.Cleanup(end)
	g.alerts.Until(t, "the flood has used up the places", func() bool {
		return slices.ContainsFunc(g.alerts.Read(t), func(r harness.AlertRecord) bool {
			return strings.Contains(r.Body, "alerts of cpu held back, limits::alerts_per_rule")
		})
	})
	f.await(t, 1)
	require.False(t, g.knownHas(t, "fire"))
	g.awaitKnown(t, "fire", 0.1)
	g.awaitKnown(t, "resolve", 0.9)
	for rounds := range int64(3) { // What was said of the first round is not said again.
		f.await(t, rounds+1)
	}
	telemetry, err := collector.Fetch(g.telemetryPort)
	require.NoError(t, err)
	end()
	require.NoError(t, g.Ended())
	peak, err := g.PeakResident()
	require.NoError(t, err)
	t.Logf("%d rounds and a part of one in %v, %d requests were taken and %d not; the most resident memory was %.0f MiB",
		f.rounds.Load(), time.Since(begin).Round(time.Millisecond), f.taken.Load(), f.failed.Load(), peak/(1<<20))
	assert.Positive(t, telemetry.Sum("otelcol_processor_memory_limiter_accepted_metric_points"))
	assert.Zero(t, telemetry.Sum("otelcol_processor_memory_limiter_refused_metric_points"), "the heap stays below what memory_limiter lets it have")
	assertLogIsQuiet(t, g.Output())
}

// awaitKnown sends a value of the known host until its alert has changed.
func (g *gateway) awaitKnown(t *testing.T, transition string, idle float64) {
	t.Helper()
	begin := time.Now()
	g.alerts.Until(t, transition+" of the known host", func() bool {
		err := harness.PostMetrics(t.Context(), g.address, host(knownHost, idle, 0.1))
		return err == nil && g.knownHas(t, transition)
	})
	t.Logf("%s after %v", transition, time.Since(begin).Round(time.Millisecond))
}

// knownHas tells whether a change of the known host's CPU was announced.
func (g *gateway) knownHas(t *testing.T, transition string) bool {
	t.Helper()
	return slices.ContainsFunc(g.alerts.Of(t, "cpu"), func(r harness.AlertRecord) bool {
		return r.Resource["host.name"] == knownHost && r.Transition() == transition
	})
}

// variant is what in a message is not of its kind.
var variant = regexp.MustCompile(`"[^"]*"|\d+|invented\S*| \(.*|: .*`)

// assertLogIsQuiet asserts that no kind of message of the connector alert stands in the log twice, and that none is long.
func assertLogIsQuiet(t *testing.T, output string) {
	t.Helper()
	kinds := map[string][]string{}
	for _, line := range harness.LogLines(output) {
		if line.Kind != "connector" || line.Component != "alert" || line.Level != "warn" && line.Level != "error" {
			continue
		}
		text := line.Message
		assert.LessOrEqual(t, len(text), 2048)
		rule := ""
		if rest, ok := strings.CutPrefix(text, "rule "); ok {
			rule, text, _ = strings.Cut(rest, ": ")
		}
		kind := rule + " " + variant.ReplaceAllString(text, "#")
		kinds[kind] = append(kinds[kind], line.Message)
	}
	assert.NotEmpty(t, kinds)
	for kind, lines := range kinds {
		assert.Len(t, lines, 1, kind)
	}
}

// nested is a request with one value of lists in lists, so many levels deep.
func nested(levels int) []byte {
	headers := make([][]byte, levels)
	size := 0
	for i := levels - 1; i >= 0; i-- {
		item := binary.AppendUvarint([]byte{1<<3 | 2}, uint64(size)) // ArrayValue.values
		list := binary.AppendUvarint([]byte{5<<3 | 2}, uint64(len(item)+size))
		headers[i] = append(list, item...) // AnyValue.array_value
		size += len(headers[i])
	}
	field := func(number byte, value []byte) []byte {
		return append(binary.AppendUvarint([]byte{number<<3 | 2}, uint64(len(value))), value...)
	}
	attribute := append(field(1, []byte("key")), field(2, bytes.Join(headers, nil))...)
	return field(1, field(1, field(1, attribute))) // resource_metrics, resource, attributes
}

// assertBadRequest asserts that a receiver has answered that a request is none that it takes.
func assertBadRequest(t *testing.T, err error) {
	t.Helper()
	var refused *harness.StatusError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, http.StatusBadRequest, refused.Code, refused.Text)
}

// TestNestedValuesEndNothing sends values that are nested as deeply as a request has room for, and more deeply: that is refused before it is decoded.
func TestNestedValuesEndNothing(t *testing.T) {
	g := startGateway(t)
	require.NoError(t, harness.PostMetricsBody(t.Context(), g.address, nested(300_000), ""))
	large := nested(1_900_000)
	assertBadRequest(t, harness.PostMetricsBody(t.Context(), g.address, large, ""))
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := w.Write(large)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	assertBadRequest(t, harness.PostMetricsBody(t.Context(), g.address, packed.Bytes(), "gzip"))
	require.NoError(t, g.Ended())
	require.NoError(t, harness.PostMetrics(t.Context(), g.address, host(knownHost, 0.9, 0.1)))
}
