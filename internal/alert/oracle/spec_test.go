package oracle

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

// severities is the ladder of the random rules.
var severities = []string{"info", "warning", "critical"}

// ladderLevel is one level of a spec.
type ladderLevel struct {
	severity                   string
	lo, hi                     float64 // One-sided comparisons use lo alone.
	hasClear                   bool
	clearLo, clearHi           float64
	forDuration, keepFiringFor time.Duration
}

// spec is a rule, as both engines can say it.
type spec struct {
	cmp       string
	levels    []ladderLevel
	match     map[string]string // Attribute to regular expression.
	aggregate string
	window    time.Duration
	horizon   time.Duration // Of a forecast over the window.
	change    time.Duration // Since when the value's change is compared, in place of the value.
	relative  bool          // The change is a percentage.
	groupBy   []string
	groupAgg  string
	scale     float64
	offset    float64
	lookback  time.Duration
	conditions
	absentFor time.Duration
	expect    bool
}

const metric = "m"

func (s *spec) windowed() bool { return s.window > 0 }

// config is the spec as a rule of ours, with the settings at which it must be like Prometheus.
func (s *spec) config() rules.Config {
	off := false
	cfg := rules.DefaultConfig()
	cfg.EvaluationInterval = time.Second
	cfg.Defaults.Flapping.Enabled = &off
	cfg.Limits.EventsPerMinute, cfg.Limits.AlertsPerRule, cfg.Limits.Outbox = 1<<30, 1<<20, 1<<20
	cfg.Defaults.Lookback, cfg.Defaults.FullWindow = s.lookback.String(), new(bool)
	cfg.Defaults.NoData = rules.NoDataConfig{After: s.noDataAfter(), Action: "resolve"}
	rc := rules.RuleConfig{Name: "x", Metric: metric, Match: map[string]any{}, GroupBy: s.groupBy, GroupAggregate: s.groupAgg}
	if s.scale != 1 || s.offset != 0 {
		rc.Scale, rc.Offset = &s.scale, s.offset
	}
	for k, v := range s.match {
		rc.Match[k] = map[string]any{"regex": v}
	}
	switch {
	case s.horizon > 0:
		none := 0.0
		rc.Forecast = &rules.ForecastConfig{Window: s.window, Horizon: s.horizon, MinCoverage: &none}
	case s.windowed():
		rc.Window, rc.Aggregate = s.window, s.aggregate
	}
	if s.change > 0 {
		rc.Change = &rules.ChangeConfig{Since: s.change, Relative: s.relative}
	}
	if s.absentFor > 0 {
		rc.Absent = &rules.AbsentConfig{For: s.absentFor, Expect: s.expect}
		if s.expect {
			rc.Absent.StartGrace = new(time.Duration)
		}
		rc.Severity, rc.KeepFiringFor = s.levels[0].severity, new(s.levels[0].keepFiringFor)
	} else {
		rc.Thresholds = map[string]rules.LevelConfig{}
		for _, r := range s.levels {
			rc.Thresholds[r.severity] = r.level(s.cmp)
		}
	}
	cfg.Rules = []rules.RuleConfig{rc}
	s.addConditions(&cfg)
	return cfg
}

// noDataAfter is when Prometheus has nothing left to say of a series that just stops: when the last value is too old, or the
// window empty.
func (s *spec) noDataAfter() time.Duration {
	if s.windowed() {
		return s.window
	}
	return s.lookback
}

func (r *ladderLevel) level(cmp string) rules.LevelConfig {
	l := rules.LevelConfig{For: new(r.forDuration), KeepFiringFor: new(r.keepFiringFor)}
	var bound, lets any = r.lo, r.clearLo
	switch cmp {
	case "above":
		l.Above = bound
	case "below":
		l.Below = bound
	case "outside":
		l.Outside, lets = []any{r.lo, r.hi}, []any{r.clearLo, r.clearHi}
	case "inside":
		l.Inside, lets = []any{r.lo, r.hi}, []any{r.clearLo, r.clearHi}
	}
	if r.hasClear {
		l.Clear = lets
	}
	return l
}

// levels is the spec as alerting rules of Prometheus.
func (s *spec) promLevels() []promLevel {
	var out []promLevel
	for i := range s.levels {
		r := &s.levels[i]
		out = append(out, promLevel{
			severity: r.severity, expr: s.expr(r), forDuration: r.forDuration, keepFiringFor: r.keepFiringFor,
			usesState: r.hasClear || s.horizon > 0,
		})
	}
	return s.withOthers(out)
}

func (s *spec) expr(r *ladderLevel) string {
	if s.absentFor > 0 {
		return s.absentExpr()
	}
	raised := s.breached(s.cmp, r.lo, r.hi)
	state := fmt.Sprintf(`and ignoring(alertname, alertstate) ALERTS{alertname=%q, alertstate="firing"}`, r.severity)
	if r.hasClear {
		raised = fmt.Sprintf("(%s) or ((%s) %s)", raised, s.breached(s.cmp, r.clearLo, r.clearHi), state)
	}
	if s.horizon > 0 {
		// A line through one point says nothing: what is, stays.
		raised = fmt.Sprintf("(%s) or ((count_over_time(%s[%s]) == 1 and %s) %s)", raised, s.selector(), promDuration(s.window), s.selector(), state)
	}
	return raised
}

// absentExpr fires from the moment at which the newest sample is as old as absent.for. Prometheus has no word for the groups
// that it has seen, so for group_by it looks back over the whole run.
func (s *spec) absentExpr() string {
	sel, span := s.selector(), promDuration(s.absentFor)
	if len(s.groupBy) > 0 {
		by := strings.Join(promLabels(s.groupBy), ", ")
		return fmt.Sprintf("group by (%[1]s) (count_over_time(%[2]s[1d])) unless group by (%[1]s) (count_over_time(%[2]s[%[3]s]))", by, sel, span)
	}
	since := float64(0)
	expr := fmt.Sprintf("group by () (absent_over_time(%s[%s]))", sel, span)
	if s.expect {
		return fmt.Sprintf("%s and (vector(time()) >= %s)", expr, promNumber(since+s.absentFor.Seconds()))
	}
	return fmt.Sprintf("%s and group by () (count_over_time(%s[1d]))", expr, sel)
}

// breached is the rule's value compared with bounds, without clear.
func (s *spec) breached(cmp string, lo, hi float64) string {
	v, by := s.value(""), strings.Join(promLabels(s.groupBy), ", ")
	if s.change > 0 {
		v = s.changeOf(v)
	}
	switch cmp {
	case "above":
		v = fmt.Sprintf("%s > %s", v, s.bound(lo))
	case "below":
		v = fmt.Sprintf("%s < %s", v, s.bound(lo))
	case "outside":
		v = fmt.Sprintf("%[1]s < %[2]s or %[1]s > %[3]s", v, promNumber(lo), promNumber(hi))
	case "inside":
		v = fmt.Sprintf("%[1]s >= %[2]s and %[1]s <= %[3]s", v, promNumber(lo), promNumber(hi))
	}
	if s.groupAgg == "" && s.groupBy != nil {
		v = fmt.Sprintf("group by (%s) (%s)", by, v) // The worst series decides, so any one will do.
	}
	return v
}

// value is the rule's value as of now, or of the time that an offset says.
func (s *spec) value(offset string) string {
	v := s.perSeries(offset)
	if s.groupAgg != "" {
		by := strings.Join(promLabels(s.groupBy), ", ")
		v = fmt.Sprintf("%s by (%s) (%s)", s.groupAgg, by, v)
		if s.groupAgg == "count" && s.change == 0 {
			// With Prometheus a count of nothing is nothing, with us it is 0, of the groups that were seen.
			v = fmt.Sprintf("(%s or 0 * group by (%s) (count_over_time(%s[1d])))", v, by, s.selector())
		}
	}
	if s.scale != 1 || s.offset != 0 {
		v = fmt.Sprintf("(%s + %s * %s)", promNumber(s.offset), promNumber(s.scale), v)
	}
	return v
}

// changeOf is the change of a value. That of nothing to nothing is 0 with us, and with Prometheus no number.
func (s *spec) changeOf(v string) string {
	then := s.value(" offset " + promDuration(s.change))
	difference := fmt.Sprintf("(%s - %s)", v, then)
	if !s.relative {
		return difference
	}
	return fmt.Sprintf("(((%[1]s != 0) / abs(%[2]s) * 100) or (%[1]s == 0))", difference, then)
}

// perSeries is the window aggregate of each series. A marker ends a series at once with us; with Prometheus it leaves
// windows as they are, hence the second half.
func (s *spec) perSeries(offset string) string {
	sel := s.selector()
	if !s.windowed() {
		return sel + offset
	}
	span := promDuration(s.window)
	var f string
	switch {
	case s.horizon > 0:
		f = fmt.Sprintf("predict_linear(%s[%s], %s)", sel, span, promNumber(s.horizon.Seconds()))
	case s.aggregate == "rate", s.aggregate == "increase", s.aggregate == "changes", s.aggregate == "resets":
		f = fmt.Sprintf("%s(%s[%s] anchored%s)", s.aggregate, sel, span, offset)
	case s.aggregate[0] == 'p':
		q, err := strconv.ParseFloat(s.aggregate[1:], 64)
		if err != nil {
			panic(err)
		}
		f = fmt.Sprintf("quantile_over_time(%s, %s[%s]%s)", promNumber(q/100), sel, span, offset)
	default:
		f = fmt.Sprintf("%s_over_time(%s[%s]%s)", s.aggregate, sel, span, offset)
	}
	return fmt.Sprintf("(%s and %s%s)", f, sel, offset)
}

func (s *spec) selector() string {
	var matchers []string
	for k, v := range s.match {
		matchers = append(matchers, fmt.Sprintf("%s=~%q", promLabel(k), v))
	}
	return metric + "{" + strings.Join(matchers, ",") + "}"
}

func promLabel(key string) string { return strings.ReplaceAll(key, ".", "_") }

func promLabels(keys []string) []string {
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = promLabel(strings.TrimPrefix(k, "resource."))
	}
	return out
}

func promNumber(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

func promDuration(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) + "s" }
