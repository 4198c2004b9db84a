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
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// from feeds one value of a host in a unit.
func (r *rig) from(host, unit string, s, v float64) {
	r.t.Helper()
	r.origin.Reset()
	r.origin.Resource = append(r.origin.Resource, attr.String("host.name", host))
	r.unit = unit
	r.observe(s, point{s: s, v: v})
}

// TestFleetOfSeveralUnits has hosts send one metric in units that mean the same and in units that don't, in every order.
func TestFleetOfSeveralUnits(t *testing.T) {
	t.Parallel()
	type sender struct {
		unit       string
		good, bad  float64
		cantBeRead bool
	}
	for name, c := range map[string]struct {
		level   rules.LevelConfig
		senders []sender
	}{
		"percentage": {rules.LevelConfig{Above: "80%", Clear: "70%"}, []sender{
			{unit: "1", good: 0.5, bad: 0.9},
			{unit: "%", good: 50, bad: 90},
			{unit: "{cpu}", good: 0.5, bad: 0.9},
			{unit: "By", good: 1, bad: 99, cantBeRead: true},
			{unit: "percent", good: 50, bad: 90},
			{unit: "", good: 0.5, bad: 90, cantBeRead: true},
		}},
		"below": {rules.LevelConfig{Below: "10%"}, []sender{{unit: "%", good: 50, bad: 9}, {unit: "1", good: 0.5, bad: 0.09}, {unit: "s", bad: 0, cantBeRead: true}}},
		"outside": {rules.LevelConfig{Outside: []any{"10%", "90%"}}, []sender{
			{unit: "%", good: 50, bad: 91}, {unit: "1", good: 0.5, bad: 0.09}, {unit: "Cel", good: 50, bad: 99, cantBeRead: true},
		}},
		"bytes": {rules.LevelConfig{Above: "1GiB"}, []sender{
			{unit: "By", good: 1e9, bad: 2e9},
			{unit: "KiBy", good: 1e6, bad: 2e6},
			{unit: "MiBy", good: 1000, bad: 1025},
			{unit: "GBy", good: 1.07, bad: 1.08},
			{unit: "bit", good: 8e9, bad: 9e9},
			{unit: "bytes", good: 1e9, bad: 2e9},
			{unit: "1", good: 0.5, bad: 9e9, cantBeRead: true},
			{unit: "By{heap}", good: 1e9, bad: 2e9},
		}},
		"bytes by second": {rules.LevelConfig{Above: "1MB"}, []sender{
			{unit: "By/s", good: 9e5, bad: 2e6},
			{unit: "KiBy/s", good: 900, bad: 1000},
			{unit: "Mbit/s", good: 7.9, bad: 8.1},
			{unit: "{packet}/s", good: 9e5, bad: 2e6, cantBeRead: true},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for first := range c.senders { // Who comes first decides nothing.
				r := newRig(t, []rules.RuleConfig{{Name: "r", Metric: "m", Thresholds: map[string]rules.LevelConfig{"warning": c.level}}}, nil)
				fired := map[string]bool{}
				errors := 0
				var events []event.Event
				for round, bad := range []bool{false, true, true, false} {
					for i := range c.senders {
						x := c.senders[(first+i)%len(c.senders)]
						v := x.good
						if bad {
							v = x.bad
						}
						r.from("host-"+x.unit, x.unit, 15*float64(round), v)
					}
					r.engine.Evaluate(at(15 * float64(round)))
					events = append(events, r.drain()...)
				}
				for _, ev := range events {
					if ev.Kind == alertschema.KindRuleError {
						errors++
						assert.Contains(t, ev.Body, "host-")
						continue
					}
					host, _ := attr.Lookup(ev.Resource, "host.name")
					unit := strings.TrimPrefix(host.AsString(), "host-")
					assert.Equal(t, unit, ev.Unit, "a record has the unit of its series")
					if ev.Transition == alertschema.TransitionFire {
						fired[unit] = true
						i := 0
						for c.senders[i].unit != unit {
							i++
						}
						assert.InDelta(t, c.senders[i].bad, ev.Value.Float64, 0)
					}
				}
				wantErrors := 0
				for _, x := range c.senders {
					assert.Equal(t, !x.cantBeRead, fired[x.unit], "unit %q, first %q", x.unit, c.senders[first].unit)
					if x.cantBeRead {
						wantErrors = 1
					}
				}
				assert.Equal(t, wantErrors, errors, "one record an hour of units that can't be converted")
				assert.Empty(t, r.engine.Active())
			}
		})
	}
}

// TestGroupOfSeveralUnits joins hosts of different units in one group.
func TestGroupOfSeveralUnits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		agg  string
		want float64 // In By, or a count.
	}{{"sum", 3 * 1024}, {"avg", 1024}, {"max", 1024}, {"min", 1024}, {"", 1024}, {"count", 3}} {
		r := newRig(t, []rules.RuleConfig{{Name: "r", Metric: "m", GroupBy: []string{}, GroupAggregate: c.agg, Window: time.Minute, Aggregate: "avg", Threshold: 0, Severity: "warning"}}, nil)
		for s := 0.0; s <= 120; s += 15 {
			r.from("a", "By", s, 1024)
			r.from("b", "KiBy", s, 1)
			r.from("c", "bit", s, 8192)
			r.engine.Evaluate(at(s))
		}
		active := r.engine.Active()
		require.Len(t, active, 1, c.agg)
		assert.InDelta(t, c.want, active[0].Value.Float64, 1e-9, c.agg)
	}
}

func TestGroupLeavesOutWhatCantBeConverted(t *testing.T) {
	t.Parallel()
	r := newRig(t, []rules.RuleConfig{{Name: "r", Metric: "m", GroupBy: []string{}, GroupAggregate: "sum", Threshold: 100, Severity: "warning"}}, nil)
	for s := 0.0; s <= 120; s += 15 {
		r.from("a", "By", s, 90)
		r.from("b", "s", s, 90)
		r.engine.Evaluate(at(s))
	}
	events := r.drain()
	require.Len(t, events, 1)
	assert.Equal(t, `rule "r": metric m comes with units "By" of host.name a and "s" of host.name b, which can't be converted: they are watched apart, `+
		"and in one group only those of one unit", events[0].Body)
}

// TestBareBoundOfSeveralUnits has a bound without a unit: it is compared with each value as it is, and that is said.
func TestBareBoundOfSeveralUnits(t *testing.T) {
	t.Parallel()
	r := newRig(t, []rules.RuleConfig{{Name: "r", Metric: "m", Threshold: 5, Severity: "warning"}}, nil)
	for s := 0.0; s <= 30; s += 15 {
		r.from("a", "s", s, 6)
		r.from("b", "ms", s, 7)
		r.from("c", "seconds", s, 8)
	}
	var bodies []string
	for _, ev := range r.drain() {
		if ev.Kind == alertschema.KindRuleError {
			bodies = append(bodies, ev.Body)
		}
	}
	assert.Equal(t, `rule "r": metric m comes with units "s" of host.name a and "ms" of host.name b: threshold 5 has no unit and is compared with the values of `+
		"each as they are; write it with its unit", bodies[0])
	assert.Len(t, r.engine.Active(), 3)
}

// TestUnitOfAHostChanges upgrades what sends while its alert fires.
func TestUnitOfAHostChanges(t *testing.T) {
	t.Parallel()
	r := newRig(t, []rules.RuleConfig{{Name: "r", Metric: "m", Threshold: "80%", Severity: "warning"}}, nil)
	r.from("a", "%", 0, 90)
	r.from("a", "%", 15, 91)
	require.Equal(t, []string{"fire:warning"}, r.transitions())
	for s := 30.0; s <= 1800; s += 15 {
		r.from("a", "1", s, 0.9)
		r.engine.Evaluate(at(s))
	}
	assert.Empty(t, r.transitions())
	r.from("a", "1", 1815, 0.1)
	assert.Equal(t, []string{"resolve"}, r.transitions())
}

func TestUnitOutlivesARestart(t *testing.T) {
	t.Parallel()
	r := newRig(t, []rules.RuleConfig{{Name: "r", Metric: "m", Threshold: "80%", Severity: "warning"}}, nil)
	r.from("b", "1", 0, 0.1)
	r.from("a", "%", 0, 90)
	require.Equal(t, []string{"fire:warning"}, r.transitions())
	r.restartFrom(store{}, 1, 100)
	r.from("b", "1", 100, 0.1)
	for s := 115.0; s <= 600; s += 15 {
		r.engine.Evaluate(at(s))
	}
	events := r.drain()
	require.Len(t, events, 1)
	assert.Equal(t, "no_data", events[0].Transition.String())
	assert.Equal(t, "%", events[0].Unit)
	assert.InDelta(t, 80, events[0].Threshold.Float64, 0)
}

// TestOffsetOfAShare is one less the idle share, on hosts that have 1 and on hosts that have 100 for the whole.
func TestOffsetOfAShare(t *testing.T) {
	t.Parallel()
	for _, offset := range []float64{1, 100} {
		r := newRig(t, []rules.RuleConfig{{Name: "r", Metric: "m", Scale: new(-1.0), Offset: offset, Threshold: "80%", Severity: "warning"}}, nil)
		r.from("a", "%", 0, 15)
		r.from("b", "1", 0, 0.15)
		r.from("c", "%", 0, 25)
		r.from("d", "1", 0, 0.25)
		assert.Len(t, r.engine.Active(), 2)
	}
}

func TestOnlyIfOfSeveralUnits(t *testing.T) {
	t.Parallel()
	r := newRig(t, []rules.RuleConfig{{
		Name: "r", Metric: "m", Threshold: 5, Severity: "warning", OnlyIf: &rules.ConditionConfig{Metric: "c", Above: "50%"},
	}}, nil)
	for host, unit := range map[string]string{"a": "1", "b": "%"} {
		r.metric = "c"
		r.from(host, unit, 0, map[string]float64{"1": 0.6, "%": 60}[unit])
		r.metric = "m"
		r.from(host, "1", 0, 9)
	}
	r.metric = "c"
	r.from("d", "%", 0, 40)
	r.metric = "m"
	r.from("d", "1", 0, 9)
	assert.Len(t, r.engine.Active(), 2)
}

func TestRatioOfSeveralUnits(t *testing.T) {
	t.Parallel()
	r := newRig(t, []rules.RuleConfig{{
		Name: "r", Ratio: &rules.RatioConfig{Numerator: rules.SelectorConfig{Metric: "used"}, Denominator: rules.SelectorConfig{Metric: "limit"}},
		Threshold: "50%", Severity: "warning",
	}}, nil)
	feed := func(host, unit string, used float64, limitUnit string, limit float64) {
		r.metric = "used"
		r.from(host, unit, 0, used)
		r.metric = "limit"
		r.from(host, limitUnit, 0, limit)
	}
	feed("a", "By", 3<<20, "MiBy", 4)
	feed("b", "MiBy", 3, "By", 4<<20)
	feed("c", "By", 3, "{op}", 4) // Bytes by operation: as they are.
	feed("d", "By", 1<<20, "MiBy", 4)
	r.engine.Evaluate(at(0))
	active := r.engine.Active()
	require.Len(t, active, 3)
	for _, a := range active {
		assert.InDelta(t, 0.75, a.Value.Float64, 1e-12)
	}
}

// A unit has the claim of those that send it, not of one that has gone.
func TestClaimOfAUnitEndsWithItsSender(t *testing.T) {
	t.Parallel()
	r := newRig(t, []rules.RuleConfig{{
		Name: "fleet", Metric: "m", GroupBy: []string{}, GroupAggregate: "sum", Thresholds: map[string]rules.LevelConfig{"warning": {Above: 100}},
	}}, func(c *rules.Config) { c.Limits.KnownAfter = 60e9 })
	for s := 0.0; s < 6000; s += 15 {
		if s < 1200 {
			r.from("old", "ms", s, 1)
		}
		if s >= 15 {
			for i := range 3 {
				r.from([]string{"db0", "db1", "db2"}[i], "By", s, 1)
			}
		}
		if s >= 1200 {
			r.from("junk", "ms", s, 1)
		}
		r.engine.Evaluate(at(s))
	}
	g := r.engine.states[0].order[0]
	require.Len(t, r.engine.apart, 1)
	for _, a := range r.engine.apart {
		for _, of := range a.byUnit {
			oldest := int64(1 << 62)
			for _, s := range a.series {
				oldest = min(oldest, s.resource.sender.since)
			}
			assert.Equal(t, oldest, of.since)
		}
	}
	assert.NotEmpty(t, g.members)
}
