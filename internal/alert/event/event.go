package event

import (
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// Event is one record for the log: everything that its attributes, body and times are made of. Times are
// nanoseconds since the epoch.
type Event struct {
	// Seq numbers the events of an outbox in order; it is what Ack wants.
	Seq  uint64
	Kind alertschema.Kind
	// Time is the event time of the deciding data point, or the tick for what time decided.
	Time int64
	// ObservedTime is the wall time at which the event was made.
	ObservedTime int64
	// SeverityNumber and SeverityText are the log record's.
	SeverityNumber int
	SeverityText   string
	// Body is the rendered message.
	Body string
	// UID is log.record.uid: equal for duplicates of one record, also across replicas.
	UID string

	// AlertID and EpisodeID identify the alert and its episode; 16 hex digits each.
	AlertID, EpisodeID string
	Transition         alertschema.Transition
	State, Previous    alertschema.State
	// Severity and PreviousSeverity are names of levels; on resolve both are the last of the episode.
	Severity, PreviousSeverity string
	Reason                     alertschema.Reason

	Rule, RuleVersion, RuleDescription string
	Metric, Unit                       string
	// Value and Threshold are what was compared with what, by Comparison.
	Value, Threshold attr.Number
	Comparison       string
	// Point is the statistic of histogram or summary points that was compared, empty for numbers.
	Point string
	// Aggregation and Window are empty for a plain last value.
	Aggregation string
	Window      time.Duration
	// StartedAt and EndedAt bound the episode in event time; EndedAt holds on resolve.
	StartedAt, EndedAt int64
	Ended              bool
	// Duration is how long the alert has been firing.
	Duration time.Duration
	// Occurrences counts the transitions of the episode.
	Occurrences int
	// Labels and Annotations are in order of key.
	Labels, Annotations []attr.Label
	// More holds the attributes of the schema that are no field here: what a new one needs is its key in alertschema, and its value where the
	// engine makes the record.
	More []attr.Attr
	// Group holds the attributes of the group key that the record carries; Resource the resource of the deciding series.
	Group, Resource []attr.Attr
	// Identity holds all attributes of the group key. It is not stored: nil in a record that was restored.
	Identity []attr.Attr
	// TraceID and SpanID are those of the newest exemplar, if any.
	TraceID [16]byte
	SpanID  [8]byte

	// Counts is what a Suppressed event reports, by rule and severity.
	Counts []SuppressedCount
}

// SuppressedCount is how many alerts of one rule and severity the storm budget held back.
type SuppressedCount struct {
	Rule, Severity string
	Count          int
}

// Name returns the log record's event name.
func (e *Event) Name() string { return e.Kind.EventName() }

// Attributes appends the log record's attributes to dst, in the order of the schema.
func (e *Event) Attributes(dst []attr.Attr) []attr.Attr {
	text := func(key, s string) {
		if s != "" {
			dst = append(dst, attr.String(key, s))
		}
	}
	switch e.Kind {
	case alertschema.KindRuleError:
		text(alertschema.KeyRecordUID, e.UID)
		text(alertschema.KeyRuleName, e.Rule)
		text(alertschema.KeyRuleVersion, e.RuleVersion)
		text(alertschema.KeyMetricName, e.Metric)
		return dst
	case alertschema.KindSuppressed:
		text(alertschema.KeyRecordUID, e.UID)
		return e.suppressedAttributes(dst)
	}
	text(alertschema.KeyAlertID, e.AlertID)
	text(alertschema.KeyEpisodeID, e.EpisodeID)
	text(alertschema.KeyRecordUID, e.UID)
	text(alertschema.KeyTransition, e.Transition.String())
	text(alertschema.KeyState, e.State.String())
	text(alertschema.KeyPreviousState, e.Previous.String())
	text(alertschema.KeySeverity, e.Severity)
	text(alertschema.KeyPreviousSeverity, e.PreviousSeverity)
	text(alertschema.KeyReason, e.Reason.String())
	text(alertschema.KeyRuleName, e.Rule)
	text(alertschema.KeyRuleVersion, e.RuleVersion)
	text(alertschema.KeyRuleDescription, e.RuleDescription)
	text(alertschema.KeyMetricName, e.Metric)
	text(alertschema.KeyMetricUnit, e.Unit)
	return e.stateAttributes(dst)
}

// stateAttributes appends the values and times of a state change, its texts and its group.
func (e *Event) stateAttributes(dst []attr.Attr) []attr.Attr {
	if e.Value.Valid {
		dst = append(dst, attr.Double(alertschema.KeyValue, e.Value.Float64))
	}
	if e.Threshold.Valid {
		dst = append(dst, attr.Double(alertschema.KeyThreshold, e.Threshold.Float64))
	}
	dst = append(dst, attr.String(alertschema.KeyComparison, e.Comparison))
	if e.Point != "" {
		dst = append(dst, attr.String(alertschema.KeyPoint, e.Point))
	}
	if e.Aggregation != "" {
		dst = append(dst, attr.String(alertschema.KeyAggregation, e.Aggregation))
	}
	if e.Window > 0 {
		dst = append(dst, attr.Double(alertschema.KeyWindow, e.Window.Seconds()))
	}
	dst = append(dst, attr.String(alertschema.KeyStartedAt, alertschema.TimeText(e.StartedAt)))
	if e.Ended {
		dst = append(dst, attr.String(alertschema.KeyEndedAt, alertschema.TimeText(e.EndedAt)))
	}
	dst = append(dst, attr.Double(alertschema.KeyDuration, e.Duration.Seconds()),
		attr.Int(alertschema.KeyOccurrences, int64(e.Occurrences)))
	dst = append(dst, e.More...)
	for _, l := range e.Labels {
		dst = append(dst, attr.String(alertschema.PrefixLabel+l.Key, l.Text))
	}
	for _, l := range e.Annotations {
		dst = append(dst, attr.String(alertschema.PrefixAnnotation+l.Key, l.Text))
	}
	for _, a := range e.Group {
		a.Key = alertschema.GroupKey(a.Key)
		dst = append(dst, a)
	}
	return dst
}

func (e *Event) suppressedAttributes(dst []attr.Attr) []attr.Attr {
	total := 0
	for _, c := range e.Counts {
		total += c.Count
	}
	dst = append(dst, attr.Int(alertschema.KeySuppressedCount, int64(total)))
	for _, c := range e.Counts {
		key := alertschema.PrefixSuppressed + c.Rule + "." + c.Severity
		dst = append(dst, attr.Int(key, int64(c.Count)))
	}
	return dst
}
