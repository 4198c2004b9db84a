package psutilreceiver

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestEachMetricOfTheCPUsHasItsOwnAttributes: that one of the two metrics is asked for by CPU says nothing of the other one.
func TestEachMetricOfTheCPUsHasItsOwnAttributes(t *testing.T) {
	const (
		byCPU    = "{attributes: [cpu, state]}"
		together = "{attributes: [state]}"
	)
	for name, tt := range map[string]struct {
		cpu               string
		time, utilization bool // by CPU
	}{
		"neither":              {"{}", false, false},
		"time":                 {"{metrics: {system.cpu.time: " + byCPU + "}}", true, false},
		"utilization":          {"{metrics: {system.cpu.utilization: " + byCPU + "}}", false, true},
		"time, and not other":  {"{metrics: {system.cpu.time: " + byCPU + ", system.cpu.utilization: " + together + "}}", true, false},
		"other, and not time":  {"{metrics: {system.cpu.time: " + together + ", system.cpu.utilization: " + byCPU + "}}", false, true},
		"both":                 {"{metrics: {system.cpu.time: " + byCPU + ", system.cpu.utilization: " + byCPU + "}}", true, true},
		"the key of ours":      {"{per_cpu: true}", true, true},
		"both keys":            {"{per_cpu: true, metrics: {system.cpu.time: " + byCPU + "}}", true, true},
		"the key of ours, off": {"{per_cpu: false, metrics: {system.cpu.time: " + byCPU + "}}", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			written := createHostmetricsConfig().(*Config)
			require.NoError(t, decodeText(t, written, "scrapers: {cpu: "+tt.cpu+"}"))
			md, _ := scrapeTwice(t, "server-6.x", TemporalityCumulative, func(cfg *Config) {
				cfg.Scrapers.CPU = written.Scrapers.CPU
			})
			points := map[string]map[bool]int{} // how many points have the number of a CPU, and how many have not
			for _, rm := range md.ResourceMetrics().All() {
				for _, sm := range rm.ScopeMetrics().All() {
					for _, m := range sm.Metrics().All() {
						if m.Name() != systemCPUTime && m.Name() != systemCPUUtilization {
							continue
						}
						points[m.Name()] = map[bool]int{}
						for _, p := range numberPointsOf(m).All() {
							_, byCPU := p.Attributes().Get("cpu.logical_number")
							points[m.Name()][byCPU]++
						}
					}
				}
			}
			for metric, byCPU := range map[string]bool{systemCPUTime: tt.time, systemCPUUtilization: tt.utilization} {
				assert.Positive(t, points[metric][byCPU], metric)
				assert.Zero(t, points[metric][!byCPU], metric)
			}
		})
	}
}
