package rules

import (
	"math"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
)

// Set is a checked configuration, ready to run. It never changes; several engines may share it.
type Set struct {
	Rules         []*Rule
	Severities    []Severity
	Limits        LimitsConfig
	SendResolved  bool
	MaxSampleAge  int64
	MinStaleAfter int64 // The least staleAfter of all rules.
	Silences      []silence
}

// Names returns the names of the rules in order.
func (r *Set) Names() []string {
	names := make([]string, len(r.Rules))
	for i, rule := range r.Rules {
		names[i] = rule.Name
	}
	return names
}

// Severity is one rung's name and its OTLP severity number.
type Severity struct {
	Name   string
	Number int
}

// Rule is one compiled rule. Times and spans are nanoseconds.
type Rule struct {
	Index           int
	Name            string
	Description     string
	Metric          string // As the records name it; of a ratio both.
	Kind            Kind
	Value           Target // The points of the rule's value, or what a ratio divides.
	OnlyIf          *Condition
	GroupBy         []GroupField
	ByResource      bool // group_by has the resource's identity, whatever attributes that is.
	GroupGiven      bool // group_by was written, so the default does not apply.
	GroupAggregate  window.GroupAggregate
	MayMatchNothing bool
	Joins           bool // group_agg was written, so the default group key leaves out what differs between series.
	AggregateName   string
	Aggregate       window.Aggregate
	Window          int64
	Scale           float64
	Offset          float64
	Levels          []LevelSpec // Least severe first.

	Lookback       int64 // 0 is auto.
	NoDataAfter    int64
	NoData         NoDataAction
	StaleAfter     int64
	NewSeriesDelay int64
	MinSamples     int
	FullWindow     bool
	RepeatInterval int64
	Flapping       ladder.FlappingRule
	Top            int

	Labels      []NamedTemplate
	Annotations []NamedTemplate

	Version   string // 8 hex: the selection, window, thresholds and times; not the texts.
	Selection string // What decides which groups exist; when it changes, old groups are closed.
}

// Target is a compiled selector: a metric, the points of it, and, where they describe many values, which statistic of them.
type Target struct {
	Metric        string
	Selector      Selector
	Statistic     window.Statistic
	StatisticName string // The statistic as written.
	// Key is where in the configuration it stands, "" for the rule itself, else with a dot behind.
	Key string
}

// Condition is a compiled only_if.
type Condition struct {
	Target
	Bound LevelSpec
}

// GroupField is one attribute of a group key.
type GroupField struct {
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
	Severity      int // Index into Rules.severities.
	Name          string
	Number        int
	Comparison    ladder.Comparison
	Raise         [2]Quantity
	Clear         [2]Quantity
	HasClear      bool
	Hysteresis    float64 // Relative distance of the clear bound where there is no clear.
	ForDuration   int64   // How long the level must be breached before it fires.
	KeepFiringFor int64   // How long its clear condition must hold before the alert steps down.
	Horizon       int64
	Message       *Template
}

// Unresolved returns the level without its bounds: what it is before the metric's unit is known.
func (s *LevelSpec) Unresolved() ladder.Level {
	return ladder.Level{Comparison: s.Comparison, ForDuration: s.ForDuration, KeepFiringFor: s.KeepFiringFor, Horizon: s.Horizon}
}

// Resolve turns the written bounds into numbers of the metric's unit.
func (s *LevelSpec) Resolve(unit string) (ladder.Level, error) {
	l := s.Unresolved()
	if s.Comparison == ladder.Absent {
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
	return l, nil
}

// LevelName returns the name of a level, counted from 1, and "" for the level 0 of a rule that is well.
func (r *Rule) LevelName(level int) string {
	if level <= 0 || level > len(r.Levels) {
		return ""
	}
	return r.Levels[level-1].Name
}
