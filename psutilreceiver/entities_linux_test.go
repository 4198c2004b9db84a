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
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

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
	r, err := newEntityReceiver(receivertest.NewNopSettings(metadata.Type), cfg, next)
	require.NoError(t, err)
	r.host, err = host.New(root)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, r.host.Close()) })
	r.look()
	return r
}

// eventSink keeps all events that arrive.
type eventSink struct {
	consumertest.LogsSink
	seen int
}

// news are the events since the last call, as plain values.
func (s *eventSink) news(t require.TestingT) (events []map[string]any) {
	all := s.AllLogs()
	fresh := all[s.seen:]
	s.seen = len(all)
	for _, logs := range fresh {
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
	return events
}

func TestTheHostAsAnEntity(t *testing.T) {
	sink := &eventSink{}
	r := entityHostOf(t, sink, func(*Config) {})
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	r.now = func() time.Time { return now }
	at := func(d time.Duration) []map[string]any {
		now = now.Add(d)
		r.look()
		r.tell(t.Context())
		return sink.news(t)
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
	assert.Equal(t, "6.14.5-300.fc42.x86_64", description["os.build_id"])
	assert.Equal(t, "PowerEdge R440", description["device.model.name"])
	assert.Equal(t, int64(1<<20), description["host.cpu.cache.l2.size"])

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
	sink := &eventSink{}
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
	assert.Len(t, sink.news(t), 1)
}

// TestARefusingPipelineIsLoggedOnceAnHour tells of processes at each of the scrapes of some hours.
func TestARefusingPipelineIsLoggedOnceAnHour(t *testing.T) {
	tel := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, tel.Shutdown(context.WithoutCancel(t.Context()))) })
	core, said := observer.New(zap.InfoLevel)
	set := receivertest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = tel.NewTelemetrySettings()
	set.Logger = zap.New(core)
	cfg := createDefaultConfig().(*Config)
	cfg.RootPath = copyServer(t)
	r, err := newEntityReceiver(set, cfg, consumertest.NewErr(errors.New("the queue is full")))
	require.NoError(t, err)
	r.host, err = host.New(cfg.RootPath)
	require.NoError(t, err)
	r.look()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	r.now = func() time.Time { return now }
	for range 180 {
		r.tell(t.Context())
		now = now.Add(time.Minute)
	}
	assert.Len(t, said.All(), 3)
	refused, err := tel.GetMetric("otelcol_receiver_refused_log_records")
	require.NoError(t, err)
	assert.EqualValues(t, 180, refused.Data.(metricdata.Sum[int64]).DataPoints[0].Value)
}

// TestTheHostIsLookedAtOnceAMinute holds that a scrape of processes reads nothing of the host.
func TestTheHostIsLookedAtOnceAMinute(t *testing.T) {
	sink := &eventSink{}
	r := entityHostOf(t, sink, func(cfg *Config) { cfg.Entities.Processes = true })
	r.tell(t.Context())
	require.Len(t, sink.news(t), 1)
	require.NoError(t, os.WriteFile(filepath.Join(r.cfg.RootPath, "etc/hostname"), []byte("renamed\n"), 0o600))
	r.tell(t.Context())
	assert.Empty(t, sink.news(t), "nobody has looked")
	r.look()
	r.tell(t.Context())
	assert.Len(t, sink.news(t), 1)
}

func TestProcessesAsEntities(t *testing.T) {
	sink := &eventSink{}
	r := entityHostOf(t, sink, func(cfg *Config) { cfg.Entities.Processes = true })
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	r.now = func() time.Time { return now }
	shown := func(pids ...int32) []map[string]any {
		var list []shownProcess
		for _, pid := range pids {
			start := map[int32]uint64{1204: 2044, 9999: 1, 1: 7}[pid] // Process 1 began at another time: another one has its pid.
			attributes := pcommon.NewMap()
			attributes.PutInt("process.pid", int64(pid))
			attributes.PutStr("process.creation.time", "2026-01-01T00:00:00.00Z")
			attributes.PutStr("process.executable.name", "app")
			list = append(list, shownProcess{read.Key{PID: pid, Start: start}, attributes})
		}
		r.cfg.shown.put(list)
		r.tell(t.Context())
		return sink.news(t)
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
	assert.Len(t, shown(1204, 1), 2, "shown again")
	events = shown(1204)
	require.Len(t, events, 1, "another process has the pid")
	assert.Equal(t, "entity.delete", events[0]["event"])
	assert.Equal(t, "1", events[0]["entity.id"].(map[string]any)["process.pid"])
	now = now.Add(5 * time.Minute)
	assert.Len(t, shown(1204), 2, "host and process, after the interval")
}

// TestMetricsAndLogsOfOneReceiver runs both over a fixture host: what the metrics show the logs tell, and resources say of which entities they are.
func TestMetricsAndLogsOfOneReceiver(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	root := copyServer(t)
	require.NoError(t, decodeText(t, cfg, "{root_path: "+root+", initial_delay: 0s, entities: {processes: true}, scrapers: {load: , process: {collection_interval: 15s, top: {n: 3}}}}"))
	logs, metrics := &eventSink{}, &consumertest.MetricsSink{}
	set := receivertest.NewNopSettings(metadata.Type)
	lr, err := NewFactory().CreateLogs(t.Context(), set, cfg, logs)
	require.NoError(t, err)
	mr, err := NewFactory().CreateMetrics(t.Context(), set, cfg, metrics)
	require.NoError(t, err)
	require.NoError(t, lr.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, mr.Start(t.Context(), componenttest.NewNopHost()))
	told := map[any]bool{}
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		for _, e := range logs.news(c) {
			told[e["entity.type"]] = true
		}
		assert.True(c, told["host"])
		assert.True(c, told["process"])
		assert.NotEmpty(c, metrics.AllMetrics())
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
	require.NoError(t, newSchemaConsumer(consumertest.NewNop(), createDefaultConfig().(*Config)).ConsumeMetrics(t.Context(), md))
	refs := func(i int) int { return entity.ResourceEntityRefs(md.ResourceMetrics().At(i).Resource()).Len() }
	assert.Equal(t, [3]int{1, 0, 0}, [3]int{refs(0), refs(1), refs(2)})
	assert.Equal(t, schemaURL, md.ResourceMetrics().At(2).SchemaUrl())
}

// TestReferencesDescribeWhatEventsDescribe compares the keys of both, in the new form and in the old.
func TestReferencesDescribeWhatEventsDescribe(t *testing.T) {
	for _, compat := range []string{"", compatHostmetrics} {
		cfg := createDefaultConfig().(*Config)
		require.NoError(t, decodeText(t, cfg, "{root_path: "+copyServer(t)+", initial_delay: 0s, compat: \""+compat+"\", entities: {processes: true}, "+
			"resource_attributes: {process.linux.cgroup: {enabled: true}, process.command_line: {enabled: true}, container.id: {enabled: true}, "+
			"process.program.name: {enabled: true}}, scrapers: {process: }}"))
		for _, key := range descriptionKeys[entityHost] {
			if key != "host.ip" && key != "host.mac" { // The fixture has none.
				require.NoError(t, decodeText(t, cfg, "resource_attributes: {"+key+": {enabled: true}}"))
			}
		}
		logs, metrics := &eventSink{}, &consumertest.MetricsSink{}
		set := receivertest.NewNopSettings(metadata.Type)
		lr, err := NewFactory().CreateLogs(t.Context(), set, cfg, logs)
		require.NoError(t, err)
		mr, err := NewFactory().CreateMetrics(t.Context(), set, cfg, metrics)
		require.NoError(t, err)
		require.NoError(t, lr.Start(t.Context(), componenttest.NewNopHost()))
		require.NoError(t, mr.Start(t.Context(), componenttest.NewNopHost()))
		described := map[string]map[string]bool{"host": {}, "process": {}}
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			for _, e := range logs.news(c) {
				for key := range e["entity.description"].(map[string]any) {
					described[e["entity.type"].(string)][key] = true
				}
			}
			assert.NotEmpty(c, described["process"])
			assert.NotEmpty(c, metrics.AllMetrics())
		}, time.Minute, 10*time.Millisecond)
		require.NoError(t, mr.Shutdown(t.Context()))
		require.NoError(t, lr.Shutdown(t.Context()))
		referred := map[string]map[string]bool{"host": {}, "process": {}}
		for _, md := range metrics.AllMetrics() {
			for _, rm := range md.ResourceMetrics().All() {
				for _, ref := range entity.ResourceEntityRefs(rm.Resource()).All() {
					for _, key := range ref.DescriptionKeys().AsRaw() {
						referred[ref.Type()][key] = true
					}
				}
			}
		}
		if compat != "" {
			assert.True(t, referred["process"]["process.cgroup"])
			delete(referred["process"], "process.cgroup")
			referred["process"]["process.linux.cgroup"] = true // Events have no old form.
		}
		assert.Equal(t, described, referred, compat)
	}
}

// TestAReferenceToTheHostIsCheap counts what it takes: the reference itself, and the two lists of keys.
func TestAReferenceToTheHostIsCheap(t *testing.T) {
	c := newSchemaConsumer(consumertest.NewNop(), createDefaultConfig().(*Config))
	md := pmetric.NewMetrics()
	resource := md.ResourceMetrics().AppendEmpty().Resource()
	for _, key := range append([]string{keyHostID}, descriptionKeys[entityHost]...) {
		resource.Attributes().PutStr(key, "x")
	}
	refs := entity.ResourceEntityRefs(resource)
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		refs.RemoveIf(func(entity.EntityRef) bool { return true })
		_ = c.ConsumeMetrics(t.Context(), md)
	}), 4.0)
}

func TestEntitiesThatMakeNoSense(t *testing.T) {
	for text, want := range map[string]string{
		"{entities: {processes: true}, scrapers: {cpu: }}":                             "the process scraper shows no single processes",
		"{entities: {processes: true}, scrapers: {process: {group_by: [executable]}}}": "without group_by",
		"metadata_collection_interval: 10ms":                                           "must be 0, for events of changes alone, or at least 1s",
		"metadata_collection_interval: -1s":                                            "metadata_collection_interval is -1s: a duration must not be negative",
	} {
		assert.ErrorContains(t, decodeText(t, createDefaultConfig().(*Config), text), want, text)
	}
}
