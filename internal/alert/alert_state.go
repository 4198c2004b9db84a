package alert

import (
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// alertState is what the engine knows of one alert beyond its group. It exists while the alert is pending or firing,
// while something of it waits to be announced, and while its recent changes count towards flapping.
type alertState struct {
	ladder.Machine
	// presentUntil is the event time until which the last value counts; what lies between it and the next value
	// counts towards neither for nor keep_firing_for.
	presentUntil int64
	// value is the last value, compared with the level in force or, without one, with the lowest.
	value attr.Number
	// exemplar is that of the point that decided last, and resource that of its series, nil when there is none.
	exemplar *window.Exemplar
	resource *resource
	// unit is the number of the unit of the value.
	unit uint16
	// noData tells that the value has stopped and that the alert stays as it was.
	noData bool
	// interval is the distance of the samples before a restart, 0 when not known.
	interval int64
	// restored tells that the alert is from storage and that what it was decided by is not known again yet.
	restored bool
	// decided is the newest round that an earlier process evaluated: what is delivered again after a crash is not evaluated again.
	decided int64
	// silent tells that nothing has come for so long that the time of the last sample is stored. It is for rules about silence.
	silent bool

	// open tells that there is an episode: from a fire to its resolve, and for as long as the alert is flapping. It started and ended at
	// these event times.
	open           bool
	started, ended int64
	// changed is the time of the episode's newest record: that of the next one is not before it.
	changed int64
	// seq is how many transitions the episode has had, and worst its most severe level.
	seq   int
	worst int
	// worstBefore is the worst level where that is one of before a change of the ladder, which is not worst's; nil else.
	worstBefore *storedLevel

	// announced is the level that the last record announced; 0 when no fire is announced, or its resolve is.
	announced int
	// holder is the sender that has the place of the announced alert, or whose alert fired. It may have been forgotten meanwhile: ask for it by its ID.
	holder *sender
	// announcedState is the state that the last record announced, at wall time announcedAt.
	announcedState alertschema.State
	announcedAt    int64
	// texts are those of the last record while a fire is announced, nil when it has none.
	texts *announcedTexts
	// recordID is the ID that records have where it is not the group's: one under which an older build has announced the alert. 0 for none.
	recordID uint64
	// announcedStart is when the announced episode started.
	announcedStart int64
	// repeats is how many records of the episode were repetitions.
	repeats int
	// person is what people have done about the alert, nil for nothing.
	person *person
	// deferred is why an announcement waits.
	deferred deferral

	flap ladder.Flapping

	// rank, firstT and firstValue are what publish sorts the changes of one call by: the severity, the time and the value of the alert's
	// first change. Rank is -1 between calls.
	rank       int
	firstT     int64
	firstValue float64
}

// recordID is the ID of the group's alert in records.
func (g *group) recordID() uint64 {
	if g.alert != nil && g.alert.recordID != 0 {
		return g.alert.recordID
	}
	return g.id
}

// reach has the episode reach a level.
func (a *alertState) reach(r *ruleState, level int) {
	a.worst = max(a.worst, level)
	if before := a.worstBefore; before != nil && r.stored(level).number > before.number {
		a.worstBefore = nil
	}
}

// worstStored is the worst level of the episode.
func (a *alertState) worstStored(r *ruleState) storedLevel {
	if a.worstBefore != nil {
		return *a.worstBefore
	}
	return r.stored(a.worst)
}

// openAlert begins to remember an alert of the group.
func (e *Engine) openAlert(g *group) *alertState {
	a := &alertState{Machine: ladder.NewMachine(len(g.rule.levels)), presentUntil: ladder.Unset, decided: ladder.Unset, changed: ladder.Unset, rank: -1}
	g.alert = a
	e.alerts[g.id] = g
	e.journal.mark(g.id)
	return a
}

// notAfter moves to now what lies after it.
func (a *alertState) notAfter(now int64) {
	a.NotAfter(now)
	a.flap.NotAfter(now)
	a.ended, a.announcedAt = min(a.ended, now), min(a.announcedAt, now)
}

// forgetAlerts forgets the alerts of which nothing is left to remember: what was decided until no sample of that time may come any
// more, and of an absent rule that its series was there.
func (e *Engine) forgetAlerts() {
	for id, g := range e.alerts {
		a := g.alert
		a.flap.Prune(g.clock(e.running) - g.rule.Flapping.Within)
		if a.Level > 0 || a.open || a.announced > 0 || a.Pending() || a.Counting() || len(a.flap.Times) > 0 || a.deferred != notDeferred {
			continue
		}
		if a.seq > 0 && g.clock(e.running)-a.ended <= e.rules.MaxSampleAge || g.remembered() {
			continue
		}
		g.alert = nil
		g.rule.bounds.forgetAlert(g)
		delete(e.alerts, id)
		e.journal.mark(id)
	}
}
