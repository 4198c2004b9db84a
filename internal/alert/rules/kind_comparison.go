package rules

import (
	"fmt"
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

func (k *comparison) Span() int64                { return k.rule.Window }
func (k *comparison) Reason() alertschema.Reason { return alertschema.ReasonThreshold }
func (k *comparison) SelectionText() string      { return "" }
func (k *comparison) VersionText() string        { return "" }

func (k *comparison) Text(f Finding) string {
	perSecond := ""
	if k.rule.Aggregate.Kind == window.AggregateRate {
		perSecond = "/s"
	}
	return k.rule.comparedText(f, perSecond)
}

func (k *comparison) Read(m *Moment) { k.rule.read(m, k) }

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
		return v, window.Present
	}
	var v float64
	v, m.scratch = r.Aggregate.Over(&s.Samples, w.from, w.to, m.scratch)
	return v, window.Present
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
	if j-i < r.MinSamples || t-s.First < r.NewSeriesDelay || (r.FullWindow || m.Restoring) && !s.Covers(span, t) {
		return windowed{}, window.Unsettled
	}
	return windowed{i, j, t}, window.Present
}

// read works out the value of the group from one value of each series.
func (r *Rule) read(m *Moment, reader seriesReader) {
	m.Until = r.until(m.Series[RoleValue])
	if m.OneReading {
		m.Value, m.By, m.Presence = r.groupValue(m, reader, &m.Levels[0], false)
		return
	}
	m.byLevel = m.byLevel[:0]
	for _, toClear := range [...]bool{false, true} {
		for i := range m.Levels {
			v, by, presence := r.groupValue(m, reader, &m.Levels[i], toClear)
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
	if r.GroupAggregate != window.GroupWorst {
		v, by, presence := r.joined(m, reader, m.Series[RoleValue], l.Horizon)
		if v = r.Offset + r.Scale*v; presence == window.Present && math.IsNaN(v) {
			return 0, by, window.Missing // Inf − Inf says nothing.
		}
		return v, by, presence
	}
	lo, hi := l.Low, l.High
	if toClear {
		lo, hi = l.ClearLow, l.ClearHigh
	}
	worst, by, unsettled := 0.0, -1, false
	for i, s := range m.Series[RoleValue] {
		v, presence := reader.readSeries(m, s, l.Horizon)
		v = r.Offset + r.Scale*v
		if presence != window.Present || math.IsNaN(v) {
			unsettled = unsettled || presence == window.Unsettled
			continue
		}
		if by < 0 || l.Comparison.Worse(v, worst, lo, hi) {
			by, worst = i, v
		}
	}
	switch {
	case by >= 0:
		return worst, by, window.Present
	case unsettled:
		return 0, -1, window.Unsettled
	default:
		return 0, -1, window.Missing
	}
}

// joined joins the values of series as the rule's group aggregate says, and returns the position of the newest series too. ahead is
// the horizon of a forecast.
func (r *Rule) joined(m *Moment, reader seriesReader, all []*window.Series, ahead int64) (float64, int, window.Presence) {
	var acc window.GroupAccumulator
	by, unsettled := -1, false
	for i, s := range all {
		v, presence := reader.readSeries(m, s, ahead)
		if presence != window.Present || math.IsNaN(v) {
			unsettled = unsettled || presence == window.Unsettled
			continue
		}
		acc.Add(r.GroupAggregate, v)
		if by < 0 || s.Newest() > all[by].Newest() {
			by = i
		}
	}
	switch {
	case acc.Count > 0:
		return acc.Value(r.GroupAggregate), by, window.Present
	case unsettled:
		return 0, -1, window.Unsettled
	default:
		return 0, -1, window.Missing
	}
}

// until is the time up to which any of the series has a value if nothing more comes.
func (r *Rule) until(all []*window.Series) int64 {
	until := ladder.Unset
	for _, s := range all {
		until = max(until, r.PresentUntil(s))
	}
	return until
}

// comparedText says what value was compared with what. unit goes behind the value.
func (r *Rule) comparedText(f Finding, unit string) string {
	of := ""
	if r.Value.StatisticName != "" {
		of = r.Value.StatisticName + " of "
	}
	value := "missing"
	if f.Value.Valid {
		value = FormatValue(f.Value.Float64, f.Level.DisplayUnit(r.Metric, f.Unit)) + unit
	}
	return fmt.Sprintf(": %s%s is %s (%s %s)", of, r.Metric, value, f.Level.Comparison.Symbol(), f.Level.BoundText())
}
