package alertpipe

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"
	"go.yaml.in/yaml/v3"

	"github.com/otelcol-psutil/otelcol-psutil/internal/statestore"
)

var updateUpgrade = flag.Bool("update-upgrade", false, "write the records of testdata/upgrade again; never to make the test pass")

// storedAt is when the Collector whose state lies in testdata/upgrade was killed.
var storedAt = time.Date(2026, 11, 27, 7, 24, 22, 0, time.UTC)

// TestUpgrade goes on with what builds before the tagged form stored. testdata/upgrade holds the state of a Collector that was killed
// while alerts were in all states that are stored and records waited for a consumer, and what the build that wrote it said when it went
// on itself: not a record more or less, with the same identities, may come from any later build.
func TestUpgrade(t *testing.T) {
	for _, version := range []string{"version1", "version2"} {
		t.Run(version, func(t *testing.T) {
			stored := &memoryStorage{}
			text, err := os.ReadFile(filepath.Join("testdata", "upgrade", version+".json"))
			require.NoError(t, err)
			var values map[string][]byte
			require.NoError(t, json.Unmarshal(text, &values))
			stored.put(values)
			var records []string
			synctest.Test(t, func(t *testing.T) { records = upgradeRecords(t, stored) })
			file := filepath.Join("testdata", "upgrade", version+".records.txt")
			got := strings.Join(records, "\n") + "\n"
			if *updateUpgrade {
				require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.Equal(t, string(want), got)
		})
	}
}

// upgradeRecords lets a pipe go on with stored state, and returns its records: for twelve minutes with the values of before, then with
// healthy ones.
func upgradeRecords(t *testing.T, stored *memoryStorage) []string {
	t.Helper()
	ahead := time.Until(storedAt.Add(10 * time.Second))
	now := func() time.Time { return time.Now().Add(ahead) }
	var rules map[string]any
	text, err := os.ReadFile("testdata/upgrade/rules.yaml")
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, &rules))
	cfg := DefaultConfig()
	require.NoError(t, cfg.Unmarshal(confmap.NewFromStringMap(rules)))
	cfg.Storage = &storageID

	r := &rig{t: t, cfg: cfg, host: &testHost{storage: stored}}
	r.pipe, err = New(Settings{
		ID: component.MustNewIDWithName("alert", t.Name()), Kind: component.KindProcessor, Logger: zap.NewNop(), Instruments: noInstruments(),
		Now: now,
	}, cfg)
	require.NoError(t, err)
	consumer := &collector{}
	var records []string
	consumer.set(recordLines(&records))
	r.inputs, r.sinks = []*Input{r.pipe.NewInput()}, []*Sink{r.pipe.NewSink(consumer)}
	r.start()
	advance(3 * time.Second)
	for range 72 {
		advance(10 * time.Second)
		r.inputs[0].Consume(upgradeMetrics(now(), 95))
	}
	for range 3 {
		advance(10 * time.Second)
		r.inputs[0].Consume(upgradeMetrics(now(), 1))
	}
	advance(10 * time.Second)
	r.shutdown()
	return records
}

// recordLines appends what records say to lines. Records of one batch that have one time are in order of their texts.
func recordLines(lines *[]string) func(context.Context, plog.Logs) error {
	return func(_ context.Context, ld plog.Logs) error {
		for _, rl := range ld.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, lr := range sl.LogRecords().All() {
					var attrs []string
					for key, v := range lr.Attributes().All() {
						attrs = append(attrs, fmt.Sprintf("%s=%q", key, v.AsString()))
					}
					for key, v := range rl.Resource().Attributes().All() {
						attrs = append(attrs, fmt.Sprintf("resource.%s=%q", key, v.AsString()))
					}
					*lines = append(*lines, fmt.Sprintf("%s %s %s %q\n  trace=%s %s", lr.Timestamp().AsTime().Format(time.RFC3339Nano),
						lr.EventName(), lr.SeverityText(), lr.Body().Str(), lr.TraceID(), strings.Join(attrs, " ")))
				}
			}
		}
		return nil
	}
}

// upgradeMetrics are the metrics that the rules of testdata/upgrade look at, as the build of before saw them; value is that of most.
func upgradeMetrics(now time.Time, value float64) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("host.name", "db1")
	rm.Resource().Attributes().PutStr("service.instance.id", "8")
	sm := rm.ScopeMetrics().AppendEmpty()
	sm.Scope().SetName("upgrade")
	at := pcommon.NewTimestampFromTime(now)
	add := func(name string, v float64, attrs map[string]any) {
		m := sm.Metrics().AppendEmpty()
		m.SetName(name)
		m.SetUnit("1")
		dp := m.SetEmptyGauge().DataPoints().AppendEmpty()
		dp.SetTimestamp(at)
		dp.SetDoubleValue(v)
		_ = dp.Attributes().FromRaw(attrs)
	}
	k := func(name string) map[string]any { return map[string]any{"k": name} }
	for name, v := range map[string]float64{
		"warning": min(value, 85), "critical": value, "escalated": value, "resolved": 10, "ended": 10, "late": value,
	} {
		add("t.firing", v, k(name))
	}
	add("t.pending", value, k("p"))
	add("t.recovering", 10, k("r"))
	add("t.no_data", value, k("n"))
	add("t.no_data_alert", value, k("n"))
	add("t.closing", value, k("c"))
	add("t.seen", value, nil)
	add("t.flapping", value, k("f"))
	add("t.silenced", value, k("s"))
	add("t.top", value, k("a"))
	add("t.top", value+1, k("b"))
	add("t.used", value, nil)
	add("t.total", 100, nil)
	add("t.load", value, nil)
	add("t.users", 3, nil)
	add("t.requests", value, map[string]any{"zone": "a", "i": "1"})
	add("t.requests", value, map[string]any{"zone": "a", "i": "2"})
	add("t.requests", value, map[string]any{"zone": "b", "i": "3"})
	add("t.window", value, nil)
	add("t.disk", value, nil)
	add("t.repeating", value, nil)
	add("t.kinds", value, map[string]any{
		"text": "é|\"", "int": -7, "double": 1.5, "bool": true, "list": []any{"a", "b"}, "empty": "",
	})
	add("t.changed", value, k("a"))
	for i := range 24 {
		add("t.storm", min(value, 85+float64(i)), map[string]any{"series": fmt.Sprint(i)})
	}
	if value < 50 {
		add("t.absent", value, nil)
		add("t.silent", value, nil)
	}
	counter := sm.Metrics().AppendEmpty()
	counter.SetName("t.counter")
	sum := counter.SetEmptySum()
	sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	sum.SetIsMonotonic(true)
	dp := sum.DataPoints().AppendEmpty()
	dp.SetTimestamp(at)
	dp.SetStartTimestamp(pcommon.NewTimestampFromTime(storedAt))
	dp.SetDoubleValue(min(1, value/50) * now.Sub(storedAt).Seconds() * 10)
	latency := sm.Metrics().AppendEmpty()
	latency.SetName("t.latency")
	latency.SetUnit("s")
	histogram := latency.SetEmptyHistogram()
	histogram.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
	hdp := histogram.DataPoints().AppendEmpty()
	hdp.SetTimestamp(at)
	hdp.SetStartTimestamp(pcommon.NewTimestampFromTime(now.Add(-time.Second)))
	hdp.ExplicitBounds().FromRaw([]float64{0.5, 1, 2, 5})
	counts := []uint64{100, 0, 0, 0, 0}
	if value > 50 {
		slices.Reverse(counts)
	}
	hdp.BucketCounts().FromRaw(counts)
	hdp.SetCount(100)
	return md
}

// TestUpgradeAfterADowngrade: a build of before, put in place of a later one, begins fresh and leaves what that stored. What it stored
// itself is what counts afterwards.
func TestUpgradeAfterADowngrade(t *testing.T) {
	for _, alerts := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, withStorage, 1)
			disk := &memoryStorage{}
			r.host.storage = disk
			r.start()
			r.feed(90)
			r.shutdown()
			later := firstWithPrefix(t, disk.stored(), "a/")

			var older map[string][]byte
			text, err := os.ReadFile("testdata/upgrade/version2.json")
			require.NoError(t, err)
			require.NoError(t, json.Unmarshal(text, &older))
			if !alerts {
				older = map[string][]byte{"meta": older["meta"]}
			}
			disk.put(older)
			store, err := statestore.Open(t.Context(), r.host, &storageID, r.pipe.set.owner(), layout, 0)
			require.NoError(t, err)
			values, damaged, err := store.Load(t.Context(), time.Now())
			require.NoError(t, errors.Join(damaged, err))
			delete(older, "index")
			assert.Equal(t, older, values)
			require.NoError(t, store.Write(t.Context(), nil))
			assert.NotContains(t, disk.stored(), later)
			require.NoError(t, store.Close(t.Context(), time.Now()))
		})
	}
}
