package alert

import (
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
	// A clock that was set back meanwhile moves what was stored as it moves one that runs.
	down := e.now - saved.savedAt
	if down < 0 && down >= -maxAhead {
		down = 0
	}
	for _, id := range alerts {
		errs = append(errs, e.restoreAlert(id, values[alertKey(id)], down))
	}
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

func (e *Engine) restoreAlert(id uint64, v []byte, down int64) error {
	s, err := decodeAlert(v)
	if err == nil && alertschema.AlertID(s.rule, s.group) != id {
		err = fmt.Errorf("%w: alert id", attr.ErrCorrupt)
	}
	if err != nil {
		e.journal.mark(id)
		return fmt.Errorf("decoding %s: %w", alertKey(id), err)
	}
	var r *ruleState
	for _, candidate := range e.states {
		if candidate.Name == s.rule {
			r = candidate
		}
	}
	switch {
	case r == nil:
		e.closeStored(id, &s, alertschema.ReasonRuleRemoved)
	case r.Selection != s.selection:
		e.closeStored(id, &s, alertschema.ReasonRuleChanged)
	default:
		e.adopt(r, &s, down)
	}
	return nil
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
	ev := event.Event{
		Kind: alertschema.KindStateChange, Time: at, ObservedTime: e.now, SeverityNumber: alertschema.ResolvedSeverityNumber, SeverityText: alertschema.ResolvedSeverityText,
		AlertID: alertschema.IDText(id), EpisodeID: alertschema.EpisodeID(id, s.started), Transition: alertschema.TransitionResolve, State: alertschema.StateResolved, Previous: s.announcedState,
		Severity: s.announced.name, PreviousSeverity: s.announced.name, Reason: reason, Rule: s.rule, RuleVersion: s.version,
		Metric: s.metric, Unit: s.unit, Comparison: s.comparison, StartedAt: s.started, EndedAt: ended, Ended: true,
		Duration: time.Duration(max(0, ended-s.started)), Occurrences: s.seq + 1, Resource: s.resource,
	}
	for _, a := range keyed {
		if a.Location == attr.InPoint {
			ev.Group = append(ev.Group, a.Attr)
		}
	}
	ev.UID = alertschema.RecordUID(ev.EpisodeID, ev.Occurrences)
	ev.Body = fmt.Sprintf("resolved: %s (the rule was %s; was firing for %s)", s.rule,
		map[alertschema.Reason]string{alertschema.ReasonRuleRemoved: "removed", alertschema.ReasonRuleChanged: "changed"}[reason], rules.FormatSeconds(ev.Duration.Seconds()))
	e.enqueue(ev)
}

// adopt puts a stored alert into force.
func (e *Engine) adopt(r *ruleState, s *storedAlert, down int64) {
	g := e.groupOf(r, s.group)
	a := e.openAlert(g)
	s.fill(r, a)
	if down <= maxPendingDowntime {
		for _, run := range s.since {
			if i := r.levelLike(run.level); i > a.Level {
				a.Since[i-1] = run.since
			}
		}
	}
	a.Shift(down)
	a.notAfter(e.now) // A clock that was set back must not leave runs that begin in the far future.
	a.restored = a.Level > 0 && r.Retention > 0
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
		// The data's own clock is not known yet; until it is, the alert counts as just seen.
		g.lastEvent, g.lastArrival = e.now, e.running
		a.presentUntil = e.now + window.DefaultLookback
	}
	if g.inputs != nil {
		g.inputs.complete = e.now
	}
	if a.announced > 0 {
		r.announcedCount++
	}
	if s.deferred != notDeferred {
		e.postpone(g, s.deferred)
	}
}

// levelLike finds the level that a stored one means in today's ladder: the one of its name, else the most severe that
// is not more severe, else the lowest.
func (r *ruleState) levelLike(s storedLevel) int {
	if s.name == "" {
		return 0
	}
	best := 1
	for i := range r.Levels {
		l := &r.Levels[i]
		if l.Name == s.name {
			return i + 1
		}
		if l.Number <= s.number {
			best = i + 1
		}
	}
	return best
}
