package alertpipe

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// ruleTries is how often it is tried to say the rules. They are said again at the next start.
const ruleTries = 10

// sayRules gives a record of each level of each rule to the consumer, once. They are of no use later than what fires, so they are not stored.
func (s *Sink) sayRules(ctx context.Context) {
	pause := s.pipe.timeouts.firstRetry
	for range ruleTries {
		logs := ruleRecords(s.pipe.rules, s.pipe.set.Now())
		if logs.LogRecordCount() == 0 || s.give(ctx, logs) == nil || !s.pause(ctx, pause) {
			return
		}
		select {
		case <-s.stopping:
			return
		default:
		}
		pause = min(2*pause, s.pipe.timeouts.maxRetry)
	}
}

// ruleRecords are records of all levels with a bound that is a number, by rule and severity.
func ruleRecords(set *rules.Set, now time.Time) plog.Logs {
	logs := plog.NewLogs()
	sl := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty()
	sl.Scope().SetName(alertschema.ScopeName)
	sl.Scope().SetVersion(alertschema.SchemaVersion)
	for _, r := range set.Rules {
		for i := range r.Levels {
			if bound, unit, ok := boundOf(r, &r.Levels[i]); ok {
				writeRuleRecord(sl.LogRecords().AppendEmpty(), r, &r.Levels[i], bound, unit, now)
			}
		}
	}
	return logs
}

// ruleUnits are the units of values that a bound may be of, before any value has come: a bare number is of whatever unit the values have.
var ruleUnits = []string{"", "1", "By", "By/s", "s"}

// boundOf is the bound of a level as a number, with its unit; false where it is read from elsewhere, or there is none. Of two it is the upper one.
func boundOf(r *rules.Rule, l *rules.LevelSpec) (bound float64, unit string, ok bool) {
	if !l.Comparison.HasBounds() || l.Moves() {
		return 0, "", false
	}
	units := ruleUnits
	if own, fixed := r.Kind.FixedUnit(); fixed {
		units = []string{own}
	} else if rules.IsShare(r.Value.Metric) {
		units = []string{"1"}
	}
	for _, unit := range units {
		if level, err := l.Resolve(unit); err == nil {
			if l.Raise[1].Text != "" {
				return level.High, unit, true
			}
			return level.Low, unit, true
		}
	}
	return 0, "", false
}

func writeRuleRecord(lr plog.LogRecord, r *rules.Rule, l *rules.LevelSpec, bound float64, unit string, now time.Time) {
	lr.SetEventName(alertschema.EventRule)
	lr.SetTimestamp(pcommon.NewTimestampFromTime(now))
	lr.SetObservedTimestamp(pcommon.NewTimestampFromTime(now))
	lr.SetSeverityNumber(plog.SeverityNumberInfo)
	lr.SetSeverityText("info")
	lr.Body().SetStr(fmt.Sprintf("rule %s: %s when %s is %s %s", r.Name, l.Name, r.Metric, l.Comparison, l.BoundText()))
	a := lr.Attributes()
	a.PutStr(alertschema.KeyRuleName, r.Name)
	a.PutStr(alertschema.KeyRuleVersion, r.Version)
	if r.Description != "" {
		a.PutStr(alertschema.KeyRuleDescription, r.Description)
	}
	a.PutStr(alertschema.KeyMetricName, r.Metric)
	a.PutStr(alertschema.KeyMetricUnit, unit)
	a.PutStr(alertschema.KeySeverity, l.Name)
	a.PutStr(alertschema.KeyComparison, l.Comparison.Symbol())
	a.PutDouble(alertschema.KeyThreshold, bound)
}
