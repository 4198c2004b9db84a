package alert

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/event"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

func TestDecide(t *testing.T) {
	t.Parallel()
	yes, no := func() bool { return true }, func() bool { return false }
	calm := circumstances{silenced: no, full: no, budget: yes}
	with := func(edit func(*circumstances)) circumstances {
		c := calm
		edit(&c)
		return c
	}
	wasAnnounced := func(c *circumstances) { c.announced, c.state = 1, alertschema.StateFiring }
	cases := []struct {
		story string
		t     alertschema.Transition
		c     circumstances
		want  decision
	}{
		{"the first fire is announced", alertschema.TransitionFire, calm, announced},
		{"a silence holds a fire back", alertschema.TransitionFire, with(func(c *circumstances) { c.silenced = yes }), heldBySilence},
		{"a full rule holds a fire back", alertschema.TransitionFire, with(func(c *circumstances) { c.full = yes }), heldByLimit},
		{"an exhausted budget holds a fire back", alertschema.TransitionFire, with(func(c *circumstances) { c.budget = no }), heldByStorm},
		{"a silence is asked before the budget is spent", alertschema.TransitionFire, with(func(c *circumstances) { c.silenced, c.budget = yes, no }), heldBySilence},
		{"nobody waits for the resolve of an unannounced fire", alertschema.TransitionResolve, calm, unannounced},
		{"a resolve passes silence, limit and storm", alertschema.TransitionResolve, with(func(c *circumstances) {
			wasAnnounced(c)
			c.silenced, c.full, c.budget = yes, yes, no
		}), announced},
		{"an escalation of an unannounced fire waits with it", alertschema.TransitionEscalate, calm, unannounced},
		{"an escalation is announced", alertschema.TransitionEscalate, with(wasAnnounced), announced},
		{"a full rule lets its own alerts escalate", alertschema.TransitionEscalate, with(func(c *circumstances) { wasAnnounced(c); c.full = yes }), announced},
		{"a storm holds an escalation back", alertschema.TransitionEscalate, with(func(c *circumstances) { wasAnnounced(c); c.budget = no }), heldByStorm},
		{"data that is back is news only after no data", alertschema.TransitionDataBack, with(wasAnnounced), unannounced},
		{"data back after no data", alertschema.TransitionDataBack, with(func(c *circumstances) { c.announced, c.state = 1, alertschema.StateNoData }), announced},
		{"flapping of an unannounced alert is not told", alertschema.TransitionFlappingStart, calm, unannounced},
		{"flapping saves records, so the budget does not stop it", alertschema.TransitionFlappingStart, with(func(c *circumstances) { wasAnnounced(c); c.budget = no }), announced},
		{"a repeat is the first to go in a storm", alertschema.TransitionRepeat, with(func(c *circumstances) { wasAnnounced(c); c.budget = no }), heldByStorm},
	}
	for _, c := range cases {
		assert.Equal(t, c.want, decide(c.t, c.c), c.story)
	}
}

func TestRepeat(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(func(rc *rules.RuleConfig) { rc.RepeatInterval = new(time.Minute) }), nil)
	var got []string
	for s := 0.0; s <= 150; s += 15 {
		r.step(s, 90)
		for _, ev := range r.drain() {
			got = append(got, fmt.Sprintf("%v %s %s", s, ev.Transition, ev.UID[16:]))
		}
	}
	assert.Equal(t, []string{"0 fire -1", "60 repeat -1-r1", "120 repeat -1-r2"}, got)
}

func TestFlapping(t *testing.T) {
	t.Parallel()
	rule := func() []rules.RuleConfig {
		return ladderRule(func(rc *rules.RuleConfig) {
			rc.Flapping = &rules.FlappingConfig{Transitions: 4, Within: 5 * time.Minute, StableFor: 2 * time.Minute}
		})
	}
	swing := func(r *rig, from float64, n int) (string, float64) {
		var all string
		s := from
		for i := range n {
			r.step(s, []float64{90, 10}[i%2])
			all += fmt.Sprint(r.transitions())
			s += 15
		}
		return all, s
	}
	t.Run("firing=>flapping=>resolved", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, rule(), nil)
		all, s := swing(r, 0, 10)
		assert.Equal(t, "[fire:warning][resolve][fire:warning][flapping_start:warning][][][][][][]", all)
		end := s - 15
		for ; s < end+120; s += 15 {
			r.step(s, 10)
			assert.Empty(t, r.transitions())
		}
		r.step(s, 10)
		events := r.drain()
		require.Len(t, events, 2)
		assert.Equal(t, alertschema.TransitionFlappingEnd, events[0].Transition)
		assert.Equal(t, alertschema.TransitionResolve, events[1].Transition)
		assert.Equal(t, at(end).UnixNano(), events[1].EndedAt, "the real end, not that of the latch")
		assert.Equal(t, events[0].EpisodeID, events[1].EpisodeID)
		assert.EqualValues(t, 6, r.engine.Stats(at(s)).EventsSuppressed["flapping"])
	})
	t.Run("gone while it was about to flap", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, ladderRule(func(rc *rules.RuleConfig) {
			rc.Flapping = rule()[0].Flapping
			rc.NoData = &rules.NoDataConfig{After: 45 * time.Second, Action: "resolve"}
		}), nil)
		_, s := swing(r, 0, 3)
		end := s - 15
		for ; s <= end+45; s += 15 {
			r.engine.Evaluate(at(s))
		}
		events := r.drain()
		require.Len(t, events, 1)
		assert.Equal(t, alertschema.TransitionResolve, events[0].Transition)
		assert.Equal(t, alertschema.ReasonStale, events[0].Reason)
	})
	t.Run("gone and back again and again", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, ladderRule(func(rc *rules.RuleConfig) {
			rc.Flapping = &rules.FlappingConfig{Transitions: 4, Within: time.Hour, StableFor: time.Hour}
			rc.NoData = &rules.NoDataConfig{After: 45 * time.Second, Action: "resolve"}
		}), nil)
		said := 0
		for s := 0.0; s < 3000; s += 15 {
			if int(s)%150 < 45 {
				r.step(s, 90)
			} else {
				r.engine.Evaluate(at(s))
			}
			said += len(r.drain())
		}
		assert.Equal(t, 2*4, said, "it latches in the end")
	})
	t.Run("firing=>flapping=>firing=>resolved", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, rule(), nil)
		_, s := swing(r, 0, 9)
		for end := s - 15; s <= end+120; s += 15 {
			r.step(s, 90)
		}
		events := r.drain()
		require.Len(t, events, 1)
		assert.Equal(t, alertschema.TransitionFlappingEnd, events[0].Transition)
		assert.Equal(t, alertschema.StateFiring, events[0].State)
		r.step(s, 10)
		assert.Equal(t, []string{"resolve"}, r.transitions())
	})
	t.Run("a severity that the episode has not seen passes the latch", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, rule(), nil)
		_, s := swing(r, 0, 6)
		r.step(s, 99)
		events := r.drain()
		require.Len(t, events, 1)
		assert.Equal(t, alertschema.TransitionEscalate, events[0].Transition)
		assert.Equal(t, alertschema.StateFlapping, events[0].State)
		assert.Equal(t, "critical", events[0].Severity)
		r.step(s+15, 10)
		r.step(s+30, 99)
		assert.Empty(t, r.transitions())
	})
	t.Run("flapping behind a silence: what fires in the end is announced", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, rule(), func(c *rules.Config) { c.Silences = []rules.SilenceConfig{{All: true, From: at(0), To: at(300)}} })
		_, s := swing(r, 0, 4)
		for ; s < 300; s += 15 {
			r.step(s, 90)
			assert.Empty(t, r.transitions())
		}
		r.step(300, 90)
		assert.Equal(t, []string{"fire:warning"}, r.transitions())
		r.step(315, 99)
		assert.Equal(t, []string{"escalate:critical"}, r.transitions())
		r.step(330, 10)
		assert.Equal(t, []string{"resolve"}, r.transitions())
	})
	t.Run("slow changes do not flap", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, rule(), nil)
		for i := range 20 {
			r.step(float64(i)*240, []float64{90, 10}[i%2])
			assert.NotContains(t, r.transitions(), "flapping_start:warning")
		}
	})
}

// disks feeds n disks with one value each at time s.
func disks(r *rig, s float64, n int, value func(int) float64) {
	points := make([]point, n)
	for i := range points {
		points[i] = point{s: s, v: value(i), attrs: disk(fmt.Sprintf("/%04d", i))}
	}
	r.observe(s, points...)
	r.engine.Evaluate(at(s))
}

func TestStorm(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(nil), func(c *rules.Config) { c.Limits.EventsPerMinute, c.Limits.AlertsPerRule = 10, 1000 })
	disks(r, 0, 50, func(i int) float64 {
		if i%10 == 3 {
			return 99
		}
		return 85
	})
	events := r.drain()
	require.Len(t, events, 11)
	for i := range 5 {
		assert.Equal(t, "critical", events[i].Severity, "criticals first")
	}
	for i := 5; i < 10; i++ {
		assert.Equal(t, "warning", events[i].Severity)
	}
	summary := events[10]
	assert.Equal(t, "alert.suppressed", summary.Name())
	assert.Equal(t, []event.SuppressedCount{{Rule: "load", Severity: "warning", Count: 40}}, summary.Counts)
	assert.Contains(t, summary.Body, "40 alert records held back, more than 10 a minute: 40 of load (warning)")
	assert.Equal(t, []string{
		"log.record.uid=" + summary.UID, "alert.suppressed.count=40", "alert.suppressed.load.warning=40",
	}, attributeText(summary.Attributes(nil)))
	assert.EqualValues(t, 40, r.engine.Stats(at(0)).EventsSuppressed["storm"])

	// Thirty of them recover: the announced ones among these are resolved at once, the others were never heard of.
	disks(r, 15, 50, func(i int) float64 {
		if i < 30 {
			return 10
		}
		return 85
	})
	resolved := map[string]bool{}
	for _, ev := range r.drain() {
		if ev.Transition == alertschema.TransitionResolve {
			resolved[ev.AlertID] = true
		}
	}
	wanted := 0
	for _, ev := range events[:10] {
		if resolved[ev.AlertID] {
			wanted++
		}
	}
	assert.Len(t, resolved, wanted)

	// The rest follows as the budget allows.
	released := map[string]bool{}
	for s := 30.0; s <= 240; s += 15 {
		disks(r, s, 50, func(i int) float64 {
			if i < 30 {
				return 10
			}
			return 85
		})
		for _, ev := range r.drain() {
			if ev.Kind == alertschema.KindStateChange && ev.Reason == alertschema.ReasonStormReleased && ev.Transition == alertschema.TransitionFire {
				released[ev.AlertID] = true
			}
		}
	}
	assert.Len(t, r.engine.Active(), 20)
	still := 0
	for _, g := range r.engine.alerts {
		if g.alert.Level > 0 {
			assert.Positive(t, g.alert.announced)
			still++
		}
	}
	assert.Equal(t, 20, still)
	assert.NotEmpty(t, released)
}

// A network that fails takes the data of all alerts at once, and brings it back at once.
func TestStormOfMissingData(t *testing.T) {
	t.Parallel()
	const n = 30
	high := func(int) float64 { return 85 }
	for _, restarted := range []bool{false, true} {
		r := newRig(t, ladderRule(func(rc *rules.RuleConfig) { rc.NoData = &rules.NoDataConfig{After: time.Minute, Action: "keep"} }),
			func(c *rules.Config) { c.Limits.EventsPerMinute = 10 })
		stored, uids, heard := store{}, map[string]bool{}, map[string][]alertschema.Transition{}
		listen := func() {
			for _, ev := range r.drain() {
				if ev.Kind != alertschema.KindStateChange {
					continue
				}
				require.False(t, uids[ev.UID], ev.UID)
				uids[ev.UID] = true
				heard[ev.AlertID] = append(heard[ev.AlertID], ev.Transition)
				if ev.Transition == alertschema.TransitionNoData {
					assert.Equal(t, alertschema.ReasonNoData, ev.Reason)
				}
			}
		}
		all := func(want ...alertschema.Transition) {
			t.Helper()
			assert.Len(t, heard, n)
			for id, said := range heard {
				assert.Equal(t, want, said, "%s, restarted %v", id, restarted)
			}
			assert.Empty(t, r.engine.deferred)
		}
		s := 0.0
		for ; s < 300; s += 15 {
			disks(r, s, n, high)
			listen()
		}
		all(alertschema.TransitionFire)
		for end := s + 300; s < end; s += 15 {
			r.engine.Evaluate(at(s))
			listen()
			if restarted && s == end-225 {
				assert.NotEmpty(t, r.engine.deferred)
				r.restartFrom(stored, s, s+5)
			}
		}
		all(alertschema.TransitionFire, alertschema.TransitionNoData)
		for end := s + 300; s < end; s += 15 {
			disks(r, s, n, high)
			listen()
			if restarted && s == end-285 {
				assert.NotEmpty(t, r.engine.deferred)
				r.restartFrom(stored, s, s+5)
			}
		}
		all(alertschema.TransitionFire, alertschema.TransitionNoData, alertschema.TransitionDataBack)
	}
}

func TestMissingDataThatCameAndWentBehindASilence(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(func(rc *rules.RuleConfig) { rc.NoData = &rules.NoDataConfig{After: time.Minute, Action: "keep"} }),
		func(c *rules.Config) { c.Silences = []rules.SilenceConfig{{All: true, From: at(30), To: at(300)}} })
	r.step(0, 90)
	for s := 15.0; s <= 90; s += 15 {
		r.engine.Evaluate(at(s))
	}
	assert.NotEmpty(t, r.engine.deferred)
	for s := 105.0; s <= 330; s += 15 {
		r.step(s, 90)
	}
	assert.Equal(t, []string{"fire:warning"}, r.transitions())
}

func TestLimitHoldsBackTheExcessAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(nil), func(c *rules.Config) { c.Limits.AlertsPerRule = 3 })
	disks(r, 0, 5, func(int) float64 { return 90 })
	assert.Equal(t, []string{"fire:warning", "fire:warning", "fire:warning", "alert.suppressed"}, r.transitions())
	disks(r, 15, 5, func(int) float64 { return 90 })
	assert.Empty(t, r.transitions(), "the limit clears nothing, and is said once")
	assert.EqualValues(t, 2, r.engine.Stats(at(15)).EventsSuppressed["limit"])
	var announced string
	for _, g := range r.engine.alerts {
		if g.alert.announced > 0 {
			announced = g.attributes()[0].Value.AsString()
		}
	}
	disks(r, 30, 5, func(i int) float64 {
		if fmt.Sprintf("/%04d", i) == announced {
			return 10
		}
		return 90
	})
	assert.Equal(t, []string{"resolve", "fire:warning"}, r.transitions(), "the next in line takes the place")
}

func TestTopTakesTheWorst(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(func(rc *rules.RuleConfig) { rc.Top = 2 }), nil)
	disks(r, 0, 5, func(i int) float64 { return 81 + float64(i) })
	events := r.drain()
	require.Len(t, events, 3)
	assert.Equal(t, "alert.suppressed", events[2].Name())
	assert.InDelta(t, 85, events[0].Value.Float64, 0)
	assert.InDelta(t, 84, events[1].Value.Float64, 0)
}

func TestSilences(t *testing.T) {
	t.Parallel()
	silenced := func(s rules.SilenceConfig) func(*rules.Config) {
		return func(c *rules.Config) { c.Silences = []rules.SilenceConfig{s} }
	}
	until := rules.SilenceConfig{Match: map[string]any{"alert.rule.name": "load", "host.name": map[string]any{"glob": "db*"}}, To: "2026-01-01T00:01:00Z"}
	t.Run("silenced=>announced when the silence ends", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, ladderRule(nil), silenced(until))
		r.step(0, 90)
		r.step(45, 90)
		assert.Empty(t, r.transitions())
		r.step(60, 90)
		events := r.drain()
		require.Len(t, events, 1)
		assert.Equal(t, alertschema.TransitionFire, events[0].Transition)
		assert.Equal(t, at(0).UnixNano(), events[0].StartedAt)
	})
	t.Run("silenced=>gone before the silence ends", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, ladderRule(nil), silenced(until))
		r.step(0, 90)
		r.step(45, 10)
		r.step(60, 10)
		assert.Empty(t, r.transitions())
		assert.EqualValues(t, 1, r.engine.Stats(at(60)).EventsSuppressed["silence"])
	})
	t.Run("gone and back between two ticks: announced once", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, ladderRule(nil), silenced(rules.SilenceConfig{All: true, From: at(0), To: at(300)}))
		r.step(0, 90)
		r.observe(5, point{s: 5, v: 10})
		r.observe(10, point{s: 10, v: 90})
		r.engine.Evaluate(at(15))
		r.step(300, 90)
		assert.Equal(t, []string{"fire:warning"}, r.transitions())
		assert.Empty(t, r.engine.deferred)
	})
	t.Run("the resolve of what was announced before the silence passes", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, ladderRule(nil), silenced(rules.SilenceConfig{All: true, From: at(10)}))
		r.step(0, 90)
		r.step(15, 99)
		assert.Equal(t, []string{"fire:warning"}, r.transitions())
		r.step(30, 10)
		assert.Equal(t, []string{"resolve"}, r.transitions())
	})
	t.Run("other alerts are not silenced", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, ladderRule(nil), silenced(rules.SilenceConfig{Match: map[string]any{"host.name": "web1"}, To: "2027-01-01T00:00:00Z"}))
		r.step(0, 90)
		assert.Equal(t, []string{"fire:warning"}, r.transitions())
	})
	t.Run("every Thursday night", func(t *testing.T) {
		t.Parallel() // 2026-01-01 is a Thursday.
		r := newRig(t, ladderRule(nil), silenced(rules.SilenceConfig{All: true, Cron: "0 0 * * 4", Duration: 2 * time.Minute}))
		r.step(0, 90)
		r.step(105, 90)
		assert.Empty(t, r.transitions())
		r.step(120, 90)
		assert.Equal(t, []string{"fire:warning"}, r.transitions())
	})
}

func TestSeriesLimit(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(nil), func(c *rules.Config) { c.Limits.Series = 10 })
	disks(r, 0, 25, func(int) float64 { return 10 })
	stats := r.engine.Stats(at(0))
	assert.Equal(t, 10, stats.Series)
	assert.EqualValues(t, 15, stats.SamplesIgnored["limit"])
	disks(r, 1000, 5, func(int) float64 { return 10 }) // The silent ones have made room.
	assert.Equal(t, 5, r.engine.Stats(at(1000)).Series)
}

func TestSampleLimit(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(func(rc *rules.RuleConfig) { rc.Window, rc.Aggregate = 2*time.Minute, "count" }), func(c *rules.Config) { c.Limits.SamplesPerSeries = 8 })
	for s := 0.0; s < 60; s++ {
		r.step(s, 1)
	}
	for _, s := range r.engine.matchers["m"].series {
		assert.Equal(t, 8, s.Samples.Len())
	}
	assert.EqualValues(t, 52, r.engine.Stats(at(60)).SamplesIgnored["limit"])
}
