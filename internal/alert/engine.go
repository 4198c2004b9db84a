package alert

import (
	"fmt"
	"hash/maphash"
	"math"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/event"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// Engine runs rules. It is not safe for concurrent use: the caller holds a lock around every call.
type Engine struct {
	rules    *rules.Set
	states   []*ruleState
	matchers map[string]*Matcher
	clock    clock
	now      int64 // Wall time.
	running  int64 // Time that counts: clock.running.
	started  int64 // Running time.
	ticked   int64 // Running time of the last Evaluate.
	lossSaid int64 // Running time at which lost time was last worth a warning.

	seed         maphash.Seed
	resources    map[attr.Hash]*resource
	seriesCount  int
	warnedSeries bool // That limits::series is reached was said.

	delayed       []delayedPoint // Points of this round that wait for those that are older.
	touched       []*group
	touchedInputs []*series // Inputs of groups that have come in this round.
	// inputRefs are the groups that look at a series without having it as a member.
	inputRefs map[*series][]inputRef
	changes   []change
	alerts    map[uint64]*group // Groups that have an alert.
	deferred  []*group          // Alerts whose announcement waits.

	silences rules.SilenceSet
	storm    storm
	outbox   event.Outbox
	journal  journal
	stats    counters
	skews    skews
	notices  []string

	reused rules.Moment // Filled by moment.
}

// ruleState is a rule with what the engine knows about it at run time.
type ruleState struct {
	*rules.Rule
	groups map[uint64]*group
	order  []*group // The groups in order of their making, as they lie in memory; place is the index.
	names  *attr.NameTable
	// unit is the metric's unit, known from the first stream on; levels are resolved for it.
	unit      string
	fixedUnit bool         // The unit is the kind's, whatever the metric's.
	roles     []rules.Role // Of the rule's inputs.
	// silence is Kind.Silence.
	silence    int64
	patience   int64 // The least age of the last sample at which time decides something.
	levels     []ladder.Level
	condition  ladder.Level // The bound of only_if.
	oneReading bool         // One value answers for all levels.
	broken     bool         // The bounds cannot be compared with the metric.

	announcedCount int // Alerts whose fire was announced and not yet its resolve.
	errors         map[string]struct{}
	errorCount     uint64
	transitions    map[alertschema.Transition]uint64
	lastMatch      int64
	warnedIdle     bool
	inputsSeen     bool // Everything that the rule needs was there at once.
}

// New returns an engine that begins at now.
func New(ruleSet *rules.Set, now time.Time) *Engine {
	e := &Engine{
		rules: ruleSet, matchers: map[string]*Matcher{}, clock: newClock(now), now: now.UnixNano(), lossSaid: ladder.Unset, seed: maphash.MakeSeed(),
		resources: map[attr.Hash]*resource{}, inputRefs: map[*series][]inputRef{}, alerts: map[uint64]*group{}, silences: rules.NewSilenceSet(ruleSet.Silences),
		storm: newStorm(ruleSet.Limits.EventsPerMinute), outbox: event.NewOutbox(ruleSet.Limits.Outbox), journal: newJournal(),
	}
	e.started, e.running, e.ticked = e.clock.running, e.clock.running, e.clock.running
	names := attr.NewNameTable()
	for _, r := range ruleSet.Rules {
		state := &ruleState{
			Rule: r, groups: map[uint64]*group{}, names: names, errors: map[string]struct{}{}, transitions: map[alertschema.Transition]uint64{},
			lastMatch: ladder.Unset, oneReading: true,
			levels: make([]ladder.Level, len(r.Levels)), silence: r.Kind.Silence(),
		}
		if state.patience = r.NoDataAfter; state.silence > 0 {
			state.patience = state.silence
		}
		for i := range r.Levels {
			state.levels[i] = r.Levels[i].Unresolved()
			state.oneReading = state.oneReading && r.Levels[i].Horizon == r.Levels[0].Horizon
		}
		e.states = append(e.states, state)
		e.addRuleInputs(state)
		if r.Pinned() {
			e.groupOf(state, r.PinnedKey())
		}
	}
	return e
}

// groupOf returns the group of a key, a new one if need be.
func (e *Engine) groupOf(r *ruleState, key string) *group {
	id := alertschema.AlertID(r.Name, key)
	g := r.groups[id]
	if g == nil {
		g = &group{
			rule: r, id: id, key: r.names.Compact(key),
			lastRound: ladder.Unset, lastEval: ladder.Unset, lastEvent: ladder.Unset, lastSample: ladder.Unset, lastArrival: e.running,
		}
		if len(r.roles) > 1 {
			g.inputs = &groupInputs{complete: ladder.Unset}
		}
		r.groups[id] = g
		g.place = int32(len(r.order))
		r.order = append(r.order, g)
	}
	return g
}

// remove drops a group; the last one takes its place.
func (r *ruleState) remove(g *group) {
	delete(r.groups, g.id)
	last := r.order[len(r.order)-1]
	r.order[g.place], last.place = last, g.place
	r.order[len(r.order)-1] = nil
	r.order = r.order[:len(r.order)-1]
}

// Begin starts a round of points at wall time now.
func (e *Engine) Begin(now time.Time) { e.setNow(now) }

// Flush ends a round of points: it evaluates the groups that they concern and queues what is to be announced. A group
// of which a part is still to come waits for it, or for Evaluate.
func (e *Engine) Flush(now time.Time) {
	e.setNow(now)
	e.flush(false)
	e.publish()
}

func (e *Engine) flush(force bool) {
	e.acceptDelayed()
	for _, g := range e.touched {
		e.evaluatePending(g, force)
		g.queued = false
	}
	for _, g := range e.touched {
		for _, s := range g.members {
			if s.marked(markQueued) {
				e.trim(s)
			}
		}
	}
	for _, s := range e.touchedInputs {
		e.trim(s)
	}
	clear(e.touched)
	clear(e.touchedInputs)
	e.touched, e.touchedInputs = e.touched[:0], e.touchedInputs[:0]
}

// Evaluate does what time alone decides: held values, no data, absence, repeats, the end of flapping and of
// storms, and the forgetting of silent series. It is called every evaluation interval.
func (e *Engine) Evaluate(now time.Time) {
	e.setNow(now)
	e.flush(true)
	for _, r := range e.states {
		for i := 0; i < len(r.order); i++ {
			if g := r.order[i]; !e.tick(g) {
				r.remove(g)
				i--
			}
		}
	}
	e.evictSeries()
	e.forgetMoment()
	e.publish()
	e.release()
	e.repeat()
	e.storm.summarize(e)
	e.forgetAlerts()
	e.ticked = e.running
	e.noticeIdleRules()
	e.forgetSkews()
	if e.seriesCount < e.rules.Limits.Series {
		e.warnedSeries = false
	}
}

// noticeSeriesLimit warns once of series that nobody watches, until there is room again.
func (e *Engine) noticeSeriesLimit() {
	if !e.warnedSeries {
		e.warnedSeries = true
		e.notice("limits::series is %d, and there are more: the rest is not watched; raise the limit, or narrow match", e.rules.Limits.Series)
	}
}

// noticeImpossible warns about a bare 80 where the metric is a ratio: the rule would wait for ever.
func (e *Engine) noticeImpossible(w *ruleInput) {
	r := w.rule
	if !r.Aggregate.WithinSamples() || r.GroupAggregate == window.GroupSum || r.Scale != math.Trunc(r.Scale) || math.Abs(r.Scale) > 1 {
		return
	}
	for i := range r.levels {
		if l := &r.Levels[i]; w.impossible(l, &r.levels[i]) {
			e.notice("rule %q: %s above %s never fires, because %s is a ratio; did you mean %s%%?",
				r.Name, l.Name, l.Raise[0].Text, r.Metric, l.Raise[0].Text)
		}
	}
}

// OTLP severity numbers of the engine's own records.
const (
	errorSeverityNumber   = 17
	warningSeverityNumber = 13
)

// maxNotices bounds what waits for TakeNotices.
const maxNotices = 100

func (e *Engine) notice(format string, args ...any) {
	if len(e.notices) < maxNotices {
		e.notices = append(e.notices, fmt.Sprintf(format, args...))
	}
}

// TakeNotices returns the warnings for the operator's log that came up since the last call.
func (e *Engine) TakeNotices() []string {
	n := e.notices
	e.notices = nil
	return n
}

// second is one, in nanoseconds.
const second = int64(time.Second)

// idleAfter is how long a rule may match nothing before that is worth a warning.
const idleAfter = 600 * second

func (e *Engine) noticeIdleRules() {
	if e.running-e.started < idleAfter {
		return
	}
	for _, r := range e.states {
		switch {
		case r.warnedIdle || r.silence > 0 || r.MayMatchNothing || len(r.errors) > 0:
		case r.lastMatch == ladder.Unset:
			r.warnedIdle = true
			e.notice("rule %q has matched no data point for %s: check metric %q and match", r.Name,
				rules.FormatDuration(time.Duration(idleAfter)), r.Value.Metric)
		case r.inputsSeen || len(r.roles) == 1:
		default:
			r.warnedIdle = true
			e.notice("rule %q has had no group with all that it looks at for %s: check the other metric, and that group_by makes the same "+
				"groups of both", r.Name, rules.FormatDuration(time.Duration(idleAfter)))
		}
	}
}

// evictSeries forgets the series that have been silent for longer than every rule of theirs waits.
func (e *Engine) evictSeries() {
	for _, m := range e.matchers {
		m.evict()
		for _, f := range m.statistics {
			f.evict()
		}
	}
}

func (m *Matcher) evict() {
	e := m.engine
	for key, s := range m.series {
		if silent := e.running - s.seenAt; silent <= e.rules.MinStaleAfter || silent <= e.staleAfter(s) {
			continue
		}
		m.rememberOnce(key, s)
		m.forget(key, s)
	}
}

func (m *Matcher) forget(key attr.Hash, s *series) {
	e := m.engine
	delete(m.series, key)
	e.seriesCount--
	e.leave(s)
	if s.resource.refs--; s.resource.refs == 0 {
		delete(e.resources, s.resource.key)
	}
}

// ruleError queues an alert.rule_error record, once for each rule and text.
func (e *Engine) ruleError(r *ruleState, text string) {
	r.errorCount++
	if _, said := r.errors[text]; said || len(r.errors) >= maxNotices {
		return
	}
	r.errors[text] = struct{}{}
	e.notice("rule %q: %s", r.Name, text)
	e.enqueue(event.Event{
		Kind: alertschema.KindRuleError, Time: e.now, ObservedTime: e.now, SeverityNumber: errorSeverityNumber, SeverityText: "error",
		Body: fmt.Sprintf("rule %q: %s", r.Name, text), UID: fmt.Sprintf("%s-%x-error-%d", r.Version, uint64(e.started), len(r.errors)),
		Rule: r.Name, RuleVersion: r.Version, Metric: r.Metric,
	})
}
