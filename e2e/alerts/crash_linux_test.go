package alerts

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// stored keeps the alerts' state. What a file exporter that rotates has accepted is with the kernel, and no kill takes it back.
const stored = `
receivers: {psutil: {collection_interval: 100ms, initial_delay: 0s, root_path: %q, scrapers: {memory: {}}}}
connectors: {alert: {preset: {host: {override: {cpu: {for: 0s}, memory: {for: 0s}}}}, evaluation_interval: 1s, storage: file_storage, defaults: {flapping: {enabled: false}}}}
exporters:
  file/metrics: {path: metrics-%d.jsonl, flush_interval: 1ms}
  file/alerts: {path: alerts.jsonl, rotation: {max_megabytes: 100}}
extensions: {file_storage: {directory: state, create_directory: true}}
service:
  extensions: [file_storage]
  telemetry: {metrics: {level: none}, logs: {level: warn}}
  pipelines:
    metrics: {receivers: [psutil], exporters: [file/metrics, alert]}
    logs: {receivers: [alert], exporters: [file/alerts]}
`

// lives starts one collector after the other over the same host and state.
type lives struct {
	t      *testing.T
	dir    string
	root   string
	number int
	now    *harness.Process
	alerts harness.AlertFile
}

func newLives(t *testing.T, host *harness.FixtureHost) *lives {
	t.Helper()
	dir := t.TempDir()
	l := &lives{t: t, dir: dir, root: host.Root, alerts: harness.AlertFile(filepath.Join(dir, "alerts.jsonl"))}
	l.begin()
	return l
}

func (l *lives) begin() {
	l.t.Helper()
	l.number++
	l.now = harness.Start(l.t, l.dir, fmt.Sprintf(stored, l.root, l.number))
}

// crash kills the collector and starts the next.
func (l *lives) crash() {
	l.t.Helper()
	l.now.Kill()
	l.begin()
}

func (l *lives) metrics() string {
	return filepath.Join(l.dir, fmt.Sprintf("metrics-%d.jsonl", l.number))
}

// sees waits until the collector that lives has exported so many batches.
func (l *lives) sees(n int) {
	l.t.Helper()
	harness.NthBatch(l.t, l.metrics(), n)
}

// crashOn kills the collector as soon as it has exported a share of used memory above or below one half, and starts the next. It reports
// whether the transition that follows from it was announced by then.
func (l *lives) crashOn(full bool, transition string, nth int) (announced bool) {
	l.t.Helper()
	tick, deadline := time.NewTicker(time.Millisecond), time.After(harness.Timeout)
	defer tick.Stop()
	for {
		got, err := harness.Batches(l.metrics())
		require.NoError(l.t, err)
		if len(got) > 0 {
			used := harness.PointsOf(got[len(got)-1])["system.memory.utilization{system.memory.state=used}"]
			if (used.Value > 0.5) == full {
				break
			}
		}
		select {
		case <-tick.C:
		case <-deadline:
			require.Fail(l.t, "the metrics do not show what the memory is")
		}
	}
	l.now.Kill()
	announced = l.announced(transition) >= nth
	l.begin()
	l.sees(1)
	return announced
}

// announced counts the records of a transition.
func (l *lives) announced(transition string) (n int) {
	l.t.Helper()
	for _, r := range l.records() {
		if r.Transition() == transition {
			n++
		}
	}
	return n
}

// records gives the records, one of each uid.
func (l *lives) records() (records []harness.AlertRecord) {
	l.t.Helper()
	uids := make(map[string]bool)
	for _, r := range l.alerts.Read(l.t) {
		if !uids[r.UID()] {
			uids[r.UID()] = true
			records = append(records, r)
		}
	}
	return records
}

// TestKilledWhileAnAlertFires kills the collector again and again while an alert fires, which ends while none is alive.
func TestKilledWhileAnAlertFires(t *testing.T) {
	host := harness.NewFixtureHost(t)
	l := newLives(t, host)
	l.sees(2)
	require.Empty(t, l.alerts.Read(t))
	host.TakeMemory()
	l.alerts.Await(t, "memory", "fire", 1)
	for range 3 {
		l.crash()
		l.sees(5)
	}
	l.now.Kill()
	host.FreeMemory()
	l.begin()
	l.alerts.Await(t, "memory", "resolve", 1)
	l.crash()
	l.sees(5)
	require.NoError(t, l.now.Stop(t, syscall.SIGTERM))

	records := l.records()
	require.Equal(t, []string{"fire critical", "resolve critical"}, harness.TransitionsOf(t, records))
	assert.Equal(t, "1", records[0].Attributes["alert.occurrences"])
	assert.Equal(t, "2", records[1].Attributes["alert.occurrences"])
}

// TestKilledWhileItDecides kills the collector at the moment at which an alert fires or ends, whatever it has stored or announced by then.
func TestKilledWhileItDecides(t *testing.T) {
	host := harness.NewFixtureHost(t)
	l := newLives(t, host)
	const rounds = 5
	unannounced := 0
	for round := 1; round <= rounds; round++ {
		l.sees(1)
		for _, change := range []struct {
			do         func()
			full       bool
			transition string
		}{{host.TakeMemory, true, "fire"}, {host.FreeMemory, false, "resolve"}} {
			change.do()
			if !l.crashOn(change.full, change.transition, round) {
				unannounced++
			}
			l.alerts.Until(t, change.transition, func() bool { return l.announced(change.transition) >= round })
		}
	}
	require.NoError(t, l.now.Stop(t, syscall.SIGTERM))
	t.Logf("%d of %d transitions were not announced when it was killed", unannounced, 2*rounds)
	episodes := harness.EpisodesOf(t, l.records())
	assert.Len(t, episodes, rounds)
	for _, episode := range episodes {
		harness.OneEpisode(t, episode)
	}
}

// TestEdgeExampleAlerts runs examples/edge.yaml, faster and for a played host, through an alert and a restart.
func TestEdgeExampleAlerts(t *testing.T) {
	config := harness.Repository(t, "examples", "edge.yaml")
	dir, host := t.TempDir(), harness.NewFixtureHost(t)
	begin := func() *harness.Process {
		return harness.Run(t, dir, exec.Command(harness.Binary(t), "--config", config,
			"--set=receivers.psutil.root_path="+host.Root,
			"--set=receivers.psutil.collection_interval=250ms",
			"--set=receivers.psutil.initial_delay=0s",
			"--set=connectors.alert.preset.host.override.memory.for=0s",
			"--set=exporters.file.flush_interval=50ms"))
	}
	alerts := harness.AlertFile(filepath.Join(dir, "alerts", "alerts.jsonl"))
	c := begin()
	host.TakeMemory()
	fire := alerts.Await(t, "memory", "fire", 1)
	c.AwaitOutput(t, fire.Body)
	host.FreeMemory()
	alerts.Await(t, "memory", "resolve", 1)
	host.TakeMemory()
	alerts.Await(t, "memory", "fire", 2)
	require.NoError(t, c.Stop(t, syscall.SIGTERM))
	assert.NotContains(t, c.Output(), "\terror\t", "nothing is logged as an error")

	host.FreeMemory()
	c = begin()
	alerts.Await(t, "memory", "resolve", 2)
	c.Kill()
	records := alerts.Of(t, "memory")
	require.Equal(t, []string{"fire critical", "resolve critical", "fire critical", "resolve critical"}, harness.TransitionsOf(t, records))
	for _, episode := range harness.EpisodesOf(t, records) {
		harness.OneEpisode(t, episode)
	}
	assert.Equal(t, "db-07", fire.Resource["host.name"])
}
