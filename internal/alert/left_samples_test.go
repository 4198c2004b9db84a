package alert

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
)

// handOver puts a new engine in place of the rig's, with all that a reload in one process passes on.
func (r *rig) handOver(s store, now float64) {
	r.t.Helper()
	r.engine.StoreHistories()
	s.write(r.engine.Snapshot(at(now)))
	left := r.engine.LeaveSamples()
	r.restart(now)
	r.engine.TakeSamples(left)
	require.NoError(r.t, r.engine.Restore(s, at(now)))
}

// windowed are rules over windows of m, and one of e over m.
func windowed() []rules.RuleConfig {
	rule := func(name, aggregate string, bound any) rules.RuleConfig {
		return rules.RuleConfig{
			Name: name, Metric: "m", Window: 3 * time.Minute, Aggregate: aggregate, Flapping: &rules.FlappingConfig{Enabled: new(bool)},
			Thresholds: map[string]rules.LevelConfig{"warning": {Above: bound}},
		}
	}
	set := []rules.RuleConfig{
		rule("avg", "avg", 50), rule("max", "max", 95), rule("sum", "sum", 600), rule("count", "count", 11), rule("stddev", "stddev", 30), rule("p90", "p90", 90),
		rule("increase", "increase", 40), rule("rate", "rate", 0.2), rule("changes", "changes", 9), rule("last", "last", 90),
	}
	below := rule("below", "min", nil)
	below.Thresholds["warning"] = rules.LevelConfig{Below: 5}
	return append(set, below)
}

// A reload changes nothing of what rules over windows say: not when, and not what.
func TestAReloadKeepsWindows(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		for _, kind := range []window.StreamKind{window.Gauge, window.CumulativeCounter, window.DeltaCounter} {
			said := func(reloads bool) []string {
				random := rand.New(rand.NewPCG(5, seed))
				r := newRig(t, windowed(), func(c *rules.Config) { c.Limits.EventsPerMinute = 1 << 20 })
				r.kind = kind
				s := store{}
				var out []string
				totals := map[string]float64{}
				for step := range 80 {
					now := float64(step * 15)
					level := float64(random.IntN(3) * 45)
					var points []point
					for _, disk := range []string{"a", "b"} {
						v := level + float64(random.IntN(11))
						if kind == window.CumulativeCounter {
							totals[disk] += v / 10
							v = totals[disk]
						}
						if random.IntN(12) > 0 {
							points = append(points, point{s: now, v: v, attrs: []attr.Attr{attr.String("disk", disk)}})
						}
					}
					r.observe(now, points...)
					r.engine.Evaluate(at(now + 1))
					if random.IntN(8) == 0 && reloads {
						r.handOver(s, now+2)
					}
					for _, ev := range r.drain() {
						out = append(out, fmt.Sprintf("%v %s %s %s %v", ev.Time, ev.Rule, ev.Transition, ev.Severity, ev.Value))
					}
				}
				return out
			}
			want := said(false)
			require.NotEmpty(t, want)
			require.Equal(t, want, said(true), "seed %d kind %d", seed, kind)
		}
	}
}

// A window that is longer than the one before waits for what was not kept, and a series of another kind begins again.
func TestWhatWasNotKeptIsNotKnown(t *testing.T) {
	t.Parallel()
	lows := func(rc *rules.RuleConfig) {
		rc.Window, rc.Aggregate = 2*time.Minute, "max"
		rc.Thresholds = map[string]rules.LevelConfig{"warning": {Below: 5}}
	}
	begin := func() *rig {
		r := newRig(t, ladderRule(lows), nil)
		for s := 0.0; s <= 300; s += 15 {
			r.step(s, 90)
		}
		for s := 315.0; s <= 390; s += 15 {
			r.step(s, 1)
		}
		return r
	}
	fires := func(r *rig) float64 {
		for s := 405.0; s <= 2000; s += 15 {
			r.step(s, 1)
			if len(r.transitions()) > 0 {
				return s
			}
		}
		return 0
	}
	r := begin()
	unchanged := fires(r)
	for name, c := range map[string]struct {
		edit func(r *rig)
		at   float64
	}{
		"the same":        {func(*rig) {}, unchanged},
		"a longer window": {func(r *rig) { r.cfg.Rules[0].Window = 10 * time.Minute }, 900},
		"another kind":    {func(r *rig) { r.kind = window.DeltaCounter }, 510},
		"fewer samples":   {func(r *rig) { r.cfg.Limits.SamplesPerSeries = 9 }, unchanged},
	} {
		r := begin()
		c.edit(r)
		r.handOver(store{}, 391)
		assert.InDelta(t, c.at, fires(r), 15, name)
	}
}

// What nobody takes up is let go of when its windows are past.
func TestLeftSamplesAreLetGoOf(t *testing.T) {
	t.Parallel()
	r := newRig(t, windowed(), nil)
	for s := 0.0; s <= 300; s += 15 {
		r.step(s, 10)
	}
	r.handOver(store{}, 301)
	require.Len(t, r.engine.leftTo, 1)
	r.engine.Evaluate(at(310))
	assert.Len(t, r.engine.leftTo, 1)
	r.engine.Evaluate(at(300 + 180 + 301))
	assert.Empty(t, r.engine.leftTo)
	assert.Nil(t, r.engine.matchers["m"].left)
}

// A group is whole only when all of its series had time to come, though their samples are known: one may miss its first sample after a reload.
func TestAGroupGathersAfterAReload(t *testing.T) {
	t.Parallel()
	for _, aggregate := range []string{"sum", "max", "avg", ""} {
		r := newRig(t, ladderRule(func(rc *rules.RuleConfig) {
			rc.GroupBy, rc.GroupAggregate, rc.Window, rc.Aggregate = []string{"resource.host.name"}, aggregate, time.Minute, "avg"
			rc.Thresholds = map[string]rules.LevelConfig{"warning": {Above: 40}}
		}), nil)
		disk := func(s float64, values ...float64) {
			var points []point
			for i, v := range values {
				points = append(points, point{s: s, v: v, attrs: []attr.Attr{attr.Int("disk", int64(i))}})
			}
			r.observe(s, points...)
			r.engine.Evaluate(at(s + 1))
		}
		for s := 0.0; s <= 90; s += 15 {
			disk(s, 1, 99)
		}
		require.Equal(t, []string{"fire:warning"}, r.transitions(), aggregate)
		r.handOver(store{}, 100)
		if aggregate != "avg" { // A mean takes what there is, as it does without a reload.
			disk(105, 1)
		}
		disk(120, 1, 99)
		disk(135, 1, 99)
		assert.Empty(t, r.transitions(), aggregate)
		for s := 150.0; s <= 240; s += 15 {
			disk(s, 1, 1)
		}
		assert.Equal(t, []string{"resolve"}, r.transitions(), aggregate)
	}
}

// What an engine before has left is counted as held until it is taken up or let go of, and no series of it is refused for it.
func TestLeftSamplesAreCounted(t *testing.T) {
	t.Parallel()
	r := newRig(t, windowed(), nil)
	senders := func(s float64, n int) {
		for i := range n {
			r.from(fmt.Sprint("db", i), "1", s, 10)
		}
		r.engine.Evaluate(at(s))
	}
	for s := 0.0; s <= 300; s += 15 {
		senders(s, 100)
	}
	samples := r.engine.samplesHeld
	require.Positive(t, samples)
	r.handOver(store{}, 301)
	held := r.engine.memory()
	assert.GreaterOrEqual(t, held, samples+100*seriesSize)
	senders(315, 50)
	left := int64(0)
	for _, s := range r.engine.matchers["m"].left {
		left += s.size()
	}
	assert.Less(t, left, held)
	for s := 330.0; s < 5000; s += 15 {
		senders(s, 50)
	}
	for s := 5000.0; s < 9000; s += 15 {
		r.engine.Evaluate(at(s))
	}
	groups := int64(0)
	for _, state := range r.engine.states {
		for _, g := range state.order {
			groups += g.size()
		}
	}
	assert.Equal(t, groups, r.engine.memory(), "what has gone is not counted")

	// The limit holds when what was left fills it.
	full := func(reload bool) int {
		r := newRig(t, windowed(), func(c *rules.Config) { c.Limits.MemoryMiB = 1 })
		for s := 0.0; s <= 300; s += 15 {
			for i := range 500 {
				r.from(fmt.Sprint("db", i), "1", s, 10)
			}
			r.engine.Evaluate(at(s))
			if reload && s == 240 {
				r.handOver(store{}, 241)
			}
		}
		return r.engine.Stats(at(300)).Series
	}
	assert.Equal(t, full(false), full(true))
}
