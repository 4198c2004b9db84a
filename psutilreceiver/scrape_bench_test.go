package psutilreceiver

import (
	"context"
	"testing"

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
