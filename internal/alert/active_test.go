package alert

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// base is Thursday 2026-01-01 00:00 UTC, in Berlin one o'clock at night.
const hour = 3600.0

func inHours(days, hours any) []rules.RuleConfig {
	return ladderRule(func(rc *rules.RuleConfig) {
		rc.Active = &rules.ActiveConfig{Days: days, Hours: hours, TimeZone: "Europe/Berlin"}
		rc.Flapping = &rules.FlappingConfig{Enabled: new(bool)}
	})
}

func TestActiveHours(t *testing.T) {
	t.Parallel()
	t.Run("outside of them a fire waits, and is told when they begin if it is still true", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, inHours("mon-fri", "08:00-18:00"), nil)
		r.step(6*hour, 90) // 07:00 in Berlin.
		assert.Empty(t, r.said())
		assert.Len(t, r.engine.Active(), 1, "its state goes on")
		assert.Equal(t, uint64(1), r.engine.Stats(at(6 * hour)).EventsSuppressed["active"])
		r.step(7*hour-15, 90)
		assert.Empty(t, r.said())
		r.step(7*hour, 91)
		events := r.drain()
		require.Len(t, events, 1)
		assert.Equal(t, alertschema.TransitionFire, events[0].Transition)
		assert.Equal(t, at(6*hour).UnixNano(), events[0].StartedAt, "it has been so since then")
		r.step(8*hour, 10)
		assert.Equal(t, []string{"resolve warning threshold"}, r.said())
	})
	t.Run("when they end, what was told stays: worse waits, the end is told", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, inHours(nil, "08:00-18:00"), nil)
		r.step(16*hour, 90)
		assert.Equal(t, []string{"fire warning threshold"}, r.said())
		r.step(17*hour, 90)
		assert.Empty(t, r.said(), "18:00 ends nothing")
		r.step(18*hour, 99)
		assert.Empty(t, r.said())
		r.step(19*hour, 9)
		assert.Equal(t, []string{"resolve warning threshold"}, r.said())
	})
	t.Run("an escalation of the night is told in the morning", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, inHours(nil, "08:00-18:00"), nil)
		r.step(16*hour, 90)
		r.drain()
		for s := 17 * hour; s < 31*hour; s += 300 {
			r.step(s, 99)
			require.Empty(t, r.said())
		}
		r.step(31*hour, 99)
		assert.Equal(t, []string{"escalate critical threshold"}, r.said())
	})
	t.Run("what comes and goes outside of them is never told", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, inHours("sat-sun", nil), nil)
		r.step(0, 90)
		r.step(15, 9)
		for s := 24 * hour; s < 72*hour; s += hour {
			r.step(s, 9)
		}
		assert.Empty(t, r.said())
	})
	t.Run("over midnight and a restart", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, inHours("thu", "22:00-06:00"), nil)
		s := store{}
		r.step(20*hour, 90) // Thursday 21:00 in Berlin.
		assert.Empty(t, r.said())
		r.restartFrom(s, 20*hour+15, 20.5*hour)
		r.engine.Evaluate(at(20.5 * hour))
		assert.Empty(t, r.said())
		r.restartFrom(s, 20.5*hour, 27*hour) // Friday 04:00, of Thursday's night.
		r.step(27*hour, 90)
		assert.Equal(t, []string{"fire warning threshold"}, r.said())
		r = newRig(t, inHours("thu", "22:00-06:00"), nil)
		r.step(27*hour-24*hour, 90) // Thursday 04:00 is of Wednesday's.
		assert.Empty(t, r.said())
	})
	t.Run("when they begin, the budget of records holds", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, inHours(nil, "08:00-18:00"), func(c *rules.Config) { c.Limits.EventsPerMinute = 20 })
		disks(r, 6*hour, 100, func(i int) float64 { return 81 + float64(i)/10 })
		r.engine.Evaluate(at(6 * hour))
		assert.Empty(t, r.transitions())
		disks(r, 7*hour-1, 100, func(i int) float64 { return 81 + float64(i)/10 })
		r.engine.Evaluate(at(7*hour - 1))
		assert.Empty(t, r.transitions())
		r.engine.Evaluate(at(7 * hour))
		said := r.drain()
		require.LessOrEqual(t, len(said), 21, "with the summary")
		assert.InDelta(t, 81+9.9, said[0].Value.Float64, 1e-9, "the worst first")
	})
	t.Run("go by the clock of the host, not by that of the data", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, inHours(nil, "08:00-18:00"), nil)
		r.observe(17*hour+60, point{s: 17*hour - 60, v: 90}) // A sample of 17:59 that comes at 18:01.
		assert.Empty(t, r.said())
	})
}

func TestSilenceInHours(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(nil), func(c *rules.Config) {
		c.Silences = []rules.SilenceConfig{{
			Match:  map[string]any{"alert.rule.name": "load"},
			Active: &rules.ActiveConfig{Hours: []any{"00:00-02:00", "22:00-24:00"}, TimeZone: "Europe/Berlin"},
			To:     at(22 * hour).Format(time.RFC3339),
		}}
	})
	r.step(0, 90) // 01:00 in Berlin.
	assert.Empty(t, r.said())
	r.step(hour, 90)
	assert.Equal(t, []string{"fire warning threshold"}, r.said())
	r.step(hour+15, 9)
	r.drain()
	r.step(21*hour, 90)
	assert.Empty(t, r.said())
	r.step(22*hour, 90) // The silence is over, though its hours are not.
	assert.Equal(t, []string{"fire warning threshold"}, r.said())
}
