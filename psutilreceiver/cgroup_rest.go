package psutilreceiver

import (
	"slices"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/cgroup"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// cgroupRest is what the groups that are shown leave of the whole. Its counters begin with the first scrape: each scrape adds what all groups used
// since the last, less what those that are shown did. A group that ended leaves what it used since the last scrape there, too.
type cgroupRest struct {
	totals  []int64 // by row; of a counter since the first scrape, of a level its value
	known   []bool  // by row
	debts   []int64 // by row: what the shown groups used beyond the whole, as the files are not read at one time
	devices []restDevice
}

type restDevice struct {
	cgroup.Device
	debt cgroup.IO
}

// update takes in one scrape.
func (r *cgroupRest) update(s *cgroupScraper, now, before *cgroup.Sample) {
	if r.totals == nil {
		r.totals, r.known, r.debts = make([]int64, len(s.rows)), make([]bool, len(s.rows)), make([]int64, len(s.rows))
	}
	whole := s.cfg.Include.isEmpty() && s.cfg.Exclude.isEmpty()
	for i := range s.rows {
		switch row := &s.rows[i]; {
		case !row.additive, row.total && before == nil:
		case row.total:
			r.addCounter(s, i, now, before, whole)
		default:
			r.setLevel(s, i, now, whole)
		}
	}
	if s.io && before != nil {
		r.addDevices(s, now, before, whole)
	}
}

// addCounter adds what the groups that are not shown counted since the last scrape.
func (r *cgroupRest) addCounter(s *cgroupScraper, i int, now, before *cgroup.Sample, whole bool) {
	row := &s.rows[i]
	var shown, others int64
	known := false
	for _, k := range s.candidates {
		d := since(row, k)
		if d < 0 {
			continue
		}
		known = true
		if k.shown {
			shown += d
		} else {
			others += d
		}
	}
	rest := others
	if whole {
		if a, b := row.value(&before.Values), row.value(&now.Values); a >= 0 && b >= a {
			known, rest = true, b-a-shown
		}
	}
	r.known[i] = r.known[i] || known
	r.totals[i], r.debts[i] = paid(r.totals[i], r.debts[i], rest)
}

// paid adds an amount, which may be negative, to a total that does not fall.
func paid(total, debt, amount int64) (newTotal, newDebt int64) {
	amount -= debt
	if amount < 0 {
		return total, -amount
	}
	return total + amount, 0
}

// since is what a counter of a group gained since the last scrape, all of it if the group is new, negative if it is not known.
func since(row *cgroupMetric, k *knownCgroup) int64 {
	now := row.value(&k.Now.Values)
	switch {
	case k.Before == nil && k.New:
		return now
	case k.Before == nil:
		return cgroup.Absent
	}
	before := row.value(&k.Before.Values)
	if now < 0 || before < 0 {
		return cgroup.Absent
	}
	return max(now-before, 0)
}

func (r *cgroupRest) setLevel(s *cgroupScraper, i int, now *cgroup.Sample, whole bool) {
	row := &s.rows[i]
	var shown, others int64
	r.known[i] = false
	for _, k := range s.candidates {
		v := row.value(&k.Now.Values)
		if v < 0 {
			continue
		}
		r.known[i] = true
		if k.shown {
			shown += v
		} else {
			others += v
		}
	}
	r.totals[i] = others
	if v := row.value(&now.Values); whole && v >= 0 {
		r.totals[i], r.known[i] = max(v-shown, others), true
	}
}

func (r *cgroupRest) addDevices(s *cgroupScraper, now, before *cgroup.Sample, whole bool) {
	for i := range now.Devices {
		d := &now.Devices[i]
		var shown, others cgroup.IO
		for _, k := range s.candidates {
			gained := k.ioSince(d)
			if k.shown {
				shown.Add(gained)
			} else {
				others.Add(gained)
			}
		}
		if whole {
			others = minus(ioSince(d, now, before), shown)
		}
		r.device(d.Major, d.Minor).add(others)
	}
}

func (r *cgroupRest) device(major, minor uint32) *restDevice {
	i := slices.IndexFunc(r.devices, func(d restDevice) bool { return d.Major == major && d.Minor == minor })
	if i < 0 {
		i = len(r.devices)
		r.devices = append(r.devices, restDevice{Device: cgroup.Device{Major: major, Minor: minor}})
	}
	return &r.devices[i]
}

func (d *restDevice) add(o cgroup.IO) {
	d.IO.ReadBytes, d.debt.ReadBytes = paid(d.IO.ReadBytes, d.debt.ReadBytes, o.ReadBytes)
	d.IO.WrittenBytes, d.debt.WrittenBytes = paid(d.IO.WrittenBytes, d.debt.WrittenBytes, o.WrittenBytes)
	d.IO.Reads, d.debt.Reads = paid(d.IO.Reads, d.debt.Reads, o.Reads)
	d.IO.Writes, d.debt.Writes = paid(d.IO.Writes, d.debt.Writes, o.Writes)
}

// ioSince is what a device gained in a sample since the one before, if that is not nil.
func ioSince(d *cgroup.Device, now, before *cgroup.Sample) cgroup.IO {
	gained := ioOf(d, now)
	if before != nil {
		gained = minus(gained, ioOf(d, before))
	}
	return cgroup.IO{
		ReadBytes: max(gained.ReadBytes, 0), WrittenBytes: max(gained.WrittenBytes, 0), Reads: max(gained.Reads, 0), Writes: max(gained.Writes, 0),
	}
}

func (k *knownCgroup) ioSince(d *cgroup.Device) cgroup.IO {
	if k.Before == nil && !k.New {
		return cgroup.IO{}
	}
	return ioSince(d, k.Now, k.Before)
}

func ioOf(d *cgroup.Device, s *cgroup.Sample) cgroup.IO {
	for i := range s.Devices {
		if o := &s.Devices[i]; o.Major == d.Major && o.Minor == d.Minor {
			return o.IO
		}
	}
	return cgroup.IO{}
}

func minus(a, b cgroup.IO) cgroup.IO {
	return cgroup.IO{
		ReadBytes: a.ReadBytes - b.ReadBytes, WrittenBytes: a.WrittenBytes - b.WrittenBytes, Reads: a.Reads - b.Reads, Writes: a.Writes - b.Writes,
	}
}

// recordRest records the rest. Its counters begin with the receiver's first scrape, which therefore has none of them.
func (s *cgroupScraper) recordRest(t *scrapeContext) {
	s.mb.Reset(metadata.WithStartTime(s.first))
	for i := range s.rows {
		if row := &s.rows[i]; row.additive && s.rest.known[i] && (!row.total || t.previous != 0) {
			row.record(s.mb, t.time, s.rest.totals[i])
		}
	}
	if t.previous != 0 {
		for i := range s.rest.devices {
			s.recordIO(t.time, []cgroup.Device{s.rest.devices[i].Device})
		}
	}
	s.rb.SetLinuxCgroupPath(otherGroup)
	resource := s.rb.Emit()
	copyAttributes(s.resource.Attributes(), resource.Attributes())
	s.mb.EmitForResource(metadata.WithMovedResource(resource))
	t.emit()
}
