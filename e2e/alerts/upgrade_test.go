package alerts

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// upgraded is a collector that goes on with what an older build has stored.
const upgraded = `
receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:%d"}}}}
processors:
  alert:
    storage: file_storage
    rule_files: [rules.yaml]
    evaluation_interval: 1s
    limits: {events_per_minute: 1000}
    defaults: {flapping: {enabled: false}, no_data: {after: 10m}, stale_series_after: 2h}
    silences: [{match: {alert.rule.name: silenced}, from: "2020-01-01T00:00:00Z", to: "2099-01-01T00:00:00Z"}]
exporters:
  nop:
  file: {path: alerts.jsonl, flush_interval: 10ms}
  alertmanager: {endpoint: %q, storage: file_storage, resend_interval: 1s}
extensions: {file_storage: {directory: state}}
service:
  extensions: [file_storage]
  telemetry: {metrics: {level: none}, logs: {level: warn}}
  pipelines:
    metrics: {receivers: [otlp], processors: [alert], exporters: [nop]}
    logs: {receivers: [otlp], processors: [alert], exporters: [file, alertmanager]}
`

// TestUpgradeOfTheBuild starts the distribution on the files that an older build left when it was killed: alerts go on without a record too
// many, and end with the identities with which they began. internal/alertpipe/testdata/upgrade says what lies there.
func TestUpgradeOfTheBuild(t *testing.T) {
	harness.Binary(t)
	dir := t.TempDir()
	unzip(t, filepath.Join(dir, "state", "processor_alert__alert"), "internal", "alertpipe", "testdata", "upgrade", "processor_alert__alert.gz")
	unzip(t, filepath.Join(dir, "state", "exporter_alertmanager__alertmanager"),
		"alertmanagerexporter", "testdata", "upgrade", "exporter_alertmanager__alertmanager.gz")
	text, err := os.ReadFile(harness.Repository(t, "internal", "alertpipe", "testdata", "upgrade", "rules.yaml"))
	require.NoError(t, err)
	_, rules, found := bytes.Cut(text, []byte("\nrules:\n"))
	require.True(t, found)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "rules.yaml"), append([]byte("rules:\n"), rules...), 0o600))
	known := recordsOfTheOlderBuild(t)
	am := &postedAlerts{ends: map[string]time.Time{}}
	server := httptest.NewServer(am)
	defer server.Close()

	port := harness.FreePort(t)
	c := harness.Start(t, dir, fmt.Sprintf(upgraded, port, server.URL))
	alerts := harness.AlertFile(filepath.Join(dir, "alerts.jsonl"))
	alerts.Await(t, "storm", "fire", 24)
	alerts.Await(t, "changed", "resolve", 1)
	alerts.Await(t, "flapping", "flapping_end", 1)
	harness.Eventually(t, "Alertmanager hears of what fired before the upgrade", func() error {
		if n := am.active("firing"); n != 4 {
			return fmt.Errorf("active are %d alerts", n)
		}
		return nil
	})
	for range 2 { // A value that still is too high fires nothing again.
		time.Sleep(time.Second)
		postUpgradeMetrics(t, port, 95)
	}
	resolved := map[string]int{"firing": 4, "ratio": 1, "only if": 1, "top": 1, "storm": 24, "kinds": 1, "repeating": 1, "flapping": 1}
	alerts.Until(t, "what fired resolves", func() bool {
		got := map[string]int{}
		for _, r := range alerts.Read(t) {
			if _, asked := resolved[r.Rule()]; asked && r.Transition() == "resolve" && r.Attributes["alert.ended_at"] > "2026-11-27T07:30" {
				got[r.Rule()]++
			}
		}
		return maps.Equal(resolved, got)
	}, func() { postUpgradeMetrics(t, port, 1) })
	harness.Eventually(t, "Alertmanager hears of the ends", func() error {
		if n := am.active("firing"); n != 0 {
			return fmt.Errorf("active are %d alerts", n)
		}
		return nil
	})
	require.NoError(t, c.Stop(t, os.Interrupt))

	uids := map[string]bool{}
	for _, r := range alerts.Read(t) {
		assert.False(t, uids[r.UID()], "twice: %s", r.Body)
		uids[r.UID()] = true
		if _, asked := resolved[r.Rule()]; !asked {
			continue
		}
		assert.Contains(t, known.episodes, r.Attributes["alert.episode.id"], "a new episode: %s %s", r.Transition(), r.Body)
		if r.Transition() == "fire" {
			assert.Contains(t, known.fires, r.UID(), "a second fire: %s", r.Body)
		}
	}
}

// knownRecords are the records that the older build made itself, of the same state.
type knownRecords struct{ episodes, fires []string }

var identities = regexp.MustCompile(`alert\.episode\.id="(\w+)" log\.record\.uid="([\w-]+)" alert\.transition="(\w+)"`)

func recordsOfTheOlderBuild(t *testing.T) knownRecords {
	t.Helper()
	text, err := os.ReadFile(harness.Repository(t, "internal", "alertpipe", "testdata", "upgrade", "version2.records.txt"))
	require.NoError(t, err)
	var known knownRecords
	for _, m := range identities.FindAllStringSubmatch(string(text), -1) {
		known.episodes = append(known.episodes, m[1])
		if m[3] == "fire" {
			known.fires = append(known.fires, m[2])
		}
	}
	require.NotEmpty(t, known.fires)
	return known
}

// unzip writes a file of the repository, unzipped.
func unzip(t *testing.T, to string, path ...string) {
	t.Helper()
	file, err := os.Open(harness.Repository(t, path...))
	require.NoError(t, err)
	defer func() { _ = file.Close() }()
	reader, err := gzip.NewReader(file)
	require.NoError(t, err)
	content, err := io.ReadAll(reader)
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Dir(to), 0o700))
	require.NoError(t, os.WriteFile(to, content, 0o600))
}

// postedAlerts is as much of an Alertmanager as the test needs: when the alerts that were posted end.
type postedAlerts struct {
	mu   sync.Mutex
	ends map[string]time.Time // By labels.
}

func (p *postedAlerts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var alerts []struct {
		Labels map[string]string
		EndsAt time.Time
	}
	if err := json.NewDecoder(r.Body).Decode(&alerts); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range alerts {
		var labels []string
		for name, value := range a.Labels {
			labels = append(labels, name+"="+value)
		}
		slices.Sort(labels)
		p.ends[strings.Join(labels, ",")] = a.EndsAt
	}
}

// active counts the alerts of a rule that have not ended.
func (p *postedAlerts) active(rule string) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for labels, end := range p.ends {
		if strings.Contains(labels, "alertname="+rule+",") && end.After(time.Now()) {
			n++
		}
	}
	return n
}

// postUpgradeMetrics sends the metrics of which alerts fired when the older build was killed.
func postUpgradeMetrics(t *testing.T, port int, value float64) {
	t.Helper()
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("host.name", "db1")
	sm := rm.ScopeMetrics().AppendEmpty()
	add := func(name string, v float64, attrs map[string]any) {
		m := sm.Metrics().AppendEmpty()
		m.SetName(name)
		m.SetUnit("1")
		dp := m.SetEmptyGauge().DataPoints().AppendEmpty()
		dp.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
		dp.SetDoubleValue(v)
		require.NoError(t, dp.Attributes().FromRaw(attrs))
	}
	k := func(name string) map[string]any { return map[string]any{"k": name} }
	add("t.firing", min(value, 85), k("warning"))
	for _, name := range []string{"critical", "escalated", "late"} {
		add("t.firing", value, k(name))
	}
	add("t.used", value, nil)
	add("t.total", 100, nil)
	add("t.load", value, nil)
	add("t.users", 3, nil)
	add("t.top", 1, k("a"))
	add("t.top", value, k("b"))
	add("t.flapping", value, k("f"))
	add("t.repeating", value, nil)
	add("t.kinds", value, map[string]any{
		"text": "é|\"", "int": -7, "double": 1.5, "bool": true, "list": []any{"a", "b"}, "empty": "",
	})
	for i := range 24 {
		add("t.storm", min(value, 85+float64(i)), map[string]any{"series": fmt.Sprint(i)})
	}
	harness.Eventually(t, "the collector takes metrics", func() error {
		return harness.PostMetrics(t.Context(), fmt.Sprintf("127.0.0.1:%d", port), md)
	})
}
