package alertmanagerexporter

import (
	"cmp"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
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
	r := &record{AlertID: text(alertschema.KeyAlertID), Severity: severity(alertschema.KeySeverity), PreviousSeverity: severity(alertschema.KeyPreviousSeverity)}
	state := text(alertschema.KeyState)
	if r.AlertID == "" || r.Severity == "" || state == "" || text(alertschema.KeyRuleName) == "" {
		return nil, false
	}
	known, ok := alertschema.ParseState(state)
	r.Active = !ok || known.Active() // What is not understood must not look resolved.
	// Whatever the transition is: a level that changes while an alert has no data or flaps is told with the next one that is.
	r.MovedLevel = text(alertschema.KeyTransition) != alertschema.TransitionFire.String() && r.PreviousSeverity != "" && r.PreviousSeverity != r.Severity
	r.At = int64(cmp.Or(lr.Timestamp(), lr.ObservedTimestamp()))
	r.Ended = cmp.Or(alertschema.ParseTime(text(alertschema.KeyEndedAt)), r.At)
	r.position = position{
		Episode: text(alertschema.KeyEpisodeID), Started: cmp.Or(alertschema.ParseTime(text(alertschema.KeyStartedAt)), r.At),
		Observed: int64(lr.ObservedTimestamp()), UID: text(alertschema.KeyRecordUID),
	}
	if v, ok := attrs.Get(alertschema.KeyOccurrences); ok && v.Type() == pcommon.ValueTypeInt {
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
		"description": alertschema.KeyRuleDescription, "metric": alertschema.KeyMetricName, "value": alertschema.KeyValue, "threshold": alertschema.KeyThreshold,
	} {
		put(name, textOf(lr.Attributes(), key))
	}
	if state != alertschema.StateFiring.String() && state != alertschema.StateResolved.String() {
		put("state", state)
	}
	own := map[string]string{}
	for key, v := range lr.Attributes().All() {
		if name, ok := strings.CutPrefix(key, alertschema.PrefixAnnotation); ok {
			own[name] = v.AsString()
		}
	}
	for _, name := range sortedKeys(own) {
		put(labelName(name), own[name])
	}
	return out
}
