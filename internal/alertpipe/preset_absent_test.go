package alertpipe

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

// TestRulesOfThePresetWithoutMetricsCostNothing: the engine looks at as much with all rules of the preset as with those alone whose metrics come.
func TestRulesOfThePresetWithoutMetricsCostNothing(t *testing.T) {
	t.Parallel()
	all := rules.PresetHostRules()
	comes := map[string]bool{"cpu": true, "cpu_steal": true, "cpu_iowait": true, "swap": true}
	var others []string
	for _, r := range all {
		if !comes[r.Name] {
			others = append(others, r.Name)
		}
	}
	work := func(disable []string) (uint64, int) {
		cfg := rules.DefaultConfig()
		cfg.Preset = rules.PresetConfig{Host: &rules.HostPresetConfig{Disable: disable}}
		set, err := rules.Compile(cfg)
		require.NoError(t, err)
		now := feedStart
		engine, f, md := alert.New(set, now), &feeder{}, presetScrape(t)
		for _, rm := range md.ResourceMetrics().All() {
			for _, sm := range rm.ScopeMetrics().All() {
				sm.Metrics().RemoveIf(func(m pmetric.Metric) bool {
					return m.Name() != "system.cpu.utilization" && m.Name() != "system.paging.utilization"
				})
			}
		}
		for range 100 {
			now = now.Add(15 * time.Second)
			scrapeAt(md, now)
			engine.Begin(now)
			f.feed(engine, md)
			engine.Flush(now)
			engine.Evaluate(now)
		}
		return engine.Work(), engine.Stats(now).Series
	}
	want, series := work(others)
	require.NotZero(t, want)
	got, gotSeries := work(nil)
	assert.Equal(t, want, got)
	assert.Equal(t, series, gotSeries)
}
