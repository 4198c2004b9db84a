package alert

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/internal/suggest"
)

// figureKind is what a rule takes from a histogram or summary point.
type figureKind uint8

const (
	figureNone figureKind = iota // Number data points.
	figureMin
	figureMax
	figureAvg
	figureSum
	figureCount
	figurePercentile
)

// figure is a compiled Point; q is the quantile of a percentile, 0 to 1.
type figure struct {
	kind figureKind
	q    float64
}

// figureKindNames are the figures that have a plain name, by kind.
var figureKindNames = [...]string{figureMin: "min", figureMax: "max", figureAvg: "avg", figureSum: "sum", figureCount: "count"}

// figureNames are the figures as messages list them.
var figureNames = []string{"min", "max", "avg", "sum", "count", "pNN"}

func parseFigure(name string) (figure, error) {
	if name == "" {
		return figure{}, nil
	}
	for kind, n := range figureKindNames {
		if n == name && name != "" {
			return figure{kind: figureKind(kind)}, nil
		}
	}
	if number, ok := strings.CutPrefix(name, "p"); ok {
		if p, err := strconv.ParseFloat(number, 64); err == nil {
			if !(p > 0 && p <= 100) {
				return figure{}, fmt.Errorf("point %q: percentile must be in (0,100]", name)
			}
			return figure{kind: figurePercentile, q: p / 100}, nil
		}
	}
	if s, ok := aggregateSynonyms[strings.ToLower(name)]; ok && (slices.Contains(figureNames, s) || s == "p50") {
		return figure{}, fmt.Errorf("unknown point %q (did you mean %q?)", name, s)
	}
	return figure{}, fmt.Errorf("unknown point %q %s", name, suggest.DidYouMean(name, figureNames))
}

// ofCounter tells whether the figure grows in a cumulative stream and adds up in a delta stream.
func (f figure) ofCounter() bool { return f.kind == figureSum || f.kind == figureCount }

// in returns the unit of the figure in a metric of the given unit.
func (f figure) in(unit string) string {
	if f.kind == figureCount {
		return "{value}"
	}
	return unit
}

// String returns the figure as it is written.
func (f figure) String() string {
	if f.kind == figurePercentile {
		return "p" + strconv.FormatFloat(f.q*100, 'g', 6, 64)
	}
	return figureKindNames[f.kind]
}
