package rules

import (
	"math"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// comparison is the plain kind of rule: a value, the newest or one aggregated over a window, compared with bounds.
type comparison struct{ valueKind }

func (k *comparison) Inputs() []Input {
	return []Input{{Target: &k.rule.Value, Role: RoleValue, versionKey: "point"}}
}

// FixedUnit is that of a count where the aggregate counts something between samples, whatever theirs is.
func (k *comparison) FixedUnit() (string, bool) {
	switch k.rule.Aggregate.Kind {
	case window.AggregateChanges:
		return "{change}", true
	case window.AggregateResets:
		return "{reset}", true
	default:
		return "", false
	}
}

// checkBounds reports bounds that can't be compared with a count.
func (k *comparison) checkBounds(report func(string, ...any)) {
	unit, fixed := k.FixedUnit()
	if !fixed {
		return
	}
	for i := range k.rule.Levels {
		if _, err := k.rule.Levels[i].Resolve(unit); err != nil {
			report("threshold %s can't be compared with %s, which are counted: write a number", k.rule.Levels[i].BoundText(), k.rule.AggregateName)
		}
	}
}

func (k *comparison) Name() string               { return "threshold" }
func (k *comparison) Span() int64                { return k.rule.Window }
func (k *comparison) Reason() alertschema.Reason { return alertschema.ReasonThreshold }
func (k *comparison) SelectionText() string      { return "" }
func (k *comparison) VersionText() string        { return "" }

func (k *comparison) Text(f Finding) string { return k.rule.comparedText(f) }

func (k *comparison) Read(m *Moment) { k.rule.read(m, k) }

// readGroup joins the values of the group's series.
func (k *comparison) readGroup(m *Moment) (float64, int, window.Presence) {
	return k.rule.joined(m, k, m.Series[RoleValue], 0)
}

// subject names the value in messages.
func (k *comparison) subject(r *Rule) string {
	return r.scaledText(r.groupText(r.windowText(r.pointText(&r.Value))))
}

// seriesReader gives the value of one series at one moment.
type seriesReader interface {
	// readSeries returns the value of the series as of the moment. ahead is the horizon of a forecast.
	readSeries(m *Moment, s *window.Series, ahead int64) (float64, window.Presence)
}

func (k *comparison) readSeries(m *Moment, s *window.Series, _ int64) (float64, window.Presence) {
	return k.rule.seriesValue(m, s)
}

// seriesValue is the newest value of the series, or the one aggregated over the rule's window.
func (r *Rule) seriesValue(m *Moment, s *window.Series) (float64, window.Presence) {
	v, presence := r.ownValue(m, s)
	return m.Scaled(s, v), presence
}

// ownValue is seriesValue in the unit of the series.
func (r *Rule) ownValue(m *Moment, s *window.Series) (float64, window.Presence) {
	if r.Window == 0 {
		return r.Current(s, m.Time)
	}
	w, presence := r.windowAt(m, s, r.Window)
	if presence != window.Present {
		return 0, presence
	}
	if r.Aggregate.OfCounter() {
		v := s.Increase(w.from, w.to, w.at-r.Window, s.Lookback(r.Lookback))
		if r.Aggregate.Kind == window.AggregateRate {
			v /= float64(r.Window) / 1e9
		}
		return v, r.known(m, s, w)
	}
	if r.Aggregate.OfPairs() {
		return s.Pairs(r.Aggregate, w.from, w.to, w.at-r.Window, s.Lookback(r.Lookback)), r.known(m, s, w)
	}
	var v float64
	v, m.scratch = r.Aggregate.Over(&s.Samples, w.from, w.to, m.scratch)
	return v, r.known(m, s, w)
}

// windowed are the samples of a window: those from position from up to, and without, position to. It ends at time at.
type windowed struct {
	from, to int
	at       int64
}

// windowAt finds the samples of the window that the series has at a moment.
func (r *Rule) windowAt(m *Moment, s *window.Series, span int64) (windowed, window.Presence) {
	t := m.Time
	if s.Ended(t) {
		return windowed{}, window.Missing // What it was before it ended is not what it is now.
	}
	// When samples stop, the window stays where they ended until the value counts as missing: it must not drain and look like recovery.
	// A lookback that is set asks for the window as it is at every moment, as in PromQL.
	if newest := s.Newest(); r.Lookback == 0 && newest != window.Unset && t > newest {
		if t-newest >= r.holds(s, span) {
			return windowed{}, window.Missing
		}
		t = newest
	}
	i, j := s.Samples.After(t-span), s.Samples.After(t)
	if i == j {
		return windowed{}, window.Missing
	}
	whole := r.FullWindow || m.Restoring && (r.PartialWindow || r.Window == 0) // Else known finds out what the window can say.
	if j-i < r.MinSamples || t-s.First < r.NewSeriesDelay || whole && !s.Covers(span, t) {
		return windowed{}, window.Unsettled
	}
	return windowed{i, j, t}, window.Present
}

// read works out the value of the group from one value of each series.
func (r *Rule) read(m *Moment, reader seriesReader) {
	m.Until = r.until(m.Series[RoleValue])
	if r.CountsSeries() {
		m.Until = ladder.Forever // None of them is a number, too.
	}
	if m.OneReading {
		m.Value, m.By, m.Presence = r.groupValue(m, reader, &m.Levels[0], false)
		return
	}
	m.byLevel = m.byLevel[:0]
	for _, toClear := range [...]bool{false, true} {
		for i := range m.Levels {
			v, by, presence := r.groupValue(m, reader, &m.Levels[i], toClear)
			if presence.Partial() {
				presence = window.Unsettled
			}
			if m.Presence = presence; presence != window.Present {
				m.By = by
				return
			}
			if !toClear {
				m.By = by
			}
			m.byLevel = append(m.byLevel, v)
		}
	}
	m.ByLevel = m.byLevel
}

// groupValue joins the values of the group's series at one level's horizon. Where the worst decides, it is the worst for
// the level's bounds, or for its clear.
func (r *Rule) groupValue(m *Moment, reader seriesReader, l *ladder.Level, toClear bool) (float64, int, window.Presence) {
	if r.GroupAggregate == window.GroupWorst {
		return r.worst(m, reader, l, toClear)
	}
	v, by, presence := r.joined(m, reader, m.Series[RoleValue], l.Horizon)
	if presence == window.Missing && r.CountsSeries() {
		v, presence = 0, r.countedNone(m)
	}
	if v = m.Offset + r.Scale*v; presence == window.Present && math.IsNaN(v) {
		return 0, by, window.Missing // Inf − Inf says nothing.
	}
	return v, by, presence.Scaled(r.Scale)
}

// worst finds the series whose value is the worst for a level's bounds, or for its clear. A value that only bounds the true one counts where it
// breaches all the same, or where there is no other.
func (r *Rule) worst(m *Moment, reader seriesReader, l *ladder.Level, toClear bool) (float64, int, window.Presence) {
	lo, hi := l.Low, l.High
	if toClear {
		lo, hi = l.ClearLow, l.ClearHigh
	}
	worst, by, unsettled := 0.0, -1, false
	bound, boundBy, partial := 0.0, -1, window.Unsettled
	for i, s := range m.Series[RoleValue] {
		v, presence := reader.readSeries(m, s, l.Horizon)
		v = m.Offset + r.Scale*v
		switch {
		case math.IsNaN(v) || presence == window.Missing:
		case presence == window.Present:
			if by < 0 || l.Comparison.Worse(v, worst, lo, hi) {
				by, worst = i, v
			}
		case presence.Partial():
			if boundBy < 0 || l.Comparison.Worse(v, bound, lo, hi) {
				boundBy, bound, partial = i, v, presence.Scaled(r.Scale)
			}
		default:
			unsettled = true
		}
	}
	breaches := boundBy >= 0 && l.SurelyRaised(bound, partial == window.AtLeast)
	switch {
	case by >= 0 && !(breaches && l.Comparison.Worse(bound, worst, lo, hi)):
		return worst, by, r.worstGathered(m, l)
	case boundBy >= 0:
		return bound, boundBy, partial
	case unsettled:
		return 0, -1, window.Unsettled
	default:
		return 0, -1, window.Missing
	}
}

// joined joins the values of series as the rule's group aggregate says, and returns the position of the newest series too. ahead is
// the horizon of a forecast. Series of which there is only a bound count where there are no others.
func (r *Rule) joined(m *Moment, reader seriesReader, all []*window.Series, ahead int64) (float64, int, window.Presence) {
	return r.joinedAs(r.GroupAggregate, m, reader, all, ahead)
}

// joinedAs is joined by a group aggregate that is not the rule's.
func (r *Rule) joinedAs(
	aggregate window.GroupAggregate, m *Moment, reader seriesReader, all []*window.Series, ahead int64,
) (float64, int, window.Presence) {
	var whole, partial joint
	unsettled := false
	for i, s := range all {
		v, presence := reader.readSeries(m, s, ahead)
		switch {
		case presence == window.Missing || math.IsNaN(v):
		case presence == window.Present || presence.Partial() && aggregate == window.GroupCount:
			whole.add(aggregate, v, all, i)
		case presence.Partial():
			unsettled = unsettled || partial.acc.Count > 0 && partial.presence != presence
			partial.presence = presence
			partial.add(aggregate, v, all, i)
		default:
			unsettled = true
		}
	}
	switch {
	case whole.acc.Count > 0:
		return whole.acc.Value(aggregate), whole.by, r.gathered(m, whole.negative, whole.positive)
	case unsettled:
		return 0, -1, window.Unsettled
	case partial.acc.Count > 0:
		return partial.acc.Value(aggregate), partial.by, partial.presence
	default:
		return 0, -1, window.Missing
	}
}

// joint is what joined knows of the values that it has taken in.
type joint struct {
	acc                window.GroupAccumulator
	by                 int // The position of the newest series.
	presence           window.Presence
	negative, positive bool
}

func (j *joint) add(agg window.GroupAggregate, v float64, all []*window.Series, i int) {
	if j.acc.Count == 0 || all[i].Newest() > all[j.by].Newest() {
		j.by = i
	}
	j.acc.Add(agg, v)
	j.negative, j.positive = j.negative || v < 0, j.positive || v > 0
}

// until is the time up to which any of the series has a value if nothing more comes.
func (r *Rule) until(all []*window.Series) int64 {
	until := ladder.Unset
	for _, s := range all {
		until = max(until, r.PresentUntil(s))
	}
	return until
}
