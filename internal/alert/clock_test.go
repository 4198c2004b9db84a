package alert

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

// A host starts with a clock that is two hours ahead, until NTP sets it right.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	t.Run("a firing alert resolves", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, ladderRule(nil), nil)
		r.step(7200, 90)
		r.drain()
		r.step(0, 10)
		r.step(15, 10)
		assert.Equal(t, []string{"resolve"}, r.transitions())
		notices := r.engine.TakeNotices()
		require.Len(t, notices, 1)
		assert.Contains(t, notices[0], "the clock was set back by 2h")
	})
	t.Run("a firing alert stays while its value does", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, ladderRule(nil), nil)
		r.step(7200, 90)
		r.drain()
		for s := 0.0; s < 900; s += 15 {
			r.engine.Evaluate(at(s))
			r.step(s+1, 90)
		}
		assert.Empty(t, r.transitions())
	})
	t.Run("a quiet series fires", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, ladderRule(nil), nil)
		r.step(7200, 10)
		r.step(15, 99)
		assert.Equal(t, []string{"fire:critical"}, r.transitions())
	})
	t.Run("data that stops is missed", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, ladderRule(func(rc *rules.RuleConfig) { rc.NoData = &rules.NoDataConfig{After: 2 * time.Minute, Action: "keep"} }), nil)
		r.step(7200, 90)
		r.drain()
		for s := 0.0; s <= 105; s += 15 {
			r.engine.Evaluate(at(s))
			assert.Empty(t, r.transitions(), s)
		}
		r.engine.Evaluate(at(120))
		assert.Equal(t, []string{"no_data:warning"}, r.transitions())
	})
	t.Run("absence fires", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, []rules.RuleConfig{{Name: "gone", Metric: "m", Severity: "critical", Absent: &rules.AbsentConfig{For: 4 * time.Minute}}}, nil)
		r.step(7200, 1)
		r.step(7215, 1)
		r.engine.Evaluate(at(0))
		assert.Empty(t, r.transitions())
		r.engine.Evaluate(at(240))
		assert.Equal(t, []string{"fire:critical"}, r.transitions())
	})
	t.Run("flapping ends", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, ladderRule(func(rc *rules.RuleConfig) {
			rc.Flapping = &rules.FlappingConfig{Transitions: 4, Within: 5 * time.Minute, StableFor: 2 * time.Minute}
		}), nil)
		for i := range 6 {
			r.step(7200+15*float64(i), []float64{90, 10}[i%2])
		}
		r.drain()
		for s := 0.0; s <= 120; s += 15 {
			r.step(s, 10)
		}
		assert.Equal(t, []string{"flapping_end:warning", "resolve"}, r.transitions())
	})
	t.Run("windows fill again", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, ladderRule(func(rc *rules.RuleConfig) { rc.Window, rc.Aggregate = time.Minute, "avg" }), nil)
		for s := 7155.0; s <= 7200; s += 15 {
			r.step(s, 90)
		}
		require.Equal(t, []string{"fire:warning"}, r.transitions())
		for s := 0.0; s < 45; s += 15 {
			r.step(s, 10)
			assert.Empty(t, r.transitions())
		}
		r.step(45, 10)
		r.step(60, 10)
		assert.Equal(t, []string{"resolve"}, r.transitions())
	})
	t.Run("silent series are forgotten", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, ladderRule(nil), nil)
		r.step(7200, 10)
		r.step(0, 10)
		r.engine.Evaluate(at(3600))
		r.engine.Evaluate(at(3615))
		stats := r.engine.Stats(at(3615))
		assert.Zero(t, stats.Series)
		assert.Zero(t, stats.Groups)
		assert.Empty(t, r.engine.resources)
	})
	t.Run("the storm budget is there again", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, ladderRule(nil), func(c *rules.Config) { c.Limits.EventsPerMinute = 1 })
		r.step(7200, 90)
		r.step(0, 99)
		assert.Equal(t, []string{"fire:warning", "escalate:critical"}, r.transitions())
	})
	t.Run("a second is no matter", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, ladderRule(nil), nil)
		r.step(100, 90)
		r.engine.Evaluate(at(99))
		assert.Equal(t, []string{"fire:warning"}, r.transitions())
		r.step(115, 10)
		assert.Equal(t, []string{"resolve"}, r.transitions())
		assert.Empty(t, r.engine.TakeNotices())
	})
}
