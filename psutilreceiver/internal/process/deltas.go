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

// computeDeltas computes what the counters of a process grew by since the scrape before, and its new totals.
func (t *Tracker) computeDeltas(p *Process) {
	if !p.counted {
		p.newborn = t.scrapes > 0 && p.Start >= t.newestStart
	}
	have, everRead := p.Have, p.everRead
	for c := range read.NumCounters {
		raw, field := p.reading[c], c.Field()
		last := &p.Total[c]
		switch {
		case field&read.FieldSwitches != 0:
			last = &p.switches[c-read.VoluntarySwitches]
		case field&ioFields != 0:
			raw = p.ownIO(c, raw)
		}
		switch {
		case have&field == 0 || field&read.FieldChildren != 0:
			p.Delta[c] = 0
		case everRead&field == 0:
			p.Delta[c] = 0
			if p.newborn && !p.counted {
				p.Delta[c] = raw
			}
			p.Total[c], *last = raw, raw
		case raw >= *last:
			p.Delta[c] = raw - *last
			p.Total[c] += p.Delta[c]
			*last = raw
		default:
			p.Delta[c] = 0
			// A sum over threads falls when one exits, and continues from there. All other counters are monotonic by the kernel's design:
			// one that steps back a little keeps its value until it has caught up.
			if field&read.FieldSwitches != 0 {
				*last = raw
			}
		}
	}
	p.everRead |= have &^ read.FieldChildren
	p.CPUUtilization, p.HasUtilization = 0, false
	if p.counted && have&everRead&read.FieldCPU != 0 {
		p.CPUUtilization, p.HasUtilization = t.utilization(&p.Delta)
	}
	p.counted = true
}

// utilization is the share of the CPUs available, from 0 to 1. The clocks of one scrape may differ a little, so it is cut at 1.
func (t *Tracker) utilization(delta *Deltas) (share float64, ok bool) {
	available := float64(t.context.Elapsed.Microseconds()) * t.context.CPUs
	if available <= 0 {
		return 0, false
	}
	return min(float64(delta.CPU())/available, 1), true
}
