package process

import (
	"unique"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// see takes one process from the scan: finds what is known of it, judges it, and reads the rest if it counts. Nothing is settled here, so
// that a scan that breaks off leaves no trace in the counters.
func (t *Tracker) see(s *read.Sample) {
	p := t.byPID[s.PID]
	switch {
	case p == nil || p.Start != s.Start:
		p = &Process{first: t.stamp, recheck: t.scrapes > 0, identity: unidentified}
		t.byPID[s.PID] = p
	case p.stamp == t.stamp:
		return // A list that changes while it is read may name a process twice.
	case p.recheck && !s.Uninterruptible(): // Of one that is, not all could be read again.
		p.recheck = false
		p.renew()
	case !s.HasComm(p.comm):
		p.renew()
	}
	p.stamp = t.stamp
	t.live = append(t.live, p)
	p.excluded = !t.admit(p, s)
	if p.excluded {
		p.group = nil
	} else {
		t.source.Read(s, t.fields)
		if s.HasUID && p.HasUID && s.UID != p.UID {
			p.renew()
		}
		t.identify(p, s, t.groups.needs)
	}
	if p.shown {
		t.keepDetails(s, p)
	}
	p.Vitals, p.reading = s.Vitals, s.Totals
	if !s.HasComm(p.comm) {
		p.comm = s.Comm()
	}
}

// renew forgets who the process is, and what followed from it.
func (p *Process) renew() {
	p.identity, p.verdict, p.group = unidentified, undecided, nil
}

var unidentified = unique.Make(read.Identity{})

// admit tells whether the process counts.
func (t *Tracker) admit(p *Process, s *read.Sample) bool {
	if t.filter.minAge > 0 && t.tick.Present.Sub(s.Created(t.tick.Boot)) < t.filter.minAge {
		return false
	}
	if p.verdict == undecided {
		t.judge(p, s)
	}
	return p.verdict == kept
}

func (t *Tracker) judge(p *Process, s *read.Sample) {
	known, id := true, p.Identity()
	keep := t.filter.keeps(s, &id, func(want read.Attributes) {
		known = t.identify(p, s, want) && known
		id = p.Identity()
	})
	switch {
	case !known:
		// It went away before its identity could be read, and will not be there to be judged again; or it will be judged when that can be read.
	case keep:
		p.verdict = kept
	default:
		p.verdict = dropped
	}
}

// identify reads those of the wanted attributes that are not known. It reports whether all are known now: not so if the process is gone.
func (t *Tracker) identify(p *Process, s *read.Sample, want read.Attributes) bool {
	want &^= p.identity.Value().Have
	return want == 0 || t.readIdentity(p, s, want)
}

func (t *Tracker) readIdentity(p *Process, s *read.Sample, want read.Attributes) bool {
	id := p.Identity()
	present := t.source.Identify(s, want, &id)
	if id.Executable == "" && want&read.AttributeExecutable != 0 {
		id.Executable = s.Comm()
	}
	p.identity = unique.Make(id)
	return present && id.Have&want == want
}

// keepDetails hands the details of the previous scrape on, for as long as nothing newer is read.
func (t *Tracker) keepDetails(s *read.Sample, p *Process) {
	keep := t.options.Details & p.Have &^ s.Have
	for l := range read.NumLevels {
		if l.Field()&keep != 0 {
			s.Levels[l] = p.Levels[l]
		}
	}
	s.Have |= keep
}

// settle turns what was read into deltas and totals.
func (t *Tracker) settle(p *Process) {
	if !p.settled {
		p.newborn = t.scrapes > 0 && p.Start >= t.newest
	}
	have, known := p.Have, p.known
	for c := range read.NumCounters {
		raw, field := p.reading[c], c.Field()
		last := &p.Total[c]
		switch {
		case field == read.FieldSwitches:
			last = &p.switches[c-read.VoluntarySwitches]
		case field&ioFields != 0:
			raw = p.ownIO(c, raw)
		}
		switch {
		case have&field == 0 || field == read.FieldChildren:
			p.Delta[c] = 0
		case known&field == 0:
			p.Delta[c] = 0
			if p.newborn && !p.settled {
				p.Delta[c] = raw
			}
			p.Total[c], *last = raw, raw
		case raw >= *last:
			p.Delta[c] = raw - *last
			p.Total[c] += p.Delta[c]
			*last = raw
		default:
			p.Delta[c] = 0
			// A sum over threads falls when one exits, and counts on from there. All else the kernel means to be monotonic: what steps back
			// a little is held until it has caught up.
			if field == read.FieldSwitches {
				*last = raw
			}
		}
	}
	p.known |= have &^ read.FieldChildren
	p.CPUUtilization, p.HasUtilization = 0, false
	if p.settled && have&known&read.FieldCPU != 0 {
		p.CPUUtilization, p.HasUtilization = t.utilization(&p.Delta)
	}
	p.settled = true
}

// utilization is the share of the CPUs available. What the clocks of one scrape disagree on may not make it more than all of them.
func (t *Tracker) utilization(delta *Deltas) (share float64, ok bool) {
	available := float64(t.tick.Elapsed.Microseconds()) * t.tick.CPUs
	if available <= 0 {
		return 0, false
	}
	return min(float64(delta.CPU())/available, 1), true
}

// undo gives up a scan that broke off. What it saw for the first time is followed all the same.
func (t *Tracker) undo() {
	for _, p := range t.live {
		if p.first == t.stamp {
			t.previous = append(t.previous, p)
		}
	}
	t.live = t.live[:0]
}

// forget drops the processes that this scrape did not see.
func (t *Tracker) forget() {
	for _, p := range t.previous {
		if p.stamp != t.stamp && t.byPID[p.PID] == p {
			delete(t.byPID, p.PID)
		}
	}
	clear(t.previous)
	t.previous, t.live = t.live, t.previous[:0]
}
