package alert

import (
	"slices"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// Why a sample was not used.
const (
	ignoredLate = iota
	ignoredFuture
	ignoredDuplicate
	ignoredLimit
	ignoredNaN
	ignoredReasons
)

var ignoredNames = [ignoredReasons]string{"late", "future", "duplicate", "limit", "nan"}

// Why a record was held back.
const (
	suppressedStorm = iota
	suppressedSilence
	suppressedFlapping
	suppressedLimit
	suppressedHours
	suppressedOther
	suppressedReasons
)

var suppressedNames = [suppressedReasons]string{"storm", "silence", "flapping", "limit", "active", "unless"}

type counters struct {
	ignored    [ignoredReasons]uint64
	suppressed [suppressedReasons]uint64
}

// Stats is the engine's account of itself. Counts run from the engine's start.
type Stats struct {
	// Series, Groups, Alerts and Outbox are how many of them there are now. Alerts counts pending ones too.
	Series, Groups, Alerts, Outbox int
	// SamplesIgnored is by reason: late, future, duplicate, limit, nan.
	SamplesIgnored map[string]uint64
	// EventsSuppressed is by reason: storm, silence, flapping, limit, active, unless. What was only postponed counts once.
	EventsSuppressed map[string]uint64
	// LimitsExceeded is how often a limit cut, left out or held back something, by the limit's name.
	LimitsExceeded map[string]uint64
	// OutboxCoalesced counts undelivered records that a later one made pointless, OutboxDropped those that a full
	// outbox cost.
	OutboxCoalesced, OutboxDropped uint64
	// Rules is in order of the configuration.
	Rules []RuleStats
}

// RuleStats is what Stats says of one rule.
type RuleStats struct {
	Name string
	// Active is how many alerts are firing now, by severity; every severity of the ladder is there.
	Active map[string]int
	// Transitions is by transition, announced or not; only those that happened are there.
	Transitions map[string]uint64
	// Errors counts how often the rule could not be evaluated.
	Errors uint64
	// LastMatchAge is the wall time since a data point last matched, or since the start if none ever did.
	LastMatchAge time.Duration
	// Matched tells whether a data point ever matched.
	Matched bool
}

// Stats returns the engine's account of itself as of now.
func (e *Engine) Stats(now time.Time) Stats {
	s := Stats{
		Series: e.seriesCount, Outbox: e.outbox.Size(),
		SamplesIgnored: map[string]uint64{}, EventsSuppressed: map[string]uint64{}, LimitsExceeded: map[string]uint64{},
		OutboxCoalesced: e.outbox.Coalesced, OutboxDropped: e.outbox.Dropped,
	}
	for i, n := range e.stats.ignored {
		s.SamplesIgnored[ignoredNames[i]] = n
	}
	for i := range e.exceeded {
		s.LimitsExceeded[limitNames[i]] = e.exceeded[i].total
	}
	for i, n := range e.stats.suppressed {
		s.EventsSuppressed[suppressedNames[i]] = n
	}
	for _, r := range e.states {
		s.Groups += len(r.groups)
		rs := RuleStats{
			Name: r.Name, Active: map[string]int{}, Transitions: map[string]uint64{}, Errors: r.errorCount, Matched: r.lastMatch != ladder.Unset,
			LastMatchAge: time.Duration(e.running - e.started + now.UnixNano() - e.now),
		}
		if rs.Matched {
			rs.LastMatchAge = time.Duration(e.running - r.lastMatch + now.UnixNano() - e.now)
		}
		for i := range r.levels {
			rs.Active[r.Levels[i].Name] = 0
		}
		for t, n := range r.transitions {
			if n > 0 {
				rs.Transitions[t.String()] = n
			}
		}
		s.Rules = append(s.Rules, rs)
	}
	for _, g := range e.alerts {
		if a := g.alert; a.Level > 0 || a.open || a.Pending() {
			s.Alerts++
		}
		if g.alert.Level > 0 {
			s.Rules[g.rule.Index].Active[g.rule.LevelName(g.alert.Level)]++
		}
	}
	return s
}

// ActiveAlert is one firing alert, for tests of rules and for inspection.
type ActiveAlert struct {
	ID       string // As in the records.
	Rule     string
	Severity string
	Identity []attr.Attr // As in the records.
	Value    attr.Number
	// Since is the event time at which it fired.
	Since time.Time
}

// Active returns the alerts that are firing, announced or not, in order of rule and then of alert ID.
func (e *Engine) Active() []ActiveAlert {
	var firing []*group
	for _, g := range e.alerts {
		if g.alert.Level > 0 {
			firing = append(firing, g)
		}
	}
	slices.SortFunc(firing, compareGroups)
	out := make([]ActiveAlert, len(firing))
	for i, g := range firing {
		a := g.alert
		out[i] = ActiveAlert{
			ID: alertschema.IDText(g.recordID()), Rule: g.rule.Name, Severity: g.rule.LevelName(a.Level), Identity: g.identity(), Value: a.value,
			Since: time.Unix(0, a.started).UTC(),
		}
	}
	return out
}
