package alertschema

// Reason is why a transition happened: the value of KeyReason. Its number is stored.
type Reason uint8

// The reasons. Append only: the numbers are stored.
const (
	// ReasonThreshold is a value that was compared with the bounds of a level.
	ReasonThreshold Reason = 0
	// ReasonForecast is a forecast value that was compared with the bounds of a level.
	ReasonForecast Reason = 1
	// ReasonAbsent is a series that has not been there for absent::for, or is there again.
	ReasonAbsent Reason = 2
	// ReasonNoData is the policy no_data, applied because values have stopped.
	ReasonNoData Reason = 3
	// ReasonStale is a series that was silent for stale_series_after and is forgotten.
	ReasonStale Reason = 4
	// ReasonRuleRemoved is a rule that is no longer in the configuration.
	ReasonRuleRemoved Reason = 5
	// ReasonRuleChanged is a rule that selects or groups other series than before.
	ReasonRuleChanged Reason = 6
	// ReasonRepeat is a repeat_interval that has passed.
	ReasonRepeat Reason = 7
	// ReasonStormReleased is room under limits::events_per_minute for a record that was held back.
	ReasonStormReleased Reason = 8
	// ReasonOnlyIf is a condition only_if that no longer holds.
	ReasonOnlyIf Reason = 9
	// ReasonPerson is a person who asked for it, or the end of what a person asked for.
	ReasonPerson Reason = 10
)

var reasonNames = [...]string{
	ReasonThreshold:     "threshold",
	ReasonForecast:      "forecast",
	ReasonAbsent:        "absent",
	ReasonNoData:        "no_data",
	ReasonStale:         "stale",
	ReasonRuleRemoved:   "rule_removed",
	ReasonRuleChanged:   "rule_changed",
	ReasonRepeat:        "repeat",
	ReasonStormReleased: "storm_released",
	ReasonOnlyIf:        "only_if",
	ReasonPerson:        "person",
}

// String returns the value of KeyReason.
func (r Reason) String() string { return name(reasonNames[:], uint8(r)) }

// Valid tells whether the number is that of a reason.
func (r Reason) Valid() bool { return int(r) < len(reasonNames) }
