package rules

import (
	"fmt"
	"math"
	"slices"
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
	// scale is the rule's, which applies to both values, as the offset does, and not to the change of these.
	scale float64
}

var changeSpec = kindSpec{
	key: "change",
	compile: func(c *compiler, rc RuleConfig, r *Rule, inner Kind, report func(string, ...any)) Kind {
		k := &change{
			valueKind: valueKind{r}, inner: inner, since: int64(rc.Change.Since), relative: rc.Change.Relative, scale: r.Scale,
		}
		r.Scale = 1
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
	return k.inner.VersionText() + fmt.Sprintf("|change {%d %t %s}", k.since, k.relative, floatText(k.scale))
}

// HistorySpan reaches back as far as the rule looks.
func (k *change) HistorySpan() window.HistorySpan { return window.NewHistorySpan(k.since) }

// HistoryTexts have all that the remembered values depend on.
func (k *change) HistoryTexts() []string {
	r := k.rule
	texts := []string{selectionText(r), selectionBefore(r)}
	for i, selection := range texts {
		texts[i] = fmt.Sprintf("%s|%d %d %s|%s|%d", selection, r.Window, r.Aggregate.Kind, floatText(r.Aggregate.Quantile), r.Value.StatisticName, k.since)
	}
	return slices.Compact(texts)
}

// Read works out the change of each series, or of the joined value of the group.
func (k *change) Read(m *Moment) {
	r := k.rule
	m.valueOffset, m.Offset = m.Offset, 0
	if !r.HistoryOfGroup() {
		r.read(m, k)
		return
	}
	m.Until = r.until(m.Series[RoleValue])
	if inner, own := k.inner.(interface{ until(m *Moment) int64 }); own {
		m.Until = inner.until(m)
	}
	now, by, presence := k.inner.(groupReader).readGroup(m)
	m.By = by
	then, presence := k.remembered(m, m.Histories.Of(nil), now, presence, m.Series[RoleValue]...)
	if m.Presence = presence; presence == window.Present {
		m.Value, m.Presence = k.difference(m, then, now)
	}
}

func (k *change) readSeries(m *Moment, s *window.Series, _ int64) (float64, window.Presence) {
	now, presence := k.rule.ownValue(m, s)
	then, presence := k.remembered(m, m.Histories.Of(s), now, presence, s)
	if presence != window.Present {
		return 0, presence
	}
	return k.difference(m, m.Scaled(s, then), m.Scaled(s, now))
}

// remembered returns what a value was at the earlier time, and remembers what it is now. What it was may not be known. of are the series that the
// value is made of.
func (k *change) remembered(m *Moment, h *window.History, now float64, presence window.Presence, of ...*window.Series) (float64, window.Presence) {
	switch {
	case h == nil:
		return 0, window.Missing
	case presence == window.Missing || math.IsNaN(now):
		h.Record(m.Time, math.NaN())
		return 0, window.Missing
	case presence != window.Present:
		return 0, settled(presence)
	}
	h.Record(m.Time, now)
	lookback := int64(0)
	for _, s := range of {
		lookback = max(lookback, h.Lookback(s, k.rule.Lookback))
	}
	then, known := h.At(m.Time-k.since, lookback)
	if !known {
		return 0, window.Missing
	}
	return then.Value, window.Present
}

// difference is the change from one value to the other. From nothing to something is more than any percentage, and from nothing to nothing is
// no change.
func (k *change) difference(m *Moment, then, now float64) (float64, window.Presence) {
	then, now = m.valueOffset+k.scale*then, m.valueOffset+k.scale*now
	d := now - then
	if k.relative && d != 0 {
		d = d / math.Abs(then) * 100
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
	shown := *k.rule // With the scale that was taken from it.
	shown.Scale = k.scale
	span := FormatDuration(time.Duration(k.since))
	p := phrase{subject: k.inner.(groupReader).subject(&shown), verb: "rose by", negative: "fell by", after: " in " + span}
	switch v := f.Value; {
	case v.Valid && v.Float64 == 0:
		return fmt.Sprintf(": %s is what it was %s before (%s)", p.subject, span, f.condition(true))
	case v.Valid && k.relative && math.IsInf(v.Float64, 0):
		return fmt.Sprintf(": %s was 0 %s before, and is not now (%s)", p.subject, span, f.condition(true))
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
