package alertpipe

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// TestBoundsOfRules: what is said of a rule before any value has come is what its values will be compared with.
func TestBoundsOfRules(t *testing.T) {
	level := func(above any) map[string]rules.LevelConfig {
		return map[string]rules.LevelConfig{"warning": {Above: above}}
	}
	cfg := DefaultConfig()
	cfg.Rules = []rules.RuleConfig{
		{Name: "share", Metric: "system.cpu.utilization", Thresholds: level("80%")},
		{Name: "number", Metric: "m", Thresholds: level(80)},
		{Name: "bytes", Metric: "m", Thresholds: level("5GiB")},
		{Name: "time", Metric: "m", Thresholds: level("30s")},
		{Name: "range", Metric: "m", Thresholds: map[string]rules.LevelConfig{"warning": {Outside: []any{5, 9}}}},
		{Name: "moves", Metric: "m", Thresholds: level(map[string]any{"metric": "limit"})},
		{Name: "silence", Metric: "m", Absent: &rules.AbsentConfig{For: time.Minute}, Severity: "critical"},
		{Name: "ladder", Metric: "m", Description: "d", Thresholds: map[string]rules.LevelConfig{"warning": {Above: 1}, "critical": {Above: 2}}},
	}
	set, err := cfg.compile()
	require.NoError(t, err)
	logs := ruleRecords(set, time.Unix(1, 0))
	require.Equal(t, 1, logs.ResourceLogs().Len())
	got := map[string]float64{}
	for _, lr := range logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
		assert.Equal(t, alertschema.EventRule, lr.EventName())
		name, _ := lr.Attributes().Get(alertschema.KeyRuleName)
		severity, _ := lr.Attributes().Get(alertschema.KeySeverity)
		unit, _ := lr.Attributes().Get(alertschema.KeyMetricUnit)
		threshold, _ := lr.Attributes().Get(alertschema.KeyThreshold)
		got[name.Str()+" "+severity.Str()+" "+unit.Str()] = threshold.Double()
	}
	assert.Equal(t, map[string]float64{
		"share warning 1": 0.8, "number warning ": 80, "bytes warning By": 5 << 30, "time warning s": 30, "range warning ": 9,
		"ladder warning ": 1, "ladder critical ": 2,
	}, got)
}

// TestRulesAreSaidOnce: at the start, before anything fires, and later when the consumer could not take them.
func TestRulesAreSaidOnce(t *testing.T) {
	for want, says := range map[int]bool{2: true, 0: false} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, func(cfg *Config) { cfg.Output.Rules = says }, 1)
			r.out[0].set(func(context.Context, plog.Logs) error { return errBusy })
			r.start()
			advance(2 * time.Second)
			r.out[0].set(nil)
			advance(time.Minute)
			said := 0
			for _, record := range r.out[0].all() {
				if record.Event == alertschema.EventRule {
					said++
				}
			}
			assert.Equal(t, want, said)
			r.shutdown()
		})
	}
}

// TestAStopWaitsForNoRules: a consumer that takes nothing does not keep the pipe from stopping.
func TestAStopWaitsForNoRules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(cfg *Config) { cfg.Output.Rules = true }, 1)
		r.out[0].set(func(context.Context, plog.Logs) error { return errBusy })
		r.start()
		advance(20 * time.Second)
		began := time.Now()
		r.shutdown()
		assert.LessOrEqual(t, time.Since(began), 10*time.Second)
	})
}
