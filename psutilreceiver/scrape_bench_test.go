package psutilreceiver

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// BenchmarkScrape is one scrape of each scraper on this host.
func BenchmarkScrape(b *testing.B) {
	for _, k := range scraperKinds {
		b.Run(k.name, func(b *testing.B) {
			cfg := createDefaultConfig().(*Config)
			cfg.Scrapers = offeredScrapers()
			k.enable(&cfg.Scrapers)
			r, err := newReceiver(receivertest.NewNopSettings(metadata.Type), cfg, consumertest.NewNop())
			require.NoError(b, err)
			groups, err := r.buildGroups()
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				_, err := groups[0].runs[0].scrape(context.Background())
				require.NoError(b, err)
			}
			require.NoError(b, groups[0].close())
		})
	}
}

// BenchmarkSample is one sample of this host between two exports.
func BenchmarkSample(b *testing.B) {
	for name, metrics := range map[string][]string{"default": nil, "everything": sampledNames()} {
		b.Run(name, func(b *testing.B) {
			cfg := createDefaultConfig().(*Config)
			cfg.Sampling.Interval, cfg.Sampling.Metrics = time.Second, metrics
			cfg.Metrics.SystemMemoryLinuxWriteback.Enabled = true
			r, err := newReceiver(receivertest.NewNopSettings(metadata.Type), cfg, consumertest.NewNop())
			require.NoError(b, err)
			r.groups, err = r.buildGroups()
			require.NoError(b, err)
			r.sampler, err = r.newSampler(r.groups)
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				r.sampler.sample()
			}
			require.NoError(b, r.Shutdown(context.Background()))
		})
	}
}
