package psutilreceiver

import (
	"math"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
)

// cpuShares tells what share of a CPU's time, or of that of all, each mode had between two reads. It goes by what the modes grew by since the last
// read, where a stream goes by the highest time so far. Where it is not known of one mode what it grew by, the shares of the others are not known
// either: without it they would fill the whole. Then all shares of that read are left out.
type cpuShares struct {
	reads int       // of this CPU in a row, up to settledAfter
	last  modeTimes // as they were read
	odd   [len(cpuModes)]uint8
	held  modeTimes // what a mode had before it fell a little, until it is passed
	short bool      // the last growth was far less than the time that there was
	spare float64   // time of reads before in which nothing was counted, which may be counted yet

	known bool      // whether moved and whole are known
	moved modeTimes // what each mode grew by, in seconds
	whole float64   // what the shares are of, in seconds
}

const (
	// roundedBy is how much a time may fall by, in seconds, because it is rounded.
	roundedBy = 2*tickLength + 1e-9
	// oddForGood is the number of reads after which a mode that can't be read is taken to stay so: steal often does after a virtual machine was moved.
	oddForGood = 3
	// shortShare is the part of the elapsed time below which a growth lacks something, if the one before did not.
	shortShare = 0.75
	// freshSlack is how far the growth of a CPU may be from the elapsed time, in seconds, if it came online just now and may have changed its counters,
	// or if what a mode grew by may be its way back.
	freshSlack = 5 * tickLength
)

// begin takes the first times of a CPU. settled is whether its counters are known to be those that it goes on with: not so just after it came online.
func (s *cpuShares) begin(now modeTimes, settled bool) {
	*s = cpuShares{last: now, reads: 1, short: true}
	if settled {
		s.reads = settledAfter
	}
}

// advance takes the times that follow. elapsed is how much time there was for all modes, in seconds; 0 if that is not known. sound is whether
// the times are known to be of the same counters as before.
func (s *cpuShares) advance(now modeTimes, elapsed float64, sound bool) {
	s.known, s.moved, s.whole = sound, modeTimes{}, 0
	lacking, back := false, false // a mode that stays odd; one that is on its way back
	for i, v := range now {
		before := s.last[i]
		s.last[i] = v
		if v != host.Odd {
			s.odd[i] = 0
		}
		switch d := v - before; {
		case v == host.Odd:
			s.odd[i] = min(s.odd[i]+1, oddForGood)
			lacking = true
			s.known = s.known && s.odd[i] == oddForGood
		case v < 0 && before < 0: // The system does not have it.
		case v < 0, before < 0:
			s.known = false
		case d < -roundedBy:
			s.known = false
			if s.held[i] = max(s.held[i], before); d <= -heldBack {
				s.held[i] = 0
			}
		default:
			if s.held[i] > 0 {
				back = true
				if v >= s.held[i] {
					s.held[i] = 0
				}
			}
			s.moved[i] = max(d, 0)
			s.whole += s.moved[i]
		}
	}
	fresh := s.reads < settledAfter || back
	if elapsed > 0 && fresh && math.Abs(s.whole-elapsed) > freshSlack {
		s.known = false
	}
	s.judge(elapsed, lacking)
	if lacking {
		s.known = s.known && elapsed > 0
		s.whole = max(s.whole, elapsed)
	}
	s.known = s.known && s.whole > 0
	s.reads = min(s.reads+1, settledAfter)
}

// judge holds what all modes grew by against the time that there was. More than that is a counter that leaped. Much less, where it was not
// before, is one that began again and grew, if all modes are there.
func (s *cpuShares) judge(elapsed float64, lacking bool) {
	if elapsed <= 0 {
		return
	}
	short := s.whole < shortShare*elapsed-5*tickLength && !lacking
	if s.whole > elapsed*(1+lateSlack)+heldBack+s.spare || short && !s.short {
		s.known = false
	}
	s.short = short
	s.spare = max(min(s.spare+elapsed-s.whole, elapsed+heldBack), 0)
	if s.whole > 0 {
		s.spare = min(s.spare, heldBack)
	}
}

// of returns the share of a mode. It is valid where the shares are known, of a mode that is.
func (s *cpuShares) of(mode int) float64 { return s.moved[mode] / s.whole }
