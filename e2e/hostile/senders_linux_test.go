// Package hostile attacks the built distribution, as a sender, as a server and as a local user may.
package hostile

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"fmt"
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
)

// gateway runs examples/gateway.yaml, with few places for alerts.
func gateway(t *testing.T) (g *harness.Process, address string, alerts harness.AlertFile) {
	t.Helper()
	dir, backendDir, port := t.TempDir(), t.TempDir(), harness.FreePort(t)
	address = harness.FreeAddress(t)
	harness.Start(t, backendDir, fmt.Sprintf(harness.FileBackend, port))
	harness.AwaitListener(t, fmt.Sprintf("127.0.0.1:%d", port))
	g = harness.StartExample(t, dir, "gateway.yaml", []string{fmt.Sprintf(`
receivers: {otlp: {protocols: {grpc: {endpoint: "%s"}, http: {endpoint: "%s"}}}}
connectors: {alert: {evaluation_interval: 1s, limits: {alerts_per_rule: 200}}}
exporters: {file: {flush_interval: 50ms}}
service: {telemetry: {metrics: {level: none}}}
`, harness.FreeAddress(t), address)}, fmt.Sprintf("OTLP_ENDPOINT=127.0.0.1:%d", port), "STATE_DIRECTORY="+filepath.Join(dir, "state"))
	harness.AwaitListener(t, address)
	return g, address, harness.AlertFile(filepath.Join(dir, "state", "alerts", "alerts.jsonl"))
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
	if resource.FromRaw(raw) != nil {
		panic("attributes")
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

// again calls a function with numbers from 0, at least so long apart, until the context is done.
func again(ctx context.Context, apart time.Duration, call func(n int)) {
	ticker := time.NewTicker(apart)
	defer ticker.Stop()
	for n := 0; ctx.Err() == nil; n++ {
		call(n)
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
}

// TestKnownHostIsHeardInAFlood has a thousand invented hosts fire, and one sender send 40 MB a minute of junk and units that nobody knows. The alert of a
// host that was there before is announced while that goes on, memory stays within what memory_limiter is set to, and the log has a line of each kind.
func TestKnownHostIsHeardInAFlood(t *testing.T) {
	const invented, junkSize, limitMiB = 1000, 333_000, 1024
	g, address, alerts := gateway(t)
	before, known := context.WithTimeout(t.Context(), time.Second)
	again(before, 250*time.Millisecond, func(int) { require.NoError(t, harness.PostMetrics(t.Context(), address, host("known", 0.9, 0.1))) })
	known()

	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	var sent, refused atomic.Int64
	send := func(md pmetric.Metrics) {
		if err := harness.PostMetrics(ctx, address, md); err == nil {
			sent.Add(1)
		} else if ctx.Err() == nil {
			refused.Add(1)
		}
	}
	for worker := range 4 {
		all.Go(func() {
			again(ctx, time.Millisecond, func(n int) { send(host(fmt.Sprint("invented", (n*4+worker)%invented), 0, 1)) })
		})
	}
	all.Go(func() { again(ctx, 500*time.Millisecond, func(n int) { send(junk(n, junkSize)) }) })
	var peak float64
	all.Go(func() {
		again(ctx, 100*time.Millisecond, func(int) {
			resident, err := g.Resident()
			if err == nil {
				peak = max(peak, resident)
			}
		})
	})

	alerts.Until(t, "the flood has used up the places", func() bool {
		return slices.ContainsFunc(alerts.Read(t), func(r harness.AlertRecord) bool {
			return strings.Contains(r.Body, "alerts of cpu held back, limits::alerts_per_rule")
		})
	})
	begin := time.Now()
	announced := func() bool {
		return slices.ContainsFunc(alerts.Read(t), func(r harness.AlertRecord) bool {
			return r.Resource["host.name"] == "known" && r.Rule() == "cpu" && r.Transition() == "fire"
		})
	}
	require.False(t, announced())
	alerts.Until(t, "the alert of the known host", func() bool {
		err := harness.PostMetrics(t.Context(), address, host("known", 0.1, 0.1))
		return err == nil && announced()
	})
	t.Logf("announced after %v", time.Since(begin).Round(time.Millisecond))
	<-time.After(time.Until(begin.Add(15 * time.Second)))
	stop()
	all.Wait()
	t.Logf("%d requests were taken and %d refused; the most resident memory was %.0f MiB", sent.Load(), refused.Load(), peak/(1<<20))
	require.NoError(t, g.Ended())
	assert.Less(t, peak, float64(limitMiB<<20))
	assertLogIsQuiet(t, g.Output())
}

// message is a line of the log of the alert component, and what in it is not of its kind.
var (
	message = regexp.MustCompile(`(?m)^\S+\t(?:warn|error)\t(?:\S+\.go:\d+\t)?(.*?)(?:\t\{|$)`)
	variant = regexp.MustCompile(`"[^"]*"|\d+|invented\S*| \(.*|: .*`)
)

// assertLogIsQuiet asserts that no kind of message stands in the log twice, and that none is long.
func assertLogIsQuiet(t *testing.T, output string) {
	t.Helper()
	kinds := map[string][]string{}
	for _, match := range message.FindAllStringSubmatch(output, -1) {
		text := match[1]
		assert.LessOrEqual(t, len(text), 2048)
		rule := ""
		if rest, ok := strings.CutPrefix(text, "rule "); ok {
			rule, text, _ = strings.Cut(rest, ": ")
		}
		kind := rule + " " + variant.ReplaceAllString(text, "#")
		kinds[kind] = append(kinds[kind], match[1])
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

// TestNestedValuesEndNothing sends values that are nested as deeply as a request has room for, and more deeply: that is refused before it is decoded.
func TestNestedValuesEndNothing(t *testing.T) {
	g, address, _ := gateway(t)
	require.NoError(t, harness.PostMetricsBody(t.Context(), address, nested(300_000), ""))
	large := nested(1_900_000)
	require.Error(t, harness.PostMetricsBody(t.Context(), address, large, ""))
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := w.Write(large)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.Error(t, harness.PostMetricsBody(t.Context(), address, packed.Bytes(), "gzip"))
	require.NoError(t, g.Ended())
	require.NoError(t, harness.PostMetrics(t.Context(), address, host("known", 0.9, 0.1)))
}
