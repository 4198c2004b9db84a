package psutilreceiver

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-psutil/otelcol-psutil/internal/printable"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/events"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/systemd/systemdtest"
)

// until waits for something that happens in other goroutines.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	require.Eventually(t, holds, time.Minute, 5*time.Millisecond, what)
}

// eventsHost is a copy of a fixture host that is watched, by a receiver in both kinds of pipelines.
type eventsHost struct {
	root    string
	logs    *consumertest.LogsSink
	metrics *consumertest.MetricsSink
}

func watchHost(t *testing.T, prepare func(root string), kinds ...string) *eventsHost {
	t.Helper()
	h := &eventsHost{root: t.TempDir(), logs: &consumertest.LogsSink{}, metrics: &consumertest.MetricsSink{}}
	require.NoError(t, os.CopyFS(h.root, os.DirFS(fixtureRoot("server-6.x"))))
	prepare(h.root)
	cfg := createDefaultConfig().(*Config)
	onlyScrapers("load")(cfg)
	cfg.RootPath, cfg.CollectionInterval, cfg.InitialDelay, cfg.Events.Kinds = h.root, 20*time.Millisecond, 0, kinds
	startWithEvents(t, cfg, h)
	return h
}

// startWithEvents starts the receiver in a logs and in a metrics pipeline of one configuration, and waits until the watcher has had its first look.
func startWithEvents(t *testing.T, cfg *Config, h *eventsHost) {
	t.Helper()
	require.NoError(t, cfg.Validate())
	set := receivertest.NewNopSettings(metadata.Type)
	logs, err := NewFactory().CreateLogs(t.Context(), set, cfg, h.logs)
	require.NoError(t, err)
	metrics, err := NewFactory().CreateMetrics(t.Context(), set, cfg, h.metrics)
	require.NoError(t, err)
	require.NoError(t, logs.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, metrics.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() {
		assert.NoError(t, metrics.Shutdown(context.Background()))
		assert.NoError(t, logs.Shutdown(context.Background()))
	})
	if len(cfg.Events.Kinds) > 0 {
		<-cfg.events.found // The logs side may have taken that of the first look, and this is of a later one.
	}
	until(t, "metrics", func() bool { return len(h.metrics.AllMetrics()) > 1 })
}

// named gives the records of an event.
func (h *eventsHost) named(name string) (records []plog.LogRecord) {
	for _, logs := range h.logs.AllLogs() {
		for _, rl := range logs.ResourceLogs().All() {
			for _, record := range rl.ScopeLogs().At(0).LogRecords().All() {
				if record.EventName() == name {
					records = append(records, record)
				}
			}
		}
	}
	return records
}

// counted is the last value of the counter of an event.
func (h *eventsHost) counted(name string) (value int64) {
	value = -1
	for _, md := range h.metrics.AllMetrics() {
		for _, rm := range md.ResourceMetrics().All() {
			for _, sm := range rm.ScopeMetrics().All() {
				for _, m := range sm.Metrics().All() {
					if m.Name() != "system.events" || m.Type() != pmetric.MetricTypeSum {
						continue
					}
					for _, p := range m.Sum().DataPoints().All() {
						if event, _ := p.Attributes().Get("event.name"); event.Str() == name {
							value = p.IntValue()
						}
					}
				}
			}
		}
	}
	return value
}

// TestEventsOfMounts holds the way of an event from a file of the kernel to a record and to the counter, and that there are none at the start.
func TestEventsOfMounts(t *testing.T) {
	const table = "proc/1/mountinfo"
	root := "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
	write := func(dir, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, table+".new"), []byte(text), 0o600))
		require.NoError(t, os.Rename(filepath.Join(dir, table+".new"), filepath.Join(dir, table)))
	}
	kinds := []string{"system.filesystem.mounted", "system.filesystem.unmounted", "system.filesystem.read_only"}
	h := watchHost(t, func(dir string) {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, "proc/1"), 0o755))
		write(dir, root)
	}, kinds...)
	until(t, "a count of each kind from 0 on", func() bool { return h.counted(kinds[0]) == 0 && h.counted(kinds[2]) == 0 })
	for _, kind := range kinds {
		assert.Empty(t, h.named(kind), "what was there before")
	}
	write(h.root, root+"21 20 8:17 / /data rw - xfs /dev/sdb1 rw\n")
	until(t, "mounted", func() bool { return len(h.named(kinds[0])) == 1 && h.counted(kinds[0]) == 1 })
	write(h.root, root+"21 20 8:17 / /data rw - xfs /dev/sdb1 ro\n")
	until(t, "read-only", func() bool { return len(h.named(kinds[2])) == 1 && h.counted(kinds[2]) == 1 })
	write(h.root, root)
	until(t, "unmounted", func() bool { return len(h.named(kinds[1])) == 1 && h.counted(kinds[1]) == 1 })
	record := h.named(kinds[2])[0]
	assert.Equal(t, plog.SeverityNumberError, record.SeverityNumber())
	assert.Equal(t, map[string]any{
		"system.device": "/dev/sdb1", "system.filesystem.mountpoint": "/data", "system.filesystem.type": "xfs", "system.filesystem.mode": "ro",
	}, record.Attributes().AsRaw())
	assert.NotEmpty(t, record.Body().Str())
	assert.NotEmpty(t, h.named("entity.state"), "the entities are told of as before")
}

func TestEventsOfUnits(t *testing.T) {
	var m *systemdtest.Manager
	failed := func(name string, at uint64) systemdtest.Unit {
		return systemdtest.Unit{Name: name, ActiveState: "failed", SubState: "failed", Properties: map[string]any{
			"StateChangeTimestamp": at, "Result": "exit-code", "ExecMainCode": int32(1), "ExecMainStatus": int32(3), "NRestarts": uint32(5),
		}}
	}
	h := watchHost(t, func(root string) {
		m = systemdtest.Serve(t, root)
		m.Set("degraded", failed("old.service", 1e15))
	}, "systemd.unit.failed")
	until(t, "a look", func() bool { return m.Calls("ListUnitsByPatterns") > 1 })
	m.Set("degraded", failed("old.service", 1e15), failed("new.service", 12e14))
	until(t, "an event", func() bool { return len(h.named("systemd.unit.failed")) == 1 && h.counted("systemd.unit.failed") == 1 })
	record := h.named("systemd.unit.failed")[0]
	assert.Equal(t, map[string]any{
		"systemd.unit.name": "new.service", "systemd.unit.sub_state": "failed", "systemd.service.result": "exit-code",
		"systemd.service.restarts": int64(5), "process.exit.code": int64(3),
	}, record.Attributes().AsRaw())
	assert.Equal(t, time.UnixMicro(12e14).UTC(), record.Timestamp().AsTime())
	m.Set("degraded", failed("old.service", 13e14), failed("new.service", 12e14))
	until(t, "one that fails again", func() bool { return h.counted("systemd.unit.failed") == 2 })
}

// TestEventsOfProcesses holds starts and exits of this kernel's own processes, with the code of the exit where the connector can be used.
func TestEventsOfProcesses(t *testing.T) {
	h := &eventsHost{logs: &consumertest.LogsSink{}, metrics: &consumertest.MetricsSink{}}
	cfg := createDefaultConfig().(*Config)
	onlyScrapers("load")(cfg)
	cfg.CollectionInterval, cfg.InitialDelay = 50*time.Millisecond, 0
	cfg.Events = EventsConfig{Kinds: []string{"process.start", "process.exit"}, MaxPerMinute: 10_000}
	startWithEvents(t, cfg, h)
	cmd := exec.Command("/bin/sh", "-c", "read line; exit 3")
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	pid := int64(cmd.Process.Pid)
	of := func(name string) *plog.LogRecord {
		for _, record := range h.named(name) {
			if p, _ := record.Attributes().Get("process.pid"); p.Int() == pid {
				return &record
			}
		}
		return nil
	}
	until(t, "its start", func() bool { return of("process.start") != nil })
	require.NoError(t, stdin.Close())
	require.Error(t, cmd.Wait())
	until(t, "its exit", func() bool { return of("process.exit") != nil })
	attributes := of("process.exit").Attributes().AsRaw()
	assert.Equal(t, "sh", attributes["process.executable.name"])
	assert.Equal(t, int64(os.Getpid()), attributes["process.parent_pid"])
	if code, ok := attributes["process.exit.code"]; ok { // Not without CAP_NET_ADMIN.
		assert.Equal(t, int64(3), code)
	}
}

// TestEventsThatAreRefused holds that what a pipeline refuses is told of later, and once, that text is made printable, and how records look that say
// how many were withheld.
func TestEventsThatAreRefused(t *testing.T) {
	refuse, sink := true, &eventSink{}
	next, err := consumer.NewLogs(func(ctx context.Context, ld plog.Logs) error {
		if refuse {
			return errors.New("no")
		}
		return sink.ConsumeLogs(ctx, ld)
	})
	require.NoError(t, err)
	r := entityHostOf(t, next, func(*Config) {})
	r.events = events.NewLog(1)
	r.events.Follow()
	now := time.Unix(1_800_000_000, 0)
	r.now = func() time.Time { return now }
	for range 3 {
		r.events.Add(now, events.Event{
			Kind: events.OOMKill, Time: now, Severity: events.Error, Text: "killed \xff\x1b", Fields: []events.Field{{Key: "process.executable.name", Value: "a\x1b[1m"}},
		})
	}
	r.tellEvents(t.Context(), false)
	refuse = false
	r.tellEvents(t.Context(), false)
	r.tellEvents(t.Context(), false)
	r.tellEvents(t.Context(), true)
	assert.Equal(t, []map[string]any{
		{"event": "system.oom_kill", "process.executable.name": printable.Name("a\x1b[1m")},
		{"event": "system.events.withheld", "system.events.kind": "system.oom_kill", "system.events.count": int64(2)},
	}, sink.news(t))
	body := sink.AllLogs()[0].ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().Str()
	assert.Equal(t, printable.Name("killed \xff\x1b"), body)
}

func TestEventsConfig(t *testing.T) {
	for text, want := range map[string]string{
		"events: {kinds: [process.exits]}":                          `events::kinds names unknown event "process.exits"`,
		"events: {kinds: [process.exit], max_per_minute: 0}":        "events::max_per_minute is 0",
		"events: {kinds: [process.exit], collection_interval: 5ns}": "events::collection_interval is 5ns",
	} {
		conf, err := confmap.NewRetrievedFromYAML([]byte(text))
		require.NoError(t, err)
		parsed, err := conf.AsConf()
		require.NoError(t, err)
		cfg := createDefaultConfig().(*Config)
		require.NoError(t, parsed.Unmarshal(cfg))
		require.ErrorContains(t, cfg.Validate(), want)
	}
}
