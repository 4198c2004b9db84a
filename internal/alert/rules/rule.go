package rules

import (
	"math"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
	"github.com/otelcol-psutil/otelcol-psutil/internal/hostmetrics"
)

// Set is a checked configuration, ready to run. It never changes; several engines may share it.
type Set struct {
	Rules         []*Rule
	Severities    []Severity
	Limits        LimitsConfig
	SendResolved  bool
	MaxSampleAge  int64
	MinStaleAfter int64 // The least staleAfter of all rules.
	// EvaluationInterval is how often time alone decides, in nanoseconds.
	EvaluationInterval int64
	// Order are the indices of the rules in the order of their evaluation: each after those that it refers to.
	Order    []int
	Silences []silence
	// Warnings are what is probably not meant as it is written, for the operator's log.
	Warnings []string
}

// Names returns the names of the rules in order.
func (r *Set) Names() []string {
	names := make([]string, len(r.Rules))
	for i, rule := range r.Rules {
		names[i] = rule.Name
	}
	return names
}

// Severity is one of the configured severities.
type Severity struct {
	// Name is what rules and records call it.
	Name string
	// Number is its OTLP severity number, 1 to 24.
	Number int
}

// Rule is one compiled rule. Times and spans are in nanoseconds. What the version is made of is in version.go.
type Rule struct {
	// Index is the rule's place in the configuration.
	Index int
	// Name identifies the rule, and with a group key its alerts.
	Name string
	// Description is copied to the records.
	Description string
	// Metric is the metric as the records name it; of a ratio both.
	Metric string

	// Kind is what kind of rule it is.
	Kind Kind
	// Retention is how far back the rule looks at samples, 0 for the newest one alone: the kind's Span, here because every sample asks.
	Retention int64
	// Value are the points of the rule's value, or what a ratio divides.
	Value Target
	// OnlyIf is a condition without which nothing fires, nil for none.
	OnlyIf *Condition
	// And is the rule without whose alerts this one does not fire, and Unless the one whose alerts hold back those of this one; nil for none.
	And, Unless *Reference
	// Active are the hours in which alerts are announced, nil for all.
	Active *Schedule
	// Window is the span of samples that Aggregate is of, 0 for the newest sample alone.
	Window int64
	// Aggregate makes one number of a window, and AggregateName is what records call it.
	Aggregate     window.Aggregate
	AggregateName string
	// Scale and Offset make the rule's value: Offset + Scale × aggregated value.
	Scale, Offset float64
	// Levels is the ladder, least severe first.
	Levels []LevelSpec
	// Threshold is what bounds are read from that are not written, nil when all are.
	Threshold *ThresholdSource
	// ThresholdsBy are the ladders of groups that have their own, nil for none.
	ThresholdsBy *ThresholdTable

	// GroupBy are the attributes of the group key; GroupGiven tells that they were written, so that the default does not apply.
	GroupBy    []GroupField
	GroupGiven bool
	// ByResource adds to them the attributes that identify the resource, whatever they are.
	ByResource bool
	// Identity are the resource attributes that identify it, where the configuration says so; nil for those of the conventions.
	Identity []string
	// GroupAggregate joins the series of a group. Joins tells that it was written: the default group key then leaves out what differs
	// between series.
	GroupAggregate window.GroupAggregate
	Joins          bool

	// Lookback is how long the last value counts as current, 0 for automatically.
	Lookback int64
	// NoData is the policy for values that stop, and NoDataAfter the age of the newest sample from which it applies.
	NoData      NoDataAction
	NoDataAfter int64
	// StaleAfter is when a silent series is forgotten.
	StaleAfter int64
	// NewSeriesDelay is for how long a new series is ignored.
	NewSeriesDelay int64
	// MinSamples is how many samples a window needs, and FullWindow makes it wait until samples cover it. PartialWindow takes what samples
	// there are for the whole. With neither a value counts as soon as what is missing can't change what it says.
	MinSamples                int
	FullWindow, PartialWindow bool
	// RepeatInterval is when a firing alert is announced again, 0 for never.
	RepeatInterval int64
	// Flapping is when an alert counts as flapping.
	Flapping ladder.FlappingRule
	// Top is how many alerts are announced at a time, 0 for no limit of the rule's own.
	Top int
	// MayMatchNothing says that it is no mistake of the operator's if the rule matches no series.
	MayMatchNothing bool

	// Labels and Annotations go with every record.
	Labels, Annotations []NamedTemplate

	// Version identifies what the rule decides by: 8 hex digits of a hash. Texts are not in it.
	Version string
	// Selection is what decides which groups exist; when it changes, old groups are closed. It is stored.
	Selection string
	// WrittenSelection is the selection in the form of builds that stored it as it was written.
	WrittenSelection string
}

// Target is a compiled selector: a metric, the points of it, and, where they describe many values, which statistic of them.
type Target struct {
	// Metric is the metric's name.
	Metric string
	// Selector selects its points.
	Selector Selector
	// Statistic is taken of histogram and summary points, and StatisticName is how it was written.
	Statistic     window.Statistic
	StatisticName string
	// Key is where in the configuration it stands, "" for the rule itself, else with a dot behind.
	Key string

	oldForm *hostmetrics.Metric // What hostmetricsreceiver has for the metric, where that is taken, too.
	oldName string              // Its name there, "" where that is the same.
}

// Condition is a compiled only_if.
type Condition struct {
	Target
	// Bound is what the newest value must breach.
	Bound LevelSpec
}

// GroupField is one attribute of a group key.
type GroupField struct {
	// Location is where it stands, and Key is its key.
	Location attr.Location
	Key      string
}

// NoDataAction is the policy for values that stop.
type NoDataAction uint8

const (
	// NoDataKeep says so, and stays.
	NoDataKeep NoDataAction = iota
	// NoDataResolve goes on as if the value were healthy.
	NoDataResolve
	// NoDataAlert fires.
	NoDataAlert
	// NoDataClose closes at once.
	NoDataClose
)

// noDataActions are the actions by name, in the order in which messages list them.
var noDataActions = []struct {
	name   string
	action NoDataAction
}{{"keep", NoDataKeep}, {"resolve", NoDataResolve}, {"alert", NoDataAlert}, {"close", NoDataClose}}

// LevelSpec is one level as written: its bounds wait for the metric's unit.
type LevelSpec struct {
	// Severity is the index into Set.Severities, Name and Number the severity's own.
	Severity int
	Name     string
	Number   int
	// Comparison is how values are compared with the bounds.
	Comparison ladder.Comparison
	// Raise are the bounds that a value breaches, the lower one first; one-sided comparisons have one.
	Raise [2]Quantity
	// Clear are those at which a level in force lets go, where HasClear says that they were written.
	Clear    [2]Quantity
	HasClear bool
	// Off is a level that groups of ThresholdsBy do not have.
	Off bool
	// source is what the bounds that move are read from.
	source *ThresholdSource
	// ofRate tells that the bounds are compared with rates of the metric.
	ofRate bool
	// Hysteresis is the relative distance of the clear bound from the bound where none was written.
	Hysteresis float64
	// ForDuration is how long the level must be breached before it fires.
	ForDuration int64
	// KeepFiringFor is how long its clear condition must hold before the alert steps down.
	KeepFiringFor int64
	// Horizon is how far ahead a forecast is read.
	Horizon int64
	// ForSamples is how many of the newest samples must breach the level before it fires, where that is asked instead of ForDuration.
	ForSamples ladder.SampleCount
	// Message is the template of the record's body, nil for none.
	Message *Template
}

// Unresolved returns the level without its bounds: what it is before the metric's unit is known.
func (s *LevelSpec) Unresolved() ladder.Level {
	return ladder.Level{Comparison: s.Comparison, ForDuration: s.ForDuration, KeepFiringFor: s.KeepFiringFor, Horizon: s.Horizon, Samples: s.ForSamples}
}

// Resolve turns the written bounds into numbers of the metric's unit.
func (s *LevelSpec) Resolve(unit string) (ladder.Level, error) {
	l := s.Unresolved()
	if s.Comparison == ladder.Absent {
		return l, nil
	}
	if s.Off {
		s.neverBreached(&l)
		return l, nil
	}
	var err error
	for i, to := range []*float64{&l.Low, &l.High} {
		if *to, err = s.Raise[i].In(unit); err != nil {
			return l, err
		}
	}
	if s.HasClear {
		for i, to := range []*float64{&l.ClearLow, &l.ClearHigh} {
			if *to, err = s.Clear[i].In(unit); err != nil {
				return l, err
			}
		}
		return l, nil
	}
	s.clearByHysteresis(&l)
	return l, nil
}

// neverBreached sets bounds that no value breaches and none is held by.
func (s *LevelSpec) neverBreached(l *ladder.Level) {
	l.Low, l.High = math.Inf(1), math.Inf(-1) // Above, and inside.
	if s.Comparison == ladder.Below || s.Comparison == ladder.Outside {
		l.Low, l.High = l.High, l.Low
	}
	l.ClearLow, l.ClearHigh = l.Low, l.High
}

// clearByHysteresis sets the clear bounds where none are written.
func (s *LevelSpec) clearByHysteresis(l *ladder.Level) {
	down, up := s.Hysteresis*math.Abs(l.Low), s.Hysteresis*math.Abs(l.High)
	switch s.Comparison {
	case ladder.Above:
		l.ClearLow = l.Low - down
	case ladder.Below:
		l.ClearLow = l.Low + down
	case ladder.Outside:
		l.ClearLow, l.ClearHigh = l.Low+down, l.High-up
	default:
		l.ClearLow, l.ClearHigh = l.Low-down, l.High+up
	}
}

// LevelName returns the name of a level, counted from 1, and "" for the level 0 of a rule that is well.
func (r *Rule) LevelName(level int) string {
	if level <= 0 || level > len(r.Levels) {
		return ""
	}
	return r.Levels[level-1].Name
}
