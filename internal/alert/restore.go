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
		} else if id, ok := silenceOfKey(key); ok {
			errs = append(errs, e.restoreSilence(id, v))
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
	for _, r := range e.states {
		r.selections = nil
	}
	e.updateSenders()
	e.endLostSilences()
	e.publish()
	return errors.Join(errs...)
}

// selectedAs is SelectedAs, which is asked of many alerts with one selection.
func (r *ruleState) selectedAs(stored string) bool {
	same, known := r.selections[stored]
	if !known {
		same = r.SelectedAs(stored)
		if r.selections == nil {
			r.selections = map[string]bool{}
		}
		r.selections[stored] = same
	}
	return same
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
	case !r.selectedAs(s.selection), (s.comparison == ladder.Absent.Symbol()) != (r.silence > 0):
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
