package alerts

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// told has a channel whose server is dead, and one whose server lives. What the file exporter writes shows what the alert component announced.
const told = `
receivers: {psutil: {collection_interval: 100ms, initial_delay: 0s, root_path: %q, scrapers: {memory: {}}}}
connectors: {alert: {preset: {host: {override: {memory: {for: 0s}}}}, evaluation_interval: 1s, storage: file_storage, defaults: {flapping: {enabled: false}}}}
exporters:
  file/metrics: {path: metrics-%d.jsonl, flush_interval: 1ms}
  file/alerts: {path: alerts.jsonl, rotation: {max_megabytes: 100}}
  notify:
    storage: file_storage
    group_wait: 100ms
    retry_on_failure: {initial_interval: 50ms, max_interval: 200ms}
    channels:
      dead: {type: webhook, url: "http://%s/"}
      alive: {type: webhook, url: "http://%s/"}
extensions: {file_storage: {directory: state, create_directory: true}}
service:
  extensions: [file_storage]
  telemetry: {metrics: {level: none}, logs: {level: warn}}
  pipelines:
    metrics: {receivers: [psutil], exporters: [file/metrics, alert]}
    logs: {receivers: [alert], exporters: [file/alerts, notify]}
`

// hookServer is a webhook that keeps what it is told, as "rule transition" by UID.
type hookServer struct {
	mu   sync.Mutex
	uids []string
	told []string
}

func (h *hookServer) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	var m struct {
		Alerts []struct {
			Rule        string
			Transitions []struct{ UID, Transition string }
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range m.Alerts {
		for _, t := range a.Transitions {
			h.uids, h.told = append(h.uids, t.UID), append(h.told, a.Rule+" "+t.Transition)
		}
	}
}

func (h *hookServer) got() (told, uids []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.told), slices.Clone(h.uids)
}

func (h *hookServer) listen(t *testing.T, address string) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
	require.NoError(t, err)
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
}

// TestPeopleAreTold kills the collector again and again while an alert fires and ends and the server of a channel is dead: nothing is lost, nothing is
// told twice, the end is told after the beginning, and the other channel waits for nobody.
func TestPeopleAreTold(t *testing.T) {
	host, dir := harness.NewFixtureHost(t), t.TempDir()
	alive, late := &hookServer{}, &hookServer{}
	aliveAt, lateAt := harness.FreeAddress(t), harness.FreeAddress(t)
	alive.listen(t, aliveAt)
	l := &lives{t: t, dir: dir, root: host.Root, alerts: harness.AlertFile(filepath.Join(dir, "alerts.jsonl"))}
	begin := func() {
		l.number++
		l.now = harness.Start(t, dir, fmt.Sprintf(told, host.Root, l.number, lateAt, aliveAt))
		l.sees(3)
	}
	begin()
	host.TakeMemory()
	l.alerts.Await(t, "memory", "fire", 1)
	harness.Eventually(t, "the beginning is told where the server lives", func() error {
		if got, _ := alive.got(); !slices.Contains(got, "memory fire") {
			return fmt.Errorf("told is %v", got)
		}
		return nil
	})
	for range 2 {
		l.now.Kill()
		begin()
	}
	host.FreeMemory()
	l.alerts.Await(t, "memory", "resolve", 1)
	harness.Eventually(t, "the end is told where the server lives", func() error {
		if got, _ := alive.got(); !slices.Contains(got, "memory resolve") {
			return fmt.Errorf("told is %v", got)
		}
		return nil
	})
	l.now.Kill()
	begin()
	late.listen(t, lateAt)
	harness.Eventually(t, "all is told where the server was dead", func() error {
		if got, _ := late.got(); !slices.Contains(got, "memory resolve") {
			return fmt.Errorf("told is %v", got)
		}
		return nil
	})
	require.NoError(t, l.now.Stop(t, syscall.SIGTERM))
	got, uids := late.got()
	assert.Equal(t, []string{"memory fire", "memory resolve"}, got)
	assert.Len(t, slices.Compact(slices.Sorted(slices.Values(uids))), len(uids), "nothing is told twice")
	// A kill between the server's answer and the write that says so lets it be told again, with the same UID.
	got, uids = alive.got()
	assert.Equal(t, []string{"memory fire", "memory resolve"}, slices.Compact(got))
	assert.Len(t, slices.Compact(slices.Sorted(slices.Values(uids))), 2)
}
