package process

import "github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"

// assign puts every process into the one place that counts it in this scrape.
func (t *Tracker) assign() {
	t.groups.begin()
	t.other.begin()
	t.excluded.begin()
	t.snapshot.Shown, t.snapshot.Groups = t.snapshot.Shown[:0], t.snapshot.Groups[:0]
	if len(t.groups.keys) > 0 {
		t.assignGroups()
	} else {
		t.assignProcesses()
	}
	if t.scrapes > 0 {
		t.other.CPUUtilization, t.other.HasUtilization = t.utilization(&t.other.Delta)
		t.excluded.CPUUtilization, t.excluded.HasUtilization = t.utilization(&t.excluded.Delta)
	}
}

func (t *Tracker) assignProcesses() {
	t.rankProcesses()
	for _, p := range t.live {
		p.shown = !p.excluded && (t.options.Top.N == 0 || p.ranked != 0)
		if !p.shown {
			p.Have &^= t.options.Details
		}
		switch {
		case p.excluded:
			t.excluded.take(p)
		case p.shown:
			t.snapshot.Shown = append(t.snapshot.Shown, p)
			t.identify(p, t.sampleOf(p), t.options.Attributes)
		default:
			t.other.take(p)
		}
	}
}

func (t *Tracker) rankProcesses() {
	if t.options.Top.N == 0 {
		return
	}
	for i, key := range t.options.Top.By {
		bit := uint8(1) << i
		t.ranking.reset(&t.options.Top)
		for index, p := range t.live {
			member := p.ranked&bit != 0
			p.ranked &^= bit
			if p.excluded {
				continue
			}
			value, size := rankValue(key, &p.Delta, &p.Total, &p.Levels, p.Have)
			t.ranking.offer(standing{index: index, value: value, total: size, member: member})
		}
		for _, index := range t.ranking.chosen() {
			t.live[index].ranked |= bit
		}
	}
}

func (t *Tracker) assignGroups() {
	for _, p := range t.live {
		if p.excluded {
			t.excluded.take(p)
			continue
		}
		if p.group == nil {
			id := p.Identity()
			p.group = t.groups.of(&id, t.lastTime, t.stamp)
		}
		p.group.take(p)
	}
	t.rankGroups()
	for _, g := range t.groups.list {
		if g.Members > 0 {
			g.shown = t.options.Top.N == 0 || g.ranked != 0
		}
		g.CPUUtilization, g.HasUtilization = 0, false
		if g.stamp != t.stamp {
			g.CPUUtilization, g.HasUtilization = t.utilization(&g.Delta)
		}
		if g.shown {
			t.snapshot.Groups = append(t.snapshot.Groups, g)
			continue
		}
		t.other.Members += g.Members
		t.other.absorb(&g.Delta, &g.Levels, g.Have)
	}
}

func (t *Tracker) rankGroups() {
	if t.options.Top.N == 0 {
		return
	}
	for i, key := range t.options.Top.By {
		bit := uint8(1) << i
		t.ranking.reset(&t.options.Top)
		for index, g := range t.groups.list {
			member := g.ranked&bit != 0
			g.ranked &^= bit
			if g.Members > 0 {
				value, size := rankValue(key, &g.Delta, &g.Total, &g.Levels, g.Have)
				t.ranking.offer(standing{index: index, value: value, total: size, member: member})
			}
		}
		for _, index := range t.ranking.chosen() {
			t.groups.list[index].ranked |= bit
		}
	}
}

// readDetails reads the dear figures of shown processes: of all, or of as many as allowed, going on in each scrape where the last one ended.
func (t *Tracker) readDetails() {
	shown, want := t.snapshot.Shown, t.options.Details
	if want == 0 || len(shown) == 0 {
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
		p.Have &^= want
		s := t.sampleOf(p)
		t.source.Read(s, want)
		p.Levels, p.Have = s.Levels, s.Have
		t.detailCursor = p.PID
	}
}

// sampleOf returns what a source needs to read more of a process.
func (t *Tracker) sampleOf(p *Process) *read.Sample {
	t.sample.Vitals = p.Vitals
	t.sample.SetComm(p.comm)
	return &t.sample
}

// report hands out what the scrape found.
func (t *Tracker) report() *Snapshot {
	s := &t.snapshot
	s.Other, s.Excluded = &t.other, &t.excluded
	s.Seen = len(t.previous)
	s.Unattributed, s.HasUnattributed = t.unattributed.total, t.unattributed.known
	s.Tally = t.source.Tally()
	return s
}
