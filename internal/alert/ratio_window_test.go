package alert

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
)

// A ratio of increases says nothing before the window of both sides is known: not after a start, not after a restart, and neither fire nor resolve.
func TestRatiosOfIncreasesWaitAWindow(t *testing.T) {
	t.Parallel()
	for _, aggregate := range []string{"increase", "rate", "sum", "count", "avg"} {
		t.Run(aggregate, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, []rules.RuleConfig{{
				Name: "errors", GroupBy: []string{"resource.host.name"}, Window: 2 * time.Minute, Aggregate: aggregate,
				Ratio:      &rules.RatioConfig{Numerator: rules.SelectorConfig{Metric: "e"}, Denominator: rules.SelectorConfig{Metric: "p"}},
				Thresholds: map[string]rules.LevelConfig{"warning": {Above: "10%"}},
			}}, nil)
			errors, packets, now := 1000.0, 1e6, 0.0
			if aggregate != "increase" && aggregate != "rate" {
				errors, packets = 0, 0
			} else {
				r.kind = window.CumulativeCounter
			}
			// step goes on for 15 seconds. What comes is a total, or, of a gauge, what came in these.
			step := func(e, p float64) {
				now += 15
				if r.kind == window.CumulativeCounter {
					errors, packets = errors+e, packets+p
				} else {
					errors, packets = e, p
				}
				r.on("e", now, point{s: now, v: errors})
				r.on("p", now, point{s: now, v: packets})
				r.engine.Evaluate(at(now))
			}
			until := func(transition string, e, p float64) float64 {
				began := now
				for now-began < 300 {
					step(e, p)
					if got := r.transitions(); len(got) > 0 {
						require.Equal(t, []string{transition}, got)
						return now - began
					}
				}
				require.Fail(t, "nothing came", transition)
				return 0
			}
			waited := until("fire:warning", 50, 100)
			assert.InDelta(t, 120, waited, 15, "a window after the start")
			r.restartFrom(store{}, now+1, now+3)
			if aggregate == "count" {
				return // It is 1 whatever comes.
			}
			waited = until("resolve", 1, 100)
			assert.InDelta(t, 120, waited, 15, "a window after the restart")
			waited = until("fire:warning", 90, 100)
			assert.Less(t, waited, 60.0, "the window is known")
		})
	}
}
