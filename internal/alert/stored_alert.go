package alert

import (
	"slices"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

// encodeAlert returns the stored form of the alert of a group.
func (e *Engine) encodeAlert(g *group) []byte {
	a, r := g.alert, g.rule
	s := storedAlert{
		rule: r.Name, version: r.Version, selection: r.Selection, group: attr.EncodeGroup(r.names.Expand(g.key)), metric: r.Metric, unit: e.unit(g),
		comparison: r.levels[0].Comparison.Symbol(), resource: g.resourceAttrs(),
		level: r.stored(a.Level), worst: a.worstStored(r), announced: r.stored(a.announced), recovering: a.Recovering, value: a.value,
		noData: a.noData, open: a.open, started: a.started, ended: a.ended, seq: a.seq, repeats: a.repeats,
		announcedState: a.announcedState, announcedAt: a.announcedAt, deferred: a.deferred,
		flapTimes: a.flap.Times, latched: a.flap.Latched, flapLast: a.flap.Last,
		decided: g.decided(), lastSample: ladder.Unset, recordID: int64(a.recordID), changed: a.changed, interval: g.interval(), byConventions: true,
	}
	if p := a.person; p != nil {
		s.acknowledgedBy, s.acknowledgedAt, s.silence, s.actions = p.acknowledgedBy, p.acknowledgedAt, int64(p.silence), p.actions
	}
	s.bounds = r.storedBounds(g)
	s.seen = g.remembered()
	if r.silence > 0 {
		if a.holder != nil {
			s.holder = int64(a.holder.id)
			s.holderSeen, _ = e.seenOf(a.holder)
		}
		if a.silent {
			s.lastSample = g.lastSample + e.now - g.clock(e.running)
		}
	}
	for i, t := range a.Since {
		if t != ladder.Unset {
			s.since = append(s.since, storedRun{r.stored(i + 1), t})
		}
	}
	s.expected = r.expects(g.id)
	for i, x := range a.Recent {
		if x.Raised|x.Held != 0 {
			s.recent = append(s.recent, storedSamples{r.stored(i + 1), int64(x.Raised), int64(x.Held)})
		}
	}
	if a.announced > 0 {
		s.keepRecord(g)
	}
	return s.encode()
}

// keepRecord fills what a record needs that is made when the rule is gone.
func (s *storedAlert) keepRecord(g *group) {
	a, r := g.alert, g.rule
	s.description, s.point, s.aggregation, s.window = r.Description, r.Value.StatisticName, r.AggregateName, r.Retention
	if a.texts != nil {
		s.labels, s.annotations, s.more, s.threshold = a.texts.labels, a.texts.annotations, a.texts.more, a.texts.threshold
	}
	s.shownKnown = true
	for i, located := range r.names.Expand(g.key) {
		if i < maxShown && r.shows(located) {
			s.shown |= 1 << i
		}
	}
}

// maxShown is how many attributes of a group key are known by bits.
const maxShown = 62

// shownGroup returns the attributes of the group key that records carry. Of what older builds stored it is those of the data point.
func (s *storedAlert) shownGroup(keyed []attr.Located) []attr.Attr {
	var out []attr.Attr
	for i, a := range keyed {
		if s.shownKnown && s.shown>>min(i, maxShown)&1 == 1 || !s.shownKnown && a.Location == attr.InPoint {
			out = append(out, a.Attr)
		}
	}
	return out
}

// fill is the inverse of encodeAlert, but for what depends on the time that has passed since: the runs of pending levels and of silence.
func (s *storedAlert) fill(r *ruleState, a *alertState, today ladderToday) {
	if len(s.resource) > 0 {
		a.resource = &resource{attrs: s.resource}
	}
	a.Level, a.worst, a.announced = levelNow(s.level, s.value, today), levelLike(s.worst, r.Levels), levelLike(s.announced, today.specs)
	if s.worst.name != r.LevelName(a.worst) {
		a.worstBefore = &s.worst
	}
	a.Recovering = s.recovering
	a.value, a.noData, a.open, a.started, a.ended = s.value, s.noData, s.open, s.started, s.ended
	a.seq, a.repeats, a.changed, a.interval = s.seq, s.repeats, s.changed, max(0, s.interval)
	a.announcedState, a.announcedAt, a.announcedStart = s.announcedState, s.announcedAt, s.started
	a.flap = ladder.Flapping{Times: s.flapTimes, Latched: s.latched, Last: s.flapLast}
	s.fillRecent(r, a, today.specs)
	a.recordID = uint64(s.recordID)
	if s.actions > 0 {
		a.person = &person{acknowledgedBy: s.acknowledgedBy, acknowledgedAt: s.acknowledgedAt, silence: uint64(s.silence), actions: s.actions}
	}
	if len(s.labels)+len(s.annotations)+len(s.more) > 0 || s.threshold.Valid {
		a.texts = &announcedTexts{labels: s.labels, annotations: s.annotations, more: s.more, threshold: s.threshold}
	}
}

// fillRecent restores what levels that count samples have seen of them. After an edit of the rule a firing level may ask for more than was seen, or
// for what nobody looked at: those samples count as held, so that it does not let go before it has seen enough.
func (s *storedAlert) fillRecent(r *ruleState, a *alertState, specs []rules.LevelSpec) {
	recent := func(level int) *ladder.RecentSamples {
		if a.Recent == nil {
			a.Recent = make([]ladder.RecentSamples, len(specs))
		}
		return &a.Recent[level-1]
	}
	named := func(name string) bool {
		return slices.ContainsFunc(s.recent, func(x storedSamples) bool { return x.level.name == name })
	}
	known := make([]bool, len(specs))
	for _, x := range s.recent {
		i := levelLike(x.level, specs)
		if i == 0 || !specs[i-1].ForSamples.Counts() || specs[i-1].Name != x.level.name && named(specs[i-1].Name) {
			continue
		}
		*recent(i), known[i-1] = ladder.RecentSamples{Raised: uint64(x.raised), Held: uint64(x.held)}, true
	}
	if s.version == r.Version {
		return
	}
	for i := 1; i <= a.Level; i++ {
		count := specs[i-1].ForSamples
		recovering := i == a.Level && known[i-1] && a.Recovering != ladder.Unset
		if count.Counts() && !specs[i-1].Off && !recovering {
			recent(i).Hold(count)
		}
	}
}
