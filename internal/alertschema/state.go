package alertschema

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

var stateNames = [...]string{
	StateInactive: "inactive",
	StateFiring:   "firing",
	StateResolved: "resolved",
	StateNoData:   "no_data",
	StateFlapping: "flapping",
}

// String returns the value of KeyState.
func (s State) String() string { return name(stateNames[:], uint8(s)) }

// Valid tells whether the number is that of a state.
func (s State) Valid() bool { return int(s) < len(stateNames) }

// The severity of a record that says that an alert is resolved. Other records have that of the alert's level.
const (
	// ResolvedSeverityNumber is the OTLP severity number INFO.
	ResolvedSeverityNumber = 9
	// ResolvedSeverityText is the severity text.
	ResolvedSeverityText = "info"
)
