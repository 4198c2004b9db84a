package process

// beginGroups starts a scrape of everything that has several processes.
func (t *Tracker) beginGroups() {
	t.groups.begin()
	t.other.begin()
	t.excluded.begin()
}

// classify puts every process into the one place that counts it in this scrape.
func (t *Tracker) classify() {
	t.snapshot.Shown, t.snapshot.Groups = t.snapshot.Shown[:0], t.snapshot.Groups[:0]
	if len(t.groups.keys) > 0 {
		t.classifyGroups()
	} else {
		t.classifyProcesses()
	}
	if t.scrapes > 0 {
		t.other.CPUUtilization, t.other.HasUtilization = t.utilization(&t.other.Delta)
		t.excluded.CPUUtilization, t.excluded.HasUtilization = t.utilization(&t.excluded.Delta)
	}
}

func (t *Tracker) classifyProcesses() {
	t.rankProcesses()
	for _, p := range t.live {
		p.shown = !p.excluded && (t.options.Top.N == 0 || p.rankedBy != 0)
		if !p.shown {
			p.Have &^= t.options.Details
		}
		switch {
		case p.excluded:
			t.excluded.addProcess(p)
		case p.shown:
			t.snapshot.Shown = append(t.snapshot.Shown, p)
			t.ensureIdentity(p, t.sampleOf(p), t.options.Attributes)
		default:
			t.other.addProcess(p)
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
			member := p.rankedBy&bit != 0
			p.rankedBy &^= bit
			if p.excluded {
				continue
			}
			value, size := rankValue(key, &p.Delta, &p.Total, &p.Levels, p.Have)
			t.ranking.consider(candidate{index: index, value: value, total: size, member: member})
		}
		for _, index := range t.ranking.selected() {
			t.live[index].rankedBy |= bit
		}
	}
}

func (t *Tracker) classifyGroups() {
	for _, p := range t.live {
		if p.excluded {
			t.excluded.addProcess(p)
			continue
		}
		if p.group == nil {
			id := p.Identity()
			p.group = t.groups.of(&id, t.lastTime, t.scrape)
		}
		p.group.addProcess(p)
	}
	t.rankGroups()
	for _, g := range t.groups.list {
		if g.isRanked() {
			g.shown = t.options.Top.N == 0 || g.rankedBy != 0
		}
		g.CPUUtilization, g.HasUtilization = 0, false
		if g.firstScrape != t.scrape {
			g.CPUUtilization, g.HasUtilization = t.utilization(&g.Delta)
		}
		if g.shown {
			t.snapshot.Groups = append(t.snapshot.Groups, g)
			continue
		}
		t.other.Members += g.Members
		t.other.add(&g.Delta, &g.Levels, g.Have)
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
			member := g.rankedBy&bit != 0
			g.rankedBy &^= bit
			if g.isRanked() {
				value, size := rankValue(key, &g.Delta, &g.Total, &g.Levels, g.Have)
				t.ranking.consider(candidate{index: index, value: value, total: size, member: member})
			}
		}
		for _, index := range t.ranking.selected() {
			t.groups.list[index].rankedBy |= bit
		}
	}
}
