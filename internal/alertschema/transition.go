package alertschema

// Transition is what happened to an alert: the value of KeyTransition. Its number is stored.
type Transition uint8

// The transitions. Append only: the numbers are stored. At most one record is made for each time that one happens.
const (
	// TransitionFire begins an episode: a level's condition has lasted its for.
	TransitionFire Transition = 0
	// TransitionEscalate is the change of a firing alert to a more severe level.
	TransitionEscalate Transition = 1
	// TransitionDeescalate is the change of a firing alert to a less severe level.
	TransitionDeescalate Transition = 2
	// TransitionResolve ends an episode: the value is well, or the rule or its series are gone.
	TransitionResolve Transition = 3
	// TransitionRepeat says again that an alert is firing, repeat_interval after the last record.
	TransitionRepeat Transition = 4
	// TransitionNoData says that a firing alert has had no data for no_data::after.
	TransitionNoData Transition = 5
	// TransitionDataBack says that an alert without data has data again and is still firing.
	TransitionDataBack Transition = 6
	// TransitionFlappingStart says that an alert has changed too often, and that further changes are held back.
	TransitionFlappingStart Transition = 7
	// TransitionFlappingEnd says that a flapping alert has been stable for flapping::stable_for.
	TransitionFlappingEnd Transition = 8
)

var transitionNames = [...]string{
	TransitionFire:          "fire",
	TransitionEscalate:      "escalate",
	TransitionDeescalate:    "deescalate",
	TransitionResolve:       "resolve",
	TransitionRepeat:        "repeat",
	TransitionNoData:        "no_data",
	TransitionDataBack:      "data_back",
	TransitionFlappingStart: "flapping_start",
	TransitionFlappingEnd:   "flapping_end",
}

// String returns the value of KeyTransition.
func (t Transition) String() string { return name(transitionNames[:], uint8(t)) }

// Valid tells whether the number is that of a transition.
func (t Transition) Valid() bool { return int(t) < len(transitionNames) }

// ChangesLevel tells whether the transition puts another level in force, resolved among them.
func (t Transition) ChangesLevel() bool {
	switch t {
	case TransitionFire, TransitionEscalate, TransitionDeescalate, TransitionResolve:
		return true
	default:
		return false
	}
}
