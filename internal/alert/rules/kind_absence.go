package rules

import (
	"fmt"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// absence fires when no sample has come for a while. What the rule says of values means nothing, and stands in its version all the same.
type absence struct {
	rule  *Rule
	inner Kind
	// after is the age of the newest sample from which the rule fires.
	after int64
	// expect makes it fire as well when no sample was ever seen, and startGrace is how long after the start one may take.
	expect     bool
	startGrace int64
	// expected are the keys of the groups that are expected.
	expected []string
}

var absenceSpec = kindSpec{
	key: "absent",
	compile: func(c *compiler, rc RuleConfig, r *Rule, inner Kind, report func(string, ...any)) Kind {
		a := rc.Absent
		k := &absence{rule: r, inner: inner, after: int64(a.For), expect: a.Expect, startGrace: int64(2 * time.Minute)}
		if a.StartGrace != nil {
			k.startGrace = int64(*a.StartGrace)
		}
		if a.For <= 0 {
			report("absent.for must be > 0")
		}
		if k.startGrace < 0 {
			report("absent.start_grace must be ≥ 0")
		}
		if a.Expect && len(rc.GroupBy) > 0 {
			report("absent.expect and group_by exclude each other: groups that were never seen are not known; list them in absent.expected")
		}
		k.compileExpected(c, rc, report)
		// By default the one question is whether anything that matches is there at all.
		r.GroupGiven = true
		return k
	},
}

// Inputs are points of any shape: whether they come can be asked of all.
func (k *absence) Inputs() []Input {
	return []Input{{Target: &k.rule.Value, Role: RoleValue, AnyShape: true, versionKey: "point"}}
}

func (k *absence) Name() string               { return "absent" }
func (k *absence) Span() int64                { return k.inner.Span() }
func (k *absence) FixedUnit() (string, bool)  { return "", false }
func (k *absence) Silence() int64             { return k.after }
func (k *absence) Reason() alertschema.Reason { return alertschema.ReasonAbsent }
func (k *absence) SelectionText() string      { return k.inner.SelectionText() }

func (k *absence) VersionText() string {
	return k.inner.VersionText() + fmt.Sprintf("|absent {%d %d %t}", k.after, k.startGrace, k.expect)
}

func (k *absence) Text(f Finding) string {
	if f.Over && f.Reason == alertschema.ReasonAbsent {
		return ": " + k.rule.Metric + " is there again"
	}
	if f.NeverSeen {
		return ": no " + k.rule.Metric + " has ever come"
	}
	return fmt.Sprintf(": no %s for %s", k.rule.Metric, FormatDuration(time.Duration(k.after)))
}

// Read breaches when the newest sample is too old, or when an expected one never came. Of a group of which nothing is known it says nothing.
func (k *absence) Read(m *Moment) {
	m.Until, m.By = ladder.Unset, len(m.Series[RoleValue])-1
	switch {
	case m.LastSample != ladder.Unset && m.Time-m.LastSample < k.after:
		m.Healthy = true
	case m.LastSample != ladder.Unset, k.expect && m.Uptime >= max(k.startGrace, k.after):
		m.Value = 1
	default:
		m.Presence = window.Unsettled
	}
}

// compileLevels makes the one level of the rule, which compares nothing.
func (k *absence) compileLevels(c *compiler, rc RuleConfig, hasBound bool, report func(string, ...any)) {
	if len(rc.Thresholds) > 0 || hasBound {
		report(`"absent" and thresholds exclude each other`)
	}
	if rc.Severity == "" {
		report(`"absent" needs "severity"`)
		return
	}
	spec := LevelSpec{Comparison: ladder.Absent, Message: c.levelMessage(rc, rc.LevelConfig, "message", report)}
	if c.setSeverity(&spec, rc.Severity, report) {
		spec.KeepFiringFor = c.span(rc.KeepFiringFor, c.cfg.Defaults.KeepFiringFor, "keep_firing_for", report)
		k.rule.Levels = append(k.rule.Levels, spec)
	}
}
