package alertschema

import "strconv"

// State is the state of an alert that a record announces: the value of KeyState. Its number is stored.
type State uint8

// The states. Append only: the numbers are stored.
const (
	// StateInactive is the state before a fire. Records have it as the previous state only.
	StateInactive State = 0
	// StateFiring is the state of an alert of which a level is in force.
	StateFiring State = 1
	// StateResolved is the state after an episode has ended.
	StateResolved State = 2
	// StateNoData is the state of a firing alert whose data has stopped. It is not resolved.
	StateNoData State = 3
	// StateFlapping is the state of an alert that changes too often; while it lasts the alert counts as active.
	StateFlapping State = 4
)

// states has a row for each state.
var states = [...]struct {
	name string
	// active tells that an alert in the state has a problem that is not over.
	active bool
}{
	StateInactive: {name: "inactive"},
	StateFiring:   {name: "firing", active: true},
	StateResolved: {name: "resolved"},
	StateNoData:   {name: "no_data", active: true},
	StateFlapping: {name: "flapping", active: true},
}

// String returns the value of KeyState.
func (s State) String() string {
	if !s.Valid() {
		return strconv.Itoa(int(s))
	}
	return states[s].name
}

// Valid tells whether the number is that of a state.
func (s State) Valid() bool { return int(s) < len(states) }

// ParseState is the inverse of String; false when no state has the name.
func ParseState(text string) (State, bool) {
	for n := range states {
		if states[n].name == text {
			return State(n), true
		}
	}
	return 0, false
}

// Active tells whether an alert in this state counts as firing for whoever reads the record. A state that a later schema adds counts as such:
// what is not understood must not look resolved.
func (s State) Active() bool { return !s.Valid() || states[s].active }

// The severity of a record that says that an alert is resolved. Other records have that of the alert's level.
const (
	// ResolvedSeverityNumber is the OTLP severity number INFO.
	ResolvedSeverityNumber = 9
	// ResolvedSeverityText is the severity text.
	ResolvedSeverityText = "info"
)
