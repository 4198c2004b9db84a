package alert

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

// twoClocks gives the engine a monotonic clock that is behind wall time by so many seconds, and a beat every second.
func (r *rig) twoClocks(behind *float64) {
	c := &r.engine.clock
	c.monotonic = func(t time.Time) (int64, bool) { return int64(t.Sub(base)) - int64(*behind*1e9), true }
	c.last, c.read = c.monotonic(time.Unix(0, c.wall))
	c.beat = second
}

// timeRules are rules of one metric that time decides on, with durations that are no multiples of its interval.
func timeRules(interval float64) []rules.RuleConfig {
	in := func(n float64) time.Duration { return time.Duration(n * interval * 1e9) }
	off := &rules.FlappingConfig{Enabled: new(false)}
	rule := func(name, action string, edit func(*rules.RuleConfig)) rules.RuleConfig {
		rc := rules.RuleConfig{
			Name: name, Metric: "m", Thresholds: map[string]rules.LevelConfig{"warning": {Above: 80}, "critical": {Above: 95, For: new(in(4.5))}},
			NoData: &rules.NoDataConfig{After: in(6.5), Action: action}, Flapping: off, StaleSeriesAfter: new(in(14.5)),
		}
		if edit != nil {
			edit(&rc)
		}
		return rc
	}
	return []rules.RuleConfig{
		rule("keep", "keep", nil), rule("resolve", "resolve", func(rc *rules.RuleConfig) { rc.KeepFiringFor = new(in(2.7)) }),
		rule("alert", "alert", nil), rule("close", "close", nil),
		rule("for", "keep", func(rc *rules.RuleConfig) { rc.For, rc.KeepFiringFor = new(in(7.5)), new(in(3.5)) }),
		{Name: "absent", Metric: "m", Severity: "critical", Absent: &rules.AbsentConfig{For: in(3.5)}, Flapping: off},
		{Name: "absent late", Metric: "m", Severity: "warning", Absent: &rules.AbsentConfig{For: in(9.5)}, Flapping: off, LevelConfig: rules.LevelConfig{KeepFiringFor: new(in(1.5))}},
	}
}

// TestLostTimeIsNobodysSilence compares an engine that loses time with one that loses none and sees the same samples on a time without the
// loss: both must say the same, each time at the same sample or tick.
func TestLostTimeIsNobodysSilence(t *testing.T) {
	t.Parallel()
	losses := map[string]struct{ wall, monotonic float64 }{ // What the clocks show in addition to the second that passes.
		"stopped":        {1, 1},
		"suspended":      {1, 0},
		"set forward":    {1, 0},
		"paused, unseen": {0, 0},
		"set back":       {-1, 0},
	}
	n := uint64(60)
	if testing.Short() {
		n = 10
	}
	for name, kind := range losses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range n {
				random := rand.New(rand.NewPCG(seed, 5))
				span := []float64{3, 12, 60, 3600, 86400}[random.IntN(5)]
				if name == "set back" {
					span = max(span, 61)
				}
				interval := float64(1 + random.IntN(2))
				story := fmt.Sprintf("seed %d, %vs, interval %vs", seed, span, interval)
				edit := func(c *rules.Config) {
					c.EvaluationInterval = time.Second
					c.Limits.EventsPerMinute = 1 << 20
				}
				loser, other := newRig(t, timeRules(interval), edit), newRig(t, timeRules(interval), edit)
				behind, zero := 0.0, 0.0
				loser.twoClocks(&behind)
				other.twoClocks(&zero)
				shift := 0.0
				lossAt := 20 + random.IntN(60)
				silentFrom, silentFor := 20+random.IntN(60), random.IntN(30)
				value, hot := 10.0, random.IntN(2) == 0
				for s := range 200 {
					if s == lossAt {
						shift += kind.wall * span
						behind += (kind.wall - kind.monotonic) * span
					}
					if random.IntN(12) == 0 {
						hot = !hot
					}
					if value = 10; hot {
						value = 99
					}
					at0, at1 := float64(s), float64(s)+shift
					if s%int(interval) == 0 && (s < silentFrom || s >= silentFrom+silentFor) {
						other.observe(at0+0.25, point{s: at0, v: value})
						loser.observe(at1+0.25, point{s: at1, v: value})
					}
					other.engine.Evaluate(at(at0 + 0.5))
					loser.engine.Evaluate(at(at1 + 0.5))
					require.Equal(t, other.words(), loser.words(), "%s: at %d, lost at %d, silent for %d from %d", story, s, lossAt, silentFor, silentFrom)
				}
			}
		})
	}
}

// words drains the records and returns rule and transition of each, sorted.
func (r *rig) words() []string {
	var out []string
	for _, ev := range r.drain() {
		out = append(out, fmt.Sprint(ev.Rule, " ", ev.Transition, " ", ev.Severity, " ", ev.Reason))
	}
	slices.Sort(out)
	return out
}

// TestHostsThatSendOnWhileTheEngineStandsStill: what they sent meanwhile comes at once, or some of it, or none.
func TestHostsThatSendOnWhileTheEngineStandsStill(t *testing.T) {
	t.Parallel()
	for _, stopped := range []bool{true, false} { // False: the machine was suspended.
		for _, first := range []string{"tick", "points"} {
			for part := range 4 {
				r := newRig(t, timeRules(1), func(c *rules.Config) { c.EvaluationInterval = time.Second })
				behind := 0.0
				r.twoClocks(&behind)
				for s := 0.0; s < 30; s++ {
					r.step(s, 90)
				}
				r.words()
				const span = 40
				if !stopped {
					behind = span
				}
				var points []point
				for s := 30.0; s <= 30+span; s++ {
					if part == 0 || part == 1 && int(s)%2 == 0 || part == 2 && s > 50 {
						points = append(points, point{s: s, v: 90})
					}
				}
				if first == "tick" {
					r.engine.Evaluate(at(30 + span))
				}
				r.observe(30+span+0.1, points...)
				for s := 30.0 + span + 1; s < 30+span+10; s++ {
					r.step(s, 90)
				}
				assert.Empty(t, r.words(), "stopped %v, first %s, part %d", stopped, first, part)
			}
		}
	}
}

func TestClockSetForwardFiresNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(func(rc *rules.RuleConfig) { rc.For = new(20 * time.Second) }), func(c *rules.Config) { c.EvaluationInterval = time.Second })
	behind := 0.0
	r.twoClocks(&behind)
	for s := 0.0; s < 10; s++ {
		r.step(s, 10)
	}
	for s := 10.0; s <= 14; s++ {
		r.step(s, 90)
	}
	behind = 3600
	for s := 15.0; s < 30; s++ {
		r.step(s+3600, 90)
		require.Empty(t, r.words(), "at %v", s)
	}
	r.step(30+3600, 90)
	assert.Equal(t, []string{"load fire warning threshold"}, r.words())
	assert.Len(t, r.engine.TakeNotices(), 1)
}

// TestClockSetBackKeepsAbsence: the alert goes on, its record of the end is not before that of its beginning, and the state survives a restart.
func TestClockSetBackKeepsAbsence(t *testing.T) {
	t.Parallel()
	const day = 86400.0
	for name, restart := range map[string]string{"running": "", "restarted before": "before", "restarted after": "after", "set back while down": "while"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rule := []rules.RuleConfig{{Name: "gone", Metric: "m", Severity: "critical", Absent: &rules.AbsentConfig{For: 10 * time.Second}}}
			r := newRig(t, rule, nil)
			behind := 0.0
			r.twoClocks(&behind)
			for s := 0.0; s < 5; s++ {
				r.step(s, 1)
			}
			for s := 5.0; s < 20; s++ {
				r.engine.Evaluate(at(s))
			}
			fire := r.drain()
			require.Len(t, fire, 1)
			stored := store{}
			if restart == "before" {
				r.restartFrom(stored, 20, 21)
				r.twoClocks(&behind)
			}
			now := 22.0
			back := func() {
				behind -= day
				now -= day
			}
			if restart == "while" {
				r.restartFrom(stored, 20, 22-day)
				behind, now = -day, 22-day
				r.twoClocks(&behind)
			} else {
				back()
			}
			for range 3 {
				now++
				r.engine.Evaluate(at(now))
			}
			if restart == "after" {
				r.restartFrom(stored, now, now+1)
				r.twoClocks(&behind)
			}
			for range 120 {
				now++
				r.engine.Evaluate(at(now))
			}
			require.Empty(t, r.drain(), "it is as absent as before")
			r.step(now, 1)
			end := r.drain()
			require.Len(t, end, 1)
			assert.Equal(t, fire[0].EpisodeID, end[0].EpisodeID)
			assert.GreaterOrEqual(t, end[0].Time, fire[0].Time)
			assert.GreaterOrEqual(t, end[0].EndedAt, end[0].StartedAt)
			for range 9 {
				now++
				r.engine.Evaluate(at(now))
				require.Empty(t, r.drain())
			}
			now++
			r.engine.Evaluate(at(now))
			assert.Equal(t, []string{"fire:critical"}, r.transitions(), "another ten seconds of silence are another absence")
		})
	}
}

// TestSmallStepBackIsNoSilence: a receiver of this host says nothing until its clock is where it was.
func TestSmallStepBackIsNoSilence(t *testing.T) {
	t.Parallel()
	for _, step := range []float64{2, 6, 30, 59} {
		r := newRig(t, timeRules(1), func(c *rules.Config) { c.EvaluationInterval = time.Second })
		behind := 0.0
		r.twoClocks(&behind)
		for s := 0.0; s < 60; s++ {
			r.step(s, 90)
		}
		r.words()
		behind = -step
		for s := 60 - step; s < 60; s++ {
			r.engine.Evaluate(at(s))
		}
		for s := 60.0; s < 90; s++ {
			r.step(s, 90)
		}
		assert.Empty(t, r.words(), step)
	}
}

// TestLostTimeIsNotStoredAsSilence: a restart after lost time must not count it either.
func TestLostTimeIsNotStoredAsSilence(t *testing.T) {
	t.Parallel()
	rule := []rules.RuleConfig{{Name: "gone", Metric: "m", Severity: "critical", Absent: &rules.AbsentConfig{For: 20 * time.Second}}}
	r := newRig(t, rule, nil)
	behind := 0.0
	r.twoClocks(&behind)
	r.step(0, 1)
	r.step(1, 1)
	for s := 2.0; s <= 13; s++ { // Silent for half of absent::for, so that is stored.
		r.engine.Evaluate(at(s))
	}
	stored := store{}
	stored.write(r.engine.Snapshot(at(13)))
	behind = 3600
	r.engine.Evaluate(at(3614))
	r.restartFrom(stored, 3614, 3615)
	r.engine.Evaluate(at(3620))
	assert.Empty(t, r.transitions())
	r.engine.Evaluate(at(3624))
	assert.Equal(t, []string{"fire:critical"}, r.transitions())
}

// TestLongIntervalsSurviveARestart: an alert of a metric that comes once an hour is neither without data nor stale after a restart.
func TestLongIntervalsSurviveARestart(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(nil), nil)
	now := 0.0
	for ; now <= 4*3600; now += 15 {
		if int(now)%3600 == 0 {
			r.observe(now, point{s: now, v: 10})
		}
		r.engine.Evaluate(at(now))
	}
	r.observe(now, point{s: now, v: 90})
	r.drain()
	r.restartFrom(store{}, now, now+60)
	next := now + 3600
	for now += 75; now < next; now += 15 {
		r.engine.Evaluate(at(now))
	}
	r.observe(next, point{s: next, v: 90, attrs: []attr.Attr{}})
	assert.Empty(t, r.transitions())
}

// TestWhatWasSentDuringALossComesInAnyOrder feeds what hosts sent while the Collector stood still in any order, each in a round of its own and
// some of it lost: nobody was silent.
func TestWhatWasSentDuringALossComesInAnyOrder(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 6))
		r := newRig(t, timeRules(1), func(c *rules.Config) { c.EvaluationInterval = time.Second })
		zero := 0.0
		r.twoClocks(&zero)
		for s := range 20 {
			r.observe(float64(s)+0.25, point{s: float64(s), v: 90})
			r.engine.Evaluate(at(float64(s) + 0.5))
		}
		require.NotEmpty(t, r.words())
		span := 5 + random.IntN(30)
		begin := 19.75 + float64(span)
		sent := random.Perm(span)
		for _, i := range sent[:1+random.IntN(span)] {
			begin += 0.01
			r.observe(begin, point{s: float64(20 + i), v: 90})
			if random.IntN(8) == 0 {
				r.engine.Evaluate(at(begin))
			}
		}
		for s := 20 + span; s < 40+span; s++ {
			r.observe(float64(s)+0.25, point{s: float64(s), v: 90})
			r.engine.Evaluate(at(float64(s) + 0.5))
		}
		require.Empty(t, r.words(), "seed %d, %d s", seed, span)
	}
}
