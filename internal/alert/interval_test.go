package alert

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

// sampleIntervals are distances of samples, in seconds.
var sampleIntervals = []float64{1, 5, 15, 30, 60, 75, 90, 120, 200, 300, 600, 900, 1800, 3600}

// missed are the ways in which one sample can be missed.
var missed = map[string]func(r *rig, s float64){
	"left out": func(*rig, float64) {},
	"a marker": func(r *rig, s float64) { r.observe(s, point{s: s, noValue: true}) },
	"NaN":      func(r *rig, s float64) { r.observe(s, point{s: s, v: math.NaN()}) },
}

// ticksBetween lets time decide every 15 seconds between two times, both excluded.
func (r *rig) ticksBetween(from, to float64) {
	for s := (math.Floor(from/15) + 1) * 15; s < to; s += 15 {
		r.engine.Evaluate(at(s))
	}
}

// TestOneMissedSampleIsOneMissedSample at any interval: what fires goes on firing without a word, and what is pending fires when it is due.
func TestOneMissedSampleIsOneMissedSample(t *testing.T) {
	t.Parallel()
	for _, interval := range sampleIntervals {
		for name, miss := range missed {
			for _, action := range []string{"keep", "resolve", "alert", "close"} {
				story := fmt.Sprintf("%s at %vs, %s", name, interval, action)
				rule := func(forIntervals float64) []rules.RuleConfig {
					return ladderRule(func(rc *rules.RuleConfig) {
						rc.For = new(time.Duration(forIntervals * interval * 1e9))
						rc.NoData = &rules.NoDataConfig{After: 5 * time.Minute, Action: action}
					})
				}
				feed := func(r *rig, i int, v float64) {
					s := float64(i) * interval
					r.ticksBetween(s-interval, s)
					r.observe(s, point{s: s, v: v})
				}
				firing := newRig(t, rule(0), nil)
				for i := range 3 {
					feed(firing, i, 10)
				}
				feed(firing, 3, 90)
				require.Equal(t, []string{"fire:warning"}, firing.transitions(), story)
				for i := 4; i < 16; i++ {
					if i == 7 || i == 12 {
						firing.ticksBetween(float64(i-1)*interval, float64(i)*interval)
						miss(firing, float64(i)*interval)
						continue
					}
					feed(firing, i, 90)
				}
				require.Empty(t, firing.transitions(), story)

				pending := newRig(t, rule(5), nil)
				for i := range 3 {
					feed(pending, i, 10)
				}
				for i := 3; i < 8; i++ {
					if i == 6 {
						pending.ticksBetween(float64(i-1)*interval, float64(i)*interval)
						miss(pending, float64(i)*interval)
						continue
					}
					feed(pending, i, 90)
				}
				require.Empty(t, pending.transitions(), story)
				feed(pending, 8, 90)
				events := pending.drain()
				require.Len(t, events, 1, story)
				assert.Equal(t, at(8*interval).UnixNano(), events[0].Time, story)
			}
		}
	}
}

// TestSeriesThatStopsIsNoticedAtAnyInterval: what a marker does not shorten still ends, and says so.
func TestSeriesThatStopsIsNoticedAtAnyInterval(t *testing.T) {
	t.Parallel()
	for _, interval := range sampleIntervals {
		for name, miss := range missed {
			r := newRig(t, ladderRule(nil), nil)
			last := 0.0
			for i := range 6 {
				last = float64(i) * interval
				r.ticksBetween(last-interval, last)
				r.observe(last, point{s: last, v: []float64{10, 10, 90, 90, 90, 90}[i]}) // The first two tell the interval.
			}
			require.Equal(t, []string{"fire:warning"}, r.transitions(), interval)
			r.ticksBetween(last, last+interval)
			miss(r, last+interval)
			r.ticksBetween(last+interval, last+max(300, 2.5*interval)-1)
			require.Empty(t, r.transitions(), "%s at %v", name, interval)
			r.ticksBetween(last+max(300, 2.5*interval)-16, last+max(300, 2.5*interval)+16)
			events := r.drain()
			require.Len(t, events, 1, "%s at %v", name, interval)
			assert.Equal(t, at(last+max(300, 2.5*interval)).UnixNano(), events[0].Time)
			r.ticksBetween(last+max(300, 2.5*interval), last+max(900, 5*interval)+interval+32)
			assert.Equal(t, []string{"resolve"}, r.transitions(), "%s at %v", name, interval)
			assert.Zero(t, r.engine.Stats(at(last)).Alerts)
		}
	}
}

// TestWindowShorterThanTheIntervalHolds: the last window stands as long as the last value does.
func TestWindowShorterThanTheIntervalHolds(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(func(rc *rules.RuleConfig) {
		rc.Window, rc.Aggregate, rc.For = time.Minute, "avg", new(10*time.Minute)
	}), nil)
	for s := 0.0; s < 600; s += 300 {
		r.ticksBetween(s-300, s)
		r.observe(s, point{s: s, v: 10})
	}
	for s := 600.0; s < 1200; s += 300 {
		r.ticksBetween(s-300, s)
		r.observe(s, point{s: s, v: 90})
		assert.Empty(t, r.transitions())
	}
	r.ticksBetween(900, 1200)
	r.observe(1200, point{s: 1200, v: 90})
	assert.Equal(t, []string{"fire:warning"}, r.transitions())
}
