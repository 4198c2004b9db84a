package alert

import (
	"fmt"
	"time"
)

// EventKind tells what a record reports.
type EventKind uint8

const (
	// StateChange is a transition of one alert, or the repeat of one.
	StateChange EventKind = iota
	// Suppressed is the summary of what the storm budget held back.
	Suppressed
	// RuleError reports a rule that cannot be evaluated.
	RuleError
)

var eventNames = []string{"alert.state_change", "alert.suppressed", "alert.rule_error"}

// Transition is what happened to an alert.
type Transition uint8

// The transitions. At most one record is made for each.
const (
	Fire Transition = iota
	Escalate
	Deescalate
	Resolve
	Repeat
	NoData
	DataBack
	FlappingStart
	FlappingEnd
)

const transitionCount = int(FlappingEnd) + 1

var transitionNames = []string{
	"fire", "escalate", "deescalate", "resolve", "repeat", "no_data", "data_back", "flapping_start", "flapping_end",
}

// String returns the value of the attribute alert.transition.
func (t Transition) String() string { return transitionNames[t] }

// State is the state of an alert that a record announces.
type State uint8

// The announced states.
const (
	StateInactive State = iota
	StateFiring
	StateResolved
	StateNoData
	StateFlapping
)

var stateNames = []string{"inactive", "firing", "resolved", "no_data", "flapping"}

// String returns the value of the attribute alert.state.
func (s State) String() string { return stateNames[s] }

// Reason is why a transition happened.
type Reason uint8

// The reasons.
const (
	ReasonThreshold Reason = iota
	ReasonForecast
	ReasonAbsent
	ReasonNoData
	ReasonStale
	ReasonRuleRemoved
	ReasonRuleChanged
	ReasonRepeat
	ReasonStormReleased
	ReasonOnlyIf
)

var reasonNames = []string{
	"threshold", "forecast", "absent", "no_data", "stale", "rule_removed", "rule_changed", "repeat", "storm_released", "only_if",
}

// String returns the value of the attribute alert.reason.
func (r Reason) String() string { return reasonNames[r] }

// Number is a float that may be unknown.
type Number struct {
	Float64 float64
	Valid   bool
}

// Label is one label or annotation with its rendered text.
type Label struct{ Key, Text string }

// Event is one record for the log: everything that its attributes, body and times are made of. Times are
// nanoseconds since the epoch.
type Event struct {
	// Seq numbers the events of an outbox in order; it is what Ack wants.
	Seq  uint64
	Kind EventKind
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
	Transition         Transition
	State, Previous    State
	// Severity and PreviousSeverity are names of levels; on resolve both are the last of the episode.
	Severity, PreviousSeverity string
	Reason                     Reason

	Rule, RuleVersion, RuleDescription string
	Metric, Unit                       string
	// Value and Threshold are what was compared with what, by Comparison.
	Value, Threshold Number
	Comparison       string
	// Point is the figure of histogram or summary points that was compared, empty for numbers.
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
	Labels, Annotations []Label
	// Group holds the attributes of the group key that the record carries; Resource the resource of the deciding series.
	Group, Resource []Attr
	// Identity holds all attributes of the group key. It is not stored: nil in a record that was restored.
	Identity []Attr
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
func (e *Event) Name() string { return eventNames[e.Kind] }

// Attributes appends the log record's attributes to dst, in the order of the schema.
func (e *Event) Attributes(dst []Attr) []Attr {
	text := func(key, s string) {
		if s != "" {
			dst = append(dst, Attr{key, StringValue(s)})
		}
	}
	switch e.Kind {
	case RuleError:
		text("log.record.uid", e.UID)
		text("alert.rule.name", e.Rule)
		text("alert.rule.version", e.RuleVersion)
		text("alert.metric.name", e.Metric)
		return dst
	case Suppressed:
		text("log.record.uid", e.UID)
		return e.suppressedAttributes(dst)
	}
	text("alert.id", e.AlertID)
	text("alert.episode.id", e.EpisodeID)
	text("log.record.uid", e.UID)
	text("alert.transition", e.Transition.String())
	text("alert.state", e.State.String())
	text("alert.state.previous", e.Previous.String())
	text("alert.severity", e.Severity)
	text("alert.severity.previous", e.PreviousSeverity)
	text("alert.reason", e.Reason.String())
	text("alert.rule.name", e.Rule)
	text("alert.rule.version", e.RuleVersion)
	text("alert.rule.description", e.RuleDescription)
	text("alert.metric.name", e.Metric)
	text("alert.metric.unit", e.Unit)
	return e.stateAttributes(dst)
}

// stateAttributes appends the values and times of a state change, its texts and its group.
func (e *Event) stateAttributes(dst []Attr) []Attr {
	if e.Value.Valid {
		dst = append(dst, Attr{"alert.value", DoubleValue(e.Value.Float64)})
	}
	if e.Threshold.Valid {
		dst = append(dst, Attr{"alert.threshold", DoubleValue(e.Threshold.Float64)})
	}
	dst = append(dst, Attr{"alert.comparison", StringValue(e.Comparison)})
	if e.Point != "" {
		dst = append(dst, Attr{"alert.point", StringValue(e.Point)})
	}
	if e.Aggregation != "" {
		dst = append(dst, Attr{"alert.aggregation", StringValue(e.Aggregation)})
	}
	if e.Window > 0 {
		dst = append(dst, Attr{"alert.window", DoubleValue(e.Window.Seconds())})
	}
	dst = append(dst, Attr{"alert.started_at", StringValue(instantText(e.StartedAt))})
	if e.Ended {
		dst = append(dst, Attr{"alert.ended_at", StringValue(instantText(e.EndedAt))})
	}
	dst = append(dst, Attr{"alert.duration", DoubleValue(e.Duration.Seconds())},
		Attr{"alert.occurrences", IntValue(int64(e.Occurrences))})
	for _, l := range e.Labels {
		dst = append(dst, Attr{"alert.label." + l.Key, StringValue(l.Text)})
	}
	for _, l := range e.Annotations {
		dst = append(dst, Attr{"alert.annotation." + l.Key, StringValue(l.Text)})
	}
	return append(dst, e.Group...)
}

func (e *Event) suppressedAttributes(dst []Attr) []Attr {
	total := 0
	for _, c := range e.Counts {
		total += c.Count
	}
	dst = append(dst, Attr{"alert.suppressed.count", IntValue(int64(total))})
	for _, c := range e.Counts {
		key := fmt.Sprintf("alert.suppressed.%s.%s", c.Rule, c.Severity)
		dst = append(dst, Attr{key, IntValue(int64(c.Count))})
	}
	return dst
}

func instantText(t int64) string { return time.Unix(0, t).UTC().Format(time.RFC3339Nano) }
