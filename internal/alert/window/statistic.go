package window

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/internal/suggest"
)

// StatisticKind is what a rule takes from a histogram or summary point.
type StatisticKind uint8

const (
	// StatisticNone is for number data points, which are values themselves.
	StatisticNone StatisticKind = iota
	// StatisticMin is the least value of a point.
	StatisticMin
	// StatisticMax is the greatest.
	StatisticMax
	// StatisticAvg is the mean.
	StatisticAvg
	// StatisticSum is the sum.
	StatisticSum
	// StatisticCount is how many values a point has seen.
	StatisticCount
	// StatisticPercentile is a percentile, estimated from buckets or listed by a summary.
	StatisticPercentile
)

// Statistic is one number of a histogram or summary point.
type Statistic struct {
	// Kind is which.
	Kind StatisticKind
	// Quantile is that of a percentile, 0 to 1.
	Quantile float64
}

// statisticKindNames are the statistics that have a plain name, by kind.
var statisticKindNames = [...]string{StatisticMin: "min", StatisticMax: "max", StatisticAvg: "avg", StatisticSum: "sum", StatisticCount: "count"}

// StatisticNames are the statistics as messages list them.
var StatisticNames = []string{"min", "max", "avg", "sum", "count", "pNN"}

// ParseStatistic reads the name of a statistic, none when it is empty. The error says what was probably meant.
func ParseStatistic(name string) (Statistic, error) {
	if name == "" {
		return Statistic{}, nil
	}
	for kind, n := range statisticKindNames {
		if n == name && name != "" {
			return Statistic{Kind: StatisticKind(kind)}, nil
		}
	}
	if number, ok := strings.CutPrefix(name, "p"); ok {
		if p, err := strconv.ParseFloat(number, 64); err == nil {
			if !(p > 0 && p <= 100) {
				return Statistic{}, fmt.Errorf("statistic %q: percentile must be in (0,100]", name)
			}
			return Statistic{Kind: StatisticPercentile, Quantile: p / 100}, nil
		}
	}
	if s, ok := aggregateSynonyms[strings.ToLower(name)]; ok && (slices.Contains(StatisticNames, s) || s == "p50") {
		return Statistic{}, fmt.Errorf("unknown statistic %q (did you mean %q?)", name, s)
	}
	return Statistic{}, fmt.Errorf("unknown statistic %q %s", name, suggest.DidYouMean(name, StatisticNames))
}

// OfCounter tells whether the statistic grows in a cumulative stream and adds up in a delta stream.
func (f Statistic) OfCounter() bool { return f.Kind == StatisticSum || f.Kind == StatisticCount }

// UnitOf returns the unit of the statistic in a metric of the given unit.
func (f Statistic) UnitOf(unit string) string {
	if f.Kind == StatisticCount {
		return "{value}"
	}
	return unit
}

// String returns the statistic as it is written.
func (f Statistic) String() string {
	if f.Kind == StatisticPercentile {
		return "p" + strconv.FormatFloat(f.Quantile*100, 'g', 6, 64)
	}
	return statisticKindNames[f.Kind]
}
