package alert

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/windowtest"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// distributions feeds one point that describes many values.
func (r *rig) distribution(s float64, kind window.StreamKind, d *window.Distribution) {
	r.t.Helper()
	r.engine.Begin(at(s))
	m := r.engine.Matcher(r.metric)
	if m.SelectDistributions(&r.origin, Stream{Unit: r.unit, Kind: kind}, d.Shape) {
		m.ObserveDistribution(&Point{Time: at(s).UnixNano(), Start: at(s - 15).UnixNano()}, d)
	}
	r.engine.Flush(at(s))
	r.engine.Evaluate(at(s))
}

func TestRulesOnDistributions(t *testing.T) {
	t.Parallel()
	on := func(point string, edit func(*rules.RuleConfig)) *rig {
		return newRig(t, ladderRule(func(rc *rules.RuleConfig) {
			rc.Statistic = point
			if edit != nil {
				edit(rc)
			}
		}), nil)
	}
	t.Run("a burst shows in max, and not in avg", func(t *testing.T) {
		t.Parallel()
		for point, want := range map[string][]string{"max": {"fire:critical", "resolve"}, "p95": nil, "avg": nil} {
			r := on(point, nil)
			values := slices.Repeat([]float64{10}, 60)
			r.distribution(0, window.DeltaCounter, windowtest.Exponential(8, 0, values...))
			values[7], values[8] = 99, 98
			r.distribution(15, window.DeltaCounter, windowtest.Exponential(8, 0, values...))
			said := r.transitions()
			r.distribution(30, window.DeltaCounter, windowtest.Exponential(8, 0, slices.Repeat([]float64{10}, 60)...))
			assert.Equal(t, want, append(said, r.transitions()...), point)
		}
	})
	t.Run("the record says which statistic", func(t *testing.T) {
		t.Parallel()
		r := on("p99.9", nil)
		r.distribution(0, window.DeltaCounter, windowtest.Exponential(8, 0, 90, 90, 90))
		events := r.drain()
		require.Len(t, events, 1)
		assert.Equal(t, "p99.9", events[0].Point)
		assert.Contains(t, events[0].Attributes(nil), attr.String("alert.point", "p99.9"))
		assert.Equal(t, "load on db1: p99.9 of m is 90 (> 80)", events[0].Body)
	})
	t.Run("windows join points", func(t *testing.T) {
		t.Parallel()
		r := on("max", func(rc *rules.RuleConfig) { rc.Window, rc.Aggregate = 30*time.Second, "min" })
		for i, v := range []float64{10, 90, 90, 90} {
			r.distribution(float64(i*15), window.DeltaCounter, windowtest.Exponential(8, 0, v))
			if i < 2 {
				assert.Empty(t, r.transitions())
			}
		}
		assert.Equal(t, []string{"fire:warning"}, r.transitions())
	})
	t.Run("other statistics are levels: their increase is a difference", func(t *testing.T) {
		t.Parallel()
		r := on("max", func(rc *rules.RuleConfig) { rc.Window, rc.Aggregate = 30*time.Second, "increase" })
		for i, v := range []float64{99, 98, 99, 98} {
			r.distribution(float64(i*15), window.DeltaCounter, windowtest.Exponential(8, 0, v))
		}
		assert.Empty(t, r.transitions())
	})
	t.Run("counts add up over a window", func(t *testing.T) {
		t.Parallel()
		for _, kind := range []window.StreamKind{window.DeltaCounter, window.CumulativeCounter} {
			r := on("count", func(rc *rules.RuleConfig) { rc.Window, rc.Aggregate = 30*time.Second, "increase" })
			n := 0
			for i, more := range []int{10, 0, 50, 50} {
				n = n*int(2-kind) + more // What a cumulative stream has counted before counts on.
				r.distribution(float64(i*15), kind, windowtest.Exponential(8, 0, slices.Repeat([]float64{1}, n)...))
			}
			assert.Equal(t, []string{"fire:critical"}, r.transitions(), kind)
		}
	})
	t.Run("an empty point is no sample and no end", func(t *testing.T) {
		t.Parallel()
		r := on("p95", nil)
		r.distribution(0, window.DeltaCounter, windowtest.Exponential(8, 0, 90))
		assert.Equal(t, []string{"fire:warning"}, r.transitions())
		for s := 15.0; s < 300; s += 15 {
			r.distribution(s, window.DeltaCounter, windowtest.Exponential(8, 0))
			assert.Empty(t, r.transitions())
		}
		r.distribution(300, window.DeltaCounter, windowtest.Exponential(8, 0))
		assert.Equal(t, []string{"no_data:warning"}, r.transitions(), "values have stopped for no_data.after")
	})
	t.Run("two rules, two statistics, one metric", func(t *testing.T) {
		t.Parallel()
		ruleSet := append(ladderRule(func(rc *rules.RuleConfig) { rc.Statistic = "max" }), ladderRule(func(rc *rules.RuleConfig) { rc.Name, rc.Statistic = "mean", "avg" })...)
		r := newRig(t, ruleSet, nil)
		r.distribution(0, window.DeltaCounter, windowtest.Exponential(8, 0, 70, 99))
		var said []string
		for _, ev := range r.drain() {
			said = append(said, fmt.Sprintf("%s %s %.1f", ev.Rule, ev.Severity, ev.Value.Float64))
		}
		assert.Equal(t, []string{"load critical 99.0", "mean warning 84.5"}, said)
		assert.Equal(t, 2, r.engine.Stats(at(0)).Series)
		r.engine.Evaluate(at(3600))
		assert.Zero(t, r.engine.Stats(at(3600)).Series, "and both are forgotten")
	})
	t.Run("absence needs no statistic", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, []rules.RuleConfig{{Name: "gone", Metric: "m", Severity: "critical", Absent: &rules.AbsentConfig{For: 30 * time.Second}}}, nil)
		r.distribution(0, window.CumulativeCounter, windowtest.Exponential(8, 0, 1))
		r.distribution(15, window.CumulativeCounter, windowtest.Exponential(8, 0))
		r.engine.Evaluate(at(44))
		assert.Empty(t, r.transitions())
		r.engine.Evaluate(at(45))
		assert.Equal(t, []string{"fire:critical"}, r.transitions())
	})
}

func TestDistributionRuleErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, point string
		feed        func(r *rig)
		want        string
	}{
		{
			"no statistic", "", func(r *rig) { r.distribution(0, window.DeltaCounter, windowtest.Exponential(5, 0, 1)) },
			`metric m is an exponential histogram: set "statistic" to one of its statistics (min, max, avg, sum, count, pNN)`,
		},
		{
			"a statistic of all times", "p95", func(r *rig) { r.distribution(0, window.CumulativeCounter, windowtest.Exponential(5, 0, 1)) },
			`metric m is an exponential histogram of cumulative temporality, so its p95 is since the start: use delta temporality, ` +
				`or "count" or "sum" over a window`,
		},
		{
			"a statistic that is not there", "max", func(r *rig) { r.distribution(0, window.DeltaCounter, windowtest.Bare(windowtest.Exponential(5, 0, 1))) },
			`metric m is an exponential histogram: its points have no max`,
		},
		{"a statistic of numbers", "max", func(r *rig) { r.step(0, 99) }, `metric m has number data points: leave out "statistic", which is for histograms and summaries`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, ladderRule(func(rc *rules.RuleConfig) { rc.Statistic = c.point }), nil)
			for range 3 {
				c.feed(r)
			}
			events := r.drain()
			require.Len(t, events, 1)
			assert.Equal(t, alertschema.KindRuleError, events[0].Kind)
			assert.Equal(t, `rule "load": `+c.want, events[0].Body)
		})
	}
}
