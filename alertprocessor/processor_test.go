package alertprocessor

import (
	"context"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.yaml.in/yaml/v3"

	"github.com/otelcol-psutil/otelcol-psutil/alertprocessor/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/alertprocessor/internal/metadatatest"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertpipe"
)

// graph is what a Collector makes of one processor ID in several pipelines.
type graph struct {
	t       *testing.T
	factory *factory
	set     processor.Settings
	cfg     *Config
	metrics []processor.Metrics
	logs    []processor.Logs
	passed  []*consumertest.MetricsSink
	records []*consumertest.LogsSink
}

func newGraph(t *testing.T, metrics, logs int) *graph {
	t.Helper()
	g := &graph{t: t, factory: newFactory(time.Now), set: processortest.NewNopSettings(metadata.Type), cfg: alertpipe.DefaultConfig()}
	g.cfg.Rules = []rules.RuleConfig{{Name: "load", Metric: "m", Threshold: 80, Severity: "warning"}}
	g.build(metrics, logs)
	return g
}

func (g *graph) build(metrics, logs int) {
	g.t.Helper()
	f := g.factory.processorFactory()
	for range metrics {
		sink := &consumertest.MetricsSink{}
		p, err := f.CreateMetrics(g.t.Context(), g.set, g.cfg, sink)
		require.NoError(g.t, err)
		g.metrics, g.passed = append(g.metrics, p), append(g.passed, sink)
	}
	for range logs {
		sink := &consumertest.LogsSink{}
		p, err := f.CreateLogs(g.t.Context(), g.set, g.cfg, sink)
		require.NoError(g.t, err)
		g.logs, g.records = append(g.logs, p), append(g.records, sink)
	}
}

func (g *graph) start() {
	g.t.Helper()
	for _, p := range g.logs {
		require.NoError(g.t, p.Start(g.t.Context(), componenttest.NewNopHost()))
	}
	for _, p := range g.metrics {
		require.NoError(g.t, p.Start(g.t.Context(), componenttest.NewNopHost()))
	}
}

func (g *graph) shutdown() {
	g.t.Helper()
	for _, p := range g.logs {
		require.NoError(g.t, p.Shutdown(context.Background()))
	}
	for _, p := range g.metrics {
		require.NoError(g.t, p.Shutdown(context.Background()))
	}
}

func gauge(value float64) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("host.name", "db1")
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName("m")
	dp := m.SetEmptyGauge().DataPoints().AppendEmpty()
	dp.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
	dp.SetDoubleValue(value)
	return md
}

// The nodes of one ID share one engine: two pipelines that show the same point make one alert, and each logs pipeline gets it.
// Metrics and ordinary logs pass through as they are.
func TestPipelinesOfOneIDShareTheirRules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGraph(t, 2, 2)
		g.start()
		assert.Equal(t, 1, g.factory.pipes.Len())
		for _, value := range []float64{50, 90, 10} {
			<-time.After(time.Second)
			md := gauge(value)
			want := pmetric.NewMetrics()
			md.CopyTo(want)
			for i, p := range g.metrics {
				assert.False(t, p.Capabilities().MutatesData)
				require.NoError(t, p.ConsumeMetrics(t.Context(), md))
				passed := g.passed[i].AllMetrics()
				assert.Equal(t, want, passed[len(passed)-1])
			}
			synctest.Wait()
		}
		ordinary := plog.NewLogs()
		ordinary.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr("sshd: hello")
		for i, p := range g.logs {
			assert.False(t, p.Capabilities().MutatesData)
			require.NoError(t, p.ConsumeLogs(t.Context(), ordinary))
			var bodies []string
			for _, ld := range g.records[i].AllLogs() {
				bodies = append(bodies, ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().Str())
			}
			assert.Equal(t, []string{"load on db1: m is 90 (> 80)", "resolved: load on db1: m is 10 (≤ 80) (was firing for 1s)", "sshd: hello"}, bodies)
		}
		g.shutdown()
		assert.Zero(t, g.factory.pipes.Len(), "nothing is kept of a configuration that is gone")
	})
}

// After the first shutdown of any node nothing is decided any more; metrics still pass.
func TestMetricsPassDuringTheShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGraph(t, 1, 1)
		g.start()
		require.NoError(t, g.logs[0].Shutdown(context.Background()))
		require.NoError(t, g.metrics[0].ConsumeMetrics(t.Context(), gauge(99)))
		assert.Len(t, g.passed[0].AllMetrics(), 1)
		require.NoError(t, g.metrics[0].Shutdown(context.Background()))
		assert.Empty(t, g.records[0].AllLogs())
	})
}

func TestHalfAConfiguration(t *testing.T) {
	g := newGraph(t, 1, 0)
	require.EqualError(t, g.metrics[0].Start(t.Context(), componenttest.NewNopHost()),
		`alert is used in metrics pipelines but in no logs pipeline: alerts would be lost. `+
			`Add "alert" to the processors of a logs pipeline, or use the alert connector`)
	g.shutdown()
	assert.Zero(t, g.factory.pipes.Len())
	g = newGraph(t, 0, 2)
	require.EqualError(t, g.logs[0].Start(t.Context(), componenttest.NewNopHost()),
		`alert is used in logs pipelines but in no metrics pipeline: no rule would see a metric. `+
			`Add "alert" to the processors of a metrics pipeline, or use the alert connector`)
	g.shutdown()
}

// What is only checked is created and never started: nothing may run, and wrong rules are errors already then.
func TestCreateStartsNothing(t *testing.T) {
	g := newGraph(t, 1, 1)
	assert.Equal(t, 1, g.factory.pipes.Len()) // The package's leak check sees to the rest.

	wrong := alertpipe.DefaultConfig()
	wrong.Preset = "hots"
	_, err := g.factory.processorFactory().CreateMetrics(t.Context(), g.set, wrong, consumertest.NewNop())
	require.ErrorContains(t, err, `unknown preset "hots"`)
	_, err = g.factory.processorFactory().CreateLogs(t.Context(), g.set, wrong, consumertest.NewNop())
	require.ErrorContains(t, err, `unknown preset "hots"`)
	assert.Equal(t, 1, g.factory.pipes.Len())
}

// A reload makes new factories, configurations and nodes; what fires goes on firing.
func TestReloadMakesNewNodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGraph(t, 1, 1)
		g.set.ID = component.MustNewIDWithName("alert", "reload")
		g = rebuilt(t, g.set)
		g.start()
		require.NoError(t, g.metrics[0].ConsumeMetrics(t.Context(), gauge(90)))
		synctest.Wait()
		assert.Equal(t, 1, g.records[0].LogRecordCount())
		g.shutdown()

		g = rebuilt(t, g.set)
		g.start()
		<-time.After(time.Second)
		require.NoError(t, g.metrics[0].ConsumeMetrics(t.Context(), gauge(91)))
		synctest.Wait()
		assert.Zero(t, g.records[0].LogRecordCount())
		g.shutdown()
	})
}

// rebuilt returns a graph of new factories, with an ID of its own so that no other test leaves it a state.
func rebuilt(t *testing.T, set processor.Settings) *graph {
	t.Helper()
	g := &graph{t: t, factory: newFactory(time.Now), set: set, cfg: alertpipe.DefaultConfig()}
	g.cfg.Rules = []rules.RuleConfig{{Name: "load", Metric: "m", Threshold: 80, Severity: "warning"}}
	g.build(1, 1)
	return g
}

// TestTelemetry checks the instruments that a healthy minute moves.
func TestTelemetry(t *testing.T) {
	tel := componenttest.NewTelemetry()
	synctest.Test(t, func(t *testing.T) {
		set := metadatatest.NewSettings(tel)
		set.ID = component.MustNewIDWithName("alert", "telemetry")
		g := rebuilt(t, set)
		g.start()
		for _, value := range []float64{50, 90} {
			<-time.After(20 * time.Second)
			for range 2 {
				require.NoError(t, g.metrics[0].ConsumeMetrics(t.Context(), gauge(value)))
			}
		}
		<-time.After(20 * time.Second)
		synctest.Wait()
		rule := attribute.String("rule", "load")
		point := func(v int64, attrs ...attribute.KeyValue) []metricdata.DataPoint[int64] {
			return []metricdata.DataPoint[int64]{{Value: v, Attributes: attribute.NewSet(attrs...)}}
		}
		ignore := metricdatatest.IgnoreTimestamp()
		metadatatest.AssertEqualAlertActive(t, tel, point(1, rule, attribute.String("severity", "warning")), ignore)
		metadatatest.AssertEqualAlertTransitions(t, tel, point(1, rule, attribute.String("transition", "fire")), ignore)
		metadatatest.AssertEqualAlertDeliveryAttempts(t, tel, point(1, attribute.String("outcome", "accepted")), ignore)
		metadatatest.AssertEqualAlertSamplesIgnored(t, tel, point(2, attribute.String("reason", "duplicate")), ignore)
		metadatatest.AssertEqualAlertSeries(t, tel, point(1), ignore)
		metadatatest.AssertEqualAlertOutboxSize(t, tel, point(0), ignore)
		metadatatest.AssertEqualAlertRuleLastMatchAge(t, tel, []metricdata.DataPoint[float64]{
			{Value: 20, Attributes: attribute.NewSet(rule)},
		}, ignore)
		g.shutdown()
	})
	require.NoError(t, tel.Shutdown(context.Background()))
}

// The rules that the README shows are rules.
func TestReadmeRules(t *testing.T) {
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(text), "```yaml\nrules:")
	require.True(t, found)
	block, _, _ := strings.Cut(rest, "```")
	var raw map[string]any
	require.NoError(t, yaml.Unmarshal([]byte("rules:"+block), &raw))
	cfg := alertpipe.DefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(raw).Unmarshal(cfg))
	rules, err := rules.Compile(cfg.Config)
	require.NoError(t, err)
	assert.Equal(t, []string{"cpu", "postgres_gone", "swap", "cpu_burst", "receive_errors"}, rules.Names())
}
