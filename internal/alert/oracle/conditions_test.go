package oracle

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ruletest"
)

// conditions are what a rule looks at beside its own value.
type conditions struct {
	// limit has the bounds of the levels be shares of the metric limit.
	limit bool
	// beside names how the rule refers to alerts of the rule other, "and" or "unless", and equal what they have in common.
	beside                string
	equal                 []string
	otherFor, otherKeeper time.Duration
}

const (
	limitMetric = "limit"
	otherMetric = "b"
	otherRule   = "other"
	otherBound  = 50
)

// chooseConditions gives some cases conditions. It has random numbers of its own, so that the other cases stay what they are.
func (g *generator) chooseConditions(seed uint64) {
	own := &generator{Rand: rand.New(rand.NewPCG(seed, 0x636f6e6473))}
	r := &g.rule
	if r.absentFor > 0 || r.horizon > 0 || r.change > 0 || r.groupAgg == "count" {
		return
	}
	switch n := own.IntN(8); {
	case n < 2:
		g.chooseLimit(own)
	case g.interval%g.evaluation != 0:
	case n < 4:
		g.chooseOther(own, "and")
	case n < 6 && len(r.levels) == 1: // Prometheus has a rule for each level, and no level that waits.
		g.chooseOther(own, "unless")
	}
}

// chooseLimit makes the bounds shares of another metric.
func (g *generator) chooseLimit(own *generator) {
	r := &g.rule
	typical := pick(own, 20.0, 40, 50, 100)
	for i := range r.levels {
		if l := &r.levels[i]; l.lo <= 0 || math.IsInf(l.lo, 0) || r.cmp != "above" && r.cmp != "below" {
			return
		}
	}
	for i := range r.levels {
		l := &r.levels[i]
		l.lo /= typical
		if l.clearLo /= typical; l.clearLo <= 0 {
			l.hasClear = false
		}
	}
	r.limit = true
	seen := map[string]bool{}
	for i := range g.streams {
		attributes := g.streams[i].attributes
		if r.groupBy != nil {
			attributes = only(attributes, r.groupBy)
		}
		s := stream{metric: limitMetric, attributes: attributes}
		name := s.name()
		if seen[name] {
			continue
		}
		seen[name] = true
		g.fillPlain(own, &s, typical, 3)
		g.others = append(g.others, s)
	}
}

// chooseOther makes the rule look at alerts of another one.
func (g *generator) chooseOther(own *generator, how string) {
	r := &g.rule
	r.beside, r.otherFor, r.otherKeeper = how, time.Duration(pick(own, 0, 0, 15, 30, 45))*time.Second, time.Duration(pick(own, 0, 0, 15, 60))*time.Second
	switch {
	case r.groupBy == nil, r.groupBy[0] == "disk":
		r.equal = []string{"disk"}
	case r.groupBy[0] == "resource.host":
		r.equal = []string{"resource.host"}
	}
	seen := map[string]bool{}
	for i := range g.streams {
		s := stream{metric: otherMetric, attributes: only(g.streams[i].attributes, r.equal)}
		name := s.name()
		if seen[name] || own.chance(4) {
			continue
		}
		seen[name] = true
		g.fillPlain(own, &s, otherBound, 30)
		g.others = append(g.others, s)
	}
}

func only(attributes map[string]string, keys []string) map[string]string {
	out := map[string]string{}
	for _, k := range keys {
		if v, ok := attributes[k]; ok {
			out[k] = v
		}
	}
	return out
}

// fillPlain makes a series that walks around a value, is born late or dies early now and then, and has gaps. It has neither markers nor NaN: see
// TestUnknownThresholdIsNoCure.
func (g *generator) fillPlain(own *generator, s *stream, around, step float64) {
	length := len(g.streams[0].samples)
	birth, death := 0, length
	if own.chance(4) {
		birth = own.IntN(length / 2)
	}
	if own.chance(4) {
		death = birth + own.IntN(length-birth)
	}
	v, gap, rest := around, 0, 0
	for i := range length {
		if rest--; rest < 0 {
			v = max(0, around+math.Round(own.NormFloat64()*step))
			rest = own.IntN(6)
		}
		if gap--; gap < 0 && own.chance(15) {
			gap = own.IntN(8)
		}
		s.samples = append(s.samples, ruletest.Sample{Value: v, Missing: gap >= 0 || i < birth || i >= death})
	}
}

// addConditions is the conditions as settings of ours.
func (s *spec) addConditions(cfg *rules.Config) {
	rc := &cfg.Rules[0]
	if s.limit {
		for name, l := range rc.Thresholds {
			share := func(v any) any { return map[string]any{"metric": limitMetric, "scale": v} }
			for _, bound := range []*any{&l.Above, &l.Below, &l.Clear} {
				if *bound != nil {
					*bound = share(*bound)
				}
			}
			rc.Thresholds[name] = l
		}
	}
	if s.beside == "" {
		return
	}
	reference := &rules.ReferenceConfig{Rule: otherRule, Equal: s.equal}
	if s.beside == "and" {
		rc.And = reference
	} else {
		rc.Unless = reference
	}
	groupBy := s.equal
	if groupBy == nil {
		groupBy = []string{}
	}
	cfg.Rules = append(cfg.Rules, rules.RuleConfig{
		Name: otherRule, Metric: otherMetric, GroupBy: groupBy, Lookback: s.lookback.String(), NoData: &rules.NoDataConfig{After: s.lookback, Action: "resolve"},
		Thresholds: map[string]rules.LevelConfig{"critical": {Above: otherBound, For: new(s.otherFor), KeepFiringFor: new(s.otherKeeper)}},
	})
}

// bound is what a value is compared with in PromQL.
func (s *spec) bound(v float64) string {
	if !s.limit {
		return promNumber(v)
	}
	matching := ""
	if s.groupBy != nil {
		matching = fmt.Sprintf("on (%s) group_left () ", strings.Join(promLabels(s.groupBy), ", "))
	}
	return fmt.Sprintf("%s(%s * %s)", matching, promNumber(v), limitMetric)
}

// withOthers adds the other rule, and what the rule's alerts are beside or unless it.
func (s *spec) withOthers(levels []promLevel) []promLevel {
	if s.beside == "" {
		return levels
	}
	equal := strings.Join(promLabels(s.equal), ", ")
	firing := func(name string) string { return fmt.Sprintf(`ALERTS{alertname=%q, alertstate="firing"}`, name) }
	out := []promLevel{{
		severity: otherRule, expr: fmt.Sprintf("group by (%s) (%s > %d)", equal, otherMetric, otherBound), forDuration: s.otherFor, keepFiringFor: s.otherKeeper,
		usesState: true, hidden: true,
	}}
	if s.beside == "and" {
		for _, l := range levels {
			l.expr = fmt.Sprintf("(%s) and on (%s) %s", l.expr, equal, firing(otherRule))
			out = append(out, l)
		}
		return out
	}
	// What was announced stays. What is held back goes on counting, so what is said is a rule of its own.
	raw := s.levels[0]
	raw.severity = "raw"
	return append(out,
		promLevel{severity: raw.severity, expr: s.expr(&raw), forDuration: raw.forDuration, keepFiringFor: raw.keepFiringFor, usesState: true, hidden: true},
		promLevel{
			severity: s.levels[0].severity, usesState: true,
			expr: fmt.Sprintf("(%[1]s unless on (%[2]s) %[3]s) or (%[1]s and ignoring (alertname, alertstate) %[4]s)", firing("raw"), equal, firing(otherRule), firing(s.levels[0].severity)),
		})
}

// Prometheus takes the end of what a value is compared with for a cure, as it does with the value itself. With us an unknown threshold is no verdict: the
// no-data policy applies when it has been missing for long, not when a marker ends it.
func TestUnknownThresholdIsNoCure(t *testing.T) {
	t.Parallel()
	c := written(t, above(1), "60x40")
	c.rule.limit = true
	limit, err := ruletest.ParseValues("50x3 stale _x36")
	if err != nil {
		t.Fatal(err)
	}
	c.others = []stream{{metric: limitMetric, attributes: c.streams[0].attributes, samples: limit}}
	assert.Equal(t, []string{"0s warning", "1m0s none"}, c.theirs(t))
	assert.Equal(t, []string{"0s warning", "5m45s none"}, c.ours(t, nil))
	assert.Equal(t, []string{"0s warning", "5m45s no_data"}, c.ours(t, func(cfg *rules.Config) { cfg.Defaults.NoData.Action = "keep" }))
}

// Alertmanager holds back what a rule fires anyway; with `unless` in an expression Prometheus resolves what is firing, and begins for again when the other
// ends. We do as Alertmanager does: what was announced stays, and for goes on.
func TestUnlessHoldsBackAndResolvesNothing(t *testing.T) {
	t.Parallel()
	rule := above(50)
	rule.levels[0].forDuration = time.Minute
	c := written(t, rule, "60x20 0")
	c.rule.beside, c.rule.equal = "unless", nil
	down, err := ruletest.ParseValues("0x5 100x4 0x12")
	if err != nil {
		t.Fatal(err)
	}
	c.others = []stream{{metric: otherMetric, attributes: map[string]string{}, samples: down}}
	p := c.prometheusOf(t, []promLevel{
		{severity: otherRule, expr: "group by () (b > 50)", usesState: true, hidden: true},
		{severity: "warning", expr: `m > 50 unless on () ALERTS{alertname="other", alertstate="firing"}`, forDuration: time.Minute},
	})
	var theirs []string
	before := 0
	for at := time.Duration(0); at <= 6*time.Minute; at += 15 * time.Second {
		firing, err := p.evaluate(at)
		require.NoError(t, err)
		if len(firing) != before {
			before = len(firing)
			theirs = append(theirs, fmt.Sprint(at, " ", before))
		}
	}
	assert.Equal(t, []string{"1m0s 1", "1m30s 0", "3m45s 1", "5m15s 0"}, theirs)
	assert.Equal(t, []string{"1m0s warning", "5m15s none"}, c.ours(t, nil), "of the rule alone")
}
