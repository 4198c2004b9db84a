package process

import (
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// observe takes one process from the scan: finds what is known of it, applies the filter, and reads the rest if the filter includes it. No
// delta is computed yet, so that a scan that breaks off leaves the totals as they were.
func (t *Tracker) observe(s *read.Sample) {
	p := t.byPID[s.PID]
	if len(t.ends.awaited) > 0 && (p == nil || p.Start != s.Start) {
		if missed := t.resume(s.Key); missed != nil {
			p = missed
		}
	}
	switch {
	case p == nil || p.Start != s.Start:
		p = &Process{firstScrape: t.scrape, reidentify: t.scrapes > 0, identity: unidentified}
		t.byPID[s.PID] = p
	case p.lastScrape == t.scrape:
		return // A list that changes while it is read may name a process twice.
	case p.reidentify && !s.Uninterruptible(): // Of one that is, some attributes could not be read again.
		p.reidentify = false
		p.forgetIdentity()
	case !s.HasComm(p.comm):
		p.forgetIdentity()
	default:
		t.followCgroup(p, s)
	}
	p.lastScrape = t.scrape
	t.live = append(t.live, p)
	p.excluded = !t.isIncluded(p, s)
	if p.excluded {
		p.group = nil
	} else {
		t.source.Read(s, t.fields)
		if s.HasUID && p.HasUID && s.UID != p.UID {
			p.forgetIdentity()
		}
		t.ensureIdentity(p, s, t.groups.needs)
	}
	if p.shown {
		t.carryDetails(s, p)
	}
	p.ProcessState, p.reading = s.ProcessState, s.Totals
	if !s.HasComm(p.comm) {
		p.comm = s.Comm()
	}
}

// isIncluded tells whether the filter includes the process in this scrape.
func (t *Tracker) isIncluded(p *Process, s *read.Sample) bool {
	if t.filter.minAge > 0 && t.context.Present.Sub(s.Created(t.context.Boot)) < t.filter.minAge {
		return false
	}
	if p.filterResult == filterUndecided {
		t.applyFilter(p, s)
	}
	return p.filterResult == filterIncluded
}

func (t *Tracker) applyFilter(p *Process, s *read.Sample) {
	known, id := true, p.Identity()
	included := t.filter.includes(s, &id, func(attributes read.Attributes) {
		known = t.ensureIdentity(p, s, attributes) && known
		id = p.Identity()
	})
	switch {
	case !known:
		// It exited before its identity could be read, and will not be seen again; or the identity can be read in a later scrape.
	case included:
		p.filterResult = filterIncluded
	default:
		p.filterResult = filterExcluded
	}
}

// ensureIdentity reads those of the attributes that are not known. It reports whether all are known now: not so if the process has exited.
func (t *Tracker) ensureIdentity(p *Process, s *read.Sample, attributes read.Attributes) bool {
	missing := attributes &^ p.identity.Value().Have
	return missing == 0 || t.readIdentity(p, s, missing)
}

func (t *Tracker) readIdentity(p *Process, s *read.Sample, attributes read.Attributes) bool {
	id := p.Identity()
	present := t.source.Identify(s, attributes, &id)
	if id.Executable == "" && attributes&read.AttributeExecutable != 0 {
		id.Executable = s.Comm()
	}
	if attributes&read.AttributeCgroup != 0 {
		p.cgroupAt, p.cgroupID = t.sinceFirst, s.CgroupID
	}
	p.setIdentity(id)
	return present && id.Have&attributes == attributes
}

// readExactMemory reads the exact resident memory of shown processes. That of stat, which is read of all, leaves out what each CPU has not yet
// added to the common count (Linux before 6.2 had this for each thread).
func (t *Tracker) readExactMemory() {
	if t.options.Fields&read.FieldMemory == 0 || t.fields&read.FieldShared != 0 {
		return
	}
	for _, p := range t.snapshot.Shown {
		if p.KernelThread || p.Have&read.FieldMemory == 0 || p.Levels[read.Resident] == 0 {
			continue
		}
		e := &p.exact
		resident, virtual := p.Levels[read.Resident], p.Levels[read.Virtual]
		if !e.holds(p, t.scrape) {
			s := t.sampleOf(p)
			t.source.Read(s, read.FieldShared)
			*e = exactMemory{s.Levels[read.Resident], s.Levels[read.Virtual], resident, virtual, p.activity(), t.scrape + 1}
		}
		p.Levels[read.Resident], p.Levels[read.Virtual] = e.resident, e.virtual
	}
}

// exactMemory is the exact memory of a process as it was read last, beside what stat had then.
type exactMemory struct {
	resident, virtual         uint64
	statResident, statVirtual uint64
	activity                  uint64 // of the process until then
	after                     uint64 // number of the scrape after it; 0 before it was read
}

// exactFor is for how many scrapes the exact memory of an idle process is taken to stay.
const exactFor = 4

// holds tells whether the memory is still what it was: the process has not run for a tick, met no page fault, and stat has the same of it. What may have
// changed all the same is less than each CPU adds at once to the common count, and shows in the next reading.
func (e *exactMemory) holds(p *Process, scrape uint64) bool {
	const needed = read.FieldCPU | read.FieldFaults | read.FieldVirtual
	return e.after != 0 && scrape-e.after < exactFor-1 && p.Have&p.everRead&needed == needed &&
		p.Levels[read.Resident] == e.statResident && p.Levels[read.Virtual] == e.statVirtual &&
		p.activity() == e.activity
}

// activity grows when the process runs for a tick or meets a page fault.
func (p *Process) activity() uint64 {
	return p.Total.CPU() + p.Total[read.MinorFaults] + p.Total[read.MajorFaults]
}

// carryDetails copies the details of the previous scrape into the sample. They are valid until newer ones are read.
func (t *Tracker) carryDetails(s *read.Sample, p *Process) {
	carried := t.options.Details & p.Have &^ s.Have
	for l := range read.NumLevels {
		if l.Field()&carried != 0 {
			s.Levels[l] = p.Levels[l]
		}
	}
	s.Have |= carried
}

// readDetails reads the details of shown processes: of all, or of as many as allowed, starting in each scrape where the last one ended.
func (t *Tracker) readDetails() {
	shown, details := t.snapshot.Shown, t.options.Details
	if details == 0 || len(shown) == 0 {
		return
	}
	count, begin := len(shown), 0
	if limit := t.options.MaxDetails; limit > 0 && limit < count {
		count = limit
		for begin < len(shown) && shown[begin].PID <= t.detailCursor {
			begin++
		}
	}
	for i := range count {
		p := shown[(begin+i)%len(shown)]
		p.Have &^= details
		s := t.sampleOf(p)
		t.source.Read(s, details)
		p.Levels, p.Have = s.Levels, s.Have
		t.detailCursor = p.PID
	}
}

// sampleOf returns what a source needs to read more of a process.
func (t *Tracker) sampleOf(p *Process) *read.Sample {
	t.sample.ProcessState = p.ProcessState
	t.sample.SetComm(p.comm)
	return &t.sample
}
