package alert

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/event"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// hosts has each host send its value in a batch of its own, and lets time do its work.
func hosts(r *rig, s float64, values ...float64) {
	r.t.Helper()
	for i, v := range values {
		r.from(fmt.Sprintf("web-%03d", i), "1", s, v)
	}
	r.engine.Evaluate(at(s))
}

// fired are the hosts of the fires among events, in order, and suppressed the summaries.
func fired(events []event.Event) (names []string, suppressed []event.Event) {
	for _, ev := range events {
		switch {
		case ev.Kind == alertschema.KindSuppressed:
			suppressed = append(suppressed, ev)
		case ev.Transition == alertschema.TransitionFire:
			host, _ := attr.Lookup(ev.Resource, "host.name")
			names = append(names, host.AsString())
		}
	}
	return names, suppressed
}

func TestWithheldIsSaidOnceWithTheWorst(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(nil), func(c *rules.Config) { c.Limits.AlertsPerRule, c.Limits.EventsPerMinute = 20, 1000 })
	values := make([]float64, 30)
	for i := range values {
		values[i] = 82 + float64(i)/10
	}
	hosts(r, 0, values...)
	names, said := fired(r.drain())
	assert.Len(t, names, 20)
	require.Len(t, said, 1)
	assert.Equal(t, []event.SuppressedCount{{Rule: "load", Severity: "warning", Count: 10}}, said[0].Counts)
	assert.Equal(t, "10 alerts of load held back, limits::alerts_per_rule is 20: 10 warning; the worst: load host.name=web-029 at 84.9, "+
		"load host.name=web-028 at 84.8, load host.name=web-027 at 84.7, load host.name=web-026 at 84.6, load host.name=web-025 at 84.5. "+
		"The rest follows when others resolve", said[0].Body)
	assert.Equal(t, []string{said[0].Body}, r.engine.TakeNotices())
	assert.Equal(t, "warning", said[0].SeverityText)
	assert.EqualValues(t, 10, r.engine.Stats(at(0)).EventsSuppressed["limit"])
	for s := 15.0; s < 600; s += 15 {
		hosts(r, s, values...)
		assert.Empty(t, r.drain(), "once")
	}

	// A freed place goes to the worst that waits, and not to the one that comes just then.
	values[0] = 10
	values = append(values, 83)
	hosts(r, 600, values...)
	names, said = fired(r.drain())
	assert.Equal(t, []string{"web-029"}, names)
	assert.Empty(t, said)

	// A critical needs no place of a warning.
	values[25] = 97
	values = append(values, 98)
	hosts(r, 615, values...)
	events := r.drain()
	names, said = fired(events)
	slices.Sort(names)
	assert.Equal(t, []string{"web-025", "web-031"}, names)
	assert.Empty(t, said)

	// When none waits any more and some do again, it is said again.
	for i := range values {
		values[i] = 10
	}
	hosts(r, 630, values...)
	r.drain()
	for i := range values {
		values[i] = 96
	}
	hosts(r, 700, values...)
	_, said = fired(r.drain())
	require.Len(t, said, 1)
	assert.Equal(t, "critical", said[0].SeverityText)
	assert.Equal(t, 18, said[0].SeverityNumber)
}

// TestMoreSevereOnesThatWaitAreSaid has warnings wait first, and criticals later.
func TestMoreSevereOnesThatWaitAreSaid(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(nil), func(c *rules.Config) { c.Limits.AlertsPerRule = 2 })
	hosts(r, 0, 90, 90, 90)
	_, said := fired(r.drain())
	require.Len(t, said, 1)
	hosts(r, 15, 96, 96, 90)
	r.drain()
	hosts(r, 30, 96, 96, 97)
	_, said = fired(r.drain())
	require.Len(t, said, 1)
	assert.Equal(t, "critical", said[0].SeverityText)
	assert.Contains(t, said[0].Body, "load host.name=web-002 at 97")
}

// TestTopTakesTheWorstOfATick has the hosts come one by one, the mildest first.
func TestTopTakesTheWorstOfATick(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(func(rc *rules.RuleConfig) { rc.Top = 2 }), nil)
	hosts(r, 0, 81, 82, 83, 84, 85)
	events := r.drain()
	names, said := fired(events)
	assert.Equal(t, []string{"web-004", "web-003"}, names)
	require.Len(t, said, 1)
	assert.Contains(t, said[0].Body, "3 alerts of load held back, top is 2: 3 warning; the worst: load host.name=web-002 at 83")
	assert.Equal(t, events[0].EpisodeID+"-1", events[0].UID, "the record is that of the time at which it fired")
	hosts(r, 15, 81, 82, 99, 84, 85)
	names, _ = fired(r.drain())
	assert.Equal(t, []string{"web-002"}, names, "a critical needs no place of a warning")
	for s := 30.0; s < 300; s += 15 {
		hosts(r, s, 94, 94, 99, 84, 85)
		assert.Empty(t, r.drain(), "who has a place keeps it")
	}
	hosts(r, 300, 93, 94, 99, 10, 10)
	names, _ = fired(r.drain())
	assert.Equal(t, []string{"web-001"}, names, "the critical has the other place")
}

// TestTopIsNotSaidOfWhatEndsWithinATick fires and resolves before the comparison.
func TestTopIsNotSaidOfWhatEndsWithinATick(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(func(rc *rules.RuleConfig) { rc.Top = 2 }), nil)
	r.from("a", "1", 0, 90)
	r.from("a", "1", 5, 10)
	r.engine.Evaluate(at(6))
	assert.Empty(t, r.drain())
}

func TestStormSummaryNamesTheWorst(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(nil), func(c *rules.Config) { c.Limits.EventsPerMinute, c.Limits.AlertsPerRule = 2, 1000 })
	for i, v := range []float64{90, 90, 85, 86, 87, 88, 89, 99, 96} {
		r.from(fmt.Sprintf("web-%03d", i), "1", 0, v)
	}
	r.engine.Evaluate(at(0))
	events := r.drain()
	_, said := fired(events)
	for s := 15.0; len(said) < 2 && s < 200; s += 15 {
		r.engine.Evaluate(at(s))
		_, more := fired(r.drain())
		said = append(said, more...)
	}
	require.NotEmpty(t, said)
	last := said[len(said)-1]
	assert.Equal(t, "critical", last.SeverityText)
	assert.Equal(t, 18, last.SeverityNumber)
	assert.Contains(t, last.Body, "among them load host.name=web-007")
	assert.NotContains(t, last.Body, "load, load")
	assert.Contains(t, r.engine.TakeNotices(), last.Body)
}

func TestSeriesBeyondTheLimitAreSaidWithExamples(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(nil), func(c *rules.Config) { c.Limits.Series = 3 })
	for s := 0.0; s < 120; s += 15 {
		hosts(r, s, 1, 1, 1, 1, 1, 1, 1, 1, 1)
	}
	_, said := fired(r.drain())
	require.Len(t, said, 1)
	assert.Contains(t, said[0].Body, "limits::series is 3")
	assert.Contains(t, said[0].Body, "(6, such as m of host.name web-003, m of host.name web-004")
	assert.Equal(t, []event.SuppressedCount{{Rule: "limits", Severity: "series", Count: 6}}, said[0].Counts)
	assert.Len(t, r.engine.TakeNotices(), 1)
}

func TestSamplesBeyondTheLimitAreSaidWithExamples(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(func(rc *rules.RuleConfig) { rc.Window, rc.Aggregate = 5*time.Minute, "avg" }), func(c *rules.Config) { c.Limits.SamplesPerSeries = 30 })
	for s := 0.0; s < 600; s++ {
		r.step(s, 90)
	}
	events := r.drain()
	_, said := fired(events)
	require.Len(t, said, 1)
	assert.Contains(t, said[0].Body, "limits::samples_per_series is 30")
	assert.Contains(t, said[0].Body, "(1, such as m of host.name db1 of rule load)")
	assert.Len(t, events, 2, "and what there is of the window is looked at")
	assert.Len(t, r.engine.TakeNotices(), 1)
}

func TestSamplesBelowTheLimitAreNotSaid(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(func(rc *rules.RuleConfig) { rc.Window, rc.Aggregate = time.Minute, "avg" }), func(c *rules.Config) { c.Limits.SamplesPerSeries = 30 })
	for s := 0.0; s < 600; s += 2.1 {
		r.step(s, 10)
	}
	assert.Empty(t, r.drain())
}

func TestFullOutboxIsSaidWithExamples(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(nil), func(c *rules.Config) { c.Limits.Outbox = 3 })
	hosts(r, 0, 90, 90, 90, 90, 96)
	hosts(r, 15, 90, 90, 90, 90, 96)
	notices := r.engine.TakeNotices()
	require.Len(t, notices, 1)
	assert.Contains(t, notices[0], "limits::outbox is 3 and it is full: records give way, such as load of host.name web-0")
	var said []event.Event
	for s := 30.0; s < 120; s += 15 {
		_, more := fired(r.drain())
		said = append(said, more...)
		hosts(r, s, 90, 90, 90, 90, 96)
	}
	require.Len(t, said, 1)
	assert.True(t, strings.HasPrefix(said[0].Body, "limits::outbox is 3"), said[0].Body)
	assert.Equal(t, "outbox", said[0].Counts[0].Severity)
}

// Examples tell the alerts apart, however many attributes describe where they are.
func TestExamplesTellAlertsApart(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(nil), func(cfg *rules.Config) { cfg.Limits.AlertsPerRule = 1 })
	for i := range 5 {
		r.origin.Reset()
		for _, key := range []string{
			"cloud.account.id", "cloud.availability_zone", "cloud.platform", "cloud.provider", "cloud.region", "deployment.environment.name", "host.id",
			"k8s.cluster.name", "k8s.container.name", "k8s.deployment.name", "k8s.namespace.name",
		} {
			r.origin.Resource = append(r.origin.Resource, attr.String(key, "same"))
		}
		r.origin.Resource = append(r.origin.Resource, attr.String("k8s.pod.name", fmt.Sprint("pod-", i)), attr.String("host.name", fmt.Sprint("web", i)))
		r.observe(0, point{s: 0, v: 99})
	}
	r.engine.Evaluate(at(1))
	said := strings.Join(r.engine.TakeNotices(), "\n")
	for i := 1; i < 5; i++ {
		assert.Contains(t, said, fmt.Sprint("k8s.pod.name=pod-", i))
		assert.Contains(t, said, fmt.Sprint("host.name=web", i))
	}
}
