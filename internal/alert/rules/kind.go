package rules

import (
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// Kind is what a kind of rule does in its own way. The engine asks the kind of a rule, and knows none by name. A new kind is a file with
// the type, its place in kinds, and its block in RuleConfig.
type Kind interface {
	// Inputs are the selectors that the rule's value is made of, that of RoleValue first.
	Inputs() []Input
	// Span is how far back the rule looks at samples, in nanoseconds; 0 for the newest sample alone. It decides what samples of a series
	// are kept, and their number, which limits::samples_per_series bounds; for how long after the newest sample there is a value, which
	// without a span is the lookback; that after a restart a firing alert waits until samples cover it again; and alert.window of records.
	Span() int64
	// Read works out the rule's value at one moment, and until when it holds: the moment's Result.
	Read(m *Moment)
	// FixedUnit is the unit of the rule's value where it does not depend on the metric's.
	FixedUnit() (unit string, fixed bool)
	// Silence is how long nothing must have come for the rule to fire, in nanoseconds: the condition is the silence itself, and groups are
	// remembered however long it lasts. It is 0 for rules about values, to which the no-data policy applies when these stop.
	Silence() int64
	// Reason is why the rule's value changes an alert.
	Reason() alertschema.Reason
	// SelectionText and VersionText are what the kind adds to the rule's selection and version. They are stored: text that has been
	// released stays, or alerts are closed on an upgrade.
	SelectionText() string
	VersionText() string
	// Text says in plain words what the rule has found, for a message that nobody wrote a template for.
	Text(f Finding) string
}

// valueKind is what the kinds about values have in common: embed it. A kind embeds no other kind, or it would have its reading and its
// version unnoticed; all that the interface asks for besides is each kind's own.
type valueKind struct{ rule *Rule }

// FixedUnit leaves the unit to the metric.
func (k *valueKind) FixedUnit() (string, bool) { return "", false }

// Silence is none: when the values stop, the no-data policy applies.
func (k *valueKind) Silence() int64 { return 0 }

// Role is what a rule looks at the points of a selector for.
type Role uint8

const (
	// RoleValue is the rule's value, or what a ratio divides.
	RoleValue Role = iota
	// RoleDivisor is what a ratio divides by.
	RoleDivisor
	// RoleCondition is what only_if looks at.
	RoleCondition
	// RoleCount is how many roles there are.
	RoleCount
)

// Input is one selector of a rule, and what its points are for.
type Input struct {
	*Target
	Role Role
	// AnyShape takes points of any kind, histograms and summaries too, without a statistic of them.
	AnyShape bool
	// versionKey is the name of the input's statistic in rule versions.
	versionKey string
}

// Moment is a group of a rule at one event time: what Read makes the value of. The slices are the caller's to reuse. Times are
// nanoseconds since the epoch.
type Moment struct {
	// Time is the event time.
	Time int64
	// Series are the group's series by role.
	Series [RoleCount][]*window.Series
	// Levels is the rule's ladder in the unit of its value.
	Levels []ladder.Level
	// OneReading tells that one value answers for all levels: they look equally far ahead, and the same series is the worst for all.
	OneReading bool
	// Restoring asks for full windows, because the samples before a restart are gone.
	Restoring bool
	// LastSample is the time of the newest sample of the group's value, ladder.Unset when none was ever seen.
	LastSample int64
	// Uptime is for how long the engine has been looking, in nanoseconds of wall time.
	Uptime int64

	// Result is what Read has worked out. It is empty before, with By at -1.
	Result

	scratch []float64
	byLevel []float64
}

// Result is a rule's value at one moment.
type Result struct {
	ladder.Reading
	// Presence tells whether there is a value; without one the reading says nothing.
	Presence window.Presence
	// Until is the time up to which there is a value if nothing more comes.
	Until int64
	// By is the position of the series that decided among those of RoleValue, -1 when none did.
	By int
}

// Finding is what a rule has found, for Kind.Text.
type Finding struct {
	// Value is the compared value, and Unit its unit.
	Value attr.Number
	Unit  string
	// Level is the level that it was compared with.
	Level *LevelSpec
}

// kindSpec registers a kind of rule.
type kindSpec struct {
	// given tells whether the rule has the kind's block.
	given func(*RuleConfig) bool
	// compile checks the block and makes the kind. inner is the kind that the rule would be of without the block.
	compile func(c *compiler, rc RuleConfig, r *Rule, inner Kind, report func(string, ...any)) Kind
}

// kinds are the kinds of rules beside the plain comparison of a value, in the order in which one wraps another.
var kinds = []kindSpec{ratioSpec, forecastSpec, absenceSpec}

// compileKind finds what kind of rule it is.
func (c *compiler) compileKind(rc RuleConfig, r *Rule, report func(string, ...any)) {
	r.Kind = &comparison{valueKind{r}}
	for _, k := range kinds {
		if k.given(&rc) {
			r.Kind = k.compile(c, rc, r, r.Kind, report)
		}
	}
	if rc.addends != nil {
		r.Kind = compileMeanOfSums(rc, r, report)
	}
}

// levelCompiler is a kind whose levels have settings of their own.
type levelCompiler interface {
	// compileLevel fills what the kind has to say of a level.
	compileLevel(spec *LevelSpec, lc LevelConfig, report func(string, ...any))
}

// boundsChecker is a kind whose value can't be compared with every bound.
type boundsChecker interface {
	checkBounds(report func(string, ...any))
}

// ladderCompiler is a kind whose ladder is not one of bounds.
type ladderCompiler interface {
	compileLevels(c *compiler, rc RuleConfig, hasBound bool, report func(string, ...any))
}
