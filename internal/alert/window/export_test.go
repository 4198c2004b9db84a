package window

// ValueAt is valueAt for tests outside the package.
func (d *Distribution) ValueAt(k, n float64) float64 { return d.valueAt(k, n) }

// QuantileOf is quantile for tests outside the package.
func QuantileOf(q float64, ordered []float64) float64 { return quantile(q, ordered) }
