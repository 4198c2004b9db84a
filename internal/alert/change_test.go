package alert

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// changeRule is a rule on the change since an hour before.
func changeRule(bound any, edit func(*rules.RuleConfig)) []rules.RuleConfig {
	rc := rules.RuleConfig{Name: "growth", Metric: "m", Change: &rules.ChangeConfig{Since: time.Hour}, Thresholds: map[string]rules.LevelConfig{
		"warning": {Above: bound},
	}}
	if edit != nil {
		edit(&rc)
	}
	return []rules.RuleConfig{rc}
}

// feed steps through values of one series, 60 seconds apart.
func (r *rig) feed(from float64, values func(s float64) float64, until float64) {
	for s := from; s <= until; s += 60 {
		r.step(s, values(s))
	}
}

func TestMoreThanAnHourAgo(t *testing.T) {
	t.Parallel()
	const gib = 1 << 30
	r := newRig(t, changeRule("10GiB", nil), nil)
	r.unit = "By"
	r.feed(0, func(float64) float64 { return 100 * gib }, 3540)
	assert.Empty(t, r.transitions(), "what was an hour before is not known yet")
	r.feed(3600, func(s float64) float64 { return 100*gib + (s-3600)/60*gib }, 3600+720)
	events := r.drain()
	require.Len(t, events, 1)
	ev := events[0]
	assert.InDelta(t, 11*gib, ev.Value.Float64, 0)
	assert.Equal(t, "By", ev.Unit)
	assert.Equal(t, "growth on db1: m rose by 11.0 GiB in 1h (> 10GiB)", ev.Body)
	assert.Contains(t, ev.Attributes(nil), attr.Double(alertschema.KeyChangeSince, 3600))
	r.feed(4380, func(float64) float64 { return 112 * gib }, 9000)
	events = r.drain()
	require.Len(t, events, 1)
	assert.Equal(t, alertschema.TransitionResolve, events[0].Transition)
	assert.Contains(t, events[0].Body, "rose by 10.0 GiB in 1h")
}

func TestPercentMoreThanAnHourAgo(t *testing.T) {
	t.Parallel()
	for _, bound := range []any{"10%", 10} {
		r := newRig(t, changeRule(bound, func(rc *rules.RuleConfig) { rc.Change.Relative = true }), nil)
		r.unit = "By"
		r.feed(0, func(float64) float64 { return 200 }, 3600)
		r.step(3660, 219)
		assert.Empty(t, r.transitions())
		r.step(3720, 221)
		events := r.drain()
		require.Len(t, events, 1)
		assert.Equal(t, "%", events[0].Unit)
		assert.InDelta(t, 10.5, events[0].Value.Float64, 1e-12)
		assert.Contains(t, events[0].Body, "m rose by 10.5% in 1h (> 10")
	}
}

// From nothing to something is more than any percentage; from nothing to nothing is no change.
func TestPercentOfNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t, changeRule("10%", func(rc *rules.RuleConfig) { rc.Change.Relative = true }), nil)
	r.feed(0, func(float64) float64 { return 0 }, 3660)
	assert.Empty(t, r.transitions())
	r.step(3720, 5)
	events := r.drain()
	require.Len(t, events, 1)
	assert.True(t, math.IsInf(events[0].Value.Float64, 1))
	assert.Equal(t, "growth on db1: m was 0 1h before, and is not now (> 10%)", events[0].Body)
}

func TestLessThanAnHourAgo(t *testing.T) {
	t.Parallel()
	r := newRig(t, changeRule(nil, func(rc *rules.RuleConfig) {
		rc.Change.Relative = true
		rc.Thresholds["warning"] = rules.LevelConfig{Below: "-50%"}
	}), nil)
	r.feed(0, func(float64) float64 { return 100 }, 3660)
	r.step(3720, 40)
	events := r.drain()
	require.Len(t, events, 1)
	assert.Equal(t, "growth on db1: m fell by 60.0% in 1h (-60.0% < -50%)", events[0].Body)
}

// Scale and offset apply to what is compared, and not to the change: a share of what is busy is 1 minus the idle one.
func TestChangeOfAScaledValue(t *testing.T) {
	t.Parallel()
	r := newRig(t, changeRule("100%", func(rc *rules.RuleConfig) {
		rc.Change.Relative, rc.Scale, rc.Offset = true, new(-1.0), 1
	}), nil)
	r.feed(0, func(float64) float64 { return 0.9 }, 3600)
	r.step(3660, 0.75)
	events := r.drain()
	require.Len(t, events, 1)
	assert.InDelta(t, 150, events[0].Value.Float64, 1e-9)
	assert.Contains(t, events[0].Body, "1 - m rose by 150.0% in 1h")
}

// The series of a group are joined first, and those that are not are each compared with their own past.
func TestChangeOfGroups(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		aggregate string
		want      float64
	}{{"", 30}, {"sum", 20}, {"max", 30}, {"avg", 10}} {
		r := newRig(t, changeRule(9, func(rc *rules.RuleConfig) {
			rc.GroupBy, rc.GroupAggregate = []string{"resource.host.name"}, c.aggregate
		}), nil)
		for s := 0.0; s <= 3780; s += 60 {
			a, b := 100.0, 100.0
			if s > 3600 {
				a, b = 130, 90
			}
			r.observe(s, point{s: s, v: a, attrs: disk("/")}, point{s: s, v: b, attrs: disk("/home")})
			r.engine.Evaluate(at(s))
		}
		events := r.drain()
		require.Len(t, events, 1, c.aggregate)
		assert.InDelta(t, c.want, events[0].Value.Float64, 0, c.aggregate)
	}
}

// A week's samples are too many to keep: a value every 28 minutes is, over a restart, too, and nothing else of the samples.
func TestThanLastWeekAtThisHour(t *testing.T) {
	t.Parallel()
	week := 7 * 24 * time.Hour
	r := newRig(t, changeRule("50%", func(rc *rules.RuleConfig) {
		rc.Change = &rules.ChangeConfig{Since: week, Relative: true}
		rc.Window, rc.Aggregate = time.Hour, "avg"
	}), nil)
	load := func(s float64) float64 { // A daily wave.
		return 100 + 50*math.Sin(s/86400*2*math.Pi)
	}
	state := map[string][]byte{}
	save := func(s float64) {
		for _, op := range r.engine.Snapshot(at(s)) {
			if state[op.Key] = op.Value; op.Value == nil {
				delete(state, op.Key)
			}
		}
	}
	day := 86400.0
	written := 0
	for s := 0.0; s < 8*day; s += 300 {
		r.step(s, load(s))
		before := len(state)
		save(s)
		written += len(state) - before
		if s == 3*day {
			r.engine.StoreHistories()
			save(s)
			r.restart(s + 200)
			require.NoError(t, r.engine.Restore(state, at(s+200)))
		}
	}
	assert.Empty(t, r.transitions(), "each hour is like that of last week")
	require.Len(t, r.engine.histories.byID, 1)
	bytes := 0
	for key, v := range state {
		if strings.HasPrefix(key, historyPrefix) {
			bytes += len(v)
		}
	}
	assert.Less(t, bytes, 8<<10)
	for s := 8 * day; s < 8*day+7200; s += 300 {
		r.step(s, 2*load(s))
	}
	assert.Equal(t, []string{"fire:warning"}, r.transitions())
}

// What was is not known: before there was anything, where nothing came then, and of time in which the Collector was down.
func TestNoVerdictWithoutAnEarlierValue(t *testing.T) {
	t.Parallel()
	r := newRig(t, changeRule(nil, func(rc *rules.RuleConfig) {
		rc.Thresholds["warning"] = rules.LevelConfig{Outside: []any{-5, 5}}
		rc.NoData = &rules.NoDataConfig{Action: "close"}
	}), nil)
	r.feed(0, func(float64) float64 { return 10 }, 1800)
	r.feed(3000, func(float64) float64 { return 100 }, 5400)
	assert.Equal(t, []string{"fire:warning"}, r.transitions(), "at 3600, compared with the start")
	r.feed(5460, func(float64) float64 { return 100 }, 6000)
	assert.Equal(t, []string{"resolve"}, r.transitions(), "from 5700 on nothing was an hour before, and the policy says close")
	r.feed(6060, func(float64) float64 { return 100 }, 9000)
	assert.Empty(t, r.transitions())
}

func TestHistoriesAreBounded(t *testing.T) {
	t.Parallel()
	r := newRig(t, changeRule(10, nil), func(c *rules.Config) { c.Limits.Series = 10 })
	for i := range 100 {
		s := float64(i) * 3600
		for k := range 8 {
			r.observe(s, point{s: s, v: 1, attrs: disk(string(rune('a' + (i+k)%26)))})
		}
		r.engine.Evaluate(at(s))
		assert.LessOrEqual(t, len(r.engine.histories.byID), 10)
	}
	r.engine.Evaluate(at(1e6))
	r.engine.Evaluate(at(1e6 + 86400))
	assert.Empty(t, r.engine.histories.byID, "what no series has and nobody can look at is gone")
	for _, op := range r.engine.Snapshot(at(1e6 + 86400)) {
		if strings.HasPrefix(op.Key, historyPrefix) {
			assert.Nil(t, op.Value)
		}
	}
}

// What was before outlives a reload however late samples come and however far apart they are.
func TestHistoriesOutliveAReload(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ since, interval, late float64 }{
		"a minute, late samples":      {60, 15, 240},
		"a minute, very late samples": {60, 15, 295},
		"a minute, far apart":         {60, 600, 0},
		"an hour, in time":            {3600, 60, 0},
		"an hour, far apart and late": {3600, 3600, 290},
		"ten minutes, hourly":         {600, 3600, 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, changeRule(10, func(rc *rules.RuleConfig) {
				rc.Change.Since = time.Duration(c.since) * time.Second
				rc.NoData = &rules.NoDataConfig{After: 24 * time.Hour}
			}), nil)
			now := 0.0
			step := func(v float64) {
				for next := now + c.interval; now < next; {
					now += 15
					r.engine.Evaluate(at(now))
				}
				r.observe(now, point{s: now - c.late, v: v})
				r.engine.Evaluate(at(now))
			}
			n := int(max(2*c.since/c.interval, 4))
			for range n {
				step(1)
			}
			require.Empty(t, r.transitions())
			s := store{}
			r.engine.StoreHistories()
			r.restartFrom(s, now+1, now+2)
			r.engine.Evaluate(at(now + 3))
			step(20)
			assert.Equal(t, []string{"fire:warning"}, r.transitions())
		})
	}
}

func TestBrokenHistoriesAreLeftOut(t *testing.T) {
	t.Parallel()
	r := newRig(t, changeRule(10, nil), nil)
	r.feed(0, func(float64) float64 { return 1 }, 600)
	r.engine.StoreHistories()
	state := map[string][]byte{}
	for _, op := range r.engine.Snapshot(at(601)) {
		state[op.Key] = op.Value
		if strings.HasPrefix(op.Key, historyPrefix) {
			state[op.Key] = op.Value[:len(op.Value)-2]
		}
	}
	r.restart(700)
	require.ErrorContains(t, r.engine.Restore(state, at(700)), "decoding h/")
	assert.Empty(t, r.engine.histories.byID)
}

func TestChangeIsChecked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		edit func(*rules.RuleConfig)
		want string
	}{
		{func(rc *rules.RuleConfig) { rc.Change.Since = 0 }, "change.since must be ≥ evaluation_interval 15s"},
		{func(rc *rules.RuleConfig) {
			rc.Change.Relative, rc.Thresholds["warning"] = true, rules.LevelConfig{Above: "5GiB"}
		}, "threshold 5GiB can't be compared with a change in %"},
		{func(rc *rules.RuleConfig) { rc.Forecast = &rules.ForecastConfig{Window: time.Hour, Horizon: time.Hour} }, `"forecast" and "change" exclude`},
	} {
		cfg := rules.DefaultConfig()
		cfg.Rules = changeRule(1, c.edit)
		_, err := rules.Compile(cfg)
		assert.ErrorContains(t, err, c.want)
	}
}

// A build for which a pattern was another match than its value stored the history under another ID: it goes on.
func TestHistoriesOfAnotherSpellingGoOn(t *testing.T) {
	t.Parallel()
	r := newRig(t, changeRule(10, func(rc *rules.RuleConfig) {
		rc.Match = map[string]any{"disk": map[string]any{"glob": "sd*"}}
	}), nil)
	attrs := []attr.Attr{attr.String("disk", "sda")}
	for s := 0.0; s <= 3600; s += 60 {
		r.observe(s, point{s: s, v: 1, attrs: attrs})
	}
	rule := r.engine.states[0]
	require.Len(t, rule.histories.texts, 2)
	key := rule.SeriesKey(&rule.Value, &r.origin, attrs) + "\x00" + r.unit
	s := store{}
	r.engine.StoreHistories()
	s.write(r.engine.Snapshot(at(3601)))
	today, before := historyKey(alertschema.AlertID(rule.histories.texts[0], key)), historyKey(alertschema.AlertID(rule.histories.texts[1], key))
	require.Contains(t, s, today)
	s[before] = s[today]
	delete(s, today)
	r.restart(3610)
	require.NoError(t, r.engine.Restore(s, at(3610)))
	r.observe(3660, point{s: 3660, v: 20, attrs: attrs})
	assert.Equal(t, []string{"fire:warning"}, r.transitions())
	r.engine.StoreHistories()
	s.write(r.engine.Snapshot(at(3661)))
	assert.Contains(t, s, today)
	assert.NotContains(t, s, before)
}
