package alertschema

import (
	"slices"
	"strconv"
)

// Kind tells what a record reports. Its number is stored.
type Kind uint8

// The kinds of records. Append only: the numbers are stored.
const (
	// KindStateChange is a transition of one alert, or the repetition of its state.
	KindStateChange Kind = 0
	// KindSuppressed is a summary of what limits::events_per_minute held back.
	KindSuppressed Kind = 1
	// KindRuleError reports a rule that cannot be evaluated.
	KindRuleError Kind = 2
)

// Event names of alert records, one for each kind.
const (
	// EventStateChange is the event name of KindStateChange.
	EventStateChange = "alert.state_change"
	// EventSuppressed is the event name of KindSuppressed.
	EventSuppressed = "alert.suppressed"
	// EventRuleError is the event name of KindRuleError.
	EventRuleError = "alert.rule_error"
	// EventRule is the event name of what is said of a rule at the start. It has no kind, for it is never stored.
	EventRule = "alert.rule"
)

var eventNames = [...]string{KindStateChange: EventStateChange, KindSuppressed: EventSuppressed, KindRuleError: EventRuleError}

// EventName returns the event name of a record of this kind.
func (k Kind) EventName() string { return name(eventNames[:], uint8(k)) }

// Valid tells whether the number is that of a kind.
func (k Kind) Valid() bool { return int(k) < len(eventNames) }

// name returns the name of a number, and the number itself when it has none.
func name(names []string, number uint8) string {
	if int(number) < len(names) {
		return names[number]
	}
	return strconv.Itoa(int(number))
}

// NamesEvent tells whether an event name is that of an alert record.
func NamesEvent(name string) bool { return name == EventRule || slices.Contains(eventNames[:], name) }
