package alertpipe

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/alertmanagerexporter"
)

// TestLabelsAreWhatIdentifiesTheAlert holds the Alertmanager exporter and the engine to one answer: which resource attributes say what an
// alert is about. Every attribute that the answer names is tried.
func TestLabelsAreWhatIdentifiesTheAlert(t *testing.T) {
	keys := attributesNamedIn(t, "../alertschema/identity.go", "../../alertmanagerexporter/labels.go")
	for _, key := range []string{"host.ip", "process.x", "telemetry.x"} {
		require.Contains(t, keys, key, "the test finds what it looks for")
	}
	for _, metric := range []string{"system.x", "process.x"} {
		t.Run(metric, func(t *testing.T) {
			records := alertsOn(t, metric, keys)
			assert.Equal(t, identifyingKeys(keys, records), labelledKeys(t, keys, records))
		})
	}
}

var attributeInQuotes = regexp.MustCompile(`"([a-z]+\.[a-z._]*)"`)

// attributesNamedIn returns the attribute keys in the source, and for a prefix one key with it. A key that nothing names is among them.
func attributesNamedIn(t *testing.T, files ...string) []string {
	t.Helper()
	keys := map[string]bool{"x.x": true}
	for _, file := range files {
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, found := range attributeInQuotes.FindAllStringSubmatch(string(source), -1) {
			key := found[1]
			if strings.HasSuffix(key, ".") {
				key += "x"
			}
			keys[key] = true
		}
	}
	return slices.Sorted(maps.Keys(keys))
}

// Resource attributes that distinguish the cases of the test: two resources that differ in the key, and one that has it to itself.
const (
	pairOf  = "test.pair"
	aloneOf = "test.alone"
	marker  = "the value to look for"
)

// alertsOn returns the records of what fires when a metric is too high on the resources of each key.
func alertsOn(t *testing.T, metric string, keys []string) plog.Logs {
	t.Helper()
	records := plog.NewLogs()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) {
			c.Rules[0].Metric = metric
			c.Limits.EventsPerMinute = 1000
		}, 1)
		r.out[0].set(func(_ context.Context, ld plog.Logs) error {
			ld.ResourceLogs().MoveAndAppendTo(records.ResourceLogs())
			return nil
		})
		r.start()
		md := pmetric.NewMetrics()
		add := func(test, key, value string) {
			rm := md.ResourceMetrics().AppendEmpty()
			rm.Resource().Attributes().PutStr(test, key)
			rm.Resource().Attributes().PutStr(key, value)
			m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
			m.SetName(metric)
			dp := m.SetEmptyGauge().DataPoints().AppendEmpty()
			dp.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
			dp.SetDoubleValue(90)
		}
		for _, key := range keys {
			add(pairOf, key, "one")
			add(pairOf, key, "other")
			add(aloneOf, key, marker)
		}
		r.inputs[0].Consume(md)
		advance(time.Second)
		r.shutdown()
	})
	return records
}

// identifyingKeys returns the keys for which two resources that differ in them have two alerts.
func identifyingKeys(keys []string, records plog.Logs) []string {
	alerts := map[string]int{}
	for _, rl := range records.ResourceLogs().All() {
		if key, ok := rl.Resource().Attributes().Get(pairOf); ok {
			for _, sl := range rl.ScopeLogs().All() {
				alerts[key.Str()] += sl.LogRecords().Len()
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return alerts[key] != 2 })
}

// labelledKeys returns the keys of which the exporter makes a label.
func labelledKeys(t *testing.T, keys []string, records plog.Logs) []string {
	t.Helper()
	labelled := map[string]bool{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var alerts []struct{ Labels map[string]string }
		if err := json.NewDecoder(r.Body).Decode(&alerts); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		for _, a := range alerts {
			key := a.Labels[strings.ReplaceAll(aloneOf, ".", "_")]
			labelled[key] = slices.Contains(slices.Collect(maps.Values(a.Labels)), marker)
		}
	}))
	defer server.Close()
	factory := alertmanagerexporter.NewFactory()
	cfg := factory.CreateDefaultConfig().(*alertmanagerexporter.Config)
	cfg.ClientConfig.Endpoint = server.URL
	cfg.AcceptExternalRecords = true                                         // They were made by another clock.
	cfg.QueueConfig = configoptional.None[exporterhelper.QueueBatchConfig]() // So that ConsumeLogs returns when the request is answered.
	cfg.RetryConfig.Enabled = false
	am, err := factory.CreateLogs(t.Context(), exportertest.NewNopSettings(factory.Type()), cfg)
	require.NoError(t, err)
	require.NoError(t, am.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, am.ConsumeLogs(t.Context(), records))
	require.NoError(t, am.Shutdown(t.Context()))
	return slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return !labelled[key] })
}
