package alertmanagerexporter

import (
	"cmp"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// Event names of the alert records. Only a state change says something about an alert.
const (
	eventStateChange = "alert.state_change"
	eventSuppressed  = "alert.suppressed"
	eventRuleError   = "alert.rule_error"
)

// The states that need no annotation: that the alert is active or not says it.
const (
	stateFiring   = "firing"
	stateResolved = "resolved"
)

// record is what one alert.state_change says. Times are nanoseconds since the epoch.
type record struct {
	AlertID  string
	position position
	// Active tells whether the alert is firing after the change; no_data and flapping are firing, too.
	Active bool
	// Severity holds after the change, PreviousSeverity before it. MovedLevel tells that the change was from one to the other.
	Severity, PreviousSeverity string
	MovedLevel                 bool
	// At is the event time of the change, Ended that of the end of the episode.
	At, Ended int64

	labels, annotations map[string]string
}

// position is the place of a record in the history of its alert.
type position struct {
	Episode string
	// Started is the event time at which the episode began, Sequence the number of the transition in it.
	Started, Sequence int64
	// Observed is when the record was made. It orders what the number does not: repeats and belated announcements.
	Observed int64
	UID      string
}

// after tells whether a record in this place is news to somebody who knows all up to old. Between episodes the start decides, unless
// the clock was set back: an episode that begins in the future no longer says what is newer.
func (p position) after(old position, now int64) bool {
	if p.Episode != old.Episode {
		return p.Started >= old.Started || old.Started > now
	}
	if p.UID == old.UID && p.UID != "" {
		return false // Another replica's, made at another time.
	}
	return cmp.Or(cmp.Compare(p.Sequence, old.Sequence), cmp.Compare(p.Observed, old.Observed), cmp.Compare(p.UID, old.UID)) > 0
}

// readRecord reads an alert.state_change; false when it lacks what every such record has.
func (l *labeler) readRecord(resource pcommon.Resource, lr plog.LogRecord) (*record, bool) {
	attrs := lr.Attributes()
	text := func(key string) string { return textOf(attrs, key) }
	severity := func(key string) string { return strings.ToValidUTF8(text(key), "\uFFFD") }
	r := &record{AlertID: text("alert.id"), Severity: severity("alert.severity"), PreviousSeverity: severity("alert.severity.previous")}
	state := text("alert.state")
	if r.AlertID == "" || r.Severity == "" || state == "" || text("alert.rule.name") == "" {
		return nil, false
	}
	r.Active = state != stateResolved
	transition := text("alert.transition")
	r.MovedLevel = (transition == "escalate" || transition == "deescalate") && r.PreviousSeverity != "" && r.PreviousSeverity != r.Severity
	r.At = int64(cmp.Or(lr.Timestamp(), lr.ObservedTimestamp()))
	r.Ended = cmp.Or(instant(text("alert.ended_at")), r.At)
	r.position = position{
		Episode: text("alert.episode.id"), Started: cmp.Or(instant(text("alert.started_at")), r.At),
		Observed: int64(lr.ObservedTimestamp()), UID: text("log.record.uid"),
	}
	if v, ok := attrs.Get("alert.occurrences"); ok && v.Type() == pcommon.ValueTypeInt {
		r.position.Sequence = v.Int()
	}
	r.labels = l.labels(resource.Attributes(), attrs)
	r.annotations = annotations(lr, state)
	return r, true
}

// textOf returns the text of an attribute, empty when there is none.
func textOf(attrs pcommon.Map, key string) string {
	v, ok := attrs.Get(key)
	if !ok {
		return ""
	}
	return v.AsString()
}

// instant reads an ISO 8601 time; 0 when there is none.
func instant(text string) int64 {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

// annotations are the texts for people. What the rule gives itself comes before what is derived.
func annotations(lr plog.LogRecord, state string) map[string]string {
	out := map[string]string{}
	put := func(name, text string) {
		if text != "" {
			out[name] = strings.ToValidUTF8(text, "\uFFFD")
		}
	}
	put("summary", lr.Body().AsString())
	for name, key := range map[string]string{
		"description": "alert.rule.description", "metric": "alert.metric.name", "value": "alert.value", "threshold": "alert.threshold",
	} {
		put(name, textOf(lr.Attributes(), key))
	}
	if state != stateFiring && state != stateResolved {
		put("state", state)
	}
	own := map[string]string{}
	for key, v := range lr.Attributes().All() {
		if name, ok := strings.CutPrefix(key, "alert.annotation."); ok {
			own[name] = v.AsString()
		}
	}
	for _, name := range sortedKeys(own) {
		put(labelName(name), own[name])
	}
	return out
}
