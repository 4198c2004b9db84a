package alertconnector_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/otelcol-psutil/otelcol-psutil/alertconnector"
	"github.com/otelcol-psutil/otelcol-psutil/alertprocessor"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

var ids atomic.Int64

// settings have an ID of their own, so that no test leaves its state to another.
func settings() connector.Settings {
	set := connectortest.NewNopSettings(alertconnector.NewFactory().Type())
	set.ID = component.MustNewIDWithName("alert", string(rune('a'+ids.Add(1))))
	return set
}

func hostConfig() *alertconnector.Config {
	cfg := alertconnector.NewFactory().CreateDefaultConfig().(*alertconnector.Config)
	cfg.Preset = "host"
	cfg.Rules = []rules.RuleConfig{{Name: "queue", Metric: "queue.length", Threshold: 10, Severity: "critical", Window: time.Minute, Aggregate: "avg"}}
	return cfg
}

func newConnector(t *testing.T, cfg component.Config, next consumer.Logs) connector.Metrics {
	t.Helper()
	c, err := alertconnector.NewFactory().CreateMetricsToLogs(t.Context(), settings(), cfg, next)
	require.NoError(t, err)
	return c
}

// hostMetrics returns random utilizations of a host with two disks, now.
func hostMetrics(rng *rand.Rand) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("host.name", "db1")
	metrics := rm.ScopeMetrics().AppendEmpty().Metrics()
	add := func(name, unit string, attrs ...string) {
		m := metrics.AppendEmpty()
		m.SetName(name)
		m.SetUnit(unit)
		dp := m.SetEmptyGauge().DataPoints().AppendEmpty()
		for i := 0; i < len(attrs); i += 2 {
			dp.Attributes().PutStr(attrs[i], attrs[i+1])
		}
		dp.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
		dp.SetDoubleValue(rng.Float64())
	}
	add("system.cpu.utilization", "1", "cpu.mode", "idle")
	add("system.memory.utilization", "1", "system.memory.state", "used")
	for _, mount := range []string{"/", "/home"} {
		add("system.filesystem.usage", "By", "system.filesystem.state", "used", "system.filesystem.mountpoint", mount)
		add("system.filesystem.usage", "By", "system.filesystem.state", "free", "system.filesystem.mountpoint", mount)
	}
	add("queue.length", "{item}", "queue.name", "in")
	return md
}

// feedStory feeds an hour of random metrics and returns all records as bytes of OTLP.
func feedStory(t *testing.T, next consumer.Metrics, sink *consumertest.LogsSink) [][]byte {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	for range 240 {
		require.NoError(t, next.ConsumeMetrics(t.Context(), hostMetrics(rng)))
		synctest.Wait()
		<-time.After(15 * time.Second)
	}
	var out [][]byte
	for _, ld := range sink.AllLogs() {
		text, err := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
		require.NoError(t, err)
		out = append(out, text)
	}
	return out
}

// TestBothAdaptersGiveTheSameBytes holds the connector and the processor together.
func TestBothAdaptersGiveTheSameBytes(t *testing.T) {
	var fromConnector, fromProcessor [][]byte
	synctest.Test(t, func(t *testing.T) {
		sink := &consumertest.LogsSink{}
		c := newConnector(t, hostConfig(), sink)
		require.NoError(t, c.Start(t.Context(), componenttest.NewNopHost()))
		assert.False(t, c.Capabilities().MutatesData)
		fromConnector = feedStory(t, c, sink)
		require.NoError(t, c.Shutdown(context.Background()))
	})
	synctest.Test(t, func(t *testing.T) {
		sink := &consumertest.LogsSink{}
		factory := alertprocessor.NewFactory()
		set := processortest.NewNopSettings(factory.Type())
		cfg := hostConfig()
		m, err := factory.CreateMetrics(t.Context(), set, cfg, consumertest.NewNop())
		require.NoError(t, err)
		l, err := factory.CreateLogs(t.Context(), set, cfg, sink)
		require.NoError(t, err)
		require.NoError(t, l.Start(t.Context(), componenttest.NewNopHost()))
		require.NoError(t, m.Start(t.Context(), componenttest.NewNopHost()))
		fromProcessor = feedStory(t, m, sink)
		require.NoError(t, m.Shutdown(context.Background()))
		require.NoError(t, l.Shutdown(context.Background()))
	})
	assert.Greater(t, len(fromConnector), 10)
	assert.Equal(t, fromConnector, fromProcessor)
}

// An error of the logs side never reaches the metrics side, and what waits is delivered at shutdown.
func TestConsumeMetricsNeverFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &consumertest.LogsSink{}
		var broken atomic.Bool
		broken.Store(true)
		next, err := consumer.NewLogs(func(ctx context.Context, ld plog.Logs) error {
			if broken.Load() {
				return errors.New("sending queue is full")
			}
			return sink.ConsumeLogs(ctx, ld)
		})
		require.NoError(t, err)
		c := newConnector(t, hostConfig(), next)
		require.NoError(t, c.Start(t.Context(), componenttest.NewNopHost()))
		rng := rand.New(rand.NewPCG(1, 2))
		for range 20 {
			require.NoError(t, c.ConsumeMetrics(t.Context(), hostMetrics(rng)))
			<-time.After(15 * time.Second)
		}
		assert.Zero(t, sink.LogRecordCount())
		broken.Store(false)
		require.NoError(t, c.Shutdown(context.Background()))
		assert.Positive(t, sink.LogRecordCount())
	})
}

func TestConnectorErrors(t *testing.T) {
	cfg := hostConfig()
	cfg.Preset = "hots"
	_, err := alertconnector.NewFactory().CreateMetricsToLogs(t.Context(), settings(), cfg, consumertest.NewNop())
	require.ErrorContains(t, err, `unknown preset "hots"`)

	cfg = hostConfig()
	id := component.MustNewID("file_storage")
	cfg.Storage = &id
	c := newConnector(t, cfg, consumertest.NewNop())
	require.EqualError(t, c.Start(t.Context(), componenttest.NewNopHost()), `storage "file_storage" not found among extensions: list it in service::extensions`)
	require.NoError(t, c.Shutdown(context.Background()))
}

// No records pass through a connector, so that there are none to accept.
func TestAKeyOfTheProcessorAlone(t *testing.T) {
	t.Parallel()
	factory := alertconnector.NewFactory()
	cfg := factory.CreateDefaultConfig().(*alertconnector.Config)
	cfg.AcceptExternalRecords = true
	_, err := factory.CreateMetricsToLogs(t.Context(), connectortest.NewNopSettings(factory.Type()), cfg, consumertest.NewNop())
	require.ErrorContains(t, err, "accept_external_records means nothing in a connector")
}
