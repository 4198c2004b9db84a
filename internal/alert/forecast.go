package alert

import "math"

// line is a straight line through samples: value at the evaluation time, and slope per second.
type line struct{ slope, intercept float64 }

// fitLine fits the least-squares line through the samples i to j-1, of which there are at least two. Its origin
// is the time t. Equal values give a flat line without rounding.
func fitLine(r *ring, i, j int, t int64) line {
	var sumX, sumY, sumXY, sumXX kahanSum
	first, flat := r.at(i).v, true
	for k := i; k < j; k++ {
		s := r.at(k)
		x := float64(s.t-t) / 1e9
		flat = flat && s.v == first
		sumX.add(x)
		sumY.add(s.v)
		sumXY.add(x * s.v)
		sumXX.add(x * x)
	}
	if flat {
		if math.IsInf(first, 0) {
			return line{math.NaN(), math.NaN()}
		}
		return line{0, first}
	}
	n := float64(j - i)
	covariance := sumXY.value() - sumX.value()*sumY.value()/n
	variance := sumXX.value() - sumX.value()*sumX.value()/n
	slope := covariance / variance
	return line{slope, sumY.value()/n - slope*sumX.value()/n}
}

// at returns the line's value so many seconds after its origin.
func (l line) at(seconds float64) float64 { return l.slope*seconds + l.intercept }
