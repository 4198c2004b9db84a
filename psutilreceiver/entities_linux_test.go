package psutilreceiver

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/xpdata/entity"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// entityHostOf is a receiver in a logs pipeline over a copy of a fixture host, which is asked by hand.
func entityHostOf(t *testing.T, next consumer.Logs, configure func(*Config)) *entityReceiver {
	t.Helper()
	root := t.TempDir()
	require.NoError(t, os.CopyFS(root, os.DirFS(fixtureRoot("server-6.x"))))
	cfg := createDefaultConfig().(*Config)
	cfg.RootPath = root
	configure(cfg)
	require.NoError(t, cfg.Validate())
	r := newEntityReceiver(receivertest.NewNopSettings(metadata.Type), cfg, next)
	var err error
	r.host, err = host.New(root)
	require.NoError(t, err)
	return r
}

// eventsOf are the records of a sink since the last time, as plain values.
func eventsOf(t *testing.T, sink *consumertest.LogsSink) (events []map[string]any) {
	t.Helper()
	for _, logs := range sink.AllLogs() {
		require.Equal(t, 1, logs.ResourceLogs().Len())
		rl := logs.ResourceLogs().At(0)
		assert.NotEmpty(t, rl.Resource().Attributes().AsRaw()["host.id"])
		assert.Equal(t, schemaURL, rl.SchemaUrl())
		for _, record := range rl.ScopeLogs().At(0).LogRecords().All() {
			event := record.Attributes().AsRaw()
			event["event"] = record.EventName()
			assert.NotZero(t, record.Timestamp())
			events = append(events, event)
		}
	}
	sink.Reset()
	return events
}

func TestTheHostAsAnEntity(t *testing.T) {
	sink := &consumertest.LogsSink{}
	r := entityHostOf(t, sink, func(*Config) {})
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	r.now = func() time.Time { return now }
	at := func(d time.Duration) []map[string]any {
		now = now.Add(d)
		r.tell(t.Context())
		return eventsOf(t, sink)
	}
	events := at(0)
	require.Len(t, events, 1)
	event := events[0]
	assert.Equal(t, "entity.state", event["event"])
	assert.Equal(t, "host", event["entity.type"])
	assert.Equal(t, int64(300), event["entity.report.interval"], "in seconds")
	id := event["entity.id"].(map[string]any)
	require.Len(t, id, 1)
	assert.NotEmpty(t, id["host.id"])
	description := event["entity.description"].(map[string]any)
	assert.NotEmpty(t, description["host.name"])
	assert.Equal(t, "linux", description["os.type"])
	assert.NotContains(t, description, "host.id")

	assert.Empty(t, at(time.Minute), "nothing is due")
	assert.Len(t, at(4*time.Minute), 1, "the interval is over")
	require.NoError(t, os.WriteFile(filepath.Join(r.cfg.RootPath, "etc/hostname"), []byte("renamed\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(r.cfg.RootPath, "proc/sys/kernel/hostname"), []byte("renamed\n"), 0o600))
	events = at(time.Minute)
	require.Len(t, events, 1, "the host has another name")
	assert.Equal(t, "renamed", events[0]["entity.description"].(map[string]any)["host.name"])
	assert.Equal(t, id, events[0]["entity.id"])

	r.cfg.MetadataCollectionInterval = 0
	assert.Empty(t, at(time.Hour), "without an interval only changes are told")
}

// TestEventsThatAreNotDeliveredAreTriedAgain lets the pipeline refuse the first.
func TestEventsThatAreNotDeliveredAreTriedAgain(t *testing.T) {
	sink := &consumertest.LogsSink{}
	refused := 0
	next, err := consumer.NewLogs(func(ctx context.Context, logs plog.Logs) error {
		if refused++; refused == 1 {
			return errors.New("the queue is full")
		}
		return sink.ConsumeLogs(ctx, logs)
	})
	require.NoError(t, err)
	r := entityHostOf(t, next, func(*Config) {})
	r.tell(t.Context())
	r.tell(t.Context())
	r.tell(t.Context())
	assert.Len(t, eventsOf(t, sink), 1)
}

func TestProcessesAsEntities(t *testing.T) {
	sink := &consumertest.LogsSink{}
	r := entityHostOf(t, sink, func(cfg *Config) { cfg.Entities.Processes = true })
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	r.now = func() time.Time { return now }
	shown := func(pids ...int32) []map[string]any {
		var list []shownProcess
		for _, pid := range pids {
			attributes := pcommon.NewMap()
			attributes.PutInt("process.pid", int64(pid))
			attributes.PutStr("process.creation.time", "2026-01-01T00:00:00.00Z")
			attributes.PutStr("process.executable.name", "app")
			list = append(list, shownProcess{read.Key{PID: pid, Start: 1}, attributes})
		}
		r.cfg.shown.put(list)
		r.tell(t.Context())
		return eventsOf(t, sink)
	}
	events := shown(1204, 9999)
	require.Len(t, events, 3, "the host and two processes")
	process := events[1]
	assert.Equal(t, "process", process["entity.type"])
	assert.Equal(t, map[string]any{"process.pid": "1204", "process.creation.time": "2026-01-01T00:00:00.00Z"}, process["entity.id"], "text alone")
	assert.Equal(t, map[string]any{"process.executable.name": "app"}, process["entity.description"])
	assert.Equal(t, []any{map[string]any{"relationship.type": "runs_on", "entity.type": "host", "entity.id": events[0]["entity.id"]}},
		process["entity.relationships"])
	assert.Empty(t, shown(1204, 9999), "nothing new")

	events = shown()
	require.Len(t, events, 1, "that which is there still is only not shown any more")
	assert.Equal(t, "entity.delete", events[0]["event"])
	assert.Equal(t, "terminated", events[0]["entity.delete.reason"])
	assert.Equal(t, "9999", events[0]["entity.id"].(map[string]any)["process.pid"])
	assert.Len(t, shown(1204), 1, "shown again")
	now = now.Add(5 * time.Minute)
	assert.Len(t, shown(1204), 2, "host and process, after the interval")
}

// TestMetricsAndLogsOfOneReceiver runs both over this host: what the metrics show the logs tell, and resources say of which entities they are.
func TestMetricsAndLogsOfOneReceiver(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, decodeText(t, cfg, "{initial_delay: 0s, entities: {processes: true}, scrapers: {load: , process: {collection_interval: 15s, top: {n: 3}}}}"))
	logs, metrics := &consumertest.LogsSink{}, &consumertest.MetricsSink{}
	set := receivertest.NewNopSettings(metadata.Type)
	lr, err := NewFactory().CreateLogs(t.Context(), set, cfg, logs)
	require.NoError(t, err)
	mr, err := NewFactory().CreateMetrics(t.Context(), set, cfg, metrics)
	require.NoError(t, err)
	require.NoError(t, lr.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, mr.Start(t.Context(), componenttest.NewNopHost()))
	told := map[any]bool{}
	require.Eventually(t, func() bool {
		for _, e := range eventsOf(t, logs) {
			told[e["entity.type"]] = true
		}
		return told["host"] && told["process"] && len(metrics.AllMetrics()) > 0
	}, time.Minute, 10*time.Millisecond)
	require.NoError(t, mr.Shutdown(t.Context()))
	require.NoError(t, lr.Shutdown(t.Context()))
	require.NoError(t, lr.Shutdown(t.Context()))
	kinds := map[string]int{}
	for _, md := range metrics.AllMetrics() {
		for _, rm := range md.ResourceMetrics().All() {
			for _, ref := range entity.ResourceEntityRefs(rm.Resource()).All() {
				kinds[ref.Type()]++
				for _, key := range append(ref.IdKeys().AsRaw(), ref.DescriptionKeys().AsRaw()...) {
					_, there := rm.Resource().Attributes().Get(key)
					assert.True(t, there, key)
				}
			}
		}
	}
	assert.Positive(t, kinds["process"])
	assert.Greater(t, kinds["host"], kinds["process"])
}

// TestOnlyTheHostIsReferredToByDefault holds what it costs to refer to entities: nothing for a process.
func TestOnlyTheHostIsReferredToByDefault(t *testing.T) {
	md := pmetric.NewMetrics()
	for _, keys := range [][]string{{"host.id", "host.name"}, {"host.id", "process.pid", "process.creation.time"}, {"host.id", "process.group.name"}} {
		resource := md.ResourceMetrics().AppendEmpty().Resource()
		for _, key := range keys {
			resource.Attributes().PutStr(key, "x")
		}
	}
	require.NoError(t, schemaConsumer{Metrics: consumertest.NewNop(), url: schemaURL}.ConsumeMetrics(t.Context(), md))
	refs := func(i int) int { return entity.ResourceEntityRefs(md.ResourceMetrics().At(i).Resource()).Len() }
	assert.Equal(t, [3]int{1, 0, 0}, [3]int{refs(0), refs(1), refs(2)})
	assert.Equal(t, schemaURL, md.ResourceMetrics().At(2).SchemaUrl())
}

func TestEntitiesThatMakeNoSense(t *testing.T) {
	for text, want := range map[string]string{
		"{entities: {processes: true}, scrapers: {cpu: }}":                             "the process scraper shows no single processes",
		"{entities: {processes: true}, scrapers: {process: {group_by: [executable]}}}": "without group_by",
		"metadata_collection_interval: 10ms":                                           "metadata_collection_interval is 10ms",
		"metadata_collection_interval: -1s":                                            "must be 0, for events of changes alone, or at least 1s",
	} {
		assert.ErrorContains(t, decodeText(t, createDefaultConfig().(*Config), text), want, text)
	}
}
