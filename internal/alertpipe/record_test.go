package alertpipe

import (
	"encoding/json"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/event"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// diskStory is a disk that fills up over its second threshold and is cleared: fire, escalate, resolve.
func diskStory(t *testing.T) []event.Event {
	t.Helper()
	b := newBench(t, rules.RuleConfig{
		Name: "disk_full", Metric: "system.filesystem.utilization", Description: "A filesystem runs out of space.",
		Match: map[string]any{"system.filesystem.state": "used"},
		Thresholds: map[string]rules.LevelConfig{
			"warning": {Above: "85%", Clear: "75%"}, "critical": {Above: "95%", Clear: "85%"},
		},
		LevelConfig: rules.LevelConfig{
			Message: `disk {{ .Attr "system.filesystem.mountpoint" }} on {{ .Resource "host.name" }} is {{ .Value | percent }} full`,
		},
		Labels:      map[string]string{"team": "storage"},
		Annotations: map[string]string{"runbook_url": "https://runbooks.example/disk"},
	})
	var story []event.Event
	for _, v := range []float64{0.8, 0.9, 0.962, 0.71} {
		b.feed(func(rm pmetric.ResourceMetrics, m pmetric.Metric, at pcommon.Timestamp) {
			rm.Resource().Attributes().PutStr("host.name", "db1")
			rm.Resource().Attributes().PutEmptySlice("host.ip").AppendEmpty().SetStr("10.0.0.7")
			m.SetName("system.filesystem.utilization")
			m.SetUnit("1")
			dp := gaugePoint(m)
			dp.Attributes().PutStr("system.filesystem.state", "used")
			dp.Attributes().PutStr("system.filesystem.mountpoint", "/")
			dp.SetTimestamp(at)
			dp.SetDoubleValue(v)
		})
		for _, ev := range b.events() {
			story = append(story, ev)
			b.engine.Ack(ev.Seq)
		}
	}
	return story
}

// TestRecordsOfAStory pins the records to the letter: it is what receivers build on.
func TestRecordsOfAStory(t *testing.T) {
	got, err := (&plog.JSONMarshaler{}).MarshalLogs(makeLogs(diskStory(t)))
	require.NoError(t, err)
	want, err := os.ReadFile("testdata/records.json")
	require.NoError(t, err)
	assert.JSONEq(t, string(want), string(got))
}

// TestRecordsShareTheirResource checks that neighbours of one resource stand together, and others apart, in order.
func TestRecordsShareTheirResource(t *testing.T) {
	resource := func(name string) []attr.Attr {
		return []attr.Attr{{Key: "host.name", Value: attr.StringValue(name)}}
	}
	var events []event.Event
	for _, name := range []string{"a", "a", "b", "a"} {
		events = append(events, event.Event{Resource: resource(name)})
	}
	logs := makeLogs(events)
	var counts []int
	for _, rl := range logs.ResourceLogs().All() {
		counts = append(counts, rl.ScopeLogs().At(0).LogRecords().Len())
		assert.Equal(t, alertschema.ScopeName, rl.ScopeLogs().At(0).Scope().Name())
		assert.Equal(t, alertschema.SchemaVersion, rl.ScopeLogs().At(0).Scope().Version())
	}
	assert.Equal(t, []int{2, 1, 1}, counts)
	assert.Zero(t, makeLogs(nil).ResourceLogs().Len())
}

// An attribute of the group never takes the place of one of the schema.
func TestGroupAttributesDoNotReplaceTheSchema(t *testing.T) {
	ev := event.Event{AlertID: "0123456789abcdef", Group: []attr.Attr{{Key: "alert.id", Value: attr.StringValue("forged")}}}
	v, ok := makeLogs([]event.Event{ev}).ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().Get("alert.id")
	require.True(t, ok)
	assert.Equal(t, "0123456789abcdef", v.Str())
}

// What the data calls by a name of the schema is an attribute of the group all the same, and nothing of the schema's: no label of the rule, no
// state, no identity.
func TestAttributesOfTheDataAreNoneOfTheSchema(t *testing.T) {
	reserved := []string{
		"alert.label.team", "alert.label.other", "alert.annotation.runbook", "alert.state", "alert.severity", "alert.id", "alert.anything", "alert.", "log.record.uid",
		"alert.ended_at", "alert.value", "alert.rule.description",
	}
	b := newBench(t, rules.RuleConfig{
		Name: "r", Metric: "m", Severity: "warning", Threshold: 1, Labels: map[string]string{"team": "sre"},
	})
	b.feed(func(rm pmetric.ResourceMetrics, m pmetric.Metric, at pcommon.Timestamp) {
		rm.Resource().Attributes().PutStr("host.name", "db1")
		m.SetName("m")
		dp := gaugePoint(m)
		for _, key := range reserved {
			dp.Attributes().PutStr(key, "forged")
		}
		dp.Attributes().PutStr("own", "kept")
		dp.SetTimestamp(at)
		dp.SetDoubleValue(9)
	})
	attrs := makeLogs(b.events()).ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes()
	own, _ := attrs.Get("own")
	assert.Equal(t, "kept", own.Str())
	for key, v := range attrs.All() {
		if alertschema.Defines(key) {
			assert.NotEqual(t, "forged", v.AsString(), key)
		}
	}
	for _, key := range reserved {
		v, ok := attrs.Get("attribute." + key)
		assert.True(t, ok && v.Str() == "forged", key)
	}
}

// Every kind of attribute value comes out as it went in; bytes come out as base64 text.
func TestAttributeValuesSurvive(t *testing.T) {
	in := map[string]any{
		"text": "x", "int": int64(1) << 60, "double": 0.5, "bool": true, "nothing": nil, "bytes": []byte{1, 2},
		"list": []any{"a", int64(2), 0.5, true, nil}, "map": map[string]any{"k": []any{int64(1)}}, "like JSON": "[1]",
		"number": "12", "broken": "{",
	}
	src := pcommon.NewMap()
	require.NoError(t, src.FromRaw(in))
	dst := pcommon.NewMap()
	limits := rules.DefaultConfig().Limits
	reader := newAttributeReader(&limits, nil)
	putAttrs(dst, reader.append(nil, src, limits.AttributesPerPoint, alert.LimitAttributesPerPoint))
	in["bytes"] = "AQI="
	assert.Equal(t, in, dst.AsRaw())

	odd := pcommon.NewValueEmpty()
	putValue(odd, attr.OtherValue("[1,"))
	assert.Equal(t, "[1,", odd.Str())
	putValue(odd, attr.OtherValue("[1e999]"))
	assert.Equal(t, []any{"1e999"}, odd.Slice().AsRaw())
}

// The README shows one record of the story, and it must be one that is really made.
func TestReadmeShowsARealRecord(t *testing.T) {
	text, err := os.ReadFile("../../alertprocessor/README.md")
	require.NoError(t, err)
	shown, err := exampleOf(string(text))
	require.NoError(t, err)
	logs := makeLogs(diskStory(t)[1:2])
	lr := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	want := map[string]any{}
	maps.Copy(want, lr.Attributes().AsRaw())
	for key, v := range shown.Attributes {
		if i, ok := want[key].(int64); ok {
			want[key] = float64(i)
		}
		assert.Equal(t, want[key], v, key)
	}
	assert.Len(t, shown.Attributes, len(want))
	assert.Equal(t, lr.EventName(), shown.EventName)
	assert.Equal(t, lr.Body().Str(), shown.Body)
	assert.Equal(t, lr.SeverityText(), shown.SeverityText)
	assert.Equal(t, int(lr.SeverityNumber()), shown.SeverityNumber)
	assert.Equal(t, lr.Timestamp().AsTime().Format(time.RFC3339), shown.Timestamp)
}

// example is the record that the README shows, in a form for people.
type example struct {
	Timestamp, EventName, SeverityText, Body string
	SeverityNumber                           int
	Attributes                               map[string]any
}

// exampleOf returns the first block of JSON in a Markdown text.
func exampleOf(markdown string) (example, error) {
	_, rest, _ := strings.Cut(markdown, "```json\n")
	block, _, _ := strings.Cut(rest, "```")
	var x example
	err := json.Unmarshal([]byte(block), &x)
	return x, err
}
