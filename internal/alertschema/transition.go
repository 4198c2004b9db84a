package alertschema

import "strconv"

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
	// TransitionSilenceStart says that a person has silenced an announced alert.
	TransitionSilenceStart Transition = 9
	// TransitionSilenceEnd says that an announced alert is no longer silenced by a person.
	TransitionSilenceEnd Transition = 10
	// TransitionAcknowledge says that a person looks after an announced alert.
	TransitionAcknowledge Transition = 11
)

// transitions has a row for each transition: what is true of it whatever the alert.
var transitions = [...]struct {
	name string
	// changesLevel tells that it puts another level in force, resolved among them.
	changesLevel bool
	// announces is the state that its record announces. It is StateInactive where varies tells that the state depends on the alert.
	announces State
	varies    bool
	// byPerson tells that a person did it. The alert itself has not changed.
	byPerson bool
	// record is whether its record may give way in a full outbox.
	record giveWay
}{
	TransitionFire:          {name: "fire", changesLevel: true, announces: StateFiring, record: neverGivesWay},
	TransitionEscalate:      {name: "escalate", changesLevel: true, announces: StateFiring, record: givesWayToLater},
	TransitionDeescalate:    {name: "deescalate", changesLevel: true, announces: StateFiring, record: givesWayToLater},
	TransitionResolve:       {name: "resolve", changesLevel: true, announces: StateResolved, record: neverGivesWay},
	TransitionRepeat:        {name: "repeat", varies: true, record: givesWay},
	TransitionNoData:        {name: "no_data", announces: StateNoData, record: givesWayToLater},
	TransitionDataBack:      {name: "data_back", announces: StateFiring, record: givesWayToLater},
	TransitionFlappingStart: {name: "flapping_start", announces: StateFlapping, record: givesWayToLater},
	TransitionFlappingEnd:   {name: "flapping_end", varies: true, record: givesWayToLater},
	TransitionSilenceStart:  {name: "silence_start", varies: true, byPerson: true, record: givesWayToLater},
	TransitionSilenceEnd:    {name: "silence_end", varies: true, byPerson: true, record: givesWayToLater},
	TransitionAcknowledge:   {name: "acknowledge", varies: true, byPerson: true, record: givesWayToLater},
}

// giveWay tells when the record of a transition may be left out for lack of room. A row without it fails the tests.
type giveWay uint8

const (
	// neverGivesWay is a record that begins or ends an episode: it is left out with its whole episode or not at all.
	neverGivesWay giveWay = iota + 1
	// givesWayToLater is a record that a later one of the same episode makes pointless.
	givesWayToLater
	// givesWay is a record that says nothing new.
	givesWay
)

// String returns the value of KeyTransition.
func (t Transition) String() string {
	if !t.Valid() {
		return strconv.Itoa(int(t))
	}
	return transitions[t].name
}

// Valid tells whether the number is that of a transition.
func (t Transition) Valid() bool { return int(t) < len(transitions) }

// ParseTransition is the inverse of String; false when no transition has the name.
func ParseTransition(text string) (Transition, bool) {
	for n := range transitions {
		if transitions[n].name == text {
			return Transition(n), true
		}
	}
	return 0, false
}

// ChangesLevel tells whether the transition puts another level in force, resolved among them.
func (t Transition) ChangesLevel() bool { return t.Valid() && transitions[t].changesLevel }

// MovesLevel tells whether the transition is from one level to another within an episode, which it neither begins nor ends.
func (t Transition) MovesLevel() bool { return t.ChangesLevel() && t.GivesWayToLater() }

// Announces returns the state that the record of the transition announces; false when that depends on the alert.
func (t Transition) Announces() (State, bool) {
	if !t.Valid() || transitions[t].varies {
		return StateInactive, false
	}
	return transitions[t].announces, true
}

// ByPerson tells whether a person did it: the alert itself has not changed, and neither has its state.
func (t Transition) ByPerson() bool { return t.Valid() && transitions[t].byPerson }

// GivesWay tells whether the record of the transition may be left out where room is lacking, as it says nothing new.
func (t Transition) GivesWay() bool { return t.Valid() && transitions[t].record == givesWay }

// GivesWayToLater tells whether the record may be left out when a later one of the same episode is there.
func (t Transition) GivesWayToLater() bool {
	return !t.Valid() || transitions[t].record != neverGivesWay
}
