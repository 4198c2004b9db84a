package alert

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

// TestAValueThatMakesNoDifferenceIsNotRead: that of a rule without an alert while its only_if does not hold. It costs no look at its series.
func TestAValueThatMakesNoDifferenceIsNotRead(t *testing.T) {
	t.Parallel()
	run := func(condition float64) (work uint64, bodies []string) {
		cfg := rules.DefaultConfig()
		cfg.Rules = []rules.RuleConfig{{
			Name: "fills", Metric: "free", Forecast: &rules.ForecastConfig{Window: 10 * time.Minute, Horizon: time.Hour},
			OnlyIf:     &rules.ConditionConfig{Metric: "used", Above: 0.7},
			Thresholds: map[string]rules.LevelConfig{"warning": {Below: 0}},
		}}
		set, err := rules.Compile(cfg)
		require.NoError(t, err)
		e := New(set, base)
		o := &attr.Origin{Resource: []attr.Attr{attr.String("host.name", "db1")}}
		for i := range 100 {
			now := at(float64(15 * i))
			e.Begin(now)
			for metric, v := range map[string]float64{"free": float64(1000 - i), "used": condition} {
				m := e.Matcher(metric)
				require.True(t, m.Select(o, Stream{Unit: "1"}))
				m.Observe(&Point{Time: now.UnixNano(), Value: v})
			}
			e.Flush(now)
			e.Evaluate(now)
		}
		for _, ev := range e.Peek(nil, 10) {
			bodies = append(bodies, ev.SeverityText)
		}
		return e.Work(), bodies
	}
	idle, none := run(0.5)
	read, fired := run(0.8)
	assert.Empty(t, none)
	assert.Empty(t, fired, "it falls by 4 a minute: 660 are left in an hour")
	assert.GreaterOrEqual(t, read, idle+150, "two series for each of the 100 values")
}
