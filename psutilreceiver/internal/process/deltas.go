package process

import "github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"

// Deltas holds what each counter grew by between two scrapes, in the units of [read.Totals]. It is a type of its own so that a total cannot be
// passed where a difference is meant.
type Deltas [read.NumCounters]uint64

// CPU returns the time the process itself ran, user and system, in microseconds.
func (d *Deltas) CPU() uint64 { return d[read.CPUUser] + d[read.CPUSystem] }

func (d *Deltas) add(other *Deltas) {
	for c := range d {
		d[c] += other[c]
	}
}

// advance adds to totals what they grew by.
func advance(total *read.Totals, delta *Deltas) {
	for c := range total {
		total[c] += delta[c]
	}
}

// before returns what totals were before they grew.
func before(total *read.Totals, delta *Deltas) read.Totals {
	earlier := *total
	for c := range earlier {
		earlier[c] -= delta[c]
	}
	return earlier
}
