package vmtest

import (
	"bytes"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-psutil/otelcol-psutil/vmtest/machine"
)

// logRecord is a record of an event or of an alert, with the attributes of its resource among its own.
type logRecord struct {
	Event      string
	Body       string
	Severity   string
	Time       int64 // nanoseconds of the wall clock
	Observed   int64
	Attributes map[string]string
}

// logRecords reads a file of log records in the guest; none while there is none.
func logRecords(t *testing.T, vm *machine.Machine, path string) (found []logRecord) {
	t.Helper()
	text, err := vm.Fetch(path)
	if err != nil {
		return nil
	}
	for line := range bytes.Lines(text) {
		if !bytes.HasSuffix(line, []byte("\n")) {
			break // It was read while it was written.
		}
		logs, err := new(plog.JSONUnmarshaler).UnmarshalLogs(line)
		require.NoError(t, err)
		for _, rl := range logs.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, r := range sl.LogRecords().All() {
					attributes := make(map[string]string)
					for k, v := range rl.Resource().Attributes().All() {
						attributes[k] = v.AsString()
					}
					for k, v := range r.Attributes().All() {
						attributes[k] = v.AsString()
					}
					found = append(found, logRecord{
						r.EventName(), r.Body().AsString(), r.SeverityText(), int64(r.Timestamp()), int64(r.ObservedTimestamp()), attributes,
					})
				}
			}
		}
	}
	return found
}

// events gives the events of a kind with these attributes, given as key, value, key, value.
func (c *collector) events(t *testing.T, kind string, attributes ...string) []logRecord {
	t.Helper()
	return choose(logRecords(t, c.vm, c.folder+"/events.jsonl"), kind, attributes)
}

// fired gives the alerts of a rule that fired with these attributes.
func (c *collector) fired(t *testing.T, rule string, attributes ...string) []logRecord {
	t.Helper()
	return choose(logRecords(t, c.vm, c.folder+"/alerts.jsonl"), "alert.state_change",
		append(attributes, "alert.rule.name", rule, "alert.transition", "fire"))
}

func choose(records []logRecord, event string, attributes []string) []logRecord {
	return slices.DeleteFunc(records, func(r logRecord) bool {
		if r.Event != event {
			return true
		}
		for i := 0; i < len(attributes); i += 2 {
			if r.Attributes[attributes[i]] != attributes[i+1] {
				return true
			}
		}
		return false
	})
}

// keysOf are the attributes of records, for a message.
func keysOf(records []logRecord) (keys [][]string) {
	for _, r := range records {
		keys = append(keys, slices.Sorted(maps.Keys(r.Attributes)))
	}
	return keys
}

// awaitRecords waits until there are records, for so many batches.
func (c *collector) awaitRecords(t *testing.T, what string, within int, get func() []logRecord) []logRecord {
	t.Helper()
	for range within {
		if found := get(); len(found) > 0 {
			return found
		}
		c.batches(t, 1)
	}
	found := get()
	require.NotEmpty(t, found, "%s within %d batches", what, within)
	return found
}
