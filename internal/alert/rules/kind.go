package rules

import (
	"slices"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// Kind is what a kind of rule does in its own way. The engine asks the kind of a rule, and knows none by name. A new kind is a file with
// the type, its place in kinds, and its block in RuleConfig and in blocks.
type Kind interface {
	// Name is what the kind is called: the key of its block, or "threshold" for the plain comparison.
	Name() string
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
	// Text says in plain words what the rule has found, for a message that nobody wrote a template for. It stands behind the rule's name and
	// group, and is true at every transition: see Finding.
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
	// RoleThreshold is what bounds are read from that are not written.
	RoleThreshold
	// RoleTotal is what a share is of.
	RoleTotal
	// RoleCount is how many roles there are.
	RoleCount
)

// Input is one selector of a rule, and what its points are for.
type Input struct {
	*Target
	Role Role
	// AnyShape takes points of any kind, histograms and summaries too, without a statistic of them.
	AnyShape bool
	// Optional tells that the rule has a value without the input. It may be in another unit.
	Optional bool
	// versionKey is the name of the input's statistic in rule versions.
	versionKey string
}

// JudgesRoundsWhole tells whether a group waits for all of its inputs before its first value.
func (r *Rule) JudgesRoundsWhole() bool {
	return r.GroupAggregate != window.GroupWorst || slices.ContainsFunc(r.Kind.Inputs(), func(in Input) bool { return in.Role == RoleTotal })
}

// Inputs are all selectors of the rule: those of its kind, and those of its condition and of bounds that are read from a metric.
func (r *Rule) Inputs() []Input {
	inputs := r.Kind.Inputs()
	if r.OnlyIf != nil {
		inputs = append(inputs, Input{Target: &r.OnlyIf.Target, Role: RoleCondition})
	}
	if r.Threshold != nil && !r.Threshold.OfAttribute {
		inputs = append(inputs, Input{Target: &r.Threshold.Target, Role: RoleThreshold})
	}
	return inputs
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
	// Offset is Rule.Offset in the unit of the rule's value.
	Offset float64
	// Scales are what values of a series are to be multiplied with to be of the group's unit, by Series.Unit; empty when all have it.
	Scales []float64
	// valueOffset is Offset for a kind that applies it to several values, and to nothing after these.
	valueOffset float64
	// Restoring asks for full windows, because the samples before a restart are gone.
	Restoring bool
	// LastSample is the time of the newest sample of the group's value, ladder.Unset when none was ever seen.
	LastSample int64
	// Histories has what was at earlier times, for the kinds that keep histories.
	Histories Histories
	// Resumed tells that series may have samples from before the engine began to look.
	Resumed bool
	// Uptime is for how long the engine has been looking, in nanoseconds of time that counts.
	Uptime int64
	// Interval is the distance of the group's samples where series are counted, in nanoseconds, 0 when not known.
	Interval int64

	// Result is what Read has worked out. It is empty before, with By at -1.
	Result

	scratch []float64
	byLevel []float64
	// fitted is what a forecast has fitted last for this group, at this time.
	fitted fittedLine
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

// kindSpec registers a kind of rule.
type kindSpec struct {
	// key is that of the kind's block in the rule; blocks has how to tell that it is given, and exclusions what it does not go with.
	key string
	// compile checks the block and makes the kind. inner is the kind that the rule would be of without the block.
	compile func(c *compiler, rc RuleConfig, r *Rule, inner Kind, report func(string, ...any)) Kind
}

// kinds are the kinds of rules beside the plain comparison of a value, in the order in which one wraps another.
var kinds = []kindSpec{ratioSpec, forecastSpec, changeSpec, absenceSpec}

// given tells whether the rule has the kind's block.
func (k *kindSpec) given(rc *RuleConfig) bool {
	i := slices.IndexFunc(blocks, func(b block) bool { return b.key == k.key })
	return blocks[i].given(rc)
}

// compileKind finds what kind of rule it is.
func (c *compiler) compileKind(rc RuleConfig, r *Rule, report func(string, ...any)) {
	checkCombination(&rc, report)
	r.Kind = &comparison{valueKind{r}}
	for _, k := range kinds {
		if k.given(&rc) {
			r.Kind = k.compile(c, rc, r, r.Kind, report)
		}
	}
	switch {
	case rc.addends != nil:
		r.Kind = compileMeanOfSums(rc, r, report)
	case rc.inUse != nil:
		r.Kind = compileInUse(rc, r, report)
	}
}

// Historian is a kind that compares with what was at an earlier time. The engine keeps a history for each series of a group, or one for the
// group, over restarts, too.
type Historian interface {
	// HistorySpan is how far back the histories reach.
	HistorySpan() window.HistorySpan
	// HistoryTexts tell the histories of the rule from those of others: all that their values depend on. The first is that of today, a second
	// one that under which builds before have stored them.
	HistoryTexts() []string
}

// Histories are the histories of a group.
type Histories interface {
	// Of returns the history of one of the group's series, or, of nil, that of the group; nil when there is none.
	Of(s *window.Series) *window.History
}

// HistoryOfGroup tells whether the rule's histories are those of groups, because a group's series are joined, and not of each series.
func (r *Rule) HistoryOfGroup() bool { return r.GroupAggregate != window.GroupWorst }

// recordAnnotator is a kind that adds attributes to its records.
type recordAnnotator interface{ recordAttributes() []attr.Attr }

// RecordAttributes returns what the rule's kind adds to the attributes of records.
func (r *Rule) RecordAttributes() []attr.Attr {
	if k, own := r.Kind.(recordAnnotator); own {
		return k.recordAttributes()
	}
	return nil
}

// groupReader is a kind that has one value of a group, joined of its series.
type groupReader interface {
	// readGroup returns the group's value before scale and offset, and the position of its newest series.
	readGroup(m *Moment) (v float64, by int, presence window.Presence)
	// subject names the value in messages, scaled as the given form of the rule is.
	subject(r *Rule) string
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
