package alert

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
)

func counting(aggregate string) []rules.RuleConfig {
	return []rules.RuleConfig{{
		Name: "unsteady", Metric: "m", Window: 5 * time.Minute, Aggregate: aggregate,
		Thresholds: map[string]rules.LevelConfig{"warning": {Above: 2}},
	}}
}

// A count of changes is a number whatever the metric's unit is.
func TestHowOftenAValueChanges(t *testing.T) {
	t.Parallel()
	r := newRig(t, counting("changes"), nil)
	r.unit = "By"
	for i, v := range []float64{1, 1, 2, 2, 1, 1, 3} {
		r.step(float64(15*i), v)
	}
	events := r.drain()
	require.Len(t, events, 1)
	assert.InDelta(t, 3, events[0].Value.Float64, 0)
	assert.Equal(t, "{change}", events[0].Unit)
	assert.Equal(t, "changes", events[0].Aggregation)
	for i := range 30 {
		r.step(float64(105+15*i), 3)
	}
	assert.Equal(t, []string{"resolve"}, r.transitions())
}

func TestHowOftenACounterBeginsAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t, counting("resets"), nil)
	r.kind = window.CumulativeCounter
	for i, v := range []float64{100, 5, 7, 1, 2, 0} {
		r.step(float64(15*i), v)
	}
	assert.Equal(t, []string{"fire:warning"}, r.transitions())
}

func TestACountIsComparedWithNumbers(t *testing.T) {
	t.Parallel()
	for _, aggregate := range []string{"changes", "resets"} {
		cfg := rules.DefaultConfig()
		cfg.Rules = counting(aggregate)
		cfg.Rules[0].Thresholds["warning"] = rules.LevelConfig{Above: "5GiB"}
		_, err := rules.Compile(cfg)
		assert.ErrorContains(t, err, "threshold 5GiB can't be compared with "+aggregate)
	}
}
