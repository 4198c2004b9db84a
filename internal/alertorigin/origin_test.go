package alertorigin

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// record is a record of an alert with every attribute that decides.
func record(uid string) (plog.Logs, plog.LogRecord) {
	logs := plog.NewLogs()
	lr := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	lr.SetEventName(alertschema.EventStateChange)
	lr.SetTimestamp(1)
	lr.SetObservedTimestamp(2)
	lr.Body().SetStr("disk is full")
	for _, key := range deciding {
		lr.Attributes().PutStr(key, "a "+key)
	}
	lr.Attributes().PutInt(alertschema.KeyOccurrences, 3)
	lr.Attributes().PutStr(alertschema.KeyRecordUID, uid)
	return logs, lr
}

// What decides about an alert is what a record is known by; all else a processor may change.
func TestARecordIsKnownByWhatDecides(t *testing.T) {
	t.Parallel()
	logs, lr := record(t.Name())
	assert.True(t, External(lr), "nobody has said that it was made here")
	Mark(logs)
	Mark(logs)
	assert.True(t, Marked(lr))
	assert.False(t, External(lr))

	copied := func(change func(plog.LogRecord)) plog.LogRecord {
		c := plog.NewLogRecord()
		lr.CopyTo(c)
		change(c)
		return c
	}
	for _, key := range deciding {
		assert.True(t, External(copied(func(c plog.LogRecord) { c.Attributes().PutStr(key, "other") })), key)
		assert.True(t, External(copied(func(c plog.LogRecord) { c.Attributes().Remove(key) })), key)
	}
	assert.True(t, External(copied(func(c plog.LogRecord) { c.SetTimestamp(5) })))
	assert.True(t, External(copied(func(c plog.LogRecord) { c.SetObservedTimestamp(5) })))
	for _, name := range []string{alertschema.EventSuppressed, alertschema.EventRuleError, alertschema.EventRule} {
		assert.True(t, External(copied(func(c plog.LogRecord) { c.SetEventName(name) })), name)
	}
	assert.True(t, External(copied(func(c plog.LogRecord) {
		c.SetEventName("")
		c.Attributes().PutStr(keyEventName, alertschema.EventStateChange)
	})), "a name where it stood in former times")
	assert.False(t, External(copied(func(c plog.LogRecord) { c.SetEventName("device.app.lifecycle") })), "no alert record at all")
	assert.False(t, External(copied(func(c plog.LogRecord) {
		c.Body().SetStr("x")
		c.SetSeverityText("y")
		c.Attributes().PutStr("environment", "z")
		c.Attributes().PutStr(alertschema.PrefixLabel+"team", "z")
	})))
}

func TestExternalRecordsAreTakenOut(t *testing.T) {
	t.Parallel()
	own, _ := record(t.Name())
	Mark(own)
	forged, _ := record(t.Name() + " forged")
	ordinary := plog.NewLogs()
	ordinary.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr("ordinary")
	all := plog.NewLogs()
	for _, part := range []plog.Logs{own, forged, ordinary} {
		part.ResourceLogs().At(0).CopyTo(all.ResourceLogs().AppendEmpty())
	}
	before := plog.NewLogs()
	all.CopyTo(before)
	rest, external := WithoutExternal(all)
	assert.Equal(t, before, all, "what others may read, too, stays")
	assert.Equal(t, 1, external)
	assert.Equal(t, 2, rest.LogRecordCount())
	assert.Equal(t, own.ResourceLogs().At(0), rest.ResourceLogs().At(0))
	assert.Equal(t, ordinary.ResourceLogs().At(0), rest.ResourceLogs().At(1))
	same, external := WithoutExternal(rest)
	assert.Zero(t, external)
	assert.Equal(t, rest, same)
}

func TestTheNewestRecordsAreKnown(t *testing.T) {
	t.Parallel()
	r := newRegistry(4)
	of := func(i int) digest {
		lr := plog.NewLogRecord()
		lr.SetTimestamp(pcommon.Timestamp(i))
		lr.SetEventName(fmt.Sprint(i))
		return digestOf(lr)
	}
	for i := range 20 {
		r.add(of(i))
		r.add(of(i))
		for j := range i + 1 {
			assert.Equal(t, j > i-4, r.has(of(j)), "%d after %d", j, i)
		}
		assert.LessOrEqual(t, len(r.known), 4)
		assert.Len(t, r.order, len(r.known))
	}
}
