package notifyexporter

import (
	"cmp"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
	"github.com/otelcol-psutil/otelcol-psutil/internal/printable"
)

// notice is one thing to tell of an alert: what one record says. Times are nanoseconds since the epoch. It is stored, as JSON.
type notice struct {
	// UID is equal for duplicates of one record.
	UID        string
	Transition string
	State      string
	Reason     string `json:",omitempty"`
	// Severity holds after the change, PreviousSeverity before it. Number is that of OTLP, 0 on resolve.
	Severity         string
	PreviousSeverity string `json:",omitempty"`
	Number           int32  `json:",omitempty"`
	// At is the event time of the change, Received the wall time at which the exporter was told.
	At, Received int64
	// Text is the message of the rule.
	Text       string
	Value      *float64 `json:",omitempty"`
	Threshold  *float64 `json:",omitempty"`
	Comparison string   `json:",omitempty"`
	// Resolved tells that the episode has ended.
	Resolved bool `json:",omitempty"`
	// By is the person who acknowledged the alert, and Comment what they said. Only on a notice of that.
	By      string `json:",omitempty"`
	Comment string `json:",omitempty"`
}

// about is what an alert is about, as its last record says it. It is stored, as JSON.
type about struct {
	Rule        string
	Description string            `json:",omitempty"`
	Metric      string            `json:",omitempty"`
	Unit        string            `json:",omitempty"`
	Aggregation string            `json:",omitempty"`
	Window      float64           `json:",omitempty"`
	Resource    map[string]string `json:",omitempty"` // The attributes that identify the resource.
	Group       map[string]string `json:",omitempty"` // The attributes of the alert's group.
	Labels      map[string]string `json:",omitempty"`
	Annotations map[string]string `json:",omitempty"`
}

// record is an alert record as far as it is told.
type record struct {
	ID, Episode              string
	Started, Ended, Sequence int64
	Active                   bool
	Silenced                 bool
	SilencedUntil            int64 // 0 when the record does not say.
	AcknowledgedBy           string
	// Once is a record of an event that has no end, such as a rule that can't be evaluated.
	Once bool

	notice notice
	about  about
}

// readRecord reads a record; false when it lacks what every such record has.
func readRecord(resource pcommon.Resource, lr plog.LogRecord, now int64) (*record, bool) {
	attrs := lr.Attributes()
	text := func(key string) string { return textOf(attrs, key) }
	r := &record{
		ID: text(alertschema.KeyAlertID), Episode: text(alertschema.KeyEpisodeID), Silenced: text(alertschema.KeySilencedBy) != "",
		SilencedUntil: alertschema.ParseTime(text(alertschema.KeySilencedUntil)), AcknowledgedBy: cut(text(alertschema.KeyAcknowledgedBy)),
	}
	r.notice = notice{
		UID: text(alertschema.KeyRecordUID), Transition: text(alertschema.KeyTransition), State: text(alertschema.KeyState), Reason: text(alertschema.KeyReason),
		Severity: text(alertschema.KeySeverity), PreviousSeverity: text(alertschema.KeyPreviousSeverity), Number: int32(lr.SeverityNumber()),
		At: int64(cmp.Or(lr.Timestamp(), lr.ObservedTimestamp())), Received: now, Text: cut(lr.Body().AsString()),
		Value: numberOf(attrs, alertschema.KeyValue), Threshold: numberOf(attrs, alertschema.KeyThreshold), Comparison: text(alertschema.KeyComparison),
	}
	r.notice.At = cmp.Or(r.notice.At, now)
	if r.notice.Transition == acknowledged {
		r.notice.By, r.notice.Comment = r.AcknowledgedBy, cut(text(alertschema.KeyComment))
	}
	r.about = readAbout(resource.Attributes(), attrs)
	r.Started = cmp.Or(alertschema.ParseTime(text(alertschema.KeyStartedAt)), r.notice.At)
	if lr.EventName() != alertschema.EventStateChange {
		return r.asOnce(lr), true
	}
	if r.ID == "" || r.notice.Severity == "" || r.notice.State == "" || r.about.Rule == "" {
		return nil, false
	}
	if len(r.ID) > maxID || len(r.Episode) > maxID || len(r.notice.UID) > maxID {
		return nil, false
	}
	state, known := alertschema.ParseState(r.notice.State)
	r.Active = !known || state.Active() // What is not understood must not look resolved.
	r.notice.Resolved = !r.Active
	if r.notice.Resolved {
		r.notice.Number = 0
		r.Ended = cmp.Or(alertschema.ParseTime(text(alertschema.KeyEndedAt)), r.notice.At)
	}
	if v, ok := attrs.Get(alertschema.KeyOccurrences); ok && v.Type() == pcommon.ValueTypeInt {
		r.Sequence = v.Int()
	}
	return r, true
}

// maxID bounds the IDs of alerts, episodes and records, in bytes. They are hashes.
const maxID = 200

// asOnce makes the record one of an event of its own: what a limit withheld, or a rule that can't be evaluated.
func (r *record) asOnce(lr plog.LogRecord) *record {
	r.Once, r.Active = true, true
	r.about.Rule = cmp.Or(r.about.Rule, map[string]string{alertschema.EventSuppressed: "alerts held back", alertschema.EventRuleError: "rule error"}[lr.EventName()])
	r.notice.Transition = lr.EventName()
	r.notice.State = "notice"
	r.notice.Severity = cmp.Or(r.notice.Severity, strings.ToLower(lr.SeverityText()), "warning")
	r.notice.UID = cmp.Or(r.notice.UID, digest(lr.EventName(), r.about.Rule, lr.Body().AsString(), lr.Timestamp().String()))
	r.ID = "once-" + digest(r.notice.UID)
	r.Episode = r.ID
	return r
}

// readAbout reads what the alert is about.
func readAbout(resource, attrs pcommon.Map) about {
	text := func(key string) string { return textOf(attrs, key) }
	a := about{
		Rule: text(alertschema.KeyRuleName), Description: text(alertschema.KeyRuleDescription), Metric: text(alertschema.KeyMetricName),
		Unit: text(alertschema.KeyMetricUnit), Aggregation: text(alertschema.KeyAggregation),
		Resource: map[string]string{}, Group: map[string]string{}, Labels: map[string]string{}, Annotations: map[string]string{},
	}
	if w := numberOf(attrs, alertschema.KeyWindow); w != nil {
		a.Window = *w
	}
	for key, v := range attrs.All() {
		if name, ok := strings.CutPrefix(key, alertschema.PrefixLabel); ok {
			put(a.Labels, name, v)
		} else if name, ok := strings.CutPrefix(key, alertschema.PrefixAnnotation); ok {
			put(a.Annotations, name, v)
		} else if !alertschema.Defines(key) {
			put(a.Group, key, v)
		}
	}
	has := func(key string) bool {
		_, ok := resource.Get(key)
		return ok
	}
	for key, v := range resource.All() {
		if key == keyHostName || alertschema.LabelsResource(key, a.Metric, has) {
			put(a.Resource, key, v)
		}
	}
	return a
}

const (
	keyHostName = "host.name"
	// maxKeys bounds the attributes of one kind that are kept of an alert.
	maxKeys = 64
	// maxShown bounds each text that is kept, in bytes.
	maxShown = 2 << 10
)

func put(m map[string]string, key string, v pcommon.Value) {
	if len(m) < maxKeys {
		m[cut(key)] = cut(v.AsString())
	}
}

// cut is a text of a record as it is shown: bounded, and without what a terminal obeys. Records of others may have anything in them.
func cut(text string) string { return alertschema.CutText(printable.Lines(text), maxShown) }

func textOf(attrs pcommon.Map, key string) string {
	v, ok := attrs.Get(key)
	if !ok {
		return ""
	}
	return printable.Lines(v.AsString())
}

func numberOf(attrs pcommon.Map, key string) *float64 {
	v, ok := attrs.Get(key)
	if !ok {
		return nil
	}
	var f float64
	switch v.Type() {
	case pcommon.ValueTypeDouble:
		f = v.Double()
	case pcommon.ValueTypeInt:
		f = float64(v.Int())
	default:
		return nil
	}
	if f != f || f > maxFinite || f < -maxFinite {
		return nil // JSON has no such number.
	}
	return &f
}

const maxFinite = 1.7976931348623157e308
