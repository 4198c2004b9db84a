package psutilreceiver

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// BenchmarkCompatScrape scrapes this host in turn with and without `compat: hostmetrics`, the same metrics of the same things, and reports what the old
// form costs as a ratio of CPU times: of the system scrapers, and of 1,000 idle processes.
func BenchmarkCompatScrape(b *testing.B) {
	for name, scrapers := range map[string]func(*Config){
		"system":  func(c *Config) { c.Scrapers.Process = offeredScrapers().Process },
		"process": func(c *Config) { p := c.Scrapers.Process; c.Scrapers = offeredScrapers(); c.Scrapers.Process = p },
	} {
		b.Run(name, func(b *testing.B) {
			if name == "process" {
				startSleepers(b, 1000)
			}
			var groups [2]*scrapeGroup
			for i, compat := range []string{"", compatHostmetrics} {
				cfg := createDefaultConfig().(*Config)
				cfg.offerHostmetrics()
				cfg.Compat = compat
				scrapers(cfg)
				r, err := newReceiver(receivertest.NewNopSettings(metadata.Type), cfg, consumertest.NewNop())
				require.NoError(b, err)
				built, err := r.buildGroups()
				require.NoError(b, err)
				groups[i] = built[0]
			}
			if name == "process" { // A second one could not keep as many files open.
				require.NoError(b, groups[0].close())
				groups[0] = groups[1]
			}
			compat := make([]*compatOutput, len(groups[1].runs))
			for i, run := range groups[1].runs {
				compat[i] = run.compat
			}
			var spent [2]time.Duration
			for n := 0; b.Loop(); n++ {
				for turn := range 2 {
					i := (n + turn) % 2
					before := cpuTime(b)
					for j, run := range groups[i].runs {
						run.compat = nil
						if i == 1 {
							run.compat = compat[j]
						}
						_, err := run.scrape(context.Background())
						require.NoError(b, err)
					}
					spent[i] += cpuTime(b) - before
				}
			}
			b.ReportMetric(float64(spent[1])/float64(spent[0]), "old/ours")
			b.ReportMetric(float64(spent[0].Microseconds())/float64(b.N), "µs/ours")
			b.ReportMetric(float64(spent[1].Microseconds())/float64(b.N), "µs/old")
			require.NoError(b, groups[1].close())
			if groups[0] != groups[1] {
				require.NoError(b, groups[0].close())
			}
		})
	}
}

// cpuTime is what this process has used of the CPUs.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var used unix.Rusage
	require.NoError(b, unix.Getrusage(unix.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
