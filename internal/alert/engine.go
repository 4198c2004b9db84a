package alert

import (
	"fmt"
	"hash/maphash"
	"math"
	"slices"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/event"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertaction"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// Engine runs rules. It is not safe for concurrent use: the caller holds a lock around every call.
type Engine struct {
	rules    *rules.Set
	states   []*ruleState
	ordered  []*ruleState // In order of evaluation.
	matchers map[string]*Matcher
	clock    clock
	now      int64 // Wall time.
	running  int64 // Time that counts: clock.running.
	started  int64 // Running time.
	ticked   int64 // Running time of the last Evaluate.
	lossSaid int64 // Running time at which lost time was last worth a warning.

	seed        maphash.Seed
	resources   map[attr.Hash]*resource // By what identifies them; those that only their description distinguishes are a list.
	named       map[string]struct{}     // Resource attributes that rules name.
	senders     senders
	units       unitTable
	seriesCount int
	held        int64 // Bytes by estimate, but for samples.
	samplesHeld int64 // Bytes of samples at the last tick.
	memoryShort bool  // More is held than limits::memory_mib allows.
	placeFree   bool  // An alert that waits for a place may have one.

	// What the limits have cost and was not said yet.
	unwatched, cut, undelivered excess
	unwatchedKeys               map[attr.Hash]struct{}
	outboxLogged                bool
	exceeded                    [limitCount]exceeded

	lost          map[*group]lostSpan // Of the last minute.
	delayed       []delayedPoint      // Points of this round that wait for those that are older.
	delayedNewest map[*series]int64   // The newest times of the first of them, as many as delayedLooked says.
	delayedLooked int
	gapWork       int                 // Series that were looked at in this round for the gaps before delayed points.
	notOverdue    map[*group]struct{} // Groups of which signs of life have come in this round that nobody waits for.
	work          uint64
	heardFirsts   int // Signs of life in this round of series that are not held.
	touched       []*group
	touchedInputs []*series // Inputs of groups that have come in this round.
	// inputRefs are the groups that look at a series without having it as a member.
	inputRefs map[*series][]inputRef
	changes   []change
	// apart are the series that stay apart from their groups, and apartFrom the groups of each.
	apart     map[*group]*apart
	apartFrom map[*series][]*group
	forgotten []*series         // Series that are still in their groups.
	alerts    map[uint64]*group // Groups that have an alert.
	deferred  []*group          // Alerts whose announcement waits.

	silences rules.SilenceSet
	// personSilences are those that people have made, by ID.
	personSilences map[uint64]*alertaction.Silence

	references *references
	rechecking bool // A group is evaluated for what another rule's alerts have become; its samples have been seen.
	storm      storm
	outbox     event.Outbox
	journal    journal
	histories  histories
	resumed    bool       // An engine before has left samples.
	leftTo     []*Matcher // Those for which an engine before has left samples that were not taken up yet.
	stats      counters
	skews      skews
	notices    []string
	// misplaced are inputs that may match nothing, because attributes stand elsewhere; the next Evaluate knows.
	misplaced []*ruleInput

	reused rules.Moment // Filled by moment.
}

// ruleState is a rule with what the engine knows about it at run time.
type ruleState struct {
	*rules.Rule
	groups map[uint64]*group
	order  []*group // The groups in order of their making, as they lie in memory; place is the index.
	names  *attr.NameTable
	// unit is the unit of the rule's value where fixedUnit says that it is the kind's, whatever the metric's.
	unit       string
	fixedUnit  bool
	joinsUnits bool         // The value is made of several metrics.
	byUnit     []*ruleUnit  // The ladder by the number of the metric's unit.
	roles      []rules.Role // Of the rule's inputs.
	required   []rules.Role // Of them, those without which there is no value.
	// wholeRounds tells whether groups wait for all of their inputs before the first value.
	wholeRounds bool
	// silence is Kind.Silence.
	silence  int64
	patience int64 // The least age of the last sample at which time decides something.
	// counts is Rule.CountsSeries.
	counts     bool
	levels     []ladder.Level      // Of the fixed unit, or of none.
	conditions []ladder.Level      // The bound of only_if by the number of its metric's unit.
	oneReading bool                // One value answers for all levels, as far as their horizons tell.
	broken     bool                // The bounds cannot be compared with the fixed unit.
	expected   map[uint64]struct{} // The alerts of the groups that the rule lists.
	histories  *ruleHistories      // Nil for rules that look at no earlier time.
	bounds     *groupBounds        // Nil where all groups have the same bounds.
	selections map[string]bool     // What SelectedAs said of stored selections. Nil but in Restore.

	places  places // Alerts whose fire was announced and not yet its resolve.
	waiting int    // Alerts that wait for a place among the announced ones.
	// withheldLogged is the severity number of the worst of which the log said so, and withheldLoggedAt when that was.
	withheldLogged   int
	withheldLoggedAt int64
	withheldSaid     int // The severity number of the worst of which it was said that they wait.
	errors           map[errorKind]*saidError
	errorCount       uint64
	errorsSaid       int
	transitions      map[alertschema.Transition]uint64
	lastMatch        int64
	warnedIdle       bool
	inputsSeen       bool // Everything that the rule needs was there at once.

	referenced   bool   // Other rules refer to it.
	levelChanges uint64 // Of its alerts, for the rules that refer to it.
	othersSeen   uint64 // The levelChanges of the rule that this one fires beside, at the last tick.
	recheck      bool   // They have changed since.
}

// New returns an engine that begins at now.
func New(ruleSet *rules.Set, now time.Time) *Engine {
	e := &Engine{
		rules: ruleSet, matchers: map[string]*Matcher{}, clock: newClock(now), now: now.UnixNano(), lossSaid: ladder.Unset, seed: maphash.MakeSeed(),
		units: newUnitTable(),
		apart: map[*group]*apart{}, apartFrom: map[*series][]*group{},
		senders:   senders{byID: map[uint64]*sender{}},
		resources: map[attr.Hash]*resource{}, inputRefs: map[*series][]inputRef{}, alerts: map[uint64]*group{}, silences: rules.NewSilenceSet(ruleSet.Silences),
		storm: newStorm(ruleSet.Limits.EventsPerMinute), outbox: event.NewOutbox(ruleSet.Limits.Outbox), journal: newJournal(),
		histories: histories{byID: map[uint64]*valueHistory{}}, personSilences: map[uint64]*alertaction.Silence{},
		notices: slices.Concat(ruleSet.Warnings, ruleSet.PastSilences(now.UnixNano())),
	}
	e.outbox.KnownAfter = int64(ruleSet.Limits.KnownAfter)
	e.named = namedByRules(ruleSet)
	e.started, e.running, e.ticked = e.clock.running, e.clock.running, e.clock.running
	names := attr.NewNameTable()
	for _, r := range ruleSet.Rules {
		state := &ruleState{
			bounds: newGroupBounds(r), places: newPlaces(len(r.Levels)),
			Rule: r, groups: map[uint64]*group{}, names: names, errors: map[errorKind]*saidError{}, transitions: map[alertschema.Transition]uint64{},
			lastMatch: ladder.Unset, oneReading: true,
			levels: make([]ladder.Level, len(r.Levels)), silence: r.Kind.Silence(), histories: newRuleHistories(r), counts: r.CountsSeries(),
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
		for _, key := range r.ExpectedGroups() {
			if state.expected == nil {
				state.expected = map[uint64]struct{}{}
			}
			state.expected[e.groupOf(state, key).id] = struct{}{}
		}
	}
	for _, i := range ruleSet.Order {
		e.ordered = append(e.ordered, e.states[i])
		for _, f := range []*rules.Reference{e.states[i].And, e.states[i].Unless} {
			if f != nil {
				e.states[f.Rule].referenced = true
			}
		}
	}
	e.references = newReferences(ruleSet)
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
		if len(r.roles) > 1 || r.histories != nil {
			g.inputs = &groupInputs{complete: ladder.Unset}
		}
		e.hold(g.size())
		r.groups[id] = g
		g.place = int32(len(r.order))
		r.order = append(r.order, g)
		e.rememberGroup(g, key)
	}
	return g
}

// remove drops a group; the last one takes its place.
func (r *ruleState) remove(g *group) {
	if r.histories != nil {
		r.histories.leaveGroup(g)
	}
	delete(r.groups, g.id)
	r.bounds.forgetGroup(g)
	last := r.order[len(r.order)-1]
	r.order[g.place], last.place = last, g.place
	r.order[len(r.order)-1] = nil
	r.order = r.order[:len(r.order)-1]
}

// Limits are the limits of the configuration.
func (e *Engine) Limits() rules.LimitsConfig { return e.rules.Limits }

// Work is how many series, samples that wait and resources the engine has looked at in loops that may be long. It is for tests of what data cost.
func (e *Engine) Work() uint64 { return e.work }

// NamedKeys are the keys of the attributes that rules name, and of those that name who sends.
func (e *Engine) NamedKeys() map[string]struct{} { return e.rules.NamedKeys() }

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
	e.queueReferenced()
	e.references.beginPass(e.touched)
	for _, g := range e.touched {
		if len(g.pending) > maxPending {
			e.boundPending(g)
		}
		e.evaluatePending(g, force)
		if g.rule.referenced && len(g.pending) == 0 {
			e.evaluateByTime(g, g.clock(e.running))
		}
		g.queued, g.arrived = false, 0
	}
	clear(e.notOverdue)
	e.heardFirsts = 0
	for _, g := range e.touched {
		e.work += uint64(len(g.members))
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
	e.references.beginPass(nil)
	for _, r := range e.ordered {
		e.noticeOthers(r)
		for i := 0; i < len(r.order); i++ {
			if g := r.order[i]; !e.tick(g) {
				r.remove(g)
				e.hold(-g.size())
				i--
			}
		}
	}
	e.evictSeries()
	e.updateSenders()
	e.keepHistories()
	e.dropLeft()
	e.forgetMoment()
	e.publish()
	e.endSilences()
	e.release()
	e.repeat()
	e.storm.summarize(e)
	e.forgetAlerts()
	e.ticked = e.running
	e.noticeMisplaced()
	e.noticeIdleRules()
	e.reportSkews()
	e.forgetErrors()
	e.forgetLosses()
	e.reportLimits()
}

// noticeImpossible warns about a bare 80 where the metric is a ratio: the rule would wait for ever.
func (e *Engine) noticeImpossible(w *ruleInput, unit uint16, levels []ladder.Level) {
	r := w.rule
	if !r.Aggregate.WithinSamples() || r.GroupAggregate == window.GroupSum || r.Scale != math.Trunc(r.Scale) || math.Abs(r.Scale) > 1 {
		return
	}
	for i := range levels {
		if l := &r.Levels[i]; w.impossible(l, &levels[i], e.units.units[unit].Text) {
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

// maxNotice bounds the text of a notice or of an error, in bytes.
const maxNotice = 2048

// maxNotices bounds what waits for TakeNotices.
const maxNotices = 100

func (e *Engine) notice(format string, args ...any) {
	if len(e.notices) < maxNotices {
		e.notices = append(e.notices, alertschema.CutText(fmt.Sprintf(format, args...), maxNotice+512))
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
		case r.inputsSeen || len(r.required) == 1:
		default:
			r.warnedIdle = true
			e.notice("rule %q has had no group with all that it looks at for %s: check the other metric, and that group_by makes the same "+
				"groups of both", r.Name, rules.FormatDuration(time.Duration(idleAfter)))
		}
	}
}
