package alert

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
)

// TestACounterThatBeganInTheWindow boots a host: its counters carry the start. What was before that start in the window is not known, so that
// below waits for the whole window, and above does not wait.
func TestACounterThatBeganInTheWindow(t *testing.T) {
	t.Parallel()
	for _, aggregate := range []string{"increase", "rate", "resets"} {
		for _, comparison := range []string{"below", "above"} {
			t.Run(aggregate+" "+comparison, func(t *testing.T) {
				t.Parallel()
				off := false
				b := bound{comparison: comparison, low: 1}
				if comparison == "above" {
					b.low = 0.001
				}
				r := newRig(t, []rules.RuleConfig{{
					Name: "r", Metric: "m", Window: 10 * time.Minute, Aggregate: aggregate, Flapping: &rules.FlappingConfig{Enabled: &off},
					Thresholds: map[string]rules.LevelConfig{"warning": b.config()},
				}}, nil)
				r.kind = window.CumulativeCounter
				firedAt := -1.0
				for s := 1000.0; s <= 1000+900; s += 15 {
					v := 0.0
					if comparison == "above" {
						v = 50
					}
					r.observe(s, point{s: s, v: v, start: 990})
					if len(r.engine.Active()) > 0 && firedAt < 0 {
						firedAt = s
					}
				}
				switch {
				case comparison == "below":
					assert.InDelta(t, 990+600, firedAt, 15, "when it is known since its start for a window")
				case aggregate != "resets":
					assert.InDelta(t, 1000, firedAt, 0)
				}
			})
		}
	}
}

// TestACounterThatWasSeenBeforeItRestarted has samples over the whole window, the restart among them: nothing is left to wait for.
func TestACounterThatWasSeenBeforeItRestarted(t *testing.T) {
	t.Parallel()
	r := newRig(t, []rules.RuleConfig{{
		Name: "r", Metric: "m", Window: 10 * time.Minute, Aggregate: "increase", Thresholds: map[string]rules.LevelConfig{"warning": {Below: 20.0}},
	}}, nil)
	r.kind = window.CumulativeCounter
	total := 0.0
	for s := 1000.0; s < 1900; s += 15 {
		total += 10
		r.observe(s, point{s: s, v: total, start: 10})
	}
	assert.Empty(t, r.engine.Active())
	for s := 1900.0; s < 1900+585; s += 15 {
		r.observe(s, point{s: s, v: 0, start: 1890})
	}
	assert.Len(t, r.engine.Active(), 1)
}
