package alertorigin

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// moment is when these tests take place.
var moment = time.Unix(1_700_000_000, 0)

// record is a record of an alert with attributes of every kind.
func record(t *testing.T, uid string) (plog.Logs, plog.ResourceLogs, plog.LogRecord) {
	t.Helper()
	logs := plog.NewLogs()
	rl := logs.ResourceLogs().AppendEmpty()
	require.NoError(t, rl.Resource().Attributes().FromRaw(map[string]any{
		"host.name": "db1", "host.id": "7", "cloud.zones": []any{"a", "b"}, "telemetry.sender.address": "192.0.2.7",
	}))
	lr := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	lr.SetEventName(alertschema.EventStateChange)
	lr.SetTimestamp(1)
	lr.SetObservedTimestamp(2)
	lr.SetSeverityNumber(plog.SeverityNumberError)
	lr.SetSeverityText("critical")
	lr.Body().SetStr("disk is full")
	for _, key := range placing {
		lr.Attributes().PutStr(key, "a "+key)
	}
	lr.Attributes().PutInt(alertschema.KeyOccurrences, 3)
	lr.Attributes().PutDouble(alertschema.KeyValue, 0.97)
	lr.Attributes().PutDouble(alertschema.KeyThreshold, 0.9)
	for _, key := range []string{
		alertschema.PrefixLabel + "team", alertschema.PrefixAnnotation + "runbook", alertschema.KeyRuleVersion, alertschema.KeyPreviousSeverity,
		alertschema.KeyMetricName, "system.device", "empty",
	} {
		lr.Attributes().PutStr(key, strings.Repeat(key, 2))
	}
	lr.Attributes().PutStr("empty", "")
	lr.Attributes().PutEmptyMap("map").PutInt("x", 1)
	lr.Attributes().PutStr(alertschema.KeyRecordUID, uid)
	return logs, rl, lr
}

// A record is known by all that it says: whatever is changed or removed makes it one of somebody else. To add is allowed, but nothing that the
// schema defines.
func TestARecordIsKnownByWhatItSays(t *testing.T) {
	t.Parallel()
	logs, rl, lr := record(t, t.Name())
	assert.True(t, External(rl.Resource(), lr, moment), "nobody has said that it was made here")
	Mark(logs, moment)
	Mark(logs, moment)
	assert.True(t, Marked(rl.Resource(), lr, moment))
	assert.False(t, External(rl.Resource(), lr, moment))

	external := func(change func(pcommon.Map, plog.LogRecord)) bool {
		c := plog.NewResourceLogs()
		rl.CopyTo(c)
		r := c.ScopeLogs().At(0).LogRecords().At(0)
		change(c.Resource().Attributes(), r)
		return External(c.Resource(), r, moment)
	}
	for key := range lr.Attributes().All() {
		assert.True(t, external(func(_ pcommon.Map, r plog.LogRecord) { r.Attributes().PutStr(key, "other") }), key)
		assert.True(t, external(func(_ pcommon.Map, r plog.LogRecord) { r.Attributes().Remove(key) }), key)
		assert.True(t, external(func(_ pcommon.Map, r plog.LogRecord) {
			v, _ := r.Attributes().Get(key)
			text := v.AsString()
			if v.Type() == pcommon.ValueTypeStr {
				v.SetEmptyBytes().FromRaw([]byte(text))
			} else {
				v.SetStr(text)
			}
		}), "the type of %s", key)
	}
	for key := range rl.Resource().Attributes().All() {
		assert.True(t, external(func(resource pcommon.Map, _ plog.LogRecord) { resource.PutStr(key, "other") }), key)
		assert.True(t, external(func(resource pcommon.Map, _ plog.LogRecord) { resource.Remove(key) }), key)
	}
	for what, change := range map[string]func(plog.LogRecord){
		"timestamp": func(r plog.LogRecord) { r.SetTimestamp(5) }, "observed": func(r plog.LogRecord) { r.SetObservedTimestamp(5) },
		"body": func(r plog.LogRecord) { r.Body().SetStr("x") }, "severity": func(r plog.LogRecord) { r.SetSeverityNumber(5) },
		"severity text": func(r plog.LogRecord) { r.SetSeverityText("x") }, "trace": func(r plog.LogRecord) { r.SetTraceID([16]byte{1}) },
		"span": func(r plog.LogRecord) { r.SetSpanID([8]byte{1}) },
		"name in former times": func(r plog.LogRecord) {
			r.SetEventName("")
			r.Attributes().PutStr(keyEventName, alertschema.EventStateChange)
		},
		"another label":      func(r plog.LogRecord) { r.Attributes().PutStr(alertschema.PrefixLabel+"site", "x") },
		"another annotation": func(r plog.LogRecord) { r.Attributes().PutStr(alertschema.PrefixAnnotation+"x", "x") },
		"another key":        func(r plog.LogRecord) { r.Attributes().PutStr(alertschema.KeyReason, "x") },
	} {
		assert.True(t, external(func(_ pcommon.Map, r plog.LogRecord) { change(r) }), what)
	}
	for _, name := range []string{alertschema.EventSuppressed, alertschema.EventRuleError, alertschema.EventRule} {
		assert.True(t, external(func(_ pcommon.Map, r plog.LogRecord) { r.SetEventName(name) }), name)
	}
	assert.False(t, external(func(_ pcommon.Map, r plog.LogRecord) { r.SetEventName("device.app.lifecycle") }), "no alert record at all")
	assert.False(t, external(func(resource pcommon.Map, r plog.LogRecord) {
		r.Attributes().PutStr("environment", "z")
		resource.PutStr("k8s.cluster.name", "z")
	}), "added")
	assert.False(t, external(func(resource pcommon.Map, r plog.LogRecord) {
		for _, attrs := range []pcommon.Map{resource, r.Attributes()} {
			raw := attrs.AsRaw()
			attrs.Clear()
			assert.NoError(t, attrs.FromRaw(raw))
		}
	}), "in another order")
}

// Two components may make records of one place, as of rules of one name.
func TestRecordsOfOnePlace(t *testing.T) {
	t.Parallel()
	var all []plog.Logs
	for i := range sharing {
		logs, rl, _ := record(t, t.Name())
		rl.Resource().Attributes().PutInt("host.id", int64(i))
		Mark(logs, moment)
		all = append(all, logs)
	}
	for _, logs := range all {
		_, external := WithoutExternal(logs, moment)
		assert.Zero(t, external)
	}
}

func TestExternalRecordsAreTakenOut(t *testing.T) {
	t.Parallel()
	own, _, _ := record(t, t.Name())
	Mark(own, moment)
	forged, _, _ := record(t, t.Name()+" forged")
	ordinary := plog.NewLogs()
	ordinary.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr("ordinary")
	all := plog.NewLogs()
	for _, part := range []plog.Logs{own, forged, ordinary} {
		part.ResourceLogs().At(0).CopyTo(all.ResourceLogs().AppendEmpty())
	}
	before := plog.NewLogs()
	all.CopyTo(before)
	rest, external := WithoutExternal(all, moment)
	assert.Equal(t, before, all, "what others may read, too, stays")
	assert.Equal(t, 1, external)
	assert.Equal(t, 2, rest.LogRecordCount())
	assert.Equal(t, own.ResourceLogs().At(0), rest.ResourceLogs().At(0))
	assert.Equal(t, ordinary.ResourceLogs().At(0), rest.ResourceLogs().At(1))
	same, external := WithoutExternal(rest, moment)
	assert.Zero(t, external)
	assert.Equal(t, rest, same)
}

// kept is a registry with a clock, of records that are known by a number.
type kept struct {
	registry
	clock time.Duration
}

func newKept(limit int, lasting time.Duration) *kept {
	k := &kept{}
	k.init(limit, lasting)
	return k
}

func placeNumber(i int) digest {
	lr := plog.NewLogRecord()
	lr.SetEventName(fmt.Sprint(i))
	return placeOf(lr)
}

func (k *kept) mark(i int) bool {
	return k.add(moment.Add(k.clock), placeNumber(i), recordKeys{}, digest{byte(i)})
}

func (k *kept) knows(i int) bool {
	return k.has(moment.Add(k.clock), placeNumber(i), func(recordKeys) (digest, bool) { return digest{byte(i)}, true })
}

func TestTheNewestRecordsAreKnown(t *testing.T) {
	t.Parallel()
	k := newKept(4, time.Hour)
	for i := range 20 {
		assert.False(t, k.mark(i))
		assert.True(t, k.mark(i))
		for j := range i + 1 {
			assert.Equal(t, j > i-4, k.knows(j), "%d after %d", j, i)
		}
		assert.LessOrEqual(t, len(k.places), 4)
		assert.Len(t, k.records, len(k.places)+1)
	}
}

// What is given out again is as new as what is given out for the first time.
func TestARecordThatIsMarkedAgainIsTheNewest(t *testing.T) {
	t.Parallel()
	k := newKept(4, time.Hour)
	for i := range 100 {
		k.mark(1000) // Delivered again and again.
		k.mark(i)
		assert.True(t, k.knows(1000), "after %d others", i)
		assert.Equal(t, i >= 2, k.knows(i-2))
	}
	for _, i := range []int{1, 2, 3} {
		k.mark(2000 + i)
	}
	assert.True(t, k.knows(99))
	assert.False(t, k.knows(1000))
}

// A record is known for a time only, for an exporter does not remember for ever how far an alert has come.
func TestRecordsAreKnownForATime(t *testing.T) {
	t.Parallel()
	k := newKept(4, time.Hour)
	k.mark(1)
	k.clock = time.Hour - 1
	assert.True(t, k.knows(1))
	k.clock++
	assert.False(t, k.knows(1))
	assert.False(t, k.mark(1))
	assert.True(t, k.knows(1))
}

func TestRepeats(t *testing.T) {
	t.Parallel()
	_, _, first := record(t, "1")
	_, _, second := record(t, "2")
	var a, b Repeats
	assert.False(t, a.Had(first, moment))
	assert.False(t, a.Had(second, moment))
	first.Attributes().PutStr("environment", "added")
	assert.True(t, a.Had(first, moment))
	assert.False(t, b.Had(first, moment), "each consumer has its own")
	ordinary := plog.NewLogRecord()
	assert.False(t, a.Had(ordinary, moment))
	assert.False(t, a.Had(ordinary, moment))
}
