package alert

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
)

// TestSparseDeltas is the recipe of README for counts that are sent only when something has happened.
func TestSparseDeltas(t *testing.T) {
	t.Parallel()
	r := newRig(t, []rules.RuleConfig{{
		Name: "job_failures", Metric: "jobs.failed", Window: 10 * time.Minute, Aggregate: "sum",
		Thresholds: map[string]rules.LevelConfig{"warning": {Above: 2}}, NoData: &rules.NoDataConfig{After: 10 * time.Minute, Action: "resolve"},
	}}, nil)
	r.kind = window.DeltaCounter
	var got []string
	var when []float64
	failed := map[float64]float64{60: 1, 300: 1, 480: 1, 3600: 1, 3900: 1, 9000: 3, 20000: 2}
	for s := 0.0; s <= 24000; s += 15 {
		for at, n := range failed {
			if at > s-15 && at <= s {
				r.observe(s, point{s: at, v: n, start: at - 10})
			}
		}
		r.engine.Evaluate(at(s))
		for _, transition := range r.transitions() {
			got, when = append(got, transition), append(when, s)
		}
	}
	assert.Equal(t, []string{"fire:warning", "resolve", "fire:warning", "resolve"}, got)
	assert.Equal(t, []float64{480, 1080, 9000, 9600}, when)
}
