package process

import (
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// cgroupInterval is how often the cgroup of a process is read at most. A program or a service manager may move a process at any time, and
// nothing else in /proc changes with it. So where the cgroup is asked for it is read in every scrape, unless scrapes are less than this apart.
const cgroupInterval = 2 * time.Second

// followCgroup reads the cgroup of a process again, if it is known and was not read just before. What follows from it is decided again if it has
// changed.
func (t *Tracker) followCgroup(p *Process, s *read.Sample) {
	if t.sinceFirst-p.cgroupAt < cgroupInterval-cgroupInterval/8 || p.identity == unidentified {
		return
	}
	if id := p.identity.Value(); id.Have&read.AttributeCgroup != 0 {
		p.cgroupAt = t.sinceFirst
		if t.source.HasMoved(s, id.Cgroup) {
			t.readCgroupAgain(p, s)
		}
	}
}

func (t *Tracker) readCgroupAgain(p *Process, s *read.Sample) {
	id := p.Identity()
	if id.Have &^= read.AttributeCgroup; t.source.Identify(s, read.AttributeCgroup, &id) {
		p.setIdentity(id)
		p.cgroupID = s.CgroupID
		p.filterResult, p.group = filterUndecided, nil
	}
}
