package alert

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

// The function percent says the same of a host that sends shares and of one that sends percentages, and of a change in percent.
func TestPercentOfSharesAndOfPercentages(t *testing.T) {
	t.Parallel()
	for unit, value := range map[string]float64{"1": 0.85, "%": 85, "percent": 85} {
		r := newRig(t, ladderRule(func(rc *rules.RuleConfig) {
			rc.Thresholds = map[string]rules.LevelConfig{"warning": {Above: "80%"}}
			rc.Message = `{{ .Value | percent }} of {{ percent .Threshold }}`
			rc.Annotations = map[string]string{"a": `{{ .Value | percent }}`}
		}), nil)
		r.unit = unit
		r.observe(0, point{v: value})
		events := r.drain()
		require.Len(t, events, 1, unit)
		assert.Equal(t, "85.0% of 80.0%", events[0].Body, unit)
		assert.Equal(t, "85.0%", events[0].Annotations[0].Text, unit)
	}
	r := newRig(t, changeRule("10%", func(rc *rules.RuleConfig) {
		rc.Change.Since, rc.Change.Relative, rc.Message = time.Minute, true, `{{ .Value | percent }}`
	}), nil)
	r.feed(0, func(s float64) float64 { return 100 + s }, 60)
	events := r.drain()
	require.Len(t, events, 1)
	assert.Equal(t, "60.0%", events[0].Body)
}

// The end of a silence that is over is said at the start, once.
func TestASilenceThatIsOverIsSaid(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(nil), func(cfg *rules.Config) {
		cfg.Silences = []rules.SilenceConfig{{All: true, To: base.Add(-time.Hour).Format(time.RFC3339)}}
	})
	assert.Equal(t, []string{"silences[0]: it ended at 2025-12-31T23:00:00Z and does nothing any more: remove it"}, r.engine.TakeNotices())
	assert.Empty(t, r.engine.TakeNotices())
}
