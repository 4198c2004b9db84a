package harness

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// AlertRecord is a log record of the alert component, with its attributes and those of its resource as text.
type AlertRecord struct {
	Event, Body          string
	at                   time.Time
	number               plog.SeverityNumber
	Attributes, Resource map[string]string
}

// Rule is the name of the rule.
func (r *AlertRecord) Rule() string { return r.Attributes["alert.rule.name"] }

// Transition is what happened: fire, escalate, deescalate or resolve.
func (r *AlertRecord) Transition() string { return r.Attributes["alert.transition"] }

// Severity is the severity, or at the end the last one.
func (r *AlertRecord) Severity() string { return r.Attributes["alert.severity"] }

func (r *AlertRecord) previous() string { return r.Attributes["alert.severity.previous"] }

// Reason is why it happened.
func (r *AlertRecord) Reason() string { return r.Attributes["alert.reason"] }

func (r *AlertRecord) id() string { return r.Attributes["alert.id"] }

func (r *AlertRecord) episode() string { return r.Attributes["alert.episode.id"] }

// UID identifies the record.
func (r *AlertRecord) UID() string { return r.Attributes["log.record.uid"] }

// AlertFile is the path of a file to which a file exporter writes alert records.
type AlertFile string

// Read gives the records that are complete. A line that a kill has cut off is none; what follows it may stand in the same line.
func (f AlertFile) Read(t *testing.T) (records []AlertRecord) {
	t.Helper()
	text, err := os.ReadFile(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	require.NoError(t, err)
	const begin = `{"resourceLogs"`
	for _, batch := range strings.Split(string(text), begin)[1:] {
		ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs([]byte(begin + batch))
		if err != nil {
			continue
		}
		for _, rl := range ld.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, lr := range sl.LogRecords().All() {
					records = append(records, AlertRecord{
						Event: lr.EventName(), Body: lr.Body().AsString(), at: lr.Timestamp().AsTime(), number: lr.SeverityNumber(),
						Attributes: AttributeTexts(lr.Attributes()), Resource: AttributeTexts(rl.Resource().Attributes()),
					})
				}
			}
		}
	}
	return records
}

// AttributeTexts gives attributes with their values as text.
func AttributeTexts(attributes pcommon.Map) map[string]string {
	texts := make(map[string]string, attributes.Len())
	for k, v := range attributes.All() {
		texts[k] = v.AsString()
	}
	return texts
}

// Of gives the records of one rule.
func (f AlertFile) Of(t *testing.T, rule string) (records []AlertRecord) {
	t.Helper()
	for _, r := range f.Read(t) {
		if r.Rule() == rule {
			records = append(records, r)
		}
	}
	return records
}

// Await waits for the nth record of a rule with a transition.
func (f AlertFile) Await(t *testing.T, rule, transition string, nth int) (found AlertRecord) {
	t.Helper()
	f.Until(t, fmt.Sprintf("%s %d of rule %s", transition, nth, rule), func() bool {
		seen := 0
		for _, r := range f.Of(t, rule) {
			if r.Transition() == transition {
				if seen++; seen == nth {
					found = r
					return true
				}
			}
		}
		return false
	})
	return found
}

// Until waits for a condition on the records. Each time before it asks it does what is to be done meanwhile.
func (f AlertFile) Until(t *testing.T, what string, met func() bool, meanwhile ...func()) {
	t.Helper()
	Eventually(t, what, func() error {
		for _, do := range meanwhile {
			do()
		}
		if met() {
			return nil
		}
		var seen []string
		for _, r := range f.Read(t) {
			seen = append(seen, r.Rule()+" "+r.Transition()+" "+r.Severity())
		}
		return fmt.Errorf("so far there is %q", seen)
	})
}

// ByAlert groups records by the alert that they are of.
func ByAlert(records []AlertRecord) map[string][]AlertRecord {
	alerts := make(map[string][]AlertRecord)
	for _, r := range records {
		alerts[r.id()] = append(alerts[r.id()], r)
	}
	return alerts
}
