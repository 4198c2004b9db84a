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
	evalInterval int64
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

type flappingRule struct {
	enabled        bool
	transitions    int
	within, stable int64
}

// groupField is one attribute of a group key.
type groupField struct {
	source attrSource
	key    string
}

// attrSource tells where an attribute stands.
type attrSource uint8

// The numbers are stored, rule versions and alert IDs are made of them, and group keys have their attributes in order of them: append only.
const (
	// fromPoint is an attribute of the data point.
	fromPoint attrSource = 0
	// fromResource is an attribute of the resource.
	fromResource attrSource = 1
	// fromScope is an attribute of the instrumentation scope.
	fromScope attrSource = 2
)

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

// comparison is how a level compares.
type comparison uint8

const (
	above comparison = iota
	below
	outside
	inside
	isAbsent
)

// comparisonNames are what rule versions are made of.
var comparisonNames = [...]string{above: "above", below: "below", outside: "outside", inside: "inside", isAbsent: "absent"}

// comparisonSymbols are what records and stored alerts have.
var comparisonSymbols = [...]string{above: ">", below: "<", outside: "outside", inside: "inside", isAbsent: "absent"}

func (c comparison) String() string { return comparisonNames[c] }

// holds tells whether v is on the wrong side of the bounds. One-sided comparisons use lo alone.
func (c comparison) holds(lo, hi, v float64) bool {
	switch c {
	case above:
		return v > lo
	case below:
		return v < lo
	case outside:
		return v < lo || v > hi
	case inside:
		return v >= lo && v <= hi
	default:
		return v > 0
	}
}

// worse tells whether a is nearer to breaching, or deeper in the breach, than b.
func (c comparison) worse(a, b, lo, hi float64) bool {
	switch c {
	case below:
		return a < b
	case outside:
		mid := lo + (hi-lo)/2
		return math.Abs(a-mid) > math.Abs(b-mid)
	case inside:
		mid := lo + (hi-lo)/2
		return math.Abs(a-mid) < math.Abs(b-mid)
	default:
		return a > b
	}
}

// levelSpec is one level as written: its bounds wait for the metric's unit.
type levelSpec struct {
	severity int // Index into Rules.severities.
	name     string
	number   int
	cmp      comparison
	raise    [2]quantity
	clear    [2]quantity
	hasClear bool
	band     float64 // Relative hysteresis where there is no clear.
	hold     int64   // for
	keep     int64   // keep_firing_for
	horizon  int64
	message  *messageTemplate
}

// level is one level with its bounds as numbers of the metric's unit.
type level struct {
	*levelSpec
	lo, hi           float64
	clearLo, clearHi float64
}

func (l *level) raised(v float64) bool { return l.cmp.holds(l.lo, l.hi, v) }

func (l *level) held(v float64) bool { return l.cmp.holds(l.clearLo, l.clearHi, v) }

// sameWorst tells whether the series that is worst for one of the other level's bounds is worst for all of this one's. It may
// not be when bounds on two sides have different middles.
func (l *level) sameWorst(o *level) bool {
	return l.cmp == above || l.cmp == below || l.cmp == isAbsent ||
		l.lo+l.hi == o.lo+o.hi && l.clearLo+l.clearHi == o.lo+o.hi
}

// threshold returns the bound that v is compared with, or, cleared, the one that clears it; two-sided levels give the nearer one.
func (l *level) threshold(v float64, cleared bool) float64 {
	lo, hi := l.lo, l.hi
	if cleared {
		lo, hi = l.clearLo, l.clearHi
	}
	if (l.cmp == outside || l.cmp == inside) && math.Abs(v-hi) < math.Abs(v-lo) {
		return hi
	}
	return lo
}

// resolve turns the written bounds into numbers of the metric's unit.
func (s *levelSpec) resolve(unit string) (level, error) {
	l := level{levelSpec: s}
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
	down, up := s.band*math.Abs(l.lo), s.band*math.Abs(l.hi)
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
