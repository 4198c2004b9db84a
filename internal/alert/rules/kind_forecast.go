package rules

import (
	"fmt"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// forecast compares the value that a straight line through the samples of a window predicts.
type forecast struct {
	valueKind
	span, horizon int64
	// minCoverage is the part of the window that samples must span.
	minCoverage float64
}

var forecastSpec = kindSpec{
	key: "forecast",
	compile: func(c *compiler, rc RuleConfig, r *Rule, _ Kind, report func(string, ...any)) Kind {
		f := rc.Forecast
		k := &forecast{valueKind: valueKind{r}, span: int64(f.Window), horizon: int64(f.Horizon), minCoverage: 0.5}
		if f.MinCoverage != nil {
			k.minCoverage = *f.MinCoverage
		}
		if !(k.minCoverage >= 0 && k.minCoverage <= 1) {
			report("forecast.min_coverage must be in [0,1]")
		}
		if f.Horizon <= 0 {
			report("forecast.horizon must be > 0")
		}
		if interval := c.cfg.EvaluationInterval; f.Window < 3*interval {
			report("forecast.window must be ≥ %s, 3×evaluation_interval", FormatDuration(3*interval))
		}
		if rc.Aggregate != "" || rc.Window != 0 {
			report("forecast and aggregate or window exclude each other")
		}
		r.AggregateName = "forecast"
		return k
	},
}

// Inputs are the one selector of the rule.
func (k *forecast) Inputs() []Input {
	return []Input{{Target: &k.rule.Value, Role: RoleValue, versionKey: "point"}}
}

func (k *forecast) Name() string               { return "forecast" }
func (k *forecast) Span() int64                { return k.span }
func (k *forecast) Reason() alertschema.Reason { return alertschema.ReasonForecast }
func (k *forecast) SelectionText() string      { return "" }

// Read fits one line for all levels, which differ in how far ahead they look.
func (k *forecast) Read(m *Moment) {
	k.rule.read(m, k)
	m.fitted = fittedLine{}
}

// fittedLine is the line through the samples of a series.
type fittedLine struct {
	series *window.Series
	line   window.Line
}

func (k *forecast) Text(f Finding) string {
	r := k.rule
	return f.say(phrase{
		subject: r.scaledText(r.groupText(r.pointText(&r.Value))), verb: "is forecast to be",
		after: " in " + FormatDuration(time.Duration(f.Bounds.Horizon)),
	})
}

func (k *forecast) VersionText() string {
	return fmt.Sprintf("|forecast {%d %s}", k.span, floatText(k.minCoverage))
}

func (k *forecast) readSeries(m *Moment, s *window.Series, ahead int64) (float64, window.Presence) {
	w, presence := k.rule.windowAt(m, s, k.span)
	if presence != window.Present {
		return 0, presence
	}
	oldest, newest := s.Samples.At(w.from).Time, s.Samples.At(w.to-1).Time
	if w.to-w.from < 2 || float64(newest-oldest+s.Interval()) < k.minCoverage*float64(k.span) {
		return 0, window.Unsettled
	}
	if m.fitted.series != s {
		m.fitted = fittedLine{s, window.FitLine(&s.Samples, w.from, w.to, w.at)}
	}
	return m.Scaled(s, m.fitted.line.At(float64(ahead)/float64(time.Second))), window.Present
}

func (k *forecast) compileLevel(spec *LevelSpec, lc LevelConfig, report func(string, ...any)) {
	spec.Horizon = k.horizon
	if lc.Horizon != 0 {
		spec.Horizon = int64(lc.Horizon)
	}
	if spec.Horizon < 0 {
		report("level %s: horizon must be > 0", spec.Name)
	}
}
