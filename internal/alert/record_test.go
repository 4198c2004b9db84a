package alert

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/event"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
)

func attributeText(attrs []attr.Attr) []string {
	var out []string
	for _, a := range attrs {
		out = append(out, a.Key+"="+a.Value.AsString())
	}
	return out
}

func TestRecordsOfAnEpisode(t *testing.T) {
	t.Parallel()
	ruleSet := []rules.RuleConfig{{
		Name: "disk_full", Metric: "system.filesystem.utilization", Description: "a disk fills up",
		Match:      map[string]any{"state": "used"},
		Thresholds: map[string]rules.LevelConfig{"warning": {Above: "80%", Clear: "75%"}, "critical": {Above: "95%"}},
		LevelConfig: rules.LevelConfig{
			Message: `disk {{ .Attr "mountpoint" }} on {{ .Resource "host.name" }} is {{ .Value | percent }} full (> {{ .Threshold | percent }})`,
		},
		Labels:      map[string]string{"team": `{{ .Resource "host.name" }}-owners`},
		Annotations: map[string]string{"runbook_url": "https://runbooks.example/disk"},
	}}
	r := newRig(t, ruleSet, nil)
	attrs := []attr.Attr{attr.String("mountpoint", "/"), attr.String("state", "used")}
	var events []event.Event
	for _, p := range []point{{s: 0, v: 0.81}, {s: 15, v: 0.962}, {s: 915, v: 0.71}} {
		p.attrs = attrs
		r.observe(p.s+0.012, p)
		events = append(events, r.drain()...)
	}
	require.Len(t, events, 3)
	escalate, resolve := events[1], events[2]

	assert.Equal(t, "alert.state_change", escalate.Name())
	assert.Equal(t, at(15).UnixNano(), escalate.Time)
	assert.Equal(t, at(15.012).UnixNano(), escalate.ObservedTime)
	assert.Equal(t, 18, escalate.SeverityNumber)
	assert.Equal(t, "critical", escalate.SeverityText)
	assert.Equal(t, "disk / on db1 is 96.2% full (> 95.0%)", escalate.Body)
	assert.Equal(t, r.origin.Resource, escalate.Resource)
	id, episode, version := escalate.AlertID, escalate.EpisodeID, escalate.RuleVersion
	assert.Len(t, id, 16)
	assert.Len(t, episode, 16)
	assert.Equal(t, []string{
		"alert.id=" + id, "alert.episode.id=" + episode, "log.record.uid=" + episode + "-2", "alert.transition=escalate",
		"alert.state=firing", "alert.state.previous=firing", "alert.severity=critical", "alert.severity.previous=warning",
		"alert.reason=threshold", "alert.rule.name=disk_full", "alert.rule.version=" + version,
		"alert.rule.description=a disk fills up", "alert.metric.name=system.filesystem.utilization", "alert.metric.unit=1",
		"alert.value=0.962", "alert.threshold=0.95", "alert.comparison=>", "alert.started_at=2026-01-01T00:00:00Z",
		"alert.duration=15", "alert.occurrences=2", "alert.label.team=db1-owners",
		"alert.annotation.runbook_url=https://runbooks.example/disk", "mountpoint=/",
	}, attributeText(escalate.Attributes(nil)))

	assert.Equal(t, 9, resolve.SeverityNumber)
	assert.Equal(t, "info", resolve.SeverityText)
	assert.Equal(t, "resolved: disk / on db1 is 71.0% full (> 75.0%) (was firing for 15m15s, worst: critical)", resolve.Body)
	assert.Equal(t, []string{
		"alert.id=" + id, "alert.episode.id=" + episode, "log.record.uid=" + episode + "-3", "alert.transition=resolve",
		"alert.state=resolved", "alert.state.previous=firing", "alert.severity=critical", "alert.severity.previous=critical",
		"alert.reason=threshold", "alert.rule.name=disk_full", "alert.rule.version=" + version,
		"alert.rule.description=a disk fills up", "alert.metric.name=system.filesystem.utilization", "alert.metric.unit=1",
		"alert.value=0.71", "alert.threshold=0.75", "alert.comparison=>", "alert.started_at=2026-01-01T00:00:00Z",
		"alert.ended_at=2026-01-01T00:15:15Z", "alert.duration=915", "alert.occurrences=3", "alert.label.team=db1-owners",
		"alert.annotation.runbook_url=https://runbooks.example/disk", "mountpoint=/",
	}, attributeText(resolve.Attributes(nil)))
}

func TestReplicasAgreeOnIdentity(t *testing.T) {
	t.Parallel()
	run := func(skew float64) []string {
		r := newRig(t, ladderRule(nil), nil)
		var uids []string
		for i, v := range []float64{10, 90, 99, 10, 90} {
			s := float64(i * 15)
			r.observe(s+skew, point{s: s, v: v})
			r.engine.Evaluate(at(s + skew + 3))
			for _, ev := range r.drain() {
				uids = append(uids, ev.AlertID+" "+ev.UID)
			}
		}
		return uids
	}
	first := run(0)
	assert.Len(t, first, 4)
	assert.Equal(t, first, run(7.5))
}

func TestWorstSeriesDecidesWithoutGroupAgg(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(func(rc *rules.RuleConfig) { rc.GroupBy = []string{} }), nil)
	feed := func(s, a, b float64) []event.Event {
		r.observe(s, point{s: s, v: a, attrs: disk("/a")}, point{s: s, v: b, attrs: disk("/b")})
		r.engine.Evaluate(at(s))
		return r.drain()
	}
	assert.Empty(t, feed(0, 10, 20))
	events := feed(15, 10, 85)
	require.Len(t, events, 1)
	assert.InDelta(t, 85, events[0].Value.Float64, 0)
	assert.Empty(t, feed(30, 86, 12), "another series, the same alert")
	assert.Len(t, feed(45, 10, 12), 1)
}

func TestGroupAggregates(t *testing.T) {
	t.Parallel()
	for agg, want := range map[string]float64{"sum": 190, "avg": 95, "min": 90, "max": 100, "count": 2} {
		r := newRig(t, ladderRule(func(rc *rules.RuleConfig) {
			rc.GroupAggregate, rc.Thresholds = agg, map[string]rules.LevelConfig{"warning": {Above: 1}}
		}), nil)
		for s := 0.0; s <= 30; s += 15 { // Until no other member of the group is to be expected.
			r.observe(s, point{s: s, v: 90, attrs: disk("/a")}, point{s: s, v: 100, attrs: disk("/b")})
			r.engine.Evaluate(at(s))
		}
		events := r.drain()
		require.Len(t, events, 1, agg)
		assert.InDelta(t, want, events[0].Value.Float64, 0, agg)
	}
}

func TestTypedThresholdFollowsTheUnit(t *testing.T) {
	t.Parallel()
	ruleSet := []rules.RuleConfig{{Name: "cpu", Metric: "cpu.utilization", Threshold: "80%", Severity: "warning"}}
	for unit, v := range map[string]float64{"1": 0.81, "%": 81} {
		r := newRig(t, ruleSet, nil)
		r.unit = unit
		r.step(0, v)
		assert.Equal(t, []string{"fire:warning"}, r.transitions(), unit)
	}
	r := newRig(t, ruleSet, nil)
	r.unit = "By"
	r.step(0, 90)
	r.step(15, 90)
	events := r.drain()
	require.Len(t, events, 1, "a rule that cannot be evaluated says so once")
	assert.Equal(t, "alert.rule_error", events[0].Name())
	assert.Equal(t, `rule "cpu": metric cpu.utilization of host.name db1: threshold 80% needs a metric of unit "1" or "%", not "By"; `+
		"what comes with other units is watched", events[0].Body)
	assert.EqualValues(t, 1, r.engine.Stats(at(15)).Rules[0].Errors)
	r.engine.Evaluate(at(900))
	assert.Equal(t, []string{events[0].Body}, r.engine.TakeNotices(), "it is logged, and not blamed on metric and match later")
}

// TestAMessageThatNobodyWroteSaysWhatItIsAbout holds for alerts that are distinguished by their resource.
func TestAMessageThatNobodyWroteSaysWhatItIsAbout(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		groupBy []string
		want    string
	}{
		{nil, "big mysleeper (pid 7) on db1: process.memory.usage is 47.0 MiB (> 1 B)"},
		{[]string{"resource"}, "big mysleeper (pid 7) on db1: process.memory.usage is 47.0 MiB (> 1 B)"},
		{[]string{"resource.host.name"}, "big db1: process.memory.usage is 47.0 MiB (> 1 B)"},
	} {
		r := newRig(t, []rules.RuleConfig{{Name: "big", Metric: "process.memory.usage", GroupBy: c.groupBy, Threshold: 1, Severity: "warning"}}, nil)
		r.unit = "By"
		r.origin.Resource = []attr.Attr{
			attr.String("host.name", "db1"), attr.String("process.executable.name", "mysleeper"), attr.Int("process.pid", 7),
		}
		r.step(0, 47<<20)
		assert.Equal(t, c.want, r.drain()[0].Body)
	}
}

func TestRuleErrors(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(nil), nil)
	r.step(0, 10)
	r.unit = "By"
	r.step(15, 99)
	r.step(30, 99)
	assert.False(t, r.engine.Matcher("m").SelectDistributions(&r.origin, Stream{}, window.Histogram))
	assert.False(t, r.engine.Matcher("m").SelectDistributions(&r.origin, Stream{}, window.Histogram))
	var bodies []string
	for _, ev := range r.drain() {
		bodies = append(bodies, ev.Body)
	}
	assert.Equal(t, []string{
		`rule "load": metric m comes with units "1" of host.name db1 and "By" of host.name db1, which can't be converted: they are watched apart, ` +
			"and in one group only those of one unit",
		`rule "load": metric m is a histogram: set "statistic" to one of its statistics (min, max, avg, sum, count, pNN)`,
	}, bodies)
}

func TestNotices(t *testing.T) {
	t.Parallel()
	ruleSet := []rules.RuleConfig{
		{Name: "cpu", Metric: "system.cpu.utilization", Threshold: 80, Severity: "warning"},
		{Name: "typo", Metric: "sytem.cpu.utilization", Threshold: "80%", Severity: "warning"},
	}
	r := newRig(t, ruleSet, nil)
	r.step(0, 0.9)
	r.engine.Evaluate(at(599))
	assert.Equal(t, []string{
		`rule "cpu": warning above 80 never fires, because system.cpu.utilization is a ratio; did you mean 80%?`,
	}, r.engine.TakeNotices())
	r.engine.Evaluate(at(600))
	r.engine.Evaluate(at(1200))
	assert.Equal(t, []string{
		`rule "typo" has matched no data point for 10m: check metric "sytem.cpu.utilization" and match`,
	}, r.engine.TakeNotices())
	stats := r.engine.Stats(at(600))
	assert.True(t, stats.Rules[0].Matched)
	assert.Equal(t, 10*time.Minute, stats.Rules[1].LastMatchAge)
}

func TestNoticeOfTooManySeries(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(nil), func(c *rules.Config) { c.Limits.Series = 2 })
	for s := 0.0; s < 60; s += 15 {
		r.observe(s, point{s: s, v: 1, attrs: disk("/a")}, point{s: s, v: 1, attrs: disk("/b")}, point{s: s, v: 99, attrs: disk("/c")})
		r.engine.Evaluate(at(s))
	}
	assert.Equal(t, []string{"limits::series is 2, and there are more: the rest is not watched; raise the limit, or narrow match " +
		"(1, such as m of host.name db1)"},
		r.engine.TakeNotices(), "once")
}

func TestNoNoticeOfAHostWithoutSwap(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil, func(c *rules.Config) { c.Preset = "host" })
	r.engine.Evaluate(at(600))
	var ruleSet []string
	for _, n := range r.engine.TakeNotices() {
		ruleSet = append(ruleSet, strings.Fields(n)[1])
	}
	assert.Equal(t, []string{`"cpu"`, `"memory"`, `"disk"`}, ruleSet)
}
