package window

import "math"

// Line is a straight line through samples: value at the evaluation time, and slope per second.
type Line struct{ Slope, Intercept float64 }

// FitLine fits the least-squares line through the samples i to j-1, of which there are at least two. Its origin
// is the time t. Equal values give a flat line without rounding.
func FitLine(r *Ring, i, j int, t int64) Line {
	var sumX, sumY, sumXY, sumXX kahanSum
	first, flat := r.At(i).Value, true
	for k := i; k < j; k++ {
		s := r.At(k)
		x := float64(s.Time-t) / 1e9
		flat = flat && s.Value == first
		sumX.add(x)
		sumY.add(s.Value)
		sumXY.add(x * s.Value)
		sumXX.add(x * x)
	}
	if flat {
		if math.IsInf(first, 0) {
			return Line{math.NaN(), math.NaN()}
		}
		return Line{0, first}
	}
	n := float64(j - i)
	covariance := sumXY.value() - sumX.value()*sumY.value()/n
	variance := sumXX.value() - sumX.value()*sumX.value()/n
	slope := covariance / variance
	return Line{slope, sumY.value()/n - slope*sumX.value()/n}
}

// At returns the line's value so many seconds after its origin.
func (l Line) At(seconds float64) float64 { return l.Slope*seconds + l.Intercept }
