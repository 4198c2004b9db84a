package alert

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/event"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// maxPendingDowntime is the downtime beyond which a pending alert is not taken up again.
const maxPendingDowntime = 3600 * second

// Restore takes up stored state, before any point is observed: the values by key, all that are stored.
//
// Time that the engine was down counts towards neither for, nor keep_firing_for, nor absent.for; pending alerts are dropped after
// an hour of it. Samples that were decided upon before are not decided upon again.
// Firing alerts stay, and rules with windows do not change them until their windows are full again. Alerts of
// rules that are gone, or that select other series now, are closed.
//
// State that cannot be decoded is left out, deleted by the next snapshot, and reported in the error: the engine then begins again with the
// rest, and is fit for use.
func (e *Engine) Restore(values map[string][]byte, now time.Time) error {
	e.setNow(now)
	if len(values) == 0 {
		return nil
	}
	saved, err := metaOf(values)
	if err != nil {
		for key := range values {
			e.journal.markKey(key) // The time of the state is unknown, so it is of no use.
		}
		return err
	}
	e.outbox.Reserve(uint64(saved.nextSeq))
	var alerts, events []uint64
	for key := range values {
		if id, ok := alertOf(key); ok {
			alerts = append(alerts, id)
		} else if seq, ok := eventOf(key); ok {
			events = append(events, seq)
		}
	}
	slices.Sort(alerts)
	slices.Sort(events)
	var errs []error
	for _, seq := range events {
		errs = append(errs, e.restoreEvent(seq, values[eventKey(seq)]))
	}
	for key, v := range values {
		if id, ok := historyOf(key); ok {
			errs = append(errs, e.restoreHistory(id, v))
		} else if id, ok := senderOfKey(key); ok {
			errs = append(errs, e.restoreSender(id, v))
		}
	}
	// A clock that was set back meanwhile moves what was stored as it moves one that runs.
	down := e.now - saved.savedAt
	if down < 0 && down >= -maxAhead {
		down = 0
	}
	var orphans []storedAlert
	for _, id := range alerts {
		orphan, err := e.restoreAlert(id, values[alertKey(id)], down)
		errs = append(errs, err)
		if orphan != nil && (orphan.seen || orphan.lastSample != ladder.Unset) {
			orphans = append(orphans, *orphan)
		}
	}
	for i := range orphans {
		e.inheritSilence(&orphans[i], down)
	}
	e.updateSenders()
	e.publish()
	return errors.Join(errs...)
}

// metaOf returns when the state was stored, and what else is stored once.
func metaOf(values map[string][]byte) (storedMeta, error) {
	value := values[metaKey]
	if value == nil {
		return storedMeta{}, fmt.Errorf("%s is missing, so the time of the stored state is unknown and all of it is left out", metaKey)
	}
	saved, err := decodeMeta(value)
	if err != nil {
		return storedMeta{}, fmt.Errorf("decoding %s: %w", metaKey, err)
	}
	return saved, nil
}

func (e *Engine) restoreEvent(seq uint64, v []byte) error {
	ev, err := event.Decode(v)
	if err != nil {
		e.journal.markEvent(seq) // The next snapshot deletes it.
		return fmt.Errorf("decoding %s: %w", eventKey(seq), err)
	}
	ev.Seq = seq
	e.outbox.Restore(ev)
	return nil
}

// restoreAlert takes up a stored alert. It returns the alert if no rule goes on with it.
func (e *Engine) restoreAlert(id uint64, v []byte, down int64) (*storedAlert, error) {
	s, err := decodeAlert(v)
	if err == nil && alertschema.AlertID(s.rule, s.group) != id {
		err = fmt.Errorf("%w: alert id", attr.ErrCorrupt)
	}
	if err != nil {
		e.journal.mark(id)
		return nil, fmt.Errorf("decoding %s: %w", alertKey(id), err)
	}
	r := e.ruleNamed(s.rule)
	switch {
	case r == nil:
		e.closeStored(id, &s, alertschema.ReasonRuleRemoved)
	case !r.SelectedAs(s.selection), (s.comparison == ladder.Absent.Symbol()) != (r.silence > 0):
		e.closeStored(id, &s, alertschema.ReasonRuleChanged)
	case s.expected && !r.expects(id):
		e.closeStored(id, &s, alertschema.ReasonRuleChanged)
	case !e.adopt(r, &s, down):
		e.closeStored(id, &s, alertschema.ReasonRuleChanged)
		return nil, nil
	default:
		return nil, nil
	}
	return &s, nil
}

func (e *Engine) ruleNamed(name string) *ruleState {
	for _, r := range e.states {
		if r.Name == name {
			return r
		}
	}
	return nil
}

// expects tells whether the rule lists the group of an alert.
func (r *ruleState) expects(id uint64) bool {
	_, listed := r.expected[id]
	return listed
}

// closeStored resolves an alert that no rule stands for any more.
func (e *Engine) closeStored(id uint64, s *storedAlert, reason alertschema.Reason) {
	e.journal.mark(id)
	if s.announced.name == "" || !e.rules.SendResolved {
		return
	}
	ended := e.now
	if s.latched && s.level.name == "" {
		ended = s.ended
	}
	at := max(e.now, s.changed, s.started)
	ended = max(ended, s.started)
	keyed, _ := attr.DecodeGroup(s.group) // decodeAlert has checked it.
	ev := newRecord(&facts{
		id: cmp.Or(uint64(s.recordID), id), rule: s.rule, version: s.version, description: s.description, metric: s.metric, unit: s.unit,
		comparison: s.comparison, point: s.point, aggregation: s.aggregation, window: s.window, labels: s.labels, annotations: s.annotations,
		more: s.more, group: s.shownGroup(keyed), identity: attr.Plain(keyed), resource: s.resource, announced: s.announced.name,
		previous: s.announcedState, transition: alertschema.TransitionResolve, reason: reason, state: alertschema.StateResolved, time: at,
		observed: e.now, started: s.started, ended: ended, occurrence: s.seq + 1,
	})
	ev.Severity = s.announced.name
	if s.shownKnown && s.comparison != ladder.Absent.Symbol() { // Older builds stored no threshold, and a value alone says nothing.
		ev.Value, ev.Threshold = s.value, s.threshold
	}
	ev.Body = fmt.Sprintf("resolved: %s (the rule was %s; was firing for %s)", subjectOf(&ev, rules.SelectsByResource(s.selection)),
		map[alertschema.Reason]string{alertschema.ReasonRuleRemoved: "removed", alertschema.ReasonRuleChanged: "changed"}[reason], rules.FormatSeconds(ev.Duration.Seconds()))
	e.enqueue(ev)
}

// adopt puts a stored alert into force. It returns false where there is no level left that the alert can be at.
func (e *Engine) adopt(r *ruleState, s *storedAlert, down int64) bool {
	unit, key := e.unitNumber(s.unit), r.Upgraded(s.group, s.resource)
	today := e.ladderOf(r, unit, key, s.resource)
	if s.level.name != "" && levelNow(s.level, s.value, today) == 0 || s.announced.name != "" && levelLike(s.announced, today.specs) == 0 {
		return false
	}
	g := e.groupOf(r, key)
	if g.alert != nil && (g.alert.announced > 0 || s.announced.name == "") {
		return false // Two of an older build are one today.
	}
	a := e.openAlert(g)
	s.fill(r, a, today)
	a.unit = unit
	r.restoreBounds(g, s.bounds)
	if r.bounds != nil && today.levels != nil {
		r.bounds.last[g] = slices.Clone(today.levels)
	}
	if id := alertschema.AlertID(s.rule, s.group); id != g.id {
		e.journal.mark(id)
		a.recordID = cmp.Or(a.recordID, id) // The receivers know it by the ID of before.
	}
	if down <= maxPendingDowntime {
		for _, run := range s.since {
			if i := levelLike(run.level, today.specs); i > a.Level {
				a.Since[i-1] = run.since
			}
		}
	}
	a.Shift(down)
	a.notAfter(e.now) // A clock that was set back must not leave runs that begin in the far future.
	a.restored = a.Level > 0
	a.decided = s.decided
	if down < 0 && a.decided != ladder.Unset {
		a.decided += down
	}
	a.decided = min(a.decided, e.now+maxAhead)
	switch {
	case r.silence > 0 && s.lastSample != ladder.Unset:
		g.lastSample, a.silent = min(e.now, s.lastSample+down), true
	case r.silence > 0 && s.seen:
		g.lastSample = e.now
	case r.silence == 0:
		if r.counts && s.seen {
			g.lastSample = e.now
		}
		// The data's own clock is not known yet; until it is, the alert counts as just seen.
		g.lastEvent, g.lastArrival = e.now, e.running
		a.presentUntil = e.now + window.DefaultLookback
	}
	if g.inputs != nil {
		g.inputs.complete = e.now
	}
	e.restoreAnnounced(g)
	if s.deferred != notDeferred {
		e.postpone(g, s.deferred)
	}
	e.announceLevelOf(g, s)
	if !r.Flapping.Enabled {
		e.endFlapping(g, g.clock(e.running))
	}
	return true
}

// announceLevelOf announces the level of a restored alert if the ladder has none of the name that was announced: nobody shall go on believing
// in it.
func (e *Engine) announceLevelOf(g *group, s *storedAlert) {
	a, r := g.alert, g.rule
	if s.announced.name == "" || r.LevelName(a.announced) == s.announced.name {
		return
	}
	a.seq++
	c := change{
		group: g, transition: alertschema.TransitionDeescalate, t: g.clock(e.running), from: a.announced, to: cmp.Or(a.Level, a.announced),
		reason: alertschema.ReasonRuleChanged, value: a.value, seq: a.seq, started: a.started, ended: a.ended, worst: a.worstStored(r).name,
		resource: g.resourceAttrs(), previous: s.announced.name,
	}
	if r.Levels[c.to-1].Number > s.announced.number {
		c.transition = alertschema.TransitionEscalate
	}
	r.transitions[c.transition]++
	e.emit(&c)
}

// ladderToday is the ladder that the group of a stored alert has by the rule in force.
type ladderToday struct {
	specs  []rules.LevelSpec
	levels []ladder.Level // In the unit that the metric had; nil where that alone does not tell.
}

// ladderOf returns the ladder of a stored group for the unit that the metric had before a restart or a reload, so that records and levels do not
// have to wait for the first sample.
func (e *Engine) ladderOf(r *ruleState, unit uint16, key string, resource []attr.Attr) ladderToday {
	today := ladderToday{specs: r.Levels}
	variant := int32(0)
	if r.ThresholdsBy != nil {
		keyed, _ := attr.DecodeGroup(key) // decodeAlert has checked it.
		if v, known := r.variantFor(keyed, resource); known {
			variant, today.specs = v, r.bounds.specs[v]
		}
	}
	switch {
	case r.broken || r.Threshold != nil:
	case r.bounds != nil:
		text := e.units.units[unit].Text
		if r.fixedUnit {
			text = r.unit
		}
		today.levels, _ = r.bounds.levelsIn(r, variant, text) // Nil where they can't be.
	case r.fixedUnit:
		today.levels = r.levels
	default:
		today.levels = e.resolveUnit(r, unit).levels // Nil where they can't be.
	}
	return today
}

// levelNow finds the level that a stored one is in today's ladder: the one of its name. Where there is none, it is the most severe one that the
// value breaches, or none; where there is no value to tell, the one that levelLike finds.
func levelNow(s storedLevel, value attr.Number, today ladderToday) int {
	like := levelLike(s, today.specs)
	if like == 0 || today.specs[like-1].Name == s.name || !value.Valid || today.levels == nil || !today.levels[0].Comparison.HasBounds() {
		return like
	}
	for i := len(today.levels) - 1; i >= 0; i-- {
		if !today.specs[i].Off && today.levels[i].Raised(value.Float64) {
			return i + 1
		}
	}
	return 0
}

// levelLike finds the level that a stored one means in today's ladder: the one of its name, else the most severe that
// is not more severe, else the lowest. It is 0 where the group has no level at all.
func levelLike(s storedLevel, specs []rules.LevelSpec) int {
	if s.name == "" {
		return 0
	}
	best := 0
	for i := range specs {
		l := &specs[i]
		switch {
		case l.Off:
		case l.Name == s.name:
			return i + 1
		case l.Number <= s.number || best == 0:
			best = i + 1
		}
	}
	return best
}
