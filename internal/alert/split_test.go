package alert

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

// TestASumTakesInANewSeriesOfALaterPart splits a batch. A series that is new in the second part counts in the round that the first one decided.
func TestASumTakesInANewSeriesOfALaterPart(t *testing.T) {
	t.Parallel()
	cfg := rules.DefaultConfig()
	cfg.Rules = []rules.RuleConfig{{Name: "sum", Metric: "m", GroupBy: []string{}, GroupAggregate: "sum", Threshold: 100, Severity: "warning"}}
	ruleSet, err := rules.Compile(cfg)
	require.NoError(t, err)
	e := New(ruleSet, at(0))
	part := func(s float64, values map[string]float64) {
		e.Begin(at(s))
		m := e.Matcher("m")
		require.True(t, m.Select(&attr.Origin{}, Stream{}))
		for name, v := range values {
			m.Observe(&Point{Attributes: []attr.Attr{attr.String("pid", name)}, Time: at(s).UnixNano(), Value: v})
		}
		e.Flush(at(s))
	}
	for _, s := range []float64{0, 15, 30} {
		part(s, map[string]float64{"a": 40, "b": 40})
		e.Evaluate(at(s))
	}
	part(45, map[string]float64{"a": 40, "b": 40})
	require.Empty(t, e.Peek(nil, 10))
	part(45, map[string]float64{"c": 50})
	e.Evaluate(at(45))
	events := e.Peek(nil, 10)
	require.Len(t, events, 1)
	assert.InDelta(t, 130, events[0].Value.Float64, 0)
	assert.Equal(t, at(45).UnixNano(), events[0].Time)
}

// TestAFirstRoundIsDecidedWhenTheNextHasCome holds that the first value of a group of several series waits for the next round, and not for time: by then it
// is known which series a round has.
func TestAFirstRoundIsDecidedWhenTheNextHasCome(t *testing.T) {
	t.Parallel()
	cfg := rules.DefaultConfig()
	cfg.Rules = []rules.RuleConfig{{Name: "sum", Metric: "m", GroupBy: []string{}, GroupAggregate: "sum", Threshold: 100, Severity: "warning"}}
	ruleSet, err := rules.Compile(cfg)
	require.NoError(t, err)
	e := New(ruleSet, at(0))
	part := func(s float64, names ...string) {
		e.Begin(at(s))
		m := e.Matcher("m")
		require.True(t, m.Select(&attr.Origin{}, Stream{}))
		for _, name := range names {
			m.Observe(&Point{Attributes: []attr.Attr{attr.String("pid", name)}, Time: at(s).UnixNano(), Value: 60})
		}
		e.Flush(at(s))
	}
	part(0, "a")
	part(0, "b")
	require.Empty(t, e.Peek(nil, 10), "there may be more of the round")
	part(1, "a")
	require.Empty(t, e.Peek(nil, 10), "of the next round a part only is there")
	part(1, "b")
	events := e.Peek(nil, 10)
	require.Len(t, events, 1)
	assert.InDelta(t, 120, events[0].Value.Float64, 0)
	assert.Equal(t, at(0).UnixNano(), events[0].Time, "of the first round")
}
