package hostpageexporter

import (
	"math"
	"slices"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/internal/history"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertcontext"
)

// shareTolerance is how far the share that an alert was about may be from the one that is read out of the history.
const shareTolerance = 0.03

// shareOf reads the last hour of a share. The record of an alert says which metrics it is made of, and not how: of the ways that there are it is the one
// that has the alert's value at the end. None has: nothing is shown, for it would be something else.
func shareOf(store *history.Store, c *history.Catalogue, a *alertcontext.Alert, into *alertcontext.Context) []float64 {
	if math.IsNaN(a.Value) {
		return nil
	}
	var parts [][]float64
	names := strings.Split(a.Metric, " / ")
	for _, name := range names {
		m, ids := seriesOf(c, a, name)
		if len(ids) == 0 {
			return nil
		}
		for _, same := range byState(m, ids, a) {
			values := sumOf(store, same, into)
			if values == nil {
				return nil
			}
			parts = append(parts, values)
		}
	}
	var best []float64
	nearest := shareTolerance
	for _, values := range shares(parts, len(names) == 2) {
		if off := math.Abs(lastOf(values) - a.Value); off <= nearest {
			best, nearest = values, off
		}
	}
	return best
}

// maxStates bounds the parts that a whole is taken to have.
const maxStates = 8

// byState sorts series by what the alert's group does not say: the states of what is shared. Series of one state are added up.
func byState(m *history.MetricState, ids []uint32, a *alertcontext.Alert) [][]uint32 {
	key := slices.IndexFunc(m.Keys, func(k string) bool { return strings.HasSuffix(k, "state") || strings.HasSuffix(k, "mode") })
	if key < 0 || a.Group[m.Keys[key]] != "" {
		return [][]uint32{ids}
	}
	var out [][]uint32
	var states []string
	for i := range m.Series {
		s := &m.Series[i]
		if !slices.Contains(ids, s.ID) || key >= len(s.Values) || s.Values[key] == nil {
			continue
		}
		at := slices.Index(states, *s.Values[key])
		if at < 0 {
			at = len(states)
			states, out = append(states, *s.Values[key]), append(out, nil)
		}
		out[at] = append(out[at], s.ID)
	}
	return out[:min(len(out), maxStates)]
}

// sumOf adds the series up.
func sumOf(store *history.Store, ids []uint32, c *alertcontext.Context) []float64 {
	var out []float64
	for _, id := range ids {
		values := hourOf(store, []uint32{id}, c, false)
		if values == nil {
			continue
		}
		if out == nil {
			out = values
			continue
		}
		for i, v := range values {
			out[i] += v
		}
	}
	return out
}

// shares are the shares that can be made of parts: of two metrics the one of the other, of the states of one metric each of all and each of itself and
// another; and what is left of them.
func shares(parts [][]float64, twoMetrics bool) [][]float64 {
	var out [][]float64
	add := func(of []float64, to func(i int) float64) {
		share, rest := make([]float64, len(of)), make([]float64, len(of))
		for i := range of {
			share[i] = of[i] / to(i)
			rest[i] = 1 - share[i]
		}
		out = append(out, share, rest)
	}
	if twoMetrics && len(parts) == 2 {
		add(parts[0], func(i int) float64 { return parts[1][i] })
		return out
	}
	for j, of := range parts {
		for k, other := range parts {
			if j != k {
				add(of, func(i int) float64 { return of[i] + other[i] })
			}
		}
		add(of, func(i int) float64 {
			all := 0.0
			for _, p := range parts {
				all += p[i]
			}
			return all
		})
	}
	return out
}

// lastOf is the newest value, NaN where there is none.
func lastOf(values []float64) float64 {
	for _, v := range slices.Backward(values) {
		if !math.IsNaN(v) {
			return v
		}
	}
	return math.NaN()
}
