package rules

import (
	"fmt"
	"math"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// change compares a value with what it was at an earlier time. It remembers what the value was at each step, and not the samples, so that it
// costs the same whatever the window is, and however often samples come.
type change struct {
	valueKind
	// inner has the value: that of a plain comparison, or a ratio.
	inner Kind
	// since is how long before the moment the earlier time is.
	since int64
	// relative makes the change a percentage of the earlier value.
	relative bool
	// scale and offset are the rule's, which apply to both values, and not to the change of these.
	scale, offset float64
}

var changeSpec = kindSpec{
	key: "change",
	compile: func(c *compiler, rc RuleConfig, r *Rule, inner Kind, report func(string, ...any)) Kind {
		k := &change{
			valueKind: valueKind{r}, inner: inner, since: int64(rc.Change.Since), relative: rc.Change.Relative, scale: r.Scale, offset: r.Offset,
		}
		r.Scale, r.Offset = 1, 0
		if interval := c.cfg.EvaluationInterval; rc.Change.Since < interval {
			report("change.since must be ≥ evaluation_interval %s", FormatDuration(interval))
		}
		return k
	},
}

func (k *change) Name() string               { return "change" }
func (k *change) Inputs() []Input            { return k.inner.Inputs() }
func (k *change) Span() int64                { return k.inner.Span() }
func (k *change) Reason() alertschema.Reason { return alertschema.ReasonThreshold }
func (k *change) SelectionText() string      { return k.inner.SelectionText() }

// FixedUnit is a percentage of a relative change, so that a bare 10 is 10%, and else the value's.
func (k *change) FixedUnit() (string, bool) {
	if k.relative {
		return "%", true
	}
	return k.inner.FixedUnit()
}

func (k *change) VersionText() string {
	return k.inner.VersionText() + fmt.Sprintf("|change {%d %t %s %s}", k.since, k.relative, floatText(k.scale), floatText(k.offset))
}

// HistorySpan reaches back as far as the rule looks.
func (k *change) HistorySpan() window.HistorySpan { return window.NewHistorySpan(k.since) }

// HistoryText has all that the remembered values depend on. Those of a relative and of an absolute change are the same.
func (k *change) HistoryText() string {
	r := k.rule
	return fmt.Sprintf("%s|%d %d %s|%s|%d %s %s", selectionText(r), r.Window, r.Aggregate.Kind, floatText(r.Aggregate.Quantile), r.Value.StatisticName,
		k.since, floatText(k.scale), floatText(k.offset))
}

// Read works out the change of each series, or of the joined value of the group.
func (k *change) Read(m *Moment) {
	if !k.rule.HistoryOfGroup() {
		k.rule.read(m, k)
		return
	}
	m.Until = k.rule.until(m.Series[RoleValue])
	if inner, own := k.inner.(interface{ until(m *Moment) int64 }); own {
		m.Until = inner.until(m)
	}
	v, by, presence := k.inner.(groupReader).readGroup(m)
	lookback := int64(0)
	for _, s := range m.Series[RoleValue] {
		lookback = max(lookback, s.Lookback(k.rule.Lookback))
	}
	m.By = by
	m.Value, m.Presence = k.sinceThen(m, m.Histories.Of(nil), v, presence, lookback)
}

func (k *change) readSeries(m *Moment, s *window.Series, _ int64) (float64, window.Presence) {
	v, presence := k.rule.seriesValue(m, s)
	return k.sinceThen(m, m.Histories.Of(s), v, presence, s.Lookback(k.rule.Lookback))
}

// sinceThen returns by how much a value has changed, and remembers what it is now. What it was may not be known; then the change is not.
func (k *change) sinceThen(m *Moment, h *window.History, v float64, presence window.Presence, lookback int64) (float64, window.Presence) {
	v = k.offset + k.scale*v
	switch {
	case h == nil:
		return 0, window.Missing
	case presence == window.Missing || math.IsNaN(v):
		h.Record(m.Time, math.NaN())
		return 0, window.Missing
	case presence != window.Present:
		return 0, settled(presence)
	}
	h.Record(m.Time, v)
	then, known := h.At(m.Time-k.since, lookback)
	if !known {
		return 0, window.Missing
	}
	d := v - then.Value
	if k.relative && d != 0 { // From nothing to something is more than any percentage, and from nothing to nothing is no change.
		d = d / math.Abs(then.Value) * 100
	}
	if math.IsNaN(d) {
		return 0, window.Missing // Of infinities.
	}
	return d, window.Present
}

// checkBounds reports bounds that can't be compared with a percentage.
func (k *change) checkBounds(report func(string, ...any)) {
	unit, fixed := k.FixedUnit()
	if !fixed {
		return
	}
	for i := range k.rule.Levels {
		if _, err := k.rule.Levels[i].Resolve(unit); err != nil {
			report("threshold %s can't be compared with a change in %s: write a number or a percentage", k.rule.Levels[i].BoundText(), unit)
		}
	}
}

func (k *change) Text(f Finding) string {
	shown := *k.rule // With the scale and the offset that were taken from it.
	shown.Scale, shown.Offset = k.scale, k.offset
	p := phrase{subject: k.inner.(groupReader).subject(&shown), verb: "rose by", negative: "fell by"}
	p.after = " since " + FormatDuration(time.Duration(k.since)) + " before"
	if k.relative && math.IsInf(f.Value.Float64, 0) {
		return fmt.Sprintf(": %s was 0 %s before, and is not now (%s)", p.subject, FormatDuration(time.Duration(k.since)), f.condition(true))
	}
	if unit := f.unit(); !k.relative && (unit == "1" || unit == "%") {
		p.after = " points" + p.after
	}
	return f.say(p)
}

// recordAttributes says what the value was compared with.
func (k *change) recordAttributes() []attr.Attr {
	return []attr.Attr{attr.Double(alertschema.KeyChangeSince, time.Duration(k.since).Seconds())}
}
