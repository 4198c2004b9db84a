package alert

import (
	"math"
)

// Rules is a checked configuration, ready to run. It never changes; several engines may share it.
type Rules struct {
	rules        []*rule
	severities   []severity
	limits       LimitsConfig
	resolved     bool
	maxSampleAge int64
	minStale     int64 // The least staleAfter of all rules.
	silences     []silence
}

// Names returns the names of the rules in order.
func (r *Rules) Names() []string {
	names := make([]string, len(r.rules))
	for i, rule := range r.rules {
		names[i] = rule.name
	}
	return names
}

// severity is one rung's name and its OTLP severity number.
type severity struct {
	name   string
	number int
}

// rule is one compiled rule. Times and spans are nanoseconds.
type rule struct {
	index           int
	name            string
	description     string
	metric          string  // As the records name it; of a ratio both.
	value           target  // The points of the rule's value, or what a ratio divides.
	divisor         *target // What a ratio divides by; nil without one.
	onlyIf          *conditionRule
	groupBy         []groupField
	byResource      bool // group_by has the resource's identity, whatever attributes that is.
	groupGiven      bool // group_by was written, so the default does not apply.
	groupAgg        groupAggregate
	mayMatchNothing bool
	joins           bool // group_agg was written, so the default group key leaves out what differs between series.
	aggName         string
	agg             aggregate
	window          int64
	forecast        *forecastRule
	absent          *absentRule
	scale           float64
	offset          float64
	levels          []levelSpec // Least severe first.

	lookback       int64 // 0 is auto.
	noDataAfter    int64
	noData         noDataAction
	staleAfter     int64
	newSeriesDelay int64
	minSamples     int
	fullWindow     bool
	repeat         int64
	flapping       flappingRule
	top            int

	labels      []namedTemplate
	annotations []namedTemplate

	version   string // 8 hex: the selection, window, thresholds and times; not the texts.
	selection string // What decides which groups exist; when it changes, old groups are closed.
}

// target is a compiled selector: a metric, the points of it, and, where they describe many values, which figure of them.
type target struct {
	metric string
	sel    selector
	figure figure
	point  string // The figure as written.
	// key is where in the configuration it stands, "" for the rule itself, else with a dot behind.
	key string
}

// conditionRule is a compiled only_if.
type conditionRule struct {
	target
	bound levelSpec
}

type forecastRule struct {
	window      int64
	minCoverage float64
}

type absentRule struct {
	after, grace int64
	expect       bool
}

// groupField is one attribute of a group key.
type groupField struct {
	source attrSource
	key    string
}

// noDataAction is the policy for values that stop.
type noDataAction uint8

const (
	// noDataKeep says so, and stays.
	noDataKeep noDataAction = iota
	// noDataResolve goes on as if the value were healthy.
	noDataResolve
	// noDataAlert fires.
	noDataAlert
	// noDataOK closes at once.
	noDataOK
)

// noDataActions are the actions by name, in the order in which messages list them.
var noDataActions = []struct {
	name   string
	action noDataAction
}{{"keep", noDataKeep}, {"resolve", noDataResolve}, {"alert", noDataAlert}, {"ok", noDataOK}}

// levelSpec is one level as written: its bounds wait for the metric's unit.
type levelSpec struct {
	severity      int // Index into Rules.severities.
	name          string
	number        int
	cmp           comparison
	raise         [2]quantity
	clear         [2]quantity
	hasClear      bool
	hysteresis    float64 // Relative distance of the clear bound where there is no clear.
	forDuration   int64   // How long the level must be breached before it fires.
	keepFiringFor int64   // How long its clear condition must hold before the alert steps down.
	horizon       int64
	message       *messageTemplate
}

// resolve turns the written bounds into numbers of the metric's unit.
func (s *levelSpec) resolve(unit string) (level, error) {
	l := level{cmp: s.cmp, forDuration: s.forDuration, keepFiringFor: s.keepFiringFor, horizon: s.horizon}
	if s.cmp == isAbsent {
		return l, nil
	}
	var err error
	for i, to := range []*float64{&l.lo, &l.hi} {
		if *to, err = s.raise[i].in(unit); err != nil {
			return l, err
		}
	}
	if s.hasClear {
		for i, to := range []*float64{&l.clearLo, &l.clearHi} {
			if *to, err = s.clear[i].in(unit); err != nil {
				return l, err
			}
		}
		return l, nil
	}
	down, up := s.hysteresis*math.Abs(l.lo), s.hysteresis*math.Abs(l.hi)
	switch s.cmp {
	case above:
		l.clearLo = l.lo - down
	case below:
		l.clearLo = l.lo + down
	case outside:
		l.clearLo, l.clearHi = l.lo+down, l.hi-up
	default:
		l.clearLo, l.clearHi = l.lo-down, l.hi+up
	}
	return l, nil
}

// retention is how far back the rule needs samples.
func (r *rule) retention() int64 {
	if r.forecast != nil {
		return r.forecast.window
	}
	return r.window
}

// presence is how long after its last sample a series still has a value.
func (r *rule) presence(lookback int64) int64 {
	if w := r.retention(); w > 0 {
		return w
	}
	return lookback
}

// levelName returns the name of a level, counted from 1, and "" for the level 0 of a rule that is well.
func (r *rule) levelName(level int) string {
	if level <= 0 || level > len(r.levels) {
		return ""
	}
	return r.levels[level-1].name
}
