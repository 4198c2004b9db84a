package oracle

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	promrules "github.com/prometheus/prometheus/rules"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// live drives one engine of ours by hand, for what happens to an engine as a whole: limits, restarts and reloads.
type live struct {
	t      *testing.T
	engine *alert.Engine
	stored map[string][]byte
}

func at(d time.Duration) time.Time { return time.UnixMilli(d.Milliseconds()) }

func newLive(t *testing.T, cfg rules.Config, now time.Duration) *live {
	t.Helper()
	rules, err := rules.Compile(cfg)
	require.NoError(t, err)
	return &live{t, alert.New(rules, at(now)), map[string][]byte{}}
}

// step feeds one value for each series, n="0" and so on, and evaluates.
func (l *live) step(now time.Duration, values ...float64) {
	l.t.Helper()
	l.engine.Begin(at(now))
	m := l.engine.Matcher(metric)
	require.True(l.t, m.Select(&attr.Origin{}, alert.Stream{}))
	for i, v := range values {
		m.Observe(&alert.Point{Attributes: []attr.Attr{{Key: "n", Value: attr.StringValue(fmt.Sprint(i))}}, Time: at(now).UnixNano(), Value: v})
	}
	l.engine.Flush(at(now))
	l.engine.Evaluate(at(now))
}

// restart stops the engine and starts another from what it stored.
func (l *live) restart(cfg rules.Config, stop, start time.Duration) *live {
	l.t.Helper()
	for _, op := range l.engine.Snapshot(at(stop)) {
		if op.Value == nil {
			delete(l.stored, op.Key)
		} else {
			l.stored[op.Key] = op.Value
		}
	}
	next := newLive(l.t, cfg, start)
	next.stored = l.stored
	require.NoError(l.t, next.engine.Restore(l.stored, at(start)))
	return next
}

// said takes the records that wait.
func (l *live) said() []string {
	var out []string
	for _, ev := range l.engine.Peek(nil, l.engine.Pending()) {
		word := ev.Transition.String()
		if ev.Kind != alertschema.KindStateChange {
			word = ev.Name()
		}
		out = append(out, word)
		l.engine.Ack(ev.Seq)
	}
	return out
}

// rule makes one alerting rule of Prometheus that keeps its state in ALERTS.
func (p *prom) rule(t *testing.T, expr string, forDuration, keepFiringFor time.Duration) *promrules.AlertingRule {
	t.Helper()
	parsed, err := promParser.ParseExpr(expr)
	require.NoError(t, err)
	return promrules.NewAlertingRule("x", parsed, forDuration, keepFiringFor, labels.EmptyLabels(), labels.EmptyLabels(), labels.EmptyLabels(), "", true,
		promslog.NewNopLogger())
}

// feed appends a value for each series and evaluates the rule. It returns the states of the alerts.
func (p *prom) feed(rule *promrules.AlertingRule, now time.Duration, limit int, values ...float64) ([]string, error) {
	for i, v := range values {
		p.memory.append(labels.FromStrings(model.MetricNameLabel, metric, "n", fmt.Sprint(i)), now, v)
	}
	var vector promql.Vector
	vector, err := rule.Eval(context.Background(), 0, at(now), p.query, nil, limit)
	for _, s := range vector {
		p.memory.append(s.Metric, now, s.F)
	}
	var states []string
	for _, a := range rule.ActiveAlerts() {
		states = append(states, a.State.String())
	}
	slices.Sort(states)
	return states, err
}

// A rule that exceeds Prometheus' limit loses all its alerts, those that were firing before the flood among them. Ours are
// announced up to the limit; the rest waits for a place.
func TestLimitHoldsBackTheExcess(t *testing.T) {
	t.Parallel()
	p := newProm(t, 5*time.Minute, nil)
	rule := p.rule(t, "m > 50", 0, 0)
	states, err := p.feed(rule, 0, 2, 60, 60, 0)
	require.NoError(t, err)
	assert.Equal(t, []string{"firing", "firing"}, states)
	states, err = p.feed(rule, 15*time.Second, 2, 60, 60, 60)
	require.EqualError(t, err, "exceeded limit of 2 with 3 alerts")
	assert.Empty(t, states)

	s := above(50)
	cfg := s.config()
	cfg.Limits.AlertsPerRule = 2
	l := newLive(t, cfg, 0)
	l.step(0, 60, 60, 0)
	assert.Equal(t, []string{"fire", "fire"}, l.said())
	l.step(15*time.Second, 60, 60, 60)
	assert.Equal(t, []string{"alert.suppressed"}, l.said())
	assert.Len(t, l.engine.Active(), 3)
	l.step(30*time.Second, 60, 0, 60)
	l.step(45*time.Second, 60, 0, 60)
	assert.Equal(t, []string{"resolve", "fire"}, l.said())
}

// After a restart Prometheus begins the for of a firing alert again when it is shorter than the grace period of ten minutes. Ours goes
// on firing.
func TestRestartKeepsFiring(t *testing.T) {
	t.Parallel()
	const forDuration, minute = 2 * time.Minute, time.Minute
	p := newProm(t, 5*time.Minute, nil)
	rule := p.rule(t, "m > 50", forDuration, 0)
	var states []string
	for now := time.Duration(0); now <= 3*minute; now += minute {
		var err error
		states, err = p.feed(rule, now, 0, 60)
		require.NoError(t, err)
	}
	assert.Equal(t, []string{"firing"}, states)
	again := p.rule(t, "m > 50", forDuration, 0)
	again.SetRestored(false)
	group := promrules.NewGroup(promrules.GroupOptions{
		Name: "g", Interval: minute, Rules: []promrules.Rule{again}, ShouldRestore: true,
		Opts: &promrules.ManagerOptions{Context: t.Context(), Queryable: &p.memory, OutageTolerance: time.Hour, ForGracePeriod: 10 * minute},
	})
	_, err := p.feed(again, 5*minute, 0, 60)
	require.NoError(t, err)
	group.RestoreForState(at(5 * minute))
	states, err = p.feed(again, 6*minute, 0, 60)
	require.NoError(t, err)
	assert.Equal(t, []string{"pending"}, states)

	s := above(50)
	s.levels[0].forDuration = forDuration
	l := newLive(t, s.config(), 0)
	for now := time.Duration(0); now <= 3*minute; now += minute {
		l.step(now, 60)
	}
	assert.Equal(t, []string{"fire"}, l.said())
	l = l.restart(s.config(), 3*minute, 5*minute)
	l.step(5*minute, 60)
	l.step(6*minute, 60)
	assert.Len(t, l.engine.Active(), 1)
	assert.Empty(t, l.said(), "nothing is news")
}

// With a for longer than the grace period Prometheus restores it, and time that it was down does not count. Neither does ours.
func TestRestartGoesOnWithALongFor(t *testing.T) {
	t.Parallel()
	const forDuration, minute = 30 * time.Minute, time.Minute
	p := newProm(t, 5*time.Minute, nil)
	rule := p.rule(t, "m > 50", forDuration, 0)
	s := above(50)
	s.levels[0].forDuration = forDuration
	l := newLive(t, s.config(), 0)
	for now := time.Duration(0); now <= 5*minute; now += minute {
		_, err := p.feed(rule, now, 0, 60)
		require.NoError(t, err)
		l.step(now, 60)
	}
	again := p.rule(t, "m > 50", forDuration, 0)
	again.SetRestored(false)
	group := promrules.NewGroup(promrules.GroupOptions{
		Name: "g", Interval: minute, Rules: []promrules.Rule{again}, ShouldRestore: true,
		Opts: &promrules.ManagerOptions{Context: t.Context(), Queryable: &p.memory, OutageTolerance: time.Hour, ForGracePeriod: 10 * minute},
	})
	l = l.restart(s.config(), 5*minute, 15*minute)
	fired := map[string]time.Duration{}
	for now := 15 * minute; now <= 60*minute; now += minute {
		states, err := p.feed(again, now, 0, 60)
		require.NoError(t, err)
		if now == 15*minute {
			group.RestoreForState(at(now))
		}
		if _, known := fired["theirs"]; !known && slices.Contains(states, "firing") {
			fired["theirs"] = now
		}
		l.step(now, 60)
		if said := l.said(); len(said) > 0 {
			assert.Equal(t, []string{"fire"}, said)
			fired["ours"] = now
		}
	}
	assert.Equal(t, map[string]time.Duration{"theirs": 40 * minute, "ours": 40 * minute}, fired)
}

// Prometheus does not store keep_firing_for, so a restart ends the alert at once. Ours is kept for as long as it was to be.
func TestRestartKeepsKeeping(t *testing.T) {
	t.Parallel()
	const minute = time.Minute
	p := newProm(t, 5*time.Minute, nil)
	rule := p.rule(t, "m > 50", 0, 5*minute)
	_, err := p.feed(rule, 0, 0, 60)
	require.NoError(t, err)
	states, err := p.feed(rule, minute, 0, 10)
	require.NoError(t, err)
	assert.Equal(t, []string{"firing"}, states)
	states, err = p.feed(p.rule(t, "m > 50", 0, 5*minute), 2*minute, 0, 10)
	require.NoError(t, err)
	assert.Empty(t, states)

	s := above(50)
	s.levels[0].keepFiringFor = 5 * minute
	l := newLive(t, s.config(), 0)
	l.step(0, 60)
	l.step(minute, 10)
	assert.Equal(t, []string{"fire"}, l.said())
	l = l.restart(s.config(), minute, 2*minute)
	for now := 2 * minute; now < 7*minute; now += minute {
		l.step(now, 10)
		assert.Empty(t, l.said(), now)
	}
	l.step(7*minute, 10)
	assert.Equal(t, []string{"resolve"}, l.said(), "five minutes of which one was spent before and one down")
}

// Prometheus puts a firing alert back to pending when a reload raises for. Ours has fired, and that is said.
func TestRaisedForTakesNothingBack(t *testing.T) {
	t.Parallel()
	p := newProm(t, 5*time.Minute, nil)
	rule := p.rule(t, "m > 50", 0, 0)
	_, err := p.feed(rule, 0, 0, 60)
	require.NoError(t, err)
	raised := p.rule(t, "m > 50", time.Hour, 0)
	group := func(r promrules.Rule) *promrules.Group {
		return promrules.NewGroup(promrules.GroupOptions{Name: "g", Rules: []promrules.Rule{r}, Opts: &promrules.ManagerOptions{}})
	}
	next := group(raised)
	next.CopyState(group(rule))
	states, err := p.feed(raised, 15*time.Second, 0, 60)
	require.NoError(t, err)
	assert.Equal(t, []string{"pending"}, states)

	s := above(50)
	l := newLive(t, s.config(), 0)
	l.step(0, 60)
	assert.Equal(t, []string{"fire"}, l.said())
	s.levels[0].forDuration = time.Hour
	l = l.restart(s.config(), 0, time.Second)
	l.step(15*time.Second, 60)
	assert.Len(t, l.engine.Active(), 1)
	assert.Empty(t, l.said())
}

// A rule of which two results have the same labels fails as a whole with Prometheus, firing alerts and all. Our groups may hold
// several series; the worst decides.
func TestSeriesOfOneGroupAreNoError(t *testing.T) {
	t.Parallel()
	p := newProm(t, 5*time.Minute, nil)
	rule := p.rule(t, `{__name__=~"m|m2"} > 50`, 0, 0)
	p.memory.append(labels.FromStrings(model.MetricNameLabel, "m2", "n", "0"), 0, 90)
	_, err := p.feed(rule, 0, 0, 60)
	require.ErrorIs(t, err, promrules.ErrDuplicateAlertLabelSet)

	s := above(50)
	s.groupBy = []string{"shelf"}
	l := newLive(t, s.config(), 0)
	l.step(0, 60, 90)
	require.Len(t, l.engine.Active(), 1)
	assert.InDelta(t, 90, l.engine.Active()[0].Value.Float64, 0)
	assert.Equal(t, []string{"fire"}, l.said())
}

// A severity that a template computes is part of Prometheus' identity of an alert: the warning resolves and another one begins. Our
// ladder is one alert that escalates.
func TestEscalationIsNoNewAlert(t *testing.T) {
	t.Parallel()
	rule := above(50)
	rule.levels[0].forDuration = time.Minute
	rule.levels = append(rule.levels, ladderLevel{severity: "critical", lo: 80, forDuration: time.Minute})
	c := written(t, rule, "60x4 90x6")
	assert.Equal(t, []string{"1m0s warning", "2m15s critical"}, c.ours(t, nil))

	p := newProm(t, 5*time.Minute, nil)
	expr, err := promParser.ParseExpr("m > 50")
	require.NoError(t, err)
	templated := promrules.NewAlertingRule("x", expr, time.Minute, 0,
		labels.FromStrings("severity", `{{ if gt $value 80.0 }}critical{{ else }}warning{{ end }}`), labels.EmptyLabels(), labels.EmptyLabels(), "", true,
		promslog.NewNopLogger())
	firing := map[string]bool{}
	for i, v := range []float64{60, 60, 60, 60, 60, 90} {
		_, err := p.feed(templated, time.Duration(i)*15*time.Second, 0, v)
		require.NoError(t, err)
		clear(firing)
		for _, a := range templated.ActiveAlerts() {
			firing[a.Labels.Get("severity")] = a.State == promrules.StateFiring
		}
	}
	assert.Equal(t, map[string]bool{"critical": false}, firing, "the worse it gets, the quieter")
}
