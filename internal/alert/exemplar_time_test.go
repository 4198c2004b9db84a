package alert

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
)

// TestExemplarIsOfThePointThatDecided: not of a healthy point before it, nor of a later one in the same request.
func TestExemplarIsOfThePointThatDecided(t *testing.T) {
	t.Parallel()
	type traced struct {
		s, v  float64
		trace byte
	}
	for name, c := range map[string]struct {
		points []traced
		want   byte
	}{
		"its own":                {[]traced{{0, 10, 1}, {15, 90, 2}}, 2},
		"none":                   {[]traced{{0, 10, 1}, {15, 90, 0}}, 0},
		"a later one is no news": {[]traced{{0, 10, 1}, {15, 90, 2}, {30, 91, 3}}, 2},
		"a later one alone":      {[]traced{{0, 10, 1}, {15, 90, 0}, {30, 91, 3}}, 0},
	} {
		for _, together := range []bool{true, false} {
			r := newRig(t, ladderRule(nil), nil)
			now := 40.0
			r.engine.Begin(at(now))
			for _, p := range c.points {
				m := r.engine.Matcher("m")
				require.True(t, m.Select(&r.origin, Stream{Unit: "1"}))
				in := Point{Time: at(p.s).UnixNano(), Value: p.v}
				if p.trace != 0 {
					in.Exemplar = &window.Exemplar{TraceID: [16]byte{p.trace}}
				}
				m.Observe(&in)
				if !together {
					r.engine.Flush(at(now))
					r.engine.Begin(at(now))
				}
			}
			r.engine.Flush(at(now))
			events := r.drain()
			require.Len(t, events, 1, name)
			assert.Equal(t, [16]byte{c.want}, events[0].TraceID, "%s, together %v", name, together)
		}
	}
}

// TestAbsenceEndsNotBeforeItBegan although the sample that ends it was taken before the fire and came late.
func TestAbsenceEndsNotBeforeItBegan(t *testing.T) {
	t.Parallel()
	for _, late := range []float64{0.5, 3.5, 5, 9} {
		r := newRig(t, []rules.RuleConfig{{Name: "gone", Metric: "m", Severity: "critical", Absent: &rules.AbsentConfig{For: 10 * time.Second}}}, nil)
		for s := 0.0; s < 5; s++ {
			r.step(s, 1)
		}
		for s := 5.0; s <= 16; s++ {
			r.engine.Evaluate(at(s))
		}
		fire := r.drain()
		require.Len(t, fire, 1)
		assert.Equal(t, at(14).UnixNano(), fire[0].Time, "the last sample and ten seconds")
		r.observe(16, point{s: 16 - late, v: 1})
		end := r.drain()
		require.Len(t, end, 1)
		assert.GreaterOrEqual(t, end[0].Time, fire[0].Time)
		assert.GreaterOrEqual(t, end[0].EndedAt, end[0].StartedAt)
	}
}
